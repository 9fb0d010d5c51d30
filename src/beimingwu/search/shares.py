"""Work on large arrays in shares, one for each processor that this process may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

#: A share of fewer kernel values, some milliseconds, is not worth a thread.
SMALLEST_SHARE = 1 << 20


def in_shares(work: Callable[[int, int], None], count: int, values: int) -> None:
    """Call `work(first, last)` for ranges that make up `range(count)`, large ones side by side.

    Parameters
    ----------
    work
        Does its range, whatever happens to the others.
    values
        How many kernel values the whole takes.

    Examples
    --------
    >>> done = []
    >>> in_shares(lambda first, last: done.append(range(first, last)), 5, values=10)
    >>> done
    [range(0, 5)]
    """
    shares = min(values // SMALLEST_SHARE, count, processors())
    if shares < 2:
        work(0, count)
        return
    cuts = np.linspace(0, count, shares + 1).astype(int).tolist()
    # Threads of a moment: a pool that is kept would not live on in a process that is forked.
    with ThreadPoolExecutor(shares) as pool:
        list(pool.map(work, cuts[:-1], cuts[1:]))


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
