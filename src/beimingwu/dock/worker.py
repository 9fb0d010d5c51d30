"""Who verifies what is submitted to a dock; in an embedded one a few threads, one revision each.

A process that dies leaves a claim whose lock is free, and the next dock that opens the folder goes
on with that verification. A service hands its verifications to durable workflows instead
(`Dock.hand_over`).
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.locks import Locks
from beimingwu.dock.records import Revision
from beimingwu.dock.submission import Bell
from beimingwu.dock.verification import STEPS, Verification
from beimingwu.errors import Conflict


class Worker(Protocol):
    """Sees to it that submissions of one dock are verified."""

    @property
    def name(self) -> str | None:
        """What submissions are reserved under for it; None where anybody may verify them."""

    def take(self, revision: Revision) -> None:
        """Have a revision verified, unless somebody is at it; it never fails."""

    def see_to(self, revision: Revision) -> None:
        """Make sure that somebody verifies a revision that is waited for.

        Raises
        ------
        Exception
            Nobody does, and why.
        """

    def close(self) -> None:
        """Finish what was taken, and stop."""

    def abandon(self) -> None:
        """Finish what runs, leave the rest to the next opening, and stop."""


class Threads:
    """A few threads that verify submissions of one dock.

    Parameters
    ----------
    verification
        The steps they go through.
    catalogue, locks, bell
        The dock's.
    threads
        Their number; with 0 nothing is verified here.
    """

    def __init__(
        self,
        verification: Verification,
        catalogue: Catalogue,
        locks: Locks,
        bell: Bell,
        threads: int,
    ) -> None:
        self._verification = verification
        self._catalogue = catalogue
        self._locks = locks
        self._bell = bell
        self._pool = ThreadPoolExecutor(threads, "verify") if threads else None
        self._stopped = False
        self._guard = threading.Lock()
        self._queued: set[int] = set()
        self._failed: dict[int, BaseException] = {}

    @property
    def name(self) -> str | None:
        """What submissions that this process will verify are reserved under."""
        return self._locks.name if self._pool is not None else None

    def resume(self) -> None:
        """Take over what nobody alive will verify, such as what a crash left unfinished."""
        if self._pool is not None:
            for revision in self._catalogue.adopt(self._locks.name, self._locks.is_alive):
                self.take(revision)

    def take(self, revision: Revision) -> None:
        """Queue a revision, unless it is queued here or some living process will verify it."""
        if self._pool is None or self._is_anothers(revision):
            return
        with self._guard:
            if revision.key in self._queued:
                return
            self._queued.add(revision.key)
        self._pool.submit(self._run, revision.key)

    def see_to(self, revision: Revision) -> None:
        """Make sure that somebody verifies a revision that is waited for.

        Raises
        ------
        Conflict
            Nobody does: this dock was opened without workers, or is closed.
        Exception
            What ended the last attempt here, when it was no fault of the learnware (a full disk).
        """
        if revision.key in self._failed:
            raise self._failed.pop(revision.key)
        if not self._is_anothers(revision) and (self._pool is None or self._stopped):
            raise Conflict(
                f"Nobody verifies learnware {revision.learnware}, revision {revision.number}.",
                remedy="Open the dock with workers=1 or more, and wait there.",
                code="conflict.nobody_verifies",
            )
        self.take(revision)

    def _is_anothers(self, revision: Revision) -> bool:
        claimant = revision.claimant
        return claimant not in (None, self._locks.name) and self._locks.is_alive(claimant)

    def close(self) -> None:
        """Finish what is queued, and stop."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self._stopped = True

    def abandon(self) -> None:
        """Call off what runs, leave it and the rest to the next opening, and stop."""
        if self._pool is not None:
            self._verification.cancel()
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._stopped = True

    def _run(self, key: int) -> None:
        try:
            if self._verification.begin(key):
                self._go_through(key)
        except BaseException as error:
            self._failed[key] = error
            raise
        finally:
            with self._guard:
                self._queued.discard(key)
            self._bell.ring()

    def _go_through(self, key: int) -> None:
        try:
            for step in STEPS:
                if not self._verification.perform(key, step):
                    return
        except BaseException:
            self._verification.put_off(key)
            raise
