"""What a server does now and then beside its requests: write its tallies, forget what has ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from beimingwu.accounts import Accounts

_log = logging.getLogger("beimingwu.server")
#: Seconds between two rounds, and rounds between two that tidy up.
_ROUND, _TIDY_EVERY = 10.0, 360


@contextmanager
def housekeeping(accounts: Accounts) -> Iterator[None]:
    """Keep house until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(accounts, ended), name="housekeeping")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        accounts.close()


def _keep(accounts: Accounts, ended: threading.Event) -> None:
    rounds = 0
    while not ended.wait(_ROUND):
        rounds += 1
        try:
            accounts.tallies.flush()
            if rounds % _TIDY_EVERY == 1:
                accounts.tidy()
        except Exception:
            # A full disk, a database away: the next round tries it again.
            _log.exception("housekeeping failed")
