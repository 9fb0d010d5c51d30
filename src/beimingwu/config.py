"""Every setting of Beimingwu, once: its default, its environment variable and why it exists.

A setting is read when it is used, so that a test or an operator may change the environment at
any time. A file that BEIMINGWU_SETTINGS names holds the same settings in TOML (`port = 8088`); the
environment goes before it. Sizes are bytes, times are seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

MiB = 1024 * 1024


def _default_dock() -> str:
    from platformdirs import user_data_dir

    return str(Path(user_data_dir("beimingwu")) / "dock")


def _default_cache() -> str:
    from platformdirs import user_cache_dir

    return str(Path(user_cache_dir("beimingwu")))


def _default_searchers() -> int:
    return min(os.cpu_count() or 1, 4)


def _default_credentials() -> str:
    from platformdirs import user_config_dir

    return str(Path(user_config_dir("beimingwu")) / "credentials.json")


@dataclass(frozen=True)
class Settings:
    """The settings in force; `Settings.from_environment()` reads `BEIMINGWU_<NAME>` for each.

    Examples
    --------
    >>> Settings().archive_max_members
    10000
    """

    # The folder that holds the dock, or the address of one on a server.
    dock: str = field(default_factory=_default_dock)
    # The PostgreSQL database of its catalogue, postgresql://USER:PASSWORD@HOST:PORT/NAME, when many
    # machines share the folder; an SQLite file in the folder where empty.
    database: str = field(default="", repr=False)
    # Whose learnwares the command line submits and lists with --mine; the name of this system's
    # user where empty.
    owner: str = ""
    # Not 0: the command line shows the traceback of an error above its two lines.
    debug: int = 0
    # Real data sets for benchmarks and tests; not needed to use Beimingwu.
    data: str = "../shared/data"

    # An archive larger than this is refused before it is read.
    archive_max_bytes: int = 1024 * MiB
    # Unpacked size, members, and unpacked / packed ratio of one archive: zip bombs stop here.
    archive_max_unpacked_bytes: int = 4096 * MiB
    archive_max_members: int = 10_000
    archive_max_ratio: int = 200
    # learnware.yaml and the semantic JSON are small; anything larger is an attack or a mistake.
    manifest_max_bytes: int = 1 * MiB
    # stat.json: 100 points of a few thousand features fit with room to spare.
    specification_max_bytes: int = 64 * MiB
    # Numbers in one specification (points x features), checked before any array exists.
    specification_max_numbers: int = 4_000_000
    # Points in one specification. Comparing two costs their product: 100 summarise well, and a
    # million in a small file would hold a dock for hours.
    specification_max_points: int = 2_000

    # A learnware starts (imports, loads weights) and answers each call within these.
    guest_start_seconds: float = 120.0
    guest_call_seconds: float = 300.0
    # What a learnware prints is kept up to this size for its owner's log.
    guest_output_max_bytes: int = 64 * 1024
    # Records go to a learnware in pieces of at most this size, so that a batch may be of any size;
    # each piece has the time above.
    guest_batch_max_bytes: int = 64 * MiB
    # The answers to one batch may be at most this large.
    guest_reply_max_bytes: int = 1024 * MiB
    # The walls around a learnware's code: bubblewrap, landlock, or none, which is none.
    sandbox: str = "bubblewrap"
    # Address space of a learnware's process. More than it fills: libraries reserve and map much
    # that they never touch, and torch alone needs two GiB of it.
    guest_memory_max_bytes: int = 4096 * MiB
    # Threads of a learnware (and processes, where it may start any). Numerical libraries are told
    # to use one; some start a few more all the same.
    guest_threads_max: int = 64
    # Not 0: a learnware may start processes, which together may fill as much memory as above. Only
    # in bubblewrap.
    guest_fork: int = 0
    # One file that a learnware writes, and all its temporary files together: they are memory.
    guest_file_max_bytes: int = 256 * MiB
    guest_scratch_max_bytes: int = 256 * MiB
    # Files and pipes that a learnware holds open at once.
    guest_open_files_max: int = 512
    # Processor time of one process, also between calls; one that has used half of it is replaced
    # after its answer, so that only one that burns it for nothing is ended.
    guest_cpu_seconds: int = 3600

    # A learnware runs with the packages it asks for (own), or with those of this interpreter
    # (current), which is quicker and needs no index, for learnwares that you made here.
    packages: str = "own"
    # What can be made again: the environments of learnwares, and the packages they are made from.
    cache: str = field(default_factory=_default_cache)
    # uv's cache of packages; `uv` in the folder above where empty (or UV_CACHE_DIR).
    uv_cache: str = ""
    # All environments and the packages kept to make more; over it, those not used for longest and
    # not in use now go, then the packages.
    environments_max_bytes: int = 20 * 1024 * MiB
    # One environment; a larger one is refused.
    environment_max_bytes: int = 8 * 1024 * MiB
    # Finding the versions, and installing them, may each take this long.
    environment_resolve_seconds: float = 120.0
    environment_build_seconds: float = 900.0
    # Where packages come from: the main index (PyPI where empty), further ones and places of
    # wheels with blanks between; not 0: no index at all. UV_* variables for indexes hold too.
    index_url: str = ""
    extra_index_url: str = ""
    find_links: str = ""
    no_index: int = 0
    # Hosts that packages may come from beside those of the indexes, with blanks between, where an
    # index keeps its files elsewhere; `.name` stands for all beneath name.
    index_hosts: str = ""
    # Not 0: no network; packages come from the cache. So does everything when an index is down.
    offline: int = 0

    # A dock on a server: what signs in there instead of `beimingwu login`, which keeps its tokens
    # in a file; and how long the network may be silent.
    token: str = field(default="", repr=False)
    credentials: str = field(default_factory=_default_credentials)
    network_seconds: float = 60.0
    # Learnwares of docks on servers are kept in the cache up to this size.
    learnwares_max_bytes: int = 20 * 1024 * MiB

    # The service. Where it listens, and the address that people use when a proxy stands before it
    # (https://dock.example.org): links in mails begin with it, and never with what a request says.
    host: str = "127.0.0.1"
    port: int = 8088
    url: str = ""
    # Addresses of the proxies that are believed about who asks, with commas between.
    trusted_proxies: str = ""
    # Learnwares that this server verifies at a time; with 0 it leaves that to `beimingwu worker`.
    workers: int = 1
    # Processes that search, started when one search has to wait for another; each holds an index in
    # memory. With 0 all searches run in the server.
    searchers: int = field(default_factory=_default_searchers)
    # What one account may keep: its learnwares' archives and its uploads together.
    quota_bytes: int = 20 * 1024 * MiB
    # An upload ends this long after its last piece; so many may one account have open at a time.
    upload_seconds: int = 24 * 3600
    uploads_max: int = 20
    # Nothing more is accepted when the disk has less than this left.
    free_min_bytes: int = 1024 * MiB
    # A request other than an upload is refused above this.
    request_max_bytes: int = 1 * MiB
    # Not 0: anybody may register; and only who has one of these e-mail addresses or domains, with
    # blanks between (`.name` stands for all beneath name), where there are any.
    registration: int = 1
    email_allow: str = ""
    # The super admin that the first start makes, with a password of its own, printed once.
    admin_email: str = "admin@localhost"
    # How mails are sent; without a host they are printed to the log, for development.
    smtp_host: str = ""
    smtp_port: int = 465
    smtp_security: str = "tls"  # or starttls, or none
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_from: str = "beimingwu@localhost"
    # Where browsers report what the policy of our pages refused: a URL, or nowhere.
    web_reports: str = ""
    # How long a link in a mail holds, a browser's session (and one that is not used), and a code
    # that a terminal shows to be signed in by a browser.
    link_seconds: int = 24 * 3600
    session_seconds: int = 30 * 24 * 3600
    session_idle_seconds: int = 7 * 24 * 3600
    device_seconds: int = 600
    # How often: all requests of one address or account; failures to sign in to one account from one
    # address, to it from everywhere, and from one address; mails to one person; reports of abuse
    # from one address. Each server counts for itself.
    rate_address: str = "600/minute"
    rate_account: str = "1200/minute"
    rate_sign_in: str = "10/15 minutes"
    rate_sign_in_account: str = "100/hour"
    rate_sign_in_address: str = "60/15 minutes"
    rate_mail: str = "5/hour"
    rate_report: str = "20/hour"

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings from `BEIMINGWU_*`; those unset or empty have the defaults above.

        Raises
        ------
        InvalidInput
            A setting cannot be read, or the file of settings has one that there is not.
        """
        given = dict(_from_file(os.environ.get("BEIMINGWU_SETTINGS", "")))
        for setting in fields(cls):
            text = os.environ.get(f"BEIMINGWU_{setting.name.upper()}")
            if text:
                given[setting.name] = _parse(setting.name, setting.type, text)
        return cls(**given)  # type: ignore[arg-type]


