"""Whether the score tells what fits from what does not, and stays when the geometry is made anew.

Docks of real data sets, whose learnwares are owners (a store, a station's season, a month). Related
users are owners held out; strangers are owners of sets about other subjects, their first features
put into the same number of columns. Docks are of one set, or of all but those about one subject,
which are then the strangers. Units are as they come, or each set is standardised by its owners, so
that units give nothing away. Then a dock of synthetic families, of which a fifth are unknown to it.

The second table makes each dock's geometry anew. A geometry is a function of who is in the dock, so
one made again from the same is the same. "Another sample" has the same learnwares under other ids,
of which other pairs and kin are seen. "Others came, went" is the dock after its learnwares came in
another order, and the strangers came too and went; a large island is then still measured by what it
knew of them. "A half" is another, smaller dock, and tells how much hangs on which learnwares there
are. Prints both tables, writes results/scores.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from beimingwu.search import Index
from beimingwu.search.geometry import Geometry, founded, moments_of
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.stack import Stack
from beimingwu.search.units import Units
from beimingwu.specification import RKME
from scores_tasks import FEATURES, SOURCES, in_deviations, specified
from search_docks import FAMILIES, RECORDS, Tasks

RESULTS = Path(__file__).parent / "results" / "scores.json"
#: A set's owners are held out in so many parts, each in turn.
FOLDS = 4
#: Tasks of each foreign set that ask a dock of one set, and related users that ask a mixed dock.
STRANGERS, RELATED = 2, 24
#: Users of each kind that ask a restored dock again.
ASKED_AGAIN = 4
QUANTILES = (0.05, 0.5, 0.95)
#: What is asked of the score.
WANTED_SHARE, WANTED_MOVE = 0.95, 0.05

Numbers = NDArray[np.float64]
Library = Mapping[str, list[RKME]]
SUBJECTS = {source.name: source.subject for source in SOURCES}


@dataclass(frozen=True)
class Dock:
    """Learnwares, and users of both kinds that ask for one."""

    name: str
    learnwares: list[RKME]
    related: list[RKME]
    strangers: list[RKME]


@dataclass(frozen=True)
class Row:
    """What the docks of one name said to their users; quantiles are of the best single score."""

    docks: str
    units: str
    features: int
    name: str
    learnwares: int
    related: int
    kept: float
    strangers: int
    refused: float
    related_scores: tuple[float, ...]
    stranger_scores: tuple[float, ...]


@dataclass(frozen=True)
class Move:
    """How far scores moved when a geometry was made anew."""

    docks: str
    units: str
    features: int
    made_from: str
    pairs: int
    largest: float
    within: float


def docks_of_one(library: Library) -> Iterator[Dock]:
    """Yield, for each set and each part of its owners held out, the dock of the others."""
    for name, specs in library.items():
        draw = np.random.default_rng(0)
        part = draw.permutation(len(specs)) % FOLDS
        foreign = [n for n in library if SUBJECTS[n] != SUBJECTS[name]]
        for fold in range(FOLDS):
            strangers = [s for n in foreign for s in _some(library[n], STRANGERS, draw)]
            yield Dock(
                name,
                [s for s, p in zip(specs, part, strict=True) if p != fold],
                [s for s, p in zip(specs, part, strict=True) if p == fold],
                strangers,
            )


def docks_of_many(library: Library) -> Iterator[Dock]:
    """Yield, for each subject, the dock of all sets about others; its own are the strangers."""
    for subject in dict.fromkeys(SUBJECTS[name] for name in library):
        draw = np.random.default_rng(1)
        learnwares, related, strangers = [], [], []
        for name, specs in library.items():
            held_out = draw.permutation(len(specs)) % FOLDS == 0
            if SUBJECTS[name] == subject:
                strangers += specs
                continue
            related += [s for s, out in zip(specs, held_out, strict=True) if out]
            learnwares += [s for s, out in zip(specs, held_out, strict=True) if not out]
        yield Dock(f"without {subject}", learnwares, _some(related, RELATED, draw), strangers)


def dock_of_families(learnwares: int, users: int) -> Dock:
    """Return a dock of synthetic families, whose strangers are of a fifth that it lacks."""
    tasks, draw = Tasks(), np.random.default_rng(2)
    known = np.arange(FAMILIES) % 5 > 0

    def drawn(families: Sequence[int], count: int) -> list[RKME]:
        points, weights = tasks.drawn(draw.choice(np.array(families), count), draw)
        return [RKME(p, w, n=RECORDS) for p, w in zip(points, weights, strict=True)]

    inside, outside = np.flatnonzero(known).tolist(), np.flatnonzero(~known).tolist()
    return Dock("families", drawn(inside, learnwares), drawn(inside, users), drawn(outside, users))


def _some(specs: list[RKME], count: int, draw: np.random.Generator) -> list[RKME]:
    return [specs[i] for i in draw.permutation(len(specs))[:count]]


def asked(dock: Dock) -> tuple[Numbers, Numbers]:
    """Return the best score and whether anything fits, shape `(2, users)`, of both kinds."""
    index = Index()
    for i, spec in enumerate(dock.learnwares):
        index.add(f"{i:08d}", spec)
    told = []
    for users in (dock.related, dock.strangers):
        results = [index.search(user, limit=1) for user in users]
        scores = [result.single[0].score or 0.0 for result in results]
        told.append(np.array([scores, [float(result.fits) for result in results]]))
    return told[0], told[1]


def rows_of(docks: Sequence[Dock], kind: str, units: str, features: int) -> list[Row]:
    """Ask every dock, and return a row for each name."""
    rows = []
    for name in dict.fromkeys(dock.name for dock in docks):
        same = [dock for dock in docks if dock.name == name]
        parts = [asked(dock) for dock in same]
        related = np.hstack([part[0] for part in parts])
        strangers = np.hstack([part[1] for part in parts])
        rows.append(
            Row(
                docks=kind,
                units=units,
                features=features,
                name=name,
                learnwares=max(len(dock.learnwares) for dock in same),
                related=related.shape[1],
                kept=float(related[1].mean()),
                strangers=strangers.shape[1],
                refused=1.0 - float(strangers[1].mean()),
                related_scores=tuple(np.quantile(related[0], QUANTILES).tolist()),
                stranger_scores=tuple(np.quantile(strangers[0], QUANTILES).tolist()),
            )
        )
    return rows


def geometry_of(specs: Sequence[RKME], members: int) -> Geometry:
    """Return the geometry of a dock of so many members, made from these."""
    segment = Segment.of([Entry(f"{i:08d}", spec, ()) for i, spec in enumerate(specs)])
    units = Units.of(segment.stack, moments_of(segment.stack))
    return founded(segment, units.kernel, members)


def scores_under(geometry: Geometry, users: Sequence[RKME], matches: Sequence[RKME]) -> Numbers:
    """Return the score of each user's match."""
    kernel, scores = geometry.kernel, np.empty(len(users))
    for i, (user, match) in enumerate(zip(users, matches, strict=True)):
        own, theirs = user.inner(user, kernel), match.inner(match, kernel)
        mmd2 = own + theirs - 2.0 * user.inner(match, kernel)
        scores[i] = geometry.scorer(user, own)(np.array(mmd2), np.array(theirs))
    return scores


