"""Locks on files between processes and threads, which the kernel ends with their process.

Taken shared by those who use a thing and exclusively by the one who makes or removes it. The file
is never removed, and its time tells when the thing was last used.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class FileLock:
    """A lock that is held; release it, or use it in a `with`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "thing.lock")
    >>> with FileLock.shared(path), FileLock.shared(path):
    ...     FileLock.exclusive_now(path) is None
    True
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def shared(cls, path: Path, *, on_wait: Callable[[], None] | None = None) -> Self:
        """Hold it beside others; wait while one holds it alone, after calling `on_wait`."""
        if on_wait is not None:
            try:
                return cls(_locked(path, fcntl.LOCK_SH | fcntl.LOCK_NB))
            except BlockingIOError:
                on_wait()
        return cls(_locked(path, fcntl.LOCK_SH))

    @classmethod
    def exclusive(cls, path: Path) -> Self:
        """Hold it alone; wait until nobody holds it."""
        return cls(_locked(path, fcntl.LOCK_EX))

    @classmethod
    def exclusive_now(cls, path: Path) -> Self | None:
        """Hold it alone, or return None where somebody holds it."""
        try:
            return cls(_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return None

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether anybody holds it, in any way."""
        held = FileLock.exclusive_now(path)
        if held is not None:
            held.release()
        return held is None

    @property
    def keep(self) -> tuple[int, ...]:
        """The descriptors to hand to a process that should hold it until its own end."""
        return () if self._descriptor is None else (self._descriptor,)

    def touch(self) -> None:
        """Say that the thing is used now."""
        if self._descriptor is not None:
            os.utime(self._descriptor)

    def release(self) -> None:
        """Let go; once is enough."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.release()


def _locked(path: Path, how: int) -> int:
    # A descriptor of its own for every use: flock then keeps threads apart as well.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
