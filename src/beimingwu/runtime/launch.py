"""How a guest process is started: the command, its environment, its folder.

`Launch` is the whole of what changes between this interpreter and an interpreter of the
learnware's own inside a sandbox: the rest of the runtime sees two pipes and a process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

GUEST = Path(__file__).with_name("guest.py")
#: Isolated: no PYTHON* variables, no user site, the current folder not importable; no .pyc files.
_ISOLATED = ("-I", "-B")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: Variables without which Windows and Nix interpreters do not start.
_INHERITED = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Launch:
    """A way to start a guest.

    Parameters
    ----------
    command
        The words of the command; `{guest}`, `{learnware}`, `{scratch}` and `{lifeline}` in them
        stand for the guest script, the learnware's folder, an empty folder that is the guest's
        current one, and the number of an open pipe that the command must hand down.
    environment
        All variables of the guest's environment; `{scratch}` as above.
    sandbox
        The profile of the walls that the command puts up; empty where it puts up none.
    installations
        The folders of the interpreter and of its environment.
    tree_memory
        Bytes that the command and all it starts may fill together; None where it starts nothing,
        or may fill what it likes.

    Examples
    --------
    >>> launch = Launch(("python3", "-I", "{guest}", "{learnware}", "{lifeline}"))
    >>> launch.words(learnware=Path("/l"), scratch=Path("/s"), lifeline=7)[3:]
    ['/l', '7']
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sandbox: str = ""
    installations: tuple[Path, ...] = ()
    tree_memory: int | None = None

    def words(self, *, learnware: Path, scratch: Path, lifeline: int) -> list[str]:
        """Return the command with the places filled in."""
        places = {
            "{guest}": str(GUEST),
            "{learnware}": str(learnware),
            "{scratch}": str(scratch),
            "{lifeline}": str(lifeline),
        }
        return [_filled(word, places) for word in self.command]

    def variables(self, *, scratch: Path) -> dict[str, str]:
        """Return the environment with the places filled in."""
        places = {"{scratch}": str(scratch)}
        return {name: _filled(value, places) for name, value in self.environment.items()}


def current_interpreter(*, threads: int = 1) -> Launch:
    """Return the launch in this interpreter and its packages, with nothing of our environment.

    Parameters
    ----------
    threads
        Threads that numerical libraries may start; one, since a dock runs many guests.

    Examples
    --------
    >>> "BEIMINGWU_DOCK" in current_interpreter().environment
    False
    """
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {name: str(threads) for name in _THREADS}
    environment |= {"HOME": "{scratch}", "TMPDIR": "{scratch}", "LANG": "C.UTF-8"}
    command = (sys.executable, *_ISOLATED, "{guest}", "{learnware}", "{lifeline}")
    installations = (Path(sys.prefix), Path(sys.base_prefix))
    return Launch(command, MappingProxyType(environment), installations=installations)


def _filled(word: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        word = word.replace(place, value)
    return word
