"""A process and all that descend from it, and their end where together they take too much.

A limit of the kernel binds each process alone, and the cgroups that bind a tree are not ours to
make on every machine; so a thread of ours adds up what the tree takes. Used for memory by
`process.py`, and for what is written by `installer.py`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

#: Between two looks. Memory and files fill at some GiB a second, so what is taken may get as much
#: over a limit as fits into it.
LOOK_SECONDS = 0.02


class Measure(Protocol):
    """What a process and its descendants take, in bytes; exact where it is more than `at_most`."""

    def __call__(self, root: int, *, at_most: int) -> int:
        """Measure the tree of a process."""


class TreeWatch:
    """A thread that watches a process and all that descend from it.

    Parameters
    ----------
    root
        The number of the process.
    limit
        What all may take together, in bytes.
    measure
        Tells what they take.
    end
        Ends them; called once, when they take more.

    Attributes
    ----------
    limit : int
    exceeded : bool
        Whether they were ended.
    peak : int
        The most that they took together at any look, in bytes.
    """

    def __init__(self, root: int, limit: int, measure: Measure, end: Callable[[], None]) -> None:
        self.exceeded = False
        self.peak = 0
        self.limit = limit
        self._root, self._measure, self._end = root, measure, end
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            taken = self._measure(self._root, at_most=self.limit)
            self.peak = max(self.peak, taken)
            if taken > self.limit:
                self.exceeded = True
                self._end()
                return


def can_be_watched() -> bool:
    """Tell whether this kernel says which processes descend from one.

    Examples
    --------
    >>> can_be_watched() in (True, False)
    True
    """
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def written_by(root: int, *, at_most: int = 0) -> int:
    """Return what a process and its descendants have written so far, in bytes.

    What has ended counts no more, so this is for a tree in which one process does the writing.

    Examples
    --------
    >>> written_by(os.getpid()) >= 0
    True
    """
    return sum(map(_written, [root, *descendants(root)]))


def descendants(number: int) -> Iterator[int]:
    """Yield the processes that descend from one, as far as they are still there."""
    for task in _tasks(number):
        children = ""
        with contextlib.suppress(OSError):  # A task that has ended must not hide the others.
            children = (task / "children").read_text()
        for child in map(int, children.split()):
            yield child
            yield from descendants(child)


def _tasks(number: int) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(Path(f"/proc/{number}/task").iterdir())
    return []


def _written(number: int) -> int:
    with contextlib.suppress(OSError), Path(f"/proc/{number}/io").open() as lines:
        for line in lines:
            if line.startswith("wchar:"):
                return int(line.split()[1])
    return 0
