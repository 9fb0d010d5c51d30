"""What a service does besides answering: it verifies what was submitted, and tidies up.

A thread goes round: it lets verifications of processes that died go on, finds again what fell
between the catalogue and the workflows, and drops uploads that were abandoned. So whatever moment a
process dies at, what was acknowledged comes to its end.
"""

from __future__ import annotations

import logging
import threading
import time
from math import inf
from pathlib import Path

from beimingwu.dock import Dock
from beimingwu.dock.keys import forget_keys
from beimingwu.dock.records import Revision
from beimingwu.runtime.standing import require_standing
from beimingwu.server.workflows import FILE, Place, Workflows, name_of

_log = logging.getLogger("beimingwu.work")

#: Between two rounds, and between two attempts at one revision, in seconds.
_ROUND = 2.0
_PATIENCE = 30.0
_TIDY_EVERY = 600.0


class Work:
    """The work behind one service, or of one worker process; a worker of its dock.

    Parameters
    ----------
    dock
        Opened with no workers of its own.
    slots
        How many revisions this process verifies at a time; with 0 it leaves them to others.
    """

    def __init__(self, dock: Dock, slots: int) -> None:
        self._verification = dock.verification
        self._workflows = Workflows(dock.verification, place_of(dock), slots)
        self._slots = slots
        self._uploads = dock.uploads
        self._database = dock.database
        self._tidied = -inf
        self._tried: dict[int, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_round, name="work", daemon=True)

    def start(self) -> None:
        """Begin to work.

        Raises
        ------
        SandboxUnavailable
            This machine cannot put up the walls that the settings ask for, so it cannot verify.
        """
        if self._slots:
            require_standing()
        self._workflows.launch()
        self._thread.start()

    @property
    def name(self) -> str | None:
        """None: which process verifies a revision shows when it does."""
        return None

    def take(self, revision: Revision) -> None:
        """Have a revision verified; where that cannot be noted now, the next round does it."""
        try:
            self._workflows.ask_for(revision)
        except Exception:
            _log.exception("Learnware %s is asked for in the next round", revision.learnware)

    def see_to(self, revision: Revision) -> None:
        """Do nothing: the rounds do."""

    def close(self) -> None:
        """Stop; what waits, and what runs, goes on when the service starts again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._workflows.shut_down()

    abandon = close

    def _go_round(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except Exception:
                _log.exception("A round failed; the next one tries again")
            self._stopping.wait(_ROUND)

    def _round(self) -> None:
        locks = self._verification.locks
        # Alone, so that nobody takes over what somebody else just did, and now runs.
        with locks.opening():
            taken = self._workflows.take_over(locks.is_alive)
            under_way = self._workflows.under_way()
            for revision in self._verification.unfinished():
                if name_of(revision) not in under_way:
                    self._find_again(revision)
        if taken:
            _log.warning("Went on with %d verifications of processes that ended", taken)
        if time.monotonic() - self._tidied >= _TIDY_EVERY:
            self._tidied = time.monotonic()
            self._uploads.tidy()
            forget_keys(self._database)

    def _find_again(self, revision: Revision) -> None:
        """Ask for a revision that no workflow is under way for, in measure.

        Its process died before it was asked for, or its workflow put it off.
        """
        standing = self._workflows.standing(revision)
        now = time.monotonic()
        if standing == "none":
            self._workflows.ask_for(revision)
        elif standing == "ended" and now - self._tried.get(revision.key, -inf) >= _PATIENCE:
            self._tried[revision.key] = now
            self._workflows.ask_again_for(revision)


def place_of(dock: Dock) -> Place:
    """Return where the workflows of a dock are kept: beside its catalogue."""
    where = dock.database.where
    if isinstance(where, Path):
        return Place(f"sqlite:///{where.with_name(FILE)}")
    # A database may hold several docks, each in a schema.
    return Place(where, f"{dock.database.schema()}_workflows")
