"""`beimingwu list`: the learnwares of a dock, by facets, text, state and owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from beimingwu.cli.options import (
    DockChoice,
    Facets,
    command,
    dock_option,
    facet_options,
    output_options,
    owner_name,
)
from beimingwu.cli.output import Output, Table
from beimingwu.cli.records import record_json, records_table

if TYPE_CHECKING:
    from beimingwu.learnware.record import State

STATES = ("published", "verifying", "uploaded", "rejected", "withdrawn", "quarantined", "all")


@command(
    "list",
    "list --task Regression --scenario Nature",
    "list --mine --state all",
    "list --not-license GPL-3.0 --not-scenario Traffic",
    "list --facets --text air",
    "list --quiet --limit 0",
    name="list",
)
@facet_options
@click.option(
    "--state",
    type=click.Choice(STATES),
    default="published",
    show_default=True,
    metavar="STATE",
    help=f"One of {', '.join(STATES)}.",
)
@click.option("--mine", is_flag=True, help="Only those that I submitted.")
@click.option("--owner", metavar="NAME", help="Only those that NAME submitted.")
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="At most; 0 for all."
)
@click.option("--facets", "counting", is_flag=True, help="Count the published ones by facet.")
@click.option("--after", metavar="ID", help="Go on after this learnware, the last of a page.")
@dock_option
@output_options
def list_(
    facets: Facets,
    state: State | Literal["all"],
    mine: bool,
    owner: str | None,
    limit: int,
    after: str | None,
    counting: bool,
    dock: DockChoice,
    output: Output,
) -> None:
    """List learnwares, the newest first.

    With --text the best match comes first; a word that no learnware says is read as the nearest one
    that some do, and a line says so.
    """
    if counting:
        _count(facets, dock, output)
        return
    if mine:
        owner = "me" if dock.is_remote and owner is None else owner_name(owner)
    shown = None if state == "all" else state
    with dock.opened() as opened:
        records = opened.list(
            facets.filter(), state=shown, owner=owner, limit=limit or None, after=after
        )
        # What is not published, a server lists to its owner alone.
        is_empty = not records and opened.count(state="published" if dock.is_remote else None) == 0
        suggestions = opened.did_you_mean(facets.filter(), state=shown)
    ids = [record.id for record in records]
    output.show(
        [record_json(record) for record in records], ids=ids, sections=[records_table(records)]
    )
    for suggestion in suggestions:
        # How many others find is counted for everybody's.
        if suggestion.followed or owner is None:
            output.say(str(suggestion))
    if records:
        output.next("show", ids[0], *dock.words)
    elif is_empty:
        output.say("The dock is empty.")
        output.next("submit", "learnware.zip", *dock.words)
    else:
        output.say("No learnware is like this. Ask for less, or see --state all.")


def _count(facets: Facets, dock: DockChoice, output: Output) -> None:
    """Print how many learnwares each value of a facet would leave, beside the other facets."""
    with dock.opened() as opened:
        counts = opened.facets(facets.filter())
        suggestions = opened.did_you_mean(facets.filter())
    rows = [
        (facet, value, count) for facet, values in counts.items() for value, count in values.items()
    ]
    table = Table(("facet", "value", "learnwares"), rows, numbers=("learnwares",))
    output.show(counts, ids=[value for _, value, _ in rows], sections=[table])
    for suggestion in suggestions:
        output.say(str(suggestion))
    output.next("list", *facets.words, *dock.words)
