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

    With --text the best match comes first.
    """
    if counting:
        _count(facets, dock, output)
        return
    if mine:
        owner = owner_name(owner)
    with dock.opened() as opened:
        records = opened.list(
            facets.filter(),
            state=None if state == "all" else state,
            owner=owner,
            limit=limit or None,
            after=after,
        )
        is_empty = not records and opened.count(state=None) == 0
    ids = [record.id for record in records]
    output.show(
        [record_json(record) for record in records], ids=ids, sections=[records_table(records)]
    )
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
    rows = [
        (facet, value, count) for facet, values in counts.items() for value, count in values.items()
    ]
    table = Table(("facet", "value", "learnwares"), rows, numbers=("learnwares",))
    output.show(counts, ids=[value for _, value, _ in rows], sections=[table])
    output.next("list", *facets.words, *dock.words)
