"""`beimingwu predict`: the answers of one learnware, of several, or of those that fit the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
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

    from beimingwu.reuse.deploy import Method
    from beimingwu.reuse.estimator import LearnwareLike, Reuser
    from beimingwu.search import SearchResult
    from beimingwu.specification import RKME

METHODS = ("auto", "single", "averaging", "gated", "job_selector")


@command(
    "predict --learnware 00000001 mine.csv -o answers.csv",
    "predict --learnware learnware.zip mine.csv",
    "predict --learnware 00000001 --learnware 00000004 mine.csv --method gated",
    "predict --auto mine.csv --drop station",
    "predict --spec stat.json mine.csv --task Regression",
)
@click.argument("data", type=FILE, metavar="DATA")
@click.option(
    "--learnware",
    "-l",
    "named",
    multiple=True,
    metavar="ID|ARCHIVE",
    help="One in the dock, or the path of an archive; repeatable.",
)
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
    data: Path,
    named: tuple[str, ...],
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

    DATA is a CSV or Parquet file. Name the learnwares by --learnware, or let --auto find them. They
    run on this machine, each in a process of its own. Columns are taken by name where the learnware
    names its features, else by position.
    """
    from beimingwu.cli.data import read_features, read_numbers, without_gaps

    _require_one_way(named, auto, spec)
    read = read_features if named or spec is not None else read_numbers
    frame = read(data, columns)
    frame = without_gaps(frame, output) if fill else frame
    if named:
        opening = _named_ones(dock, named, method)
    else:
        wanted = _wanted(frame, spec)
        opening = _found_ones(dock, wanted, facets, max_learnwares, method, data, output)
    with opening as reuser, reuser:
        output.say(_who_and_why(reuser))
        answers = _answers(reuser, frame, fill, output)
    _show(answers, reuser, file, output)
    first = reuser.learnwares[0].id
    output.next(*(("submit", first) if _is_archive(first) else ("show", first)), *dock.words)


def _require_one_way(named: Sequence[str], auto: bool, spec: Path | None) -> None:
    if not named and not auto and spec is None:
        raise click.UsageError("Which learnwares? Give --learnware ID, or --auto to find them.")
    if named and (auto or spec is not None):
        raise click.UsageError(
            "Give --learnware, or have learnwares found by --auto or --spec, not both."
        )


def _is_archive(name: str) -> bool:
    """Tell a path from an id: ids are digits."""
    return not name.isdecimal()


@contextmanager
def _named_ones(dock: DockChoice, names: Sequence[str], method: Method) -> Iterator[Reuser]:
    """Open those named; the dock is asked for ids only, so that archives need none."""
    from beimingwu.learnware import Learnware
    from beimingwu.reuse.deploy import deploy

    with ExitStack() as stack:
        opened = stack.enter_context(dock.opened()) if not all(map(_is_archive, names)) else None
        learnwares: list[Learnware] = []
        for name in dict.fromkeys(names):
            if opened is None or _is_archive(name):
                learnwares.append(stack.enter_context(Learnware.open(name, id=name)))
            else:
                learnwares.append(opened.get(name))
        reuser = deploy(learnwares, method=method)
        if len(learnwares) == 1:
            reuser.reason = "As asked."
        yield reuser


def _wanted(frame: pd.DataFrame, spec: Path | None) -> RKME:
    """Return what to search by: as given, or the data's own specification, made here."""
    from beimingwu.specification import read_specification, specify

    return read_specification(spec) if spec is not None else specify(frame)


@contextmanager
def _found_ones(
    dock: DockChoice,
    wanted: RKME,
    facets: Facets,
    max_learnwares: int,
    method: Method,
    data: Path,
    output: Output,
) -> Iterator[Reuser]:
    """Search for what fits, and refuse what does not."""
    from beimingwu.search import Requirement

    with dock.opened() as opened:
        with output.working("searching …"):
            requirement = Requirement(wanted, facets.filter())
            result = opened.search(requirement, max_learnwares=max_learnwares)
        _require_fit(result, data, dock)
        yield result.deploy(method=method)


def _require_fit(result: SearchResult, data: Path, dock: DockChoice) -> None:
    import shlex

    from beimingwu.errors import InvalidRequirement

    if result.fits:
        return
    if result.best is None:
        remedy = f"See what the dock has: beimingwu {shlex.join(('list', *dock.words))}"
    else:
        words = ("predict", "--learnware", result.best.id, str(data), *dock.words)
        remedy = f"To use the nearest all the same: beimingwu {shlex.join(words)}"
    raise InvalidRequirement(
        f"No learnware in this dock fits {data}. {' '.join(result.notes)}",
        remedy=remedy,
        code="requirement.nothing_fits",
    )


def _who_and_why(reuser: Reuser) -> str:
    who = ", ".join(_named(learnware) for learnware in reuser.learnwares)
    return f"Using {who}. {reuser.reason}"


def _named(learnware: LearnwareLike) -> str:
    name = getattr(getattr(learnware, "semantic", None), "name", "")
    return f"{learnware.id} ({name})" if name else learnware.id


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
