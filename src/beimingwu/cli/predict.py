"""`beimingwu predict`: the answers of one learnware, of several, or of those that fit the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beimingwu.cli.options import (
    FILE,
    NEW_FILE,
    Columns,
    DockChoice,
    Facets,
    column_options,
    command,
    dock_option,
    facet_options,
    output_options,
)
from beimingwu.cli.output import Facts, Output

if TYPE_CHECKING:
    import pandas as pd

    from beimingwu.dock import Dock
    from beimingwu.reuse.deploy import Method
    from beimingwu.reuse.estimator import Reuser

METHODS = ("auto", "single", "averaging", "gated", "job_selector")


@command(
    "predict 00000001 mine.csv -o answers.csv",
    "predict 00000001 00000004 mine.csv --method gated",
    "predict --auto mine.csv --drop station",
    "predict --spec stat.json mine.csv --task Regression",
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.argument("data", type=FILE, metavar="DATA")
@click.option("--auto", is_flag=True, help="Search for the learnwares that fit DATA, and use them.")
@click.option("--spec", type=FILE, metavar="FILE", help="Search by this specification instead.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    help="How several learnwares answer together.",
)
@click.option("--fill", is_flag=True, help="Fill missing values by the mean of their column.")
@click.option(
    "--max-learnwares",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Most learnwares to find.",
)
@click.option(
    "--output", "-o", "file", type=NEW_FILE, metavar="FILE", help="Write the answers there, as CSV."
)
@column_options
@facet_options
@dock_option
@output_options
def predict(
    ids: tuple[str, ...],
    data: Path,
    auto: bool,
    spec: Path | None,
    method: Method,
    fill: bool,
    max_learnwares: int,
    file: Path | None,
    columns: Columns,
    facets: Facets,
    dock: DockChoice,
    output: Output,
) -> None:
    """Predict for each record of a table, and print CSV.

    DATA is a CSV or Parquet file. Name the learnwares by ID, or let --auto find them. They run on
    this machine, each in a process of its own. Columns are taken by name where the learnware names
    its features, else by position.
    """
    from beimingwu.cli.data import read_features, read_numbers, without_gaps

    _require_one_way(ids, auto, spec)
    read = read_features if ids or spec is not None else read_numbers
    frame = read(data, columns)
    frame = without_gaps(frame, output) if fill else frame
    with dock.opened() as opened:
        if ids:
            reuser = _named_ones(opened, ids, method)
        else:
            reuser = _found_ones(opened, frame, spec, facets, max_learnwares, method, data, output)
        with reuser:
            output.say(_who_and_why(opened, reuser))
            answers = _answers(reuser, frame, fill, output)
    _show(answers, reuser, file, output)
    output.next("show", reuser.learnwares[0].id, *dock.words)


def _require_one_way(ids: Sequence[str], auto: bool, spec: Path | None) -> None:
    if not ids and not auto and spec is None:
        raise click.UsageError("Which learnwares? Give an ID before DATA, or --auto to find them.")
    if ids and (auto or spec is not None):
        raise click.UsageError("Give IDs, or have learnwares found by --auto or --spec, not both.")


def _named_ones(dock: Dock, ids: Sequence[str], method: Method) -> Reuser:
    from beimingwu.reuse.deploy import deploy

    reuser = deploy([dock.get(id) for id in dict.fromkeys(ids)], method=method)
    if len(reuser.learnwares) == 1:
        reuser.reason = "As asked."
    return reuser


def _found_ones(
    dock: Dock,
    frame: pd.DataFrame,
    spec: Path | None,
    facets: Facets,
    max_learnwares: int,
    method: Method,
    data: Path,
    output: Output,
) -> Reuser:
    """Search by the data's own specification, made here, and refuse what does not fit."""
    from beimingwu.errors import InvalidRequirement
    from beimingwu.search import Requirement
    from beimingwu.specification import read_specification, specify

    with output.working("searching …"):
        wanted = read_specification(spec) if spec is not None else specify(frame)
        result = dock.search(Requirement(wanted, facets.filter()), max_learnwares=max_learnwares)
    if not result.fits:
        best = result.best
        raise InvalidRequirement(
            f"No learnware in this dock fits {data}. {' '.join(result.notes)}",
            remedy=f"To use the nearest all the same: beimingwu predict {best.id} {data}"
            if best is not None
            else "See what the dock has: beimingwu list",
            code="requirement.nothing_fits",
        )
    return result.deploy(method=method)


def _who_and_why(dock: Dock, reuser: Reuser) -> str:
    who = ", ".join(
        f"{learnware.id} ({dock.show(learnware.id).name})" for learnware in reuser.learnwares
    )
    return f"Using {who}. {reuser.reason}"


def _answers(
    reuser: Reuser, frame: pd.DataFrame, fill: bool, output: Output
) -> dict[str, list[Any]]:
    """Return the answers by column: the predictions, and labels where classes have names."""
    from beimingwu.errors import GuestFailed

    try:
        with output.working(f"predicting for {len(frame):,} records …"):
            values = reuser.predict(frame)
    except GuestFailed as failure:
        if not fill and frame.isna().any(axis=None):
            failure.remedy = "There are missing values in the table; perhaps it needs --fill."
        raise
    if values.ndim == 1:
        answers = {"prediction": list(values)}
        return answers | _labels(reuser, answers["prediction"])
    columns = values.reshape(len(values), -1).T
    return {f"prediction_{number}": list(column) for number, column in enumerate(columns)}


def _labels(reuser: Reuser, predictions: Sequence[Any]) -> dict[str, list[Any]]:
    names = [str(name) for name in getattr(reuser, "classes_", ())]
    if not names or not all(label in range(len(names)) for label in predictions):
        return {}
    return {"label": [names[int(label)] for label in predictions]}


def _show(answers: dict[str, list[Any]], reuser: Reuser, file: Path | None, output: Output) -> None:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answers)
    writer.writerows(zip(*answers.values(), strict=True))
    used = [learnware.id for learnware in reuser.learnwares]
    value: dict[str, Any] = {"learnwares": used, "reason": reuser.reason}
    if file is None:
        plain = {
            name: [getattr(answer, "item", lambda a=answer: a)() for answer in column]
            for name, column in answers.items()
        }
        output.show(
            value | plain, ids=text.getvalue().splitlines(), sections=[text.getvalue().rstrip("\n")]
        )
        return
    file.write_text(text.getvalue(), "utf-8")
    rows = len(next(iter(answers.values())))
    facts = {"file": str(file), "records": rows}
    output.show(value | facts, ids=[file], sections=[Facts(facts)])
