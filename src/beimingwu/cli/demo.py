"""`beimingwu demo`: the whole paradigm on real air-quality data, in a dock of its own."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from beimingwu.client import Client
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

    Eleven stations in Beijing each submit four models of PM2.5, one per season; the last of them
    over the network, to a service that runs meanwhile. The twelfth sends the specification of its
    own hours, and gets predictions. Its labels only measure the result.
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
        _share(dock, stations, users[0], developers, talk)
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


def _share(
    dock: Dock, stations: Stations, user: str, developers: Sequence[str], talk: Console
) -> None:
    """Have every developer submit, the last over the network, where the user then tries it too."""
    from beimingwu.demo.service import connected, missing_package

    missing = missing_package()
    here = developers if missing else developers[:-1]
    talk.print(
        f"{len(here)} stations each train a model per season, specify and pack it, and submit it "
        f"to\nthe dock {dock.folder}, which checks it in a process of its own.",
        soft_wrap=True,
    )
    _submit(dock, stations, here, talk)
    if missing:
        talk.print(
            f"A service needs the package {missing}, so nothing goes over a network here.\n"
            "Install it with: pip install 'beimingwu[server]'\n",
            markup=False,
        )
        return
    with connected(dock, developers[-1]) as client:
        talk.print(
            f"{developers[-1]} does the same over the network, with a token of its account: "
            f"`beimingwu serve`\nshares the dock at {client.url} meanwhile.",
            soft_wrap=True,
        )
        _submit(dock, stations, developers[-1:], talk, client)
        _compare(dock, client, stations, user, talk)


def _submit(
    dock: Dock,
    stations: Stations,
    developers: Sequence[str],
    talk: Console,
    client: Client | None = None,
) -> None:
    from beimingwu.demo.data import SEASONS
    from beimingwu.demo.learnwares import submit_learnwares

    total = len(developers) * len(SEASONS)
    submissions = []
    with _progress(talk) as progress:
        made = progress.add_task("trained and submitted", total=total)
        for submission in submit_learnwares(dock, stations, developers, client):
            submissions.append(submission)
            progress.advance(made)
        checked = progress.add_task("verified, published  ", total=total)
        for submission in submissions:
            if submission is not None:
                submission.wait()
            progress.advance(checked)
    new = sum(submission is not None for submission in submissions)
    talk.print(f"{new} learnwares verified and published, {total - new} were there already.\n")


def _compare(dock: Dock, client: Client, stations: Stations, user: str, talk: Console) -> None:
    """Serve one user by the folder and over the network, and say whether that is the same."""
    from beimingwu.demo.data import SEASONS, together
    from beimingwu.demo.learnwares import without_station
    from beimingwu.demo.service import answer_of

    hours = together([stations[user][season] for season in SEASONS])
    with without_station(dock, user, SEASONS):
        near, far = answer_of(dock, hours), answer_of(client, hours)
    same = "the same" if near.found_the_same(far) else "OTHER"
    used = far.mixture or far.single[:1]
    talk.print(
        f"{user} sends its specification there, downloads what is found ({', '.join(used)}) and\n"
        f"predicts its {len(hours):,} hours: {same} learnwares as in the folder, and predictions "
        f"that differ by {near.difference(far):.3g} µg/m³.\n",
        highlight=False,
        soft_wrap=True,
    )


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
    from beimingwu.config import settings

    dock = shlex.join(("--dock", str(folder)))
    talk.print(
        f"\nFor its {outcome.task}, {outcome.station} got: {outcome.reason}\n\nNow try\n"
        f"  beimingwu list {dock}\n"
        f"  beimingwu show {outcome.result[0].id} {dock}\n"
        "  beimingwu specify your_table.csv -o stat.json\n"
        f"  beimingwu search --spec stat.json {dock}\n\n"
        "Look at this dock over the network, in a browser or from another terminal\n"
        f"  beimingwu serve {dock}\n"
        f"  beimingwu list --dock http://127.0.0.1:{settings().port}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
