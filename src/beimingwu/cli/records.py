"""How learnwares of a dock and the steps of their checks are shown; shared by several commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from beimingwu.cli.options import DockChoice
from beimingwu.cli.output import Output, Table, bytes_in_words
from beimingwu.errors import BeimingwuError, Forbidden, Unauthenticated

if TYPE_CHECKING:
    from beimingwu.client import Client, RemoteSubmission
    from beimingwu.dock import Dock, Event, LearnwareRecord, Step, Submission

_STEP_WIDTH = 12
_MARKS = {"passed": "✓", "warned": "!", "failed": "✗"}


def record_json(record: LearnwareRecord) -> dict[str, object]:
    """Return a record as JSON; `semantic` in the form that the 2024 dock serves."""
    return {
        "id": record.id,
        "name": record.name,
        "owner": record.owner,
        "state": record.state,
        "revision": record.revision,
        "kind": record.kind,
        "dimension": record.dimension,
        "size": record.size,
        "sha256": record.sha256,
        "created": record.created,
        "changed": record.changed,
        "semantic": record.semantic.to_json(),
    }


def record_facts(record: LearnwareRecord) -> dict[str, object]:
    """Return a record to read, one fact a line."""
    semantic = record.semantic
    inputs, outputs = semantic.input, semantic.output
    return {
        "id": record.id,
        "name": record.name,
        "state": record.state,
        "revision": str(record.revision),
        "owner": record.owner,
        "data": f"{semantic.data}, {record.dimension:,} values per record",
        "features": inputs.names if inputs is not None else (),
        "task": semantic.task,
        "outputs": (outputs.names or outputs.dimension) if outputs is not None else None,
        "library": semantic.library,
        "scenario": semantic.scenarios,
        "license": semantic.license,
        "archive": f"{bytes_in_words(record.size)}, sha256 {record.sha256}",
        "created": record.created,
        "changed": record.changed,
    }


def records_table(records: Sequence[LearnwareRecord]) -> Table:
    """Return records, one a line; with their states where not all are published."""
    states = any(record.state != "published" for record in records)
    rows = [
        (
            record.id,
            record.name,
            record.semantic.task,
            f"{record.semantic.data} {record.dimension}",
            record.semantic.library,
            record.semantic.scenarios,
            *((record.state,) if states else ()),
        )
        for record in records
    ]
    columns = ("id", "name", "task", "data", "library", "scenario", *(("state",) if states else ()))
    return Table(columns, rows, prose=("name", "scenario"))


def steps_table(steps: Iterable[Step]) -> Table:
    """Return the log of the checks."""
    rows = [
        (step.name, step.state, f"{step.seconds:.2f} s", f"{step.message} {step.remedy}".strip())
        for step in steps
    ]
    return Table(
        ("check", "came out", "took", "what was seen"),
        rows,
        "Checks",
        numbers=("took",),
        prose=("what was seen",),
    )


def events_table(events: Iterable[Event]) -> Table:
    """Return the history of a learnware."""
    rows = [(f"{event.at:%Y-%m-%d %H:%M:%S}", event.kind, str(event.revision)) for event in events]
    return Table(("when (UTC)", "what happened", "revision"), rows, "History")


def step_line(step: Step) -> str:
    """Return one step as it is told while one waits; a failure is told with its remedy later."""
    told = f"{step.message} {step.remedy}" if step.state == "warned" else step.message
    return f"{_MARKS[step.state]} {step.name:<{_STEP_WIDTH}}{step.seconds:7.2f} s  {told}"


def history(dock: Dock | Client, id: str) -> tuple[Event, ...]:
    """Return the events of a learnware; none of one whose events are not ours to read."""
    try:
        return dock.events(id)
    except (Unauthenticated, Forbidden):
        return ()


def follow(submission: Submission | RemoteSubmission, dock: DockChoice, output: Output) -> None:
    """Tell each step of a submission as it ends, and wait for the last.

    Raises
    ------
    CheckFailed
        It was rejected.
    """
    try:
        for step in waited_for(submission, output):
            output.say(step_line(step))
    except KeyboardInterrupt:
        when = "on the server" if dock.is_remote else "when it is looked at"
        output.say(f"\n{submission.id} is submitted; its checks go on {when}.")
        output.next("show", submission.id, *dock.words)
        raise
    try:
        submission.wait()
    except BeimingwuError:
        output.say(f"{submission.id} is rejected; `beimingwu show {submission.id}` keeps this log.")
        raise


def waited_for(submission: Submission | RemoteSubmission, output: Output) -> Iterator[Step]:
    """Yield each step of a submission as it ends."""
    steps = iter(submission)
    while True:
        with output.working(lambda: f"checking … {submission.doing}".strip()):
            step = next(steps, None)
        if step is None:
            return
        yield step
