"""A submission to a dock on a server: its steps as they happen there, and how it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from beimingwu.client.connection import TRIES, Connection
from beimingwu.errors import CheckFailed, NotFound, Unavailable
from beimingwu.learnware.record import UNFINISHED, State, Step


class RemoteSubmission:
    """One revision of a learnware on its way through verification on a server.

    Iterating yields each `Step` as soon as it is done, those already done first; `wait` waits for
    the end. Made by `Client.submit` and `Client.update`.

    Attributes
    ----------
    id : str
        The learnware's id, eight digits.
    number : int
        The revision's number.
    """

    def __init__(self, connection: Connection, shown: Mapping[str, Any]) -> None:
        self.id = str(shown["learnware"])
        self.number = int(shown["revision"])
        self._connection = connection
        self._path = f"/v1/learnwares/{self.id}/revisions/{self.number}/verification"
        self._last = shown
        self._doing = ""

    @property
    def state(self) -> State:
        """Where the revision stands now."""
        state: State = self._look()["state"]
        return state

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps done so far."""
        return tuple(Step.from_json(step) for step in self._look()["steps"])

    @property
    def doing(self) -> str:
        """What its step is busy with now, for a person who waits; empty where nothing is told."""
        return self._doing

    def __iter__(self) -> Iterator[Step]:
        told, fruitless = 0, 0
        while self._last["state"] in UNFINISHED:
            before = told
            try:
                for step in self._followed(told):
                    told += 1
                    yield step
            except Unavailable:
                fruitless = 0 if told > before else fruitless + 1
                if fruitless == TRIES:
                    raise
                time.sleep(0.25 * 2.0**fruitless)
            self._look()
        self._doing = ""
        yield from self.steps[told:]

    def wait(self) -> RemoteSubmission:
        """Wait until the revision is published, and return this submission.

        Raises
        ------
        CheckFailed
            It was rejected; carries the code and the remedy of the step that failed.
        NotFound
            It was deleted meanwhile.
        Unavailable
            The dock cannot be reached any more.
        """
        for _ in self:
            pass
        failed = [step for step in self.steps if step.state == "failed"]
        if self._last["state"] == "rejected" and failed:
            raise CheckFailed(failed[-1].message, remedy=failed[-1].remedy, code=failed[-1].code)
        return self

    def _look(self) -> Mapping[str, Any]:
        if self._last["state"] in UNFINISHED:
            self._last = self._connection.get(self._path).json()
            self._doing = str(self._last["doing"])
        return self._last

    def _followed(self, told: int) -> Iterator[Step]:
        """Yield the steps after those told, while the server tells of them."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(told)}
        with self._connection.stream(f"{self._path}/events", headers) as answer:
            for name, data in events_of(answer.iter_lines()):
                if name == "step":
                    yield Step.from_json(data)
                elif name == "doing":
                    self._doing = str(data["doing"])
                elif name == "end" and data["state"] == "deleted":
                    raise NotFound(
                        f"Learnware {self.id} was deleted meanwhile.",
                        remedy="Submit it again, if it should be there.",
                        code="not_found.learnware",
                    )
                elif name == "end":
                    return

    def __repr__(self) -> str:
        done = ", ".join(f"{step['name']} {step['state']}" for step in self._last["steps"])
        return f"<submission {self.id} revision {self.number}, {self._last['state']}: {done}>"


def events_of(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the server-sent events in the lines of a stream, by name and data.

    Examples
    --------
    >>> list(events_of([": hello", "", "id: 1", "event: end", 'data: {"state": "published"}', ""]))
    [('end', {'state': 'published'})]
    """
    name, data = "", ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and data:
            yield name, json.loads(data)
            name, data = "", ""
        elif field == "event":
            name = value
        elif field == "data":
            data += value
