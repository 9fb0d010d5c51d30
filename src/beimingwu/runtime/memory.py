"""How much memory a process and its descendants fill together, each shared page once."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from beimingwu.runtime.tree import descendants

_PAGE = os.sysconf("SC_PAGE_SIZE")


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
