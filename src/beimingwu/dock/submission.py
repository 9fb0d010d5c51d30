"""A submission on its way: its steps as they happen, and how it ends.

The log is in the catalogue, so it can be followed from any process; a bell rings in the one that
verifies, so that there nobody waits for the next look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.records import Revision, no_learnware
from beimingwu.errors import CheckFailed
from beimingwu.learnware.record import UNFINISHED, State, Step

#: Between two looks at what another process does, in seconds.
_LOOK_AGAIN = 0.2


class Bell:
    """Wakes those who wait for news of a verification in this process, and tells what it does."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0
        self._doing: dict[int, str] = {}

    def tell(self, key: int, line: str) -> None:
        """Say what is done for a revision now; nothing where `line` is empty."""
        with self._condition:
            if line:
                self._doing[key] = line
            else:
                self._doing.pop(key, None)

    def doing(self, key: int) -> str:
        """Return what is done for a revision now, or nothing."""
        return self._doing.get(key, "")

    @property
    def rings(self) -> int:
        """How often it rang."""
        return self._rings

    def ring(self) -> None:
        """Say that there is news."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, heard: int) -> None:
        """Wait until it rang more often than `heard`, or a moment has passed."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings > heard, timeout=_LOOK_AGAIN)


class Submission:
    """One revision of a learnware on its way through verification.

    Iterating yields each `Step` as soon as it is done, those already done first; `wait` waits for
    the end. Made by `Dock.submit` and `Dock.update`.

    Attributes
    ----------
    id : str
        The learnware's id, eight digits.
    number : int
        The revision's number.
    """

    def __init__(
        self,
        revision: Revision,
        catalogue: Catalogue,
        bell: Bell,
        see_to: Callable[[Revision], None],
    ) -> None:
        self.id = revision.learnware
        self.number = revision.number
        self._last = revision
        self._catalogue = catalogue
        self._bell = bell
        self._see_to = see_to

    @property
    def state(self) -> State:
        """Where the revision stands now."""
        return self._look().state

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps done so far."""
        return self._look().steps

    @property
    def doing(self) -> str:
        """What its step is busy with now, for a person who waits; empty where nothing is told.

        Only the process that verifies knows, and only some steps tell: making an environment.
        """
        return self._bell.doing(self._last.key)

    def __iter__(self) -> Iterator[Step]:
        told = 0
        while True:
            heard = self._bell.rings
            revision = self._look()
            # A verification that was taken over from a dead process begins again.
            told = min(told, len(revision.steps))
            yield from revision.steps[told:]
            told = len(revision.steps)
            if revision.state not in UNFINISHED:
                return
            self._see_to(revision)
            self._bell.wait(heard)

    def wait(self) -> Submission:
        """Wait until the revision is published, and return this submission.

        Raises
        ------
        CheckFailed
            It was rejected; carries the code and the remedy of the step that failed.
        NotFound
            It was deleted meanwhile.
        Conflict
            Nobody verifies it: its dock was opened without workers, or was closed too soon.
        """
        for _ in self:
            pass
        failed = [step for step in self._last.steps if step.state == "failed"]
        if self._last.state == "rejected" and failed:
            raise CheckFailed(failed[-1].message, remedy=failed[-1].remedy, code=failed[-1].code)
        return self

    def _look(self) -> Revision:
        if self._last.state in UNFINISHED:
            found = self._catalogue.revision(self._last.key)
            if found is None:
                raise no_learnware(self.id)
            self._last = found
        return self._last

    def __repr__(self) -> str:
        done = ", ".join(f"{step.name} {step.state}" for step in self._last.steps)
        return f"<submission {self.id} revision {self.number}, {self._last.state}: {done}>"
