"""Tickets for downloads: whoever holds one may have what its maker could have, for half an hour.

A browser that opens a link sends no token; the link holds a ticket. Each server knows its own.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence

from beimingwu.accounts.opaque import digest_of

_SECONDS = 30 * 60
_MOST = 10_000


class Tickets:
    """The tickets of one server, kept in memory; of too many the oldest go.

    Parameters
    ----------
    clock
        Seconds that only grow.

    Examples
    --------
    >>> tickets = Tickets()
    >>> tickets.holds(tickets.make(["00000042"]))
    ('00000042',)
    >>> tickets.holds("another") is None
    True
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._made: dict[str, tuple[float, tuple[str, ...]]] = {}

    def make(self, ids: Sequence[str]) -> str:
        """Return a ticket for some learnwares: 32 digits that nobody guesses."""
        ticket, now = secrets.token_hex(16), self._clock()
        with self._guard:
            # They were made in this order, so those that have ended come first.
            while self._made:
                oldest = next(iter(self._made))
                if self._made[oldest][0] > now and len(self._made) < _MOST:
                    break
                del self._made[oldest]
            self._made[digest_of(ticket)] = (now + _SECONDS, tuple(ids))
        return ticket

    def holds(self, ticket: str) -> tuple[str, ...] | None:
        """Return the learnwares of a ticket; None where it is none, or none any more."""
        with self._guard:
            ends, ids = self._made.get(digest_of(ticket), (0.0, ()))
        return ids if ids and ends > self._clock() else None
