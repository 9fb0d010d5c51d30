"""Who is doing what in a dock, across processes: advisory locks that die with their owner.

Three questions are answered here: may I open or migrate (one at a time), may I write blobs (many at
a time) or collect them (alone), and is the process that claimed a verification still alive? In an
embedded dock the kernel answers, by `flock` on files in the folder. Where many machines share a
dock the database does, by locks that last as long as the session that took them. Either way a lock
ends with its process, however that ends, so none is ever stale.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from beimingwu.dock.postgresql import LOCK, PostgreSQL
from beimingwu.errors import Unavailable

_PRESENCE = re.compile(r"([0-9a-f]{32})\.alive")


class Locks(Protocol):
    """The locks of one dock, and the presence in it of whoever holds this object."""

    @property
    def name(self) -> str:
        """What this presence is called; unlike any other, ever."""

    def opening(self) -> AbstractContextManager[None]:
        """Hold the dock alone while it is opened: created, migrated, swept."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold off collection while blobs are written that no row refers to yet."""

    def collecting(self) -> AbstractContextManager[bool]:
        """Tell whether nobody is writing, and keep it so; False when somebody is."""

    def is_alive(self, name: str) -> bool:
        """Tell whether the dock that took this name is still open in some process."""

    def sweep(self) -> None:
        """Remove the names of docks that are no more; call it while `opening`."""

    def leave(self) -> None:
        """Give up this presence."""


def locks_of(folder: Path, where: Path | str) -> Locks:
    """Return the locks of a dock, by where its catalogue is: in its folder, or at a URL."""
    return FolderLocks(folder) if isinstance(where, Path) else DatabaseLocks(where)


class FolderLocks:
    """Locks on files, between the processes of one machine.

    Parameters
    ----------
    folder
        The dock's folder; the lock files live in `locks/`.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> here = FolderLocks(folder)
    >>> FolderLocks(folder).is_alive(here.name)
    True
    >>> here.leave()
    >>> FolderLocks(folder).is_alive(here.name)
    False
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "locks"
        self._folder.mkdir(exist_ok=True)
        self.name = uuid.uuid4().hex
        # Not between another dock's `sweep` and its unlink: the file must be locked when seen.
        with self.opening():
            path = self._folder / f"{self.name}.alive"
            self._presence = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
            fcntl.flock(self._presence, fcntl.LOCK_EX)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the dock alone while it is opened: created, migrated, swept."""
        with self._held("opening", fcntl.LOCK_EX):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold off collection while blobs are written that no row refers to yet."""
        with self._held("blobs", fcntl.LOCK_SH):
            yield

    @contextmanager
    def collecting(self) -> Iterator[bool]:
        """Tell whether nobody is writing, and keep it so; False when somebody is."""
        with self._opened("blobs") as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except BlockingIOError:
                alone = False
            yield alone

    def is_alive(self, name: str) -> bool:
        """Tell whether the dock that took this name is still open in some process."""
        try:
            descriptor = os.open(self._folder / f"{name}.alive", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two who ask at once do not take each other for the owner.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def sweep(self) -> None:
        """Remove the names of docks that are no more; call it while `opening`."""
        for entry in self._folder.iterdir():
            presence = _PRESENCE.fullmatch(entry.name)
            if presence and not self.is_alive(presence[1]):
                entry.unlink(missing_ok=True)

    def leave(self) -> None:
        """Give up this dock's presence."""
        (self._folder / f"{self.name}.alive").unlink(missing_ok=True)
        os.close(self._presence)

    @contextmanager
    def _held(self, name: str, how: int) -> Iterator[None]:
        with self._opened(name) as descriptor:
            fcntl.flock(descriptor, how)
            yield

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        # A descriptor of its own for every use: flock then keeps threads apart as well.
        path = self._folder / f"{name}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


