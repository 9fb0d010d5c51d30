"""`beimingwu demo`: the whole paradigm on real air-quality data, in a dock of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from beimingwu.demo.data import Stations
    from beimingwu.demo.experiment import Outcome
    from beimingwu.dock import Dock

DEFAULT_STATION = "Wanshouxigong"


@click.command(
    epilog="""\b
Examples:
  beimingwu demo
  beimingwu demo --station Dongsi
  beimingwu demo --all"""
)
@click.option(
    "--dock",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The demo's dock; kept, so that a second run is quick.  [default: a cache folder]",
)
@click.option("--station", default=DEFAULT_STATION, show_default=True, help="The user's station.")
@click.option("--all", "every", is_flag=True, help="Hold out every station in turn, and average.")
def demo(folder: Path | None, station: str, every: bool) -> None:
    """Find and reuse learnwares on real air-quality data.

    Eleven stations in Beijing each submit four models of PM2.5, one per season. The twelfth sends
    the specification of its own hours, and gets predictions. Its labels only measure the result.
    """
    from rich.console import Console

    from beimingwu.demo.data import load_stations
    from beimingwu.dock import Dock
    from beimingwu.errors import InvalidInput

    stations = load_stations()
    if station not in stations:
        raise InvalidInput(
            f"There is no station {station!r} in the demo's data.",
            remedy=f"Choose one of {', '.join(stations)}.",
            code="input.station",
        )
    talk = Console(stderr=True)
    folder = folder or _default_folder()
    users = list(stations) if every else [station]
    developers = [name for name in stations if every or name != station]
    with Dock.open(folder, database="", workers=os.cpu_count() or 1) as dock:
        _submit(dock, stations, developers, talk)
        outcomes = _hold_out(dock, stations, users, talk)
    _print_table(outcomes, users)
    if every:
        _print_ratios(outcomes)
    _print_next(talk, folder, outcomes[0])


def _default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("beimingwu") / "demo-dock"


def _progress(talk: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=talk,
        disable=not talk.is_terminal,
    )


def _submit(dock: Dock, stations: Stations, developers: Sequence[str], talk: Console) -> None:
    from beimingwu.demo.data import SEASONS
    from beimingwu.demo.learnwares import submit_learnwares

    total = len(developers) * len(SEASONS)
    talk.print(
        f"{len(developers)} stations each train a model per season, specify and pack it, and submit"
        f"\nit to the dock {dock.folder}, which checks it in a process of its own."
    )
    submissions = []
    with _progress(talk) as progress:
        made = progress.add_task("trained and submitted", total=total)
        for submission in submit_learnwares(dock, stations, developers):
            submissions.append(submission)
            progress.advance(made)
        checked = progress.add_task("verified, published  ", total=total)
        for submission in submissions:
            if submission is not None:
                submission.wait()
            progress.advance(checked)
    new = sum(submission is not None for submission in submissions)
    talk.print(f"{new} learnwares verified and published, {total - new} were there already.\n")


def _hold_out(dock: Dock, stations: Stations, users: Sequence[str], talk: Console) -> list[Outcome]:
    from beimingwu.demo.data import SEASONS, together
    from beimingwu.demo.experiment import hold_out, predictions_of_all

    hours = [together([stations[user][season] for season in SEASONS]) for user in users]
    outcomes = []
    with _progress(talk) as progress:
        task = progress.add_task("users served         ", total=len(users))
        predictions = predictions_of_all(dock, together(hours))
        start = 0
        for user, own in zip(users, hours, strict=True):
            of_user = {id: p[start : start + len(own)] for id, p in predictions.items()}
            outcomes += hold_out(dock, stations, user, of_user)
            start += len(own)
            progress.advance(task)
    return outcomes


def _print_table(outcomes: Sequence[Outcome], users: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from beimingwu.demo.experiment import LABELS, TASKS, mean_of

    who = users[0] if len(users) == 1 else f"each of {len(users)} stations, held out in turn"
    table = Table(title=f"RMSE of PM2.5 in µg/m³ at {who}", title_justify="left")
    table.add_column("what the user gets")
    for task in TASKS:
        table.add_column(task, justify="right")
    rows = {
        "a random learnware (mean over the dock)": "random",
        "the single learnware found": "single",
        "the mixture found, deployed": "mixture",
        "the average of all learnwares": "average",
        "the best single, by an oracle that sees labels": "oracle",
    }
    for title, field in rows.items():
        table.add_row(title, *(f"{mean_of(outcomes, task, field):.1f}" for task in TASKS))
    for labels in LABELS:
        table.add_row(
            f"the user's own model on {labels} labels",
            *(f"{mean_of(outcomes, task, labels):.1f}" for task in TASKS),
        )
    Console(width=100, soft_wrap=False).print(table)


def _print_ratios(outcomes: Sequence[Outcome]) -> None:
    from beimingwu.demo.experiment import TASKS, mean_of

    for task in TASKS:
        oracle = mean_of(outcomes, task, "oracle")
        own = mean_of(outcomes, task, 100)
        single, mixture = (mean_of(outcomes, task, field) for field in ("single", "mixture"))
        click.echo(
            f"{task}: single / oracle {single / oracle:.3f}, mixture / oracle "
            f"{mixture / oracle:.3f}, single / own(100) {single / own:.3f}, "
            f"mixture / own(100) {mixture / own:.3f}"
        )


def _print_next(talk: Console, folder: Path, outcome: Outcome) -> None:
    talk.print(
        f"\nFor its {outcome.task}, {outcome.station} got: {outcome.reason}\n\nNow try\n"
        f"  beimingwu list --dock {folder}\n"
        f"  beimingwu show {outcome.result[0].id} --dock {folder}\n"
        "  beimingwu specify your_table.csv -o stat.json\n"
        f"  beimingwu search --spec stat.json --dock {folder}",
        highlight=False,
        soft_wrap=True,
    )
