"""Every setting of Beimingwu, once: its default, its environment variable and why it exists.

A setting is read when it is used, so that a test or an operator may change the environment at
any time. Sizes are bytes, times are seconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path

MiB = 1024 * 1024


def _default_dock() -> str:
    from platformdirs import user_data_dir

    return str(Path(user_data_dir("beimingwu")) / "dock")


def _default_cache() -> str:
    from platformdirs import user_cache_dir

    return str(Path(user_cache_dir("beimingwu")))


@dataclass(frozen=True)
class Settings:
    """The settings in force; `Settings.from_environment()` reads `BEIMINGWU_<NAME>` for each.

    Examples
    --------
    >>> Settings().archive_max_members
    10000
    """

    # The folder that holds the embedded dock.
    dock: str = field(default_factory=_default_dock)
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
    # One array from a learnware may be at most this large.
    guest_reply_max_bytes: int = 1024 * MiB
    # The walls around a learnware's code: bubblewrap, landlock, or none, which is none.
    sandbox: str = "bubblewrap"
    # Address space of a learnware's process. More than it fills: libraries reserve and map much
    # that they never touch, and torch alone needs two GiB of it.
    guest_memory_max_bytes: int = 4096 * MiB
    # Threads of a learnware (and processes, where it may start any). Numerical libraries are told
    # to use one; some start a few more all the same.
    guest_threads_max: int = 64
    # Not 0: a learnware may start processes, each with as much memory as above. Only in bubblewrap.
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
    # All environments together; over it, those not used for longest and not in use now go.
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

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings from `BEIMINGWU_*`; those unset or empty have the defaults above."""
        given: dict[str, object] = {}
        for setting in fields(cls):
            text = os.environ.get(f"BEIMINGWU_{setting.name.upper()}")
            if text:
                given[setting.name] = _parse(setting.name, setting.type, text)
        return cls(**given)  # type: ignore[arg-type]


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

    Examples
    --------
    >>> settings().archive_max_members >= 1
    True
    """
    return Settings.from_environment()
