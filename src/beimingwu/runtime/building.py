"""Makes one environment in a folder: a virtual environment, its packages, their bytecode.

No package's own code runs: uv unpacks wheels, and modules are compiled by the bare interpreter. The
environment's own Python is not started here, since a package may have it run code at every start.
Used by `environment.py`, which gives the folder its name once all of it is there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from beimingwu.config import MiB, settings
from beimingwu.errors import EnvironmentFailed
from beimingwu.runtime.installer import Installer, OnLine, Outcome
from beimingwu.runtime.interpreters import Interpreter
from beimingwu.runtime.lock import Lock

_BYTECODE = Path(__file__).with_name("bytecode.py")
#: The lock, kept in the environment for whoever looks into it.
LISTED = "lock.txt"
#: Says that an environment is finished, and what is in it.
MARKER = "environment.json"
_COMPILERS = 2
_VENV = ("venv", "--quiet", "--no-project", "--relocatable")
_INSTALL = ("pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:")


def build(
    lock: Lock,
    interpreter: Interpreter,
    installer: Installer,
    folder: Path,
    *,
    keep: Sequence[int] = (),
    on_line: OnLine | None = None,
) -> int:
    """Make the environment of `lock` in `folder`, which must not be there yet; all read-only.

    Parameters
    ----------
    keep
        Descriptors that the processes started here hold until their end.
    on_line
        Is told each step, and each line that uv prints.

    Returns
    -------
    int
        Bytes of all its files.

    Raises
    ------
    EnvironmentFailed
        It cannot be installed, or is too large, or takes too long.
    """
    say = on_line or (lambda line: None)
    say(f"making an environment of Python {interpreter.version} with {len(lock.versions)} packages")
    work = _Work(folder, interpreter, installer, keep, say)
    work.make()
    work.install(lock)
    say("compiling its modules")
    work.compile()
    size = _make_read_only(folder)
    limit = settings().environment_max_bytes
    if size > limit:
        raise EnvironmentFailed(
            f"The environment takes {size // MiB} MiB; at most {limit // MiB} MiB may be.",
            remedy="Ask for fewer packages, or let the operator raise "
            "BEIMINGWU_ENVIRONMENT_MAX_BYTES.",
            code="environment.too_large",
        )
    return size


def remove_tree(folder: Path) -> None:
    """Remove a folder that may be read-only, whatever is in it; nothing where it is not there."""
    for place, folders, _ in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in folders)):
            with contextlib.suppress(OSError):
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


class _Work:
    """The steps of one building, within one time."""

    def __init__(
        self,
        folder: Path,
        interpreter: Interpreter,
        installer: Installer,
        keep: Sequence[int],
        say: OnLine,
    ) -> None:
        self._folder = folder
        self._interpreter = interpreter
        self._installer = installer
        self._keep = keep
        self._say = say
        self._deadline = time.monotonic() + settings().environment_build_seconds

    def make(self) -> None:
        """Make the virtual environment, empty."""
        python = str(self._interpreter.path)
        outcome = self._uv((*_VENV, "--python", python, str(self._folder)), offline=True)
        if not outcome.succeeded:
            raise EnvironmentFailed(
                f"An environment of {python} cannot be made: {outcome.explanation}",
                remedy="Let the operator check that Python and the space in the cache folder.",
                code="environment.venv",
            )

    def install(self, lock: Lock) -> None:
        """Install the locked packages, from the cache alone where no index answers."""
        listed = self._folder / LISTED
        listed.write_text(lock.packages, encoding="utf-8")
        ours = self._ours()
        python = str(self._folder / "bin" / "python")
        words: tuple[str, ...] = (*_INSTALL, "--python", python, "--requirement", str(listed))
        words = (*words, "--link-mode", self._installer.link_mode, *self._installer.indexes)
        outcome = self._uv(words)
        if outcome.is_unreachable and not outcome.is_not_cached:
            self._say("no package index answers; looking in the cache")
            outcome = self._uv(words, offline=True)
        if outcome.is_unreachable or outcome.is_not_cached:
            raise EnvironmentFailed(
                "The packages are not in the cache, and no package index answers: "
                f"{outcome.explanation}",
                remedy="Try again when the network is there.",
                code="environment.offline",
            )
        if not outcome.succeeded:
            raise EnvironmentFailed(
                f"The packages cannot be installed: {outcome.explanation}",
                remedy="Ask for versions whose wheels install: `uv pip install` shows the reason.",
                code="environment.install",
            )
        if self._ours(ours) != ours or (self._folder / MARKER).exists():
            raise EnvironmentFailed(
                "A package replaces the Python of its environment.",
                remedy="Leave that package out; no honest one does this.",
                code="environment.replaces_python",
            )

    def compile(self) -> None:
        """Compile the modules, on two processes; what cannot be compiled stays a source."""
        cache = self._installer.cache
        command = (
            *(str(self._interpreter.path), "-I", "-S", str(_BYTECODE), str(self._folder)),
            str(self._installer.bytecode),
        )

        def part(number: int) -> None:
            words = (*command, str(number), str(_COMPILERS))
            self._installer.run(
                words, seconds=self._left(), writable=(cache, self._folder), keep=self._keep
            )

        with ThreadPoolExecutor(_COMPILERS) as pool:
            list(pool.map(part, range(_COMPILERS)))

    def _ours(self, names: Iterable[str] = ()) -> dict[str, str | bytes]:
        """Return what makes the folder an environment of this interpreter, or how `names` are now.

        A package may bring programs of its own, `bin/python-argcomplete-…` among them.
        """
        pythons = (self._folder / "bin").glob("python*")
        names = list(names) or [*(f"bin/{path.name}" for path in pythons), "pyvenv.cfg"]
        return {name: _content(self._folder / name) for name in names}

    def _uv(self, words: Sequence[str], *, offline: bool | None = None) -> Outcome:
        return self._installer.uv(
            words,
            seconds=self._left(),
            writable=(self._folder,),
            offline=offline,
            keep=self._keep,
            on_line=self._say,
        )

    def _left(self) -> float:
        return max(0.1, self._deadline - time.monotonic())


def _content(path: Path) -> str | bytes:
    """Return where a link leads, or what is in a file; nothing where it is neither."""
    try:
        return str(path.readlink()) if path.is_symlink() else path.read_bytes()
    except OSError:
        return b""


def _make_read_only(folder: Path) -> int:
    """Let everybody read and nobody write all but the folder itself; return the bytes.

    A guest may be another user than we are, whatever our umask; packages are no secret.
    """
    size = 0
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            about = path.lstat()
            if stat.S_ISLNK(about.st_mode):
                continue
            if stat.S_ISREG(about.st_mode):
                size += about.st_size
            runs = stat.S_ISDIR(about.st_mode) or about.st_mode & 0o111
            path.chmod(0o555 if runs else 0o444)
    return size
