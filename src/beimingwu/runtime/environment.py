"""The environments of learnwares: made once from a lock, shared read-only, kept within a size.

An environment is a folder named by what is in it. It is made under another name and renamed when
all of it is there, so whatever has its name is whole. Kernel locks, which end with their process,
keep two processes from making the same one and keep one that is in use from being removed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from beimingwu.config import settings
from beimingwu.errors import EnvironmentFailed, SandboxUnavailable
from beimingwu.learnware.archive import Requirements
from beimingwu.runtime.building import MARKER, build, remove_tree
from beimingwu.runtime.installer import Installer, OnLine, configured
from beimingwu.runtime.interpreters import Interpreter, find_interpreters
from beimingwu.runtime.launch import Launch, current_interpreter
from beimingwu.runtime.lock import Lock, resolve, this_platform
from beimingwu.runtime.locking import FileLock
from beimingwu.runtime.requirements import Request, normalise
from beimingwu.runtime.room import Ledger, Room, files_of, remove_unlinked
from beimingwu.runtime.sandbox import interpreter_folders

_WAITING = "another process is making this environment; waiting for it"
_BUILDING, _REMOVING = "building-", "removing-"


@dataclass(frozen=True)
class EnvironmentInfo:
    """What is known of one environment in the cache.

    Parameters
    ----------
    id
        The name of its folder.
    python
        The version of its Python.
    packages
        The version of each package.
    size
        Bytes of its files; most are also in the cache of packages and in other environments, and
        are there only once.
    used
        When it was last asked for.
    in_use
        Whether a process holds it now.
    """

    id: str
    python: str
    packages: Mapping[str, str]
    size: int
    used: datetime
    in_use: bool


class Environment:
    """One environment, held: it is not removed before `close()`, or the end of this process.

    Parameters
    ----------
    folder
        Where it is. Read-only.
    lock
        What is in it.
    prefix
        The folder of its interpreter, which may be the system's as well.
    """

    def __init__(self, folder: Path, lock: Lock, prefix: Path, held: FileLock) -> None:
        self.folder = folder
        self.lock = lock
        self.prefix = prefix
        self._held = held

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def readable(self) -> tuple[Path, ...]:
        """All that a process in it has to be able to read; of a system's own Python, not /usr."""
        return interpreter_folders(self.python)

    def close(self) -> None:
        """Let go of it."""
        self._held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        lock = self.lock
        return f"<Environment of Python {lock.python} with {len(lock.versions)} packages>"


def environment_launch(environment: Environment, *, threads: int = 1) -> Launch:
    """Return the launch of a guest by an environment's own Python; hold the environment meanwhile.

    Parameters
    ----------
    threads
        Threads that numerical libraries may start.
    """
    launch = current_interpreter(threads=threads)
    command = (str(environment.python), *launch.command[1:])
    installations = (environment.folder, environment.prefix)
    return dataclasses.replace(launch, command=command, installations=installations)