class DatabaseLocks:
    """Locks in a PostgreSQL database, between all machines that use it.

    Parameters
    ----------
    database
        Its URL; two connections are kept for as long as this is in use.

    Raises
    ------
    InvalidInput, MissingDependency, Unavailable
        As `Database`.
    """

    def __init__(self, database: str) -> None:
        self._database = PostgreSQL(database, 0.0)
        # Whoever waits for one of these locks waits until it is free, as with `flock`.
        self._engine = self._database.engine(sa.NullPool, lock_timeout="0")
        self._name = uuid.uuid4().hex
        self._present = threading.Lock()
        self._blobs = threading.Lock()
        # Everybody in this process who writes blobs, and the session whose lock they share.
        self._writing = 0
        self._shared: _Session | None = None
        self._gone = False
        self._presence = self._entered()

    @property
    def name(self) -> str:
        """What this presence is called; it is taken again where its connection was lost.

        Others may have taken its claims over meanwhile, and then they have them.
        """
        with self._present:
            if not self._gone:
                self._return()
        return self._name

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the dock alone while it is opened: created, migrated, swept."""
        session = self._session("pg_advisory_lock", "opening")
        try:
            yield
        finally:
            session.end()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold off collection while blobs are written that no row refers to yet.

        Raises
        ------
        Unavailable
            At the end: the connection was lost, so a collection may have taken them for nobody's.
        """
        session = self._joined()
        try:
            yield
        except BaseException:
            self._left(session)
            raise
        if not self._left(session):
            raise Unavailable(
                f"{self._database} was lost from sight while files were stored.",
                remedy="See with `list` whether the learnware arrived, and else submit it again.",
                code="dock.lost_sight",
            )

    @contextmanager
    def collecting(self) -> Iterator[bool]:
        """Tell whether nobody is writing, and keep it so; False when somebody is."""
        with self._blobs:
            if self._writing:
                yield False
                return
            session = self._session("pg_try_advisory_lock", "blobs")
            try:
                yield session.got
            finally:
                session.end()

    def is_alive(self, name: str) -> bool:
        """Tell whether the dock that took this name is still open in some process."""
        # Shared, so that two who ask at once do not take each other for the owner.
        free = "pg_try_advisory_xact_lock_shared", name
        with self._present:
            if self._gone:
                session = self._session(*free)
                session.end()
                return not session.got
            self._return()
            return name == self._name or not self._presence.ask(*free)

    def sweep(self) -> None:
        """Do nothing: the server forgets who is gone."""

    def leave(self) -> None:
        """Give up this presence."""
        with self._present, self._blobs:
            self._gone = True
            self._presence.end()
            if self._shared is not None:
                self._shared.end()

    def _session(self, function: str, lock: str) -> _Session:
        """Return a new session that holds a lock, or was told that it cannot be had now."""
        session = _Session(self._database, self._engine)
        try:
            session.got = session.ask(function, lock)
        except BaseException:
            session.end()
            raise
        return session

    def _entered(self) -> _Session:
        return self._session("pg_advisory_lock", self._name)

    def _return(self) -> None:
        if not self._presence.goes_on():
            self._presence.end()
            self._presence = self._entered()

    def _joined(self) -> _Session:
        """Enter those who write, and return the session whose lock they share."""
        with self._blobs:
            if self._shared is None:
                self._shared = self._session("pg_advisory_lock_shared", "blobs")
            self._shared.users += 1
            self._writing += 1
            return self._shared

    def _left(self, session: _Session) -> bool:
        """Leave those who write, and tell whether their lock was held all the time."""
        with self._blobs:
            self._writing -= 1
            session.users -= 1
            held = session.goes_on()
            if self._shared is session and not (held and session.users):
                # Where it is lost, the next one takes it anew; others in here find out as they go.
                self._shared = None
                session.end()
            return held


class _Session:
    """A connection that holds what it locked until its end, whichever way that comes."""

    def __init__(self, database: PostgreSQL, engine: sa.Engine) -> None:
        self.got = False
        self.users = 0
        self._database = database
        autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._told():
            self._connection = autocommit.connect()

    def ask(self, function: str, lock: str) -> bool:
        """Call one of PostgreSQL's functions on a lock; one that waits until it has it is true."""
        with self._told():
            statement = sa.text(f"SELECT {function}({LOCK})")
            return self._connection.execute(statement, {"lock": lock}).scalar() is not False

    def goes_on(self) -> bool:
        """Tell whether this is the same session still, so that it holds what it locked."""
        # A connection that was lost is not made again behind our back: asking it raises from then.
        try:
            self._connection.exec_driver_sql("SELECT 1")
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def end(self) -> None:
        """End the session; its locks are free as soon as the server knows."""
        if not self._connection.closed:
            with suppress(sa.exc.SQLAlchemyError):
                self._connection.invalidate()
            self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise self._database.told(error) or error from None