def moved(dock: Dock) -> dict[str, Numbers]:
    """Return how far the score of each user's nearest moves under geometries made anew."""
    draw, specs = np.random.default_rng(3), dock.learnwares
    users = [*dock.related, *dock.strangers]
    now = geometry_of(specs, len(specs))
    stack, everyone = Stack.of(specs), np.arange(len(specs))
    inner = np.array([spec.inner(spec, now.kernel) for spec in specs])
    nearest = [
        specs[int(np.argmin(inner - 2.0 * stack.inner_products(user, everyone, now.kernel)))]
        for user in users
    ]
    order = draw.permutation(len(specs))
    halves = order[: len(specs) // 2], order[len(specs) // 2 :]
    before = scores_under(now, users, nearest)

    def move(which: NDArray[np.intp]) -> Numbers:
        anew = geometry_of([specs[i] for i in which.tolist()], len(specs))
        return np.abs(scores_under(anew, users, nearest) - before)

    return {
        "another sample": move(order),
        "others came, went": restored(dock),
        "a half": np.concatenate([move(h) for h in halves]),
    }


def restored(dock: Dock) -> Numbers:
    """Return how far scores move when learnwares come in another order, and others come and go."""
    straight, crooked = Index(), Index()
    everyone = list(enumerate(dock.learnwares))
    for i, spec in everyone:
        straight.add(f"{i:08d}", spec)
    for i, spec in reversed(everyone):
        crooked.add(f"{i:08d}", spec)
    others = [f"{i:08d}" for i in range(len(everyone), len(everyone) + len(dock.strangers))]
    for id_, spec in zip(others, dock.strangers, strict=True):
        crooked.add(id_, spec)
    users = [*dock.related[:ASKED_AGAIN], *dock.strangers[:ASKED_AGAIN]]
    crooked.search(users[0])
    for id_ in others:
        crooked.remove(id_)
    before, after = (
        np.array(
            [index.search(user, limit=1, max_learnwares=1).single[0].score or 0.0 for user in users]
        )
        for index in (straight, crooked)
    )
    return np.asarray(np.abs(after - before))


def moves_of(docks: Sequence[Dock], kind: str, units: str, features: int) -> list[Move]:
    """Make the geometry of every dock anew, and return how far its scores moved."""
    seen: dict[str, list[Numbers]] = {}
    for dock in docks:
        for made_from, by in moved(dock).items():
            seen.setdefault(made_from, []).append(by)
    return [
        Move(
            docks=kind,
            units=units,
            features=features,
            made_from=made_from,
            pairs=sum(len(by) for by in all_by),
            largest=float(np.concatenate(all_by).max()),
            within=float((np.concatenate(all_by) <= WANTED_MOVE).mean()),
        )
        for made_from, all_by in seen.items()
    ]


def totals(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the shares of all related users kept and of all strangers refused."""
    kept = sum(row.kept * row.related for row in rows) / sum(row.related for row in rows)
    refused = sum(row.refused * row.strangers for row in rows) / sum(row.strangers for row in rows)
    return kept, refused


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """Print a table for each kind of dock, then the totals."""
    kinds = list(dict.fromkeys((row.docks, row.units, row.features) for row in rows))
    summary = Table(title=f"Totals (wanted: {WANTED_SHARE:.0%} and {WANTED_SHARE:.0%})")
    for head in ("docks", "units", "features", "related kept", "strangers refused"):
        summary.add_column(head, justify="right")
    for kind in kinds:
        own = [row for row in rows if (row.docks, row.units, row.features) == kind]
        table = Table(title=f"Docks of {kind[0]}, units {kind[1]}, {kind[2]} features")
        for head in ("dock", "size", "related", "kept", "scores", "strangers", "refused", "scores"):
            table.add_column(head, justify="right")
        for row in own:
            table.add_row(
                row.name,
                str(row.learnwares),
                str(row.related),
                f"{row.kept:.1%}",
                " ".join(f"{q:.2f}" for q in row.related_scores),
                str(row.strangers),
                f"{row.refused:.1%}",
                " ".join(f"{q:.2f}" for q in row.stranger_scores),
            )
        console.print(table)
        summary.add_row(kind[0], kind[1], str(kind[2]), *(f"{t:.1%}" for t in totals(own)))
    summary.add_row("all", "", "", *(f"{total:.1%}" for total in totals(rows)))
    console.print(summary)


def print_moves(moves: Sequence[Move], console: Console) -> None:
    """Print how far scores moved."""
    table = Table(title=f"Geometries made anew (wanted: no score moves by over {WANTED_MOVE})")
    for head in ("docks", "units", "features", "made from", "pairs", "largest", "within"):
        table.add_column(head, justify="right")
    for move in moves:
        table.add_row(
            move.docks,
            move.units,
            str(move.features),
            move.made_from,
            str(move.pairs),
            f"{move.largest:.3f}",
            f"{move.within:.1%}",
        )
    console.print(table)


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--owners", type=int, default=40, help="most of each set")
    options.add_argument("--features", type=int, nargs="+", default=[4, FEATURES])
    options.add_argument("--families", type=int, default=2_000, help="learnwares of that dock")
    chosen = options.parse_args()
    console, tasks = Console(width=120), {}
    for source in SOURCES:
        try:
            tasks[source.name] = source.tasks(chosen.owners)
        except FileNotFoundError as error:
            console.print(f"Without {source.name}: {error}.")
    rows: list[Row] = []
    moves: list[Move] = []
    for features in chosen.features:
        given = {name: specified(rows_, features) for name, rows_ in tasks.items()}
        alike = {name: in_deviations(specs) for name, specs in given.items()}
        for units, library in (("as they come", given), ("in deviations", alike)):
            for kind, docks in (
                ("one set", list(docks_of_one(library))),
                ("many sets", list(docks_of_many(library))),
            ):
                rows += rows_of(docks, kind, units, features)
                moves += moves_of(docks, kind, units, features)
    families = [dock_of_families(chosen.families, users=100)]
    rows += rows_of(families, "families", "alike", 20)
    moves += moves_of(families, "families", "alike", 20)
    print_rows(rows, console)
    print_moves(moves, console)
    RESULTS.parent.mkdir(exist_ok=True)
    told = {"rows": [asdict(row) for row in rows], "moves": [asdict(move) for move in moves]}
    RESULTS.write_text(json.dumps({**told, "owners": chosen.owners}, indent=2) + "\n")


if __name__ == "__main__":
    main()
