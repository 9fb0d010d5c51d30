"""How much memory a learnware's processes fill together, and their end where it is too much.

A limit of the kernel binds each process alone, and the cgroups that bind a tree are not ours to
make on every machine; so where a learnware may start processes, a thread of ours adds up what
they fill. Used by `process.py`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

#: Between two looks. Memory fills at some GiB a second, so this is how far over a limit it gets.
LOOK_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """A thread that watches a process and all that descend from it.

    Parameters
    ----------
    root
        The number of the process.
    limit
        What all may fill together, in bytes.
    end
        Ends them; called once, when they fill more.

    Attributes
    ----------
    limit : int
    exceeded : bool
        Whether they were ended.
    peak : int
        The most that they filled together at any look, in bytes.
    """

    def __init__(self, root: int, limit: int, end: Callable[[], None]) -> None:
        self.exceeded = False
        self.peak = 0
        self.limit = limit
        self._root, self._end = root, end
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            filled = filled_by(self._root, at_most=self.limit)
            self.peak = max(self.peak, filled)
            if filled > self.limit:
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


def filled_by(root: int, *, at_most: int) -> int:
    """Return the memory that a process and its descendants fill, in bytes.

    Pages that several of them share count for each at first, which is quick to ask; only where that
    is more than `at_most`, each page is counted once.

    Examples
    --------
    >>> filled_by(os.getpid(), at_most=0) > 1_000_000
    True
    """
    tree = [root, *descendants(root)]
    resident = sum(map(_resident, tree))
    return resident if resident <= at_most else sum(map(_proportional, tree))


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


def _resident(number: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * _PAGE
    return 0


def _proportional(number: int) -> int:
    """Return what a process fills, of shared pages its share; all of them where it is not told."""
    with contextlib.suppress(OSError), Path(f"/proc/{number}/smaps_rollup").open() as lines:
        for line in lines:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(number)
