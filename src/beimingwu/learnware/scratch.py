"""Temporary folders that end with their process, however it ends.

A process that is killed cannot remove its folders, so whoever next makes one of the same kind
does: a folder is locked by the process it belongs to, and the kernel ends that lock with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path


class Scratch:
    """An empty private folder, until it is removed.

    Parameters
    ----------
    kind
        What it is for; part of its name.

    Attributes
    ----------
    path : Path

    Examples
    --------
    >>> with Scratch("doctest") as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """

    def __init__(self, kind: str) -> None:
        prefix = f"beimingwu-{kind}-"
        _sweep(prefix)
        self._owner = os.getpid()
        self._hold: int | None = None
        while self._hold is None:
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            self._hold = _held(self.path)

    def remove(self) -> None:
        """Remove it with all that is in it; once is enough, and a forked copy of us leaves it."""
        hold, self._hold = self._hold, None
        if hold is not None and os.getpid() == self._owner:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(hold)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def _held(path: Path) -> int | None:
    """Lock a folder; None where another process holds it, or has just taken it for a dead one's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.lstat()):
            return descriptor
    os.close(descriptor)
    return None


def _sweep(prefix: str) -> None:
    """Remove the folders of our own user whose processes are dead."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        hold = _held(path)
        if hold is not None:
            if os.fstat(hold).st_uid == os.geteuid():
                shutil.rmtree(path, ignore_errors=True)
            os.close(hold)
