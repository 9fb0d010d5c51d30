"""`beimingwu show`: everything the dock says about one learnware."""

from __future__ import annotations

from beimingwu.cli.options import DockChoice, command, dock_option, id_argument, output_options
from beimingwu.cli.output import Facts, Output
from beimingwu.cli.records import (
    events_table,
    follow,
    history,
    record_facts,
    record_json,
    steps_table,
)


@command("show 00000001", "show 00000001 --format json")
@id_argument
@dock_option
@output_options
def show(id: str, dock: DockChoice, output: Output) -> None:
    """Show a learnware: what it is for, its checks and its history.

    Checks that were interrupted go on first.
    """
    with dock.opened() as opened:
        record = opened.show(id)
        events = history(opened, id)
    if record.state in ("uploaded", "verifying"):
        with dock.opened(verifying=True) as opened:
            follow(opened.submission(id), dock, output)
            record, events = opened.show(id), history(opened, id)
    value = record_json(record) | {"checks": [step.to_json() for step in record.steps]}
    value |= {"events": [event.to_json() for event in events]}
    output.show(
        value,
        ids=[id],
        sections=[
            Facts(record_facts(record)),
            record.semantic.description,
            steps_table(record.steps),
            events_table(events),
        ],
    )
    if record.state == "published":
        output.next("predict", "--learnware", id, "data.csv", *dock.words)