class Environments:
    """The environments of this machine.

    Parameters
    ----------
    folder
        Where they are; in the cache folder of the settings where None.
    installer
        How packages are found and installed; as the settings say where None.
    interpreters
        The Pythons to make them of; those found on this machine, when first needed, where None.

    Examples
    --------
    >>> import tempfile
    >>> Environments(Path(tempfile.mkdtemp())).list()
    ()
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        installer: Installer | None = None,
        interpreters: Sequence[Interpreter] | None = None,
    ) -> None:
        self.folder = Path(folder or Path(settings().cache) / "environments").absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._installer = installer or configured()
        self._interpreters = interpreters

    def lock(self, requirements: Requirements, *, on_line: OnLine | None = None) -> Lock:
        """Return exact versions for what a learnware asks for.

        The same question gets the same answer for as long as the cache is kept and its Python is
        there, without asking anybody: a dock records the answer with the learnware.

        Raises
        ------
        InvalidArchive
            A line of the file is refused (`requirements.*`).
        EnvironmentFailed
            The packages cannot be had here.
        """
        request = normalise(requirements)
        remembered = self.folder / "locks" / f"{self._question(request)}.json"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = Lock.from_json(json.loads(remembered.read_bytes()))
            if self._can_serve(known):
                return known
        lock = resolve(request, self._pythons(), self._installer, on_line=on_line)
        remembered.parent.mkdir(exist_ok=True)
        _write_whole(remembered, json.dumps(lock.to_json()).encode())
        return lock

    def use(self, lock: Lock, *, on_line: OnLine | None = None) -> Environment:
        """Return the environment of a lock, held; make it where it is not there yet.

        Where another process is making it, wait for that one.

        Parameters
        ----------
        on_line
            Is told each step, and each line that uv prints.

        Raises
        ------
        EnvironmentFailed
            It cannot be made (`environment.install`, `.needs_python`, `.platform`, `.too_large`,
            `.timed_out`, `.offline`).
        """
        name = lock.digest[:40]
        say = on_line or (lambda line: None)
        made = False
        while True:
            held = FileLock.shared(self.folder / f"{name}.lock", on_wait=lambda: say(_WAITING))
            marker = self._marker(name)
            if marker is not None:
                held.touch()
                if made:
                    self.prune()
                return Environment(self.folder / name, lock, Path(str(marker["prefix"])), held)
            held.release()
            try:
                self._make(lock, name, on_line)
            except EnvironmentFailed:
                self.prune()  # What was fetched for it is of use to nobody.
                raise
            made = True

    def find(self, lock: Lock) -> Environment | None:
        """Return the environment of a lock, held, where it is there; make nothing."""
        name = lock.digest[:40]
        held = FileLock.shared(self.folder / f"{name}.lock")
        marker = self._marker(name)
        if marker is None:
            held.release()
            return None
        held.touch()
        return Environment(self.folder / name, lock, Path(str(marker["prefix"])), held)

    def list(self) -> tuple[EnvironmentInfo, ...]:
        """Return every environment, the last used first."""
        infos = [info for name in self._names() if (info := self._info(name)) is not None]
        return tuple(sorted(infos, key=lambda info: info.used, reverse=True))

    def prune(self, max_bytes: int | None = None) -> tuple[EnvironmentInfo, ...]:
        """Remove what dead processes left, and over a size what has been unused for longest.

        With the last environment that has a package, the package leaves the cache as well; and if
        that is not enough, all packages do. A cache that does not lie beside the environments is
        somebody else's as well, and left to them.

        Parameters
        ----------
        max_bytes
            What all may take together; as the settings say where None. Those in use stay.

        Returns
        -------
        tuple of EnvironmentInfo
            What was removed.
        """
        limit = settings().environments_max_bytes if max_bytes is None else max_bytes
        self._sweep()
        infos = self.list()
        most = sum(info.size for info in infos) + Ledger([self._own_cache]).total
        if most <= limit:
            return ()  # Without a look at every file of every environment.
        ledger = Ledger(self.folder / info.id for info in infos)
        removed = []
        for info in reversed(infos):
            if ledger.total <= limit:
                break
            files = files_of(self.folder / info.id)
            if self._remove(info.id):
                ledger.strike(files)
                removed.append(info)
        stay = [info for info in infos if info not in removed]
        self._forget_packages(removed, stay, ledger, limit)
        return tuple(removed)

    def room(self) -> Room:
        """Return what all environments take, and the packages that are kept to make more."""
        ledger = Ledger(self.folder / name for name in self._names())
        return Room(ledger.total, ledger.others(self._own_cache))

    def forget(self) -> None:
        """Forget the answers of the resolver, so that newer packages and Pythons are seen."""
        for path in (self.folder / "locks").glob("*.json"):
            path.unlink(missing_ok=True)

    def _can_serve(self, lock: Lock) -> bool:
        """Whether the environment of a lock is there, or a Python to make it of."""
        if self._marker(lock.digest[:40]) is not None:
            return True
        return any(_minor(interpreter) == lock.python for interpreter in self._pythons())

    def _make(self, lock: Lock, name: str, on_line: OnLine | None) -> None:
        """Make an environment, alone; where another process was quicker, leave its."""
        with FileLock.exclusive(self.folder / f"{name}.lock") as held:
            if self._marker(name) is not None:
                return
            interpreter = self._interpreter(lock)
            for left in self.folder.glob(f"{_BUILDING}{name}-*"):
                remove_tree(left)  # Of a dead process: the lock is ours.
            building = self.folder / f"{_BUILDING}{name}-{uuid.uuid4().hex[:8]}"
            try:
                size = build(
                    lock, interpreter, self._installer, building, keep=held.keep, on_line=on_line
                )
                marker = {
                    "lock": lock.to_json(),
                    "size": size,
                    "prefix": str(interpreter.prefix),
                    "version": interpreter.version,
                }
                _write_whole(building / MARKER, json.dumps(marker).encode())
                (building / MARKER).chmod(0o444)
                building.chmod(0o555)
                # What bears the name without a marker, or with a Python that is gone.
                self._take_away(name)
                building.rename(self.folder / name)
                held.touch()
            except BaseException:
                remove_tree(building)
                raise

    def _marker(self, name: str) -> Mapping[str, object] | None:
        """Return what was written last into an environment, where it is whole and its Python is."""
        try:
            marker = json.loads((self.folder / name / MARKER).read_bytes())
        except (OSError, ValueError):
            return None
        whole = isinstance(marker, dict) and (self.folder / name / "bin" / "python").exists()
        return marker if whole else None

    def _interpreter(self, lock: Lock) -> Interpreter:
        if lock.platform != this_platform():
            raise EnvironmentFailed(
                f"The lock is for {lock.platform}; this is {this_platform()}.",
                remedy="Resolve the learnware's requirements again on this machine.",
                code="environment.platform",
            )
        for interpreter in self._pythons():
            if _minor(interpreter) == lock.python:
                return interpreter
        raise EnvironmentFailed(
            f"The lock is for Python {lock.python}, which this machine does not have.",
            remedy=f"Let the operator install Python {lock.python} "
            f"(`uv python install {lock.python}`).",
            code="environment.needs_python",
        )

    def _pythons(self) -> Sequence[Interpreter]:
        if self._interpreters is None:
            self._interpreters = find_interpreters()
        return self._interpreters

    def _question(self, request: Request) -> str:
        """Name what decides the answer of the resolver, but for what indexes have today."""
        parts = (request.text, request.python, request.file, this_platform(), *request.notes)
        parts = (*parts, *self._installer.sources)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _names(self) -> Iterator[str]:
        for entry in self.folder.iterdir():
            if entry.is_dir() and len(entry.name) == 40:
                yield entry.name

    def _info(self, name: str) -> EnvironmentInfo | None:
        marker = self._marker(name)
        if marker is None:
            return None
        value = marker["lock"]
        lock = Lock.from_json(value if isinstance(value, dict) else {})
        path = self.folder / f"{name}.lock"
        used = datetime.fromtimestamp(path.stat().st_mtime if path.exists() else 0.0, UTC)
        size = marker["size"]
        return EnvironmentInfo(
            id=name,
            python=str(marker["version"]),
            packages=lock.versions,
            size=size if isinstance(size, int) else 0,
            used=used,
            in_use=FileLock.is_held(path),
        )

    def _remove(self, name: str) -> bool:
        """Remove an environment unless it is in use."""
        held = FileLock.exclusive_now(self.folder / f"{name}.lock")
        if held is None:
            return False
        with held:
            self._take_away(name)
        return True

    def _take_away(self, name: str) -> None:
        """Take the name from a folder, at once, and then remove it."""
        away = self.folder / f"{_REMOVING}{uuid.uuid4().hex}"
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).rename(away)
            remove_tree(away)

    def _forget_packages(
        self,
        removed: Sequence[EnvironmentInfo],
        stay: Sequence[EnvironmentInfo],
        ledger: Ledger,
        limit: int,
    ) -> None:
        """Remove from the cache what only removed environments had; all of it where over a limit.

        That it cannot be done now stops nobody: it is done the next time.
        """
        needed = {package for info in stay for package in info.packages}
        gone = {package for info in removed for package in info.packages} - needed
        remove_unlinked(self._installer.bytecode)
        if self._own_cache != self._installer.cache:
            return
        with contextlib.suppress(EnvironmentFailed, SandboxUnavailable):
            if gone and stay:
                self._installer.forget(sorted(gone))
            if ledger.total + ledger.others(self._own_cache) > limit:
                self._installer.forget()

    @property
    def _own_cache(self) -> Path:
        """What of the cache of packages is for these environments alone."""
        cache = self._installer.cache
        return cache if cache.parent == self.folder.parent else self._installer.bytecode

    def _sweep(self) -> None:
        """Remove what processes left that died while they made or removed an environment."""
        for entry in list(self.folder.iterdir()):
            if entry.name.startswith(_REMOVING):
                remove_tree(entry)
            elif entry.name.startswith(_BUILDING):
                name = entry.name.removeprefix(_BUILDING)[:40]
                held = FileLock.exclusive_now(self.folder / f"{name}.lock")
                if held is not None:
                    with held:
                        remove_tree(entry)


def _minor(interpreter: Interpreter) -> str:
    return ".".join(map(str, interpreter.minor))


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, whenever we die."""
    new = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    with new.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
