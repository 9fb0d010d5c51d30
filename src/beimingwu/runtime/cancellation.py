"""Ending from one thread what another one waits for: a learnware's call, or an installation.

A program that is interrupted tells its `Cancellation`; whoever waits behind it is woken by the end
of the process it waits for, and raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """What may be called off; once it is, it stays so.

    Examples
    --------
    >>> cancellation = Cancellation()
    >>> with cancellation.ending(lambda: print("ended")):
    ...     cancellation.cancel()
    ended
    >>> cancellation.cancelled
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._endings: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether it was called off."""
        return self._cancelled

    def cancel(self) -> None:
        """Call off: end all that is under way, and whatever begins later as soon as it does."""
        with self._lock:
            self._cancelled = True
            for end in self._endings:
                end()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Let `end`, which must not wait, be called where it is called off meanwhile."""
        with self._lock:
            self._endings.append(end)
            if self._cancelled:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._endings.remove(end)
