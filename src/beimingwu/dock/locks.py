"""Who is doing what in a dock's folder, across processes: advisory locks that die with their owner.

`flock` is released by the kernel when its process ends, however it ends, so no lock is ever stale.
Three questions are answered here: may I open or migrate (one at a time), may I write blobs (many at
a time) or collect them (alone), and is the process that claimed a verification still alive?
"""

from __future__ import annotations

import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PRESENCE = re.compile(r"([0-9a-f]{32})\.alive")


class Locks:
    """The locks of one dock folder, and this dock's own presence in it.

    Parameters
    ----------
    folder
        The dock's folder; the lock files live in `locks/`.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> here = Locks(folder)
    >>> Locks(folder).is_alive(here.name)
    True
    >>> here.leave()
    >>> Locks(folder).is_alive(here.name)
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
