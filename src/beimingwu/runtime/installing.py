"""Walls around the installing of packages: it may reach the package index, and write its cache.

No code of a package runs while it is installed, so these walls are a second line: they hold when
the installer itself is deceived by what it reads. `behind_gate` is a `Confine` for `installer.py`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from beimingwu.config import Settings, settings
from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import bubblewrap

GATE = Path(__file__).with_name("gate.py")
#: The index that uv asks where none is named, and where its files lie.
PYPI = frozenset({"pypi.org", "files.pythonhosted.org"})
_INDEX_VARIABLES = re.compile(r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS)")
_MAIN_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")


def behind_gate(
    profile: Profile | None = None, hosts: frozenset[str] | None = None
) -> Callable[[tuple[str, ...], tuple[Path, ...]], tuple[str, ...]]:
    """Return what puts a command behind walls with one gate, to the package indexes.

    Parameters
    ----------
    profile
        As the settings say where None. Only bubblewrap has such a gate: Landlock cannot tell one
        host from another, so there, and with no walls, installing goes on as it is.
    hosts
        Those that may be reached; the indexes of the settings where None.

    Raises
    ------
    SandboxUnavailable
        The profile is bubblewrap, and there is none.

    Examples
    --------
    >>> behind_gate(Profile.NONE)(("uv", "--version"), ())
    ('uv', '--version')
    """
    if (profile or Profile.from_settings()) is not Profile.BUBBLEWRAP:
        return lambda command, _: command
    program = bubblewrap()
    if program is None:
        raise SandboxUnavailable(
            "Packages are installed inside bubblewrap, and there is no bwrap on PATH.",
            remedy="Install it: apt-get install bubblewrap, or dnf install bubblewrap.",
            code="sandbox.no_bubblewrap",
        )
    allowed = index_hosts() if hosts is None else hosts

    def confine(command: tuple[str, ...], writable: tuple[Path, ...]) -> tuple[str, ...]:
        script = (sys.executable, "-I", "-S", "-B", str(GATE))
        walls: tuple[str, ...] = (program, "--unshare-all", "--die-with-parent")
        walls += ("--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
        for folder in _mounted(writable):
            walls += ("--bind", str(folder), str(folder))
        walls += ("--chdir", "/", "--", *script, "inside", "{gate}", "--", *command)
        return (*script, "open", *sorted(allowed), "--", *walls)

    return confine


def _mounted(writable: tuple[Path, ...]) -> list[Path]:
    """Return the folders to mount; all of our cache as one, since links do not cross mounts."""
    folders = [folder.resolve() for folder in writable]
    cache = Path(settings().cache).resolve()
    if folders and all(folder.is_relative_to(cache) for folder in folders):
        folders = [cache]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def index_hosts(
    given: Settings | None = None, environment: Mapping[str, str] | None = None
) -> frozenset[str]:
    """Return the hosts that packages come from, by the settings and uv's own variables.

    Examples
    --------
    >>> sorted(index_hosts(Settings(), {}))
    ['files.pythonhosted.org', 'pypi.org']
    >>> sorted(index_hosts(Settings(index_url="https://index.example/simple"), {}))
    ['index.example']
    """
    current, variables = given or settings(), environment if environment is not None else os.environ
    if current.offline:
        return frozenset()
    named = [current.index_url, current.extra_index_url, current.find_links]
    named += [value for name, value in variables.items() if _INDEX_VARIABLES.fullmatch(name)]
    places = (place.rpartition("=")[2] for text in named for place in re.split(r"[\s,]+", text))
    found = {urlsplit(place).hostname or "" for place in places if "://" in place}
    own_index = current.index_url or any(variables.get(name) for name in _MAIN_INDEX)
    found |= set() if own_index or current.no_index else PYPI
    return frozenset(found | set(current.index_hosts.lower().split())) - {""}
