"""The Pythons of this machine, and which of them serves what a learnware asks for.

An interpreter is found where operators put them (this one, PATH, pyenv, uv), asked once what it is,
and never downloaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from beimingwu.runtime.requirements import minor_of

#: guest.py runs on these and newer; uv and wheels know them.
OLDEST = (3, 8)
NEWEST = (3, 14)
_ASK_SECONDS = 20.0
_QUESTION = """
import json, os, platform, struct, sys, sysconfig
real = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "path": os.path.realpath(real),
    "prefix": os.path.realpath(sys.base_prefix),
    "usable": platform.python_implementation() == "CPython" and struct.calcsize("P") == 8
              and not sysconfig.get_config_var("Py_GIL_DISABLED"),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine.

    Parameters
    ----------
    version
        Such as "3.11.7".
    path
        Its program, links followed.
    prefix
        The folder of its standard library: what a sandbox has to show beside an environment.

    Examples
    --------
    >>> Interpreter("3.11.7", Path("/usr/bin/python3.11"), Path("/usr")).minor
    (3, 11)
    """

    version: str
    path: Path
    prefix: Path

    @property
    def minor(self) -> tuple[int, int]:
        """The version without its last part."""
        major, minor, *_ = map(int, self.version.split("."))
        return major, minor


def find_interpreters(candidates: Iterable[Path] | None = None) -> tuple[Interpreter, ...]:
    """Return the Pythons found on this machine, one of each version, the newest first.

    Parameters
    ----------
    candidates
        Programs to ask; by default those where operators put Pythons.

    Examples
    --------
    >>> sys.version_info[:2] in {found.minor for found in find_interpreters()}
    True
    """
    programs = list(dict.fromkeys(_places() if candidates is None else candidates))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(_ask, programs))
    found: dict[tuple[int, int], Interpreter] = {}
    for interpreter in answers:
        # The first of a version wins: this very Python, then PATH in its order.
        if interpreter is not None and interpreter.minor >= OLDEST:
            found.setdefault(interpreter.minor, interpreter)
    return tuple(found[minor] for minor in sorted(found, reverse=True))


def ranked(specifier: str, interpreters: Sequence[Interpreter]) -> tuple[Interpreter, ...]:
    """Return the interpreters, those that `specifier` admits first, then the nearest.

    Where it names no version, the nearest to our own Python come first, since models are packed
    by people who run the same.
    """
    admitted = SpecifierSet(specifier)
    own = (sys.version_info.major, sys.version_info.minor)
    wished = minor_of(specifier) or own

    def rank(interpreter: Interpreter) -> tuple[bool, tuple[int, int]]:
        fits = interpreter.version in admitted
        near = own if fits else wished
        return not fits, distance(near, interpreter.minor)

    return tuple(sorted(interpreters, key=rank))


def distance(wished: tuple[int, int], minor: tuple[int, int]) -> tuple[int, int]:
    """Return how far a version is, to sort by; of two as far away the newer is nearer.

    Examples
    --------
    >>> sorted([(3, 8), (3, 12), (3, 10)], key=lambda minor: distance((3, 9), minor))
    [(3, 10), (3, 8), (3, 12)]
    """
    away = (minor[0] - wished[0]) * 100 + minor[1] - wished[1]
    return abs(away), -away


def _places() -> Iterator[Path]:
    """Yield programs that may be Pythons."""
    yield Path(sys.executable)
    names = ["python3", *(f"python3.{n}" for n in range(NEWEST[1] + 2, OLDEST[1] - 1, -1))]
    for folder in map(Path, os.get_exec_path()):
        # pyenv's shims are slow, and the Pythons behind them are found below.
        for name in names if folder.name != "shims" else ():
            program = folder / name
            # A folder that may not be searched raises in `is_file`, and not in `access`.
            if os.access(program, os.X_OK) and program.is_file():
                yield program
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    by_uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for root in (pyenv, by_uv):
        if os.access(root, os.R_OK | os.X_OK):
            yield from sorted(root.glob("*/bin/python3"), reverse=True)


def _ask(program: Path) -> Interpreter | None:
    """Return what a program says it is; None where it is no Python for us."""
    try:
        done = subprocess.run(  # noqa: S603 - a Python that the operator installed
            [program, "-I", "-S", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_SECONDS,
            check=True,
        )
        answer = json.loads(done.stdout)
        if not answer["usable"]:
            return None
        return Interpreter(answer["version"], Path(answer["path"]), Path(answer["prefix"]))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