def _from_file(name: str) -> Mapping[str, object]:
    if not name:
        return {}
    path = Path(name).expanduser()
    try:
        return _read_file(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise _bad_file(name, f"it cannot be read: {error.strerror}") from None


@lru_cache(maxsize=4)
def _read_file(path: Path, changed: int) -> Mapping[str, object]:
    """Return what a file of settings says; `changed` is when it was written."""
    import tomllib

    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad_file(str(path), str(error)) from None
    known = {setting.name: str(setting.type) for setting in fields(Settings)}
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}
    for key, value in given.items():
        if key not in known:
            raise _bad_file(str(path), f"there is no setting {key!r}")
        if isinstance(value, bool) or not isinstance(value, kinds[known[key]]):
            raise _bad_file(str(path), f"{key} must be of the type {known[key]}")
    return MappingProxyType(given)


def _bad_file(name: str, why: str) -> Exception:
    from beimingwu.errors import InvalidInput

    return InvalidInput(
        f"The file of settings {name!r} is not usable: {why}.",
        remedy="Write lines such as `port = 8088`; BEIMINGWU_SETTINGS names the file.",
        code="input.settings_file",
    )


def _parse(name: str, kind: object, text: str) -> object:
    from beimingwu.errors import InvalidInput

    convert = {"int": int, "float": float}.get(str(kind), str)
    try:
        return convert(text)
    except ValueError:
        raise InvalidInput(
            f"BEIMINGWU_{name.upper()} must be a number. Got {text!r} instead.",
            remedy=f"Unset it, or set it to {'a whole number' if convert is int else 'a number'}.",
            code="input.setting",
        ) from None


def settings() -> Settings:
    """Return the settings in force now.

    They are read anew whenever a variable that they depend on has changed, or there is a file of
    settings: thousands of learnwares in one list each ask for a limit.

    Examples
    --------
    >>> settings().archive_max_members >= 1
    True
    """
    told = tuple(item for item in os.environ.items() if item[0].startswith(_TELLING))
    if any(name == "BEIMINGWU_SETTINGS" for name, _ in told):
        return Settings.from_environment()
    return _settings_of(told)


#: Variables that settings and their defaults depend on; the latter are folders of this user.
_TELLING = ("BEIMINGWU_", "XDG_", "HOME")


@lru_cache(maxsize=8)
def _settings_of(told: tuple[tuple[str, str], ...]) -> Settings:
    return Settings.from_environment()
