"""`beimingwu search`: the learnwares, and the mixture of learnwares, that serve a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beimingwu.cli.options import (
    FILE,
    Columns,
    DockChoice,
    Facets,
    column_options,
    command,
    dock_option,
    facet_options,
    output_options,
)
from beimingwu.cli.output import Output, Section, Table

if TYPE_CHECKING:
    from beimingwu.client import Client
    from beimingwu.dock import Dock
    from beimingwu.search import IslandInfo, Match, Mixture, SearchResult
    from beimingwu.specification import RKME

Names = Mapping[str, str]


@command(
    "search --data mine.csv --target price",
    "search --spec stat.json --task Regression --scenario Nature",
    "search --spec stat.json --not-license GPL-3.0",
    'search --text "air quality" --format json',
)
@click.option("--spec", type=FILE, metavar="FILE", help="The specification of my data.")
@click.option(
    "--data",
    type=FILE,
    metavar="FILE",
    help="My data, CSV or Parquet: specified here, and never given to the dock.",
)
@column_options
@facet_options
@click.option(
    "--limit", type=click.IntRange(1), default=10, show_default=True, help="Most single learnwares."
)
@click.option(
    "--max-learnwares",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Most learnwares in a mixture.",
)
@dock_option
@output_options
def search(
    spec: Path | None,
    data: Path | None,
    columns: Columns,
    facets: Facets,
    limit: int,
    max_learnwares: int,
    dock: DockChoice,
    output: Output,
) -> None:
    """Search for learnwares by my data, by facets and by text.

    Score: 1 when nothing tells the learnware's data from mine, 0 when a stranger's would be as
    near. Coverage: the share of my data where the learnware has seen data. The last lines say when
    nothing fits.
    """
    if spec is not None and data is not None:
        raise click.UsageError("Give --spec or --data, not both.")
    from beimingwu.search import Requirement

    with dock.opened() as opened:
        requirement = Requirement(specification(spec, data, columns, output), facets.filter())
        with output.working("searching …"):
            result = opened.search(requirement, limit=limit, max_learnwares=max_learnwares)
        names = names_of(opened, result)
    output.show(
        result_json(result, names),
        ids=[match.id for match in result],
        sections=result_sections(result, names),
    )
    _say_next(result, spec, data, (*columns.words, *facets.words, *dock.words), dock, output)


def specification(
    spec: Path | None, data: Path | None, columns: Columns, output: Output
) -> RKME | None:
    """Return the specification in a file, or of the data in a file, or None for neither."""
    if spec is not None:
        from beimingwu.specification import read_specification

        return read_specification(spec)
    if data is not None:
        from beimingwu.cli.data import read_numbers
        from beimingwu.specification import specify

        frame = read_numbers(data, columns)
        with output.working(f"specifying {len(frame):,} records …"):
            return specify(frame)
    return None


def names_of(dock: Dock | Client, result: SearchResult) -> Names:
    """Return the names of all learnwares of a result."""
    members = result.mixture.members if result.mixture is not None else ()
    return {match.id: dock.show(match.id).name for match in (*result.single, *members)}


def result_json(result: SearchResult, names: Names) -> dict[str, Any]:
    """Return a result as JSON."""
    mixture = result.mixture
    return {
        "fits": result.fits,
        "searched": _island_json(result.island) if result.island is not None else None,
        "single": [_match_json(match, names) for match in result],
        "mixture": _mixture_json(mixture, names) if mixture is not None else None,
        "notes": list(result.notes),
    }


def result_sections(result: SearchResult, names: Names) -> list[Section]:
    """Return a result to read."""
    sections: list[Section] = []
    if result.island is not None:
        sections.append(f"Searched {result.island}.")
    sections.append(
        Table(
            ("id", "name", "score", "mmd", "coverage"),
            [
                (
                    match.id,
                    names[match.id],
                    _decimals(match.score, 2),
                    _decimals(match.mmd, 3),
                    _percent(match.coverage),
                )
                for match in result
            ],
            numbers=("score", "mmd", "coverage"),
        )
    )
    if result.best is not None and result.best.explanation is not None:
        sections.append(f"{result.best.id}: {result.best.explanation}")
    if result.mixture is not None:
        sections.append(_mixture_table(result.mixture, names))
    sections.append("\n".join(result.notes))
    return sections


def _mixture_table(mixture: Mixture, names: Names) -> Table:
    rows = [
        (member.id, names[member.id], _decimals(float(weight), 2), _percent(share))
        for member, weight, share in zip(
            mixture.members, mixture.weights, mixture.coverage, strict=True
        )
    ]
    title = (
        f"Together: score {mixture.score:.2f}, mmd {mixture.mmd:.3f}, "
        f"{mixture.uncovered:.0%} of your data covered by none"
    )
    columns = ("id", "name", "weight", "share of your data")
    return Table(columns, rows, title, numbers=columns[2:])


def _island_json(island: IslandInfo) -> dict[str, Any]:
    return {"kind": island.kind, "dimension": island.dimension, "size": island.size}


def _match_json(match: Match, names: Names) -> dict[str, Any]:
    why = match.explanation
    return {
        "id": match.id,
        "name": names[match.id],
        "score": match.score,
        "mmd": match.mmd,
        "coverage": match.coverage,
        "explanation": why.sentence if why is not None else None,
    }


def _mixture_json(mixture: Mixture, names: Names) -> dict[str, Any]:
    return {
        "score": mixture.score,
        "mmd": mixture.mmd,
        "uncovered": mixture.uncovered,
        "members": [
            {
                "id": member.id,
                "name": names[member.id],
                "weight": float(weight),
                "coverage": float(share),
            }
            for member, weight, share in zip(
                mixture.members, mixture.weights, mixture.coverage, strict=True
            )
        ],
    }


def _decimals(value: float | None, count: int) -> str | None:
    return None if value is None else f"{value:.{count}f}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _say_next(
    result: SearchResult,
    spec: Path | None,
    data: Path | None,
    again: Sequence[str],
    dock: DockChoice,
    output: Output,
) -> None:
    """Name the next command; `again` is what a prediction has to repeat of this one."""
    if result.best is None:
        output.next("list", *dock.words)
    elif not result.fits:
        output.next("show", result.best.id, *dock.words)
    elif data is not None:
        output.next("predict", "--auto", data, *again)
    elif spec is not None:
        output.next("predict", "--spec", spec, "data.csv", *again)
    else:
        output.next("show", result.best.id, *dock.words)
