"""How near mixtures come to data of several families, beside the public engine's greedy rule.

Users have data that comes from two, three or five families of a dock (`search_docks`): evenly, in
random shares, or evenly and told in 100 points in all instead of 100 of each family. Ours is sought
in the whole dock; theirs is the engine's own greedy code on the 25 nearest learnwares, under the
dock's kernel, so that both are one measure. Times are CPU milliseconds of one thread; the engine's
are of its rule alone, without its search for the 25. Needs `make engine`. Prints a table and what
each bound comes to; writes benchmarks/results/mixture.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from beimingwu.search import Index, SearchResult
from beimingwu.specification import RKME
from search import ENGINE, by_engine, kept_in, on_one_thread
from search_bounds import Bound, as_json
from search_docks import FAMILIES, Families, Tasks, dock

RESULTS = Path(__file__).parent / "results" / "mixture.json"
PARTS = (2, 3, 5)
#: Singles that the engine mixes.
NEAREST = 25
#: Of the engine's squared distance, and milliseconds of a whole search.
RATIO, MILLISECONDS = 1 / 3, 250.0


@dataclass(frozen=True)
class Row:
    """Means over the users of one kind; milliseconds are medians."""

    shares: str
    parts: int
    single_mmd2: float
    engine_mmd2: float
    our_mmd2: float
    worst_ratio: float
    engine_found: float
    our_found: float
    members: float
    engine_ms: float
    whole_ms: float
    whole_p95: float
    mixture_ms: float
    mixture_p95: float
    wall_ms: float

    @property
    def ratio(self) -> float:
        """Our mean squared distance over the engine's."""
        return self.our_mmd2 / self.engine_mmd2


@dataclass(frozen=True)
class Ours:
    """One search of ours: squared distances, members, CPU and wall milliseconds."""

    single_mmd2: float
    mmd2: float
    members: list[int]
    singles_ms: float
    whole_ms: float
    wall_ms: float
    pool: SearchResult


def main() -> None:
    """Compare for every number of families, print, and write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="learnwares of the dock")
    parser.add_argument("--d", type=int, default=20, help="features of a task")
    parser.add_argument("--users", type=int, default=20, help="users of each kind")
    parser.add_argument("--folder", type=Path, help="where docks are kept, and found the next time")
    parser.add_argument("--engine", type=Path, default=ENGINE, help="python that has the engine")
    chosen = parser.parse_args()
    on_one_thread()
    if not chosen.engine.is_file():
        parser.error(f"no engine at {chosen.engine}; run `make engine`")
    tasks = Tasks(chosen.d)
    families = tasks.families_of(chosen.n)
    with kept_in(chosen.folder) as folder:
        index, _ = dock(folder / f"{chosen.d}-{chosen.n}", tasks, chosen.n)
        rows = [
            compared(index, families, shares, drawn, parts, chosen.users, chosen.engine)
            for shares, drawn in (
                ("even", tasks.mixture),
                ("uneven", tasks.uneven),
                ("in 100 points", tasks.user),
            )
            for parts in PARTS
        ]
    report(rows, chosen.n)
    summary = {
        "learnwares": chosen.n,
        "users": chosen.users,
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
        "bounds": as_json(bounds(rows)),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, indent=2) + "\n")


def compared(
    index: Index,
    families: Families,
    shares: str,
    drawn: Callable[[Sequence[int], np.random.Generator], RKME],
    parts: int,
    count: int,
    python: Path,
) -> Row:
    """Compare both for users of so many families."""
    draw = np.random.default_rng([2, parts])
    wanted = [draw.choice(FAMILIES, parts, replace=False).tolist() for _ in range(count)]
    users = [drawn(some, draw) for some in wanted]
    _searched(index, users[0])
    ours = [_searched(index, user) for user in users]
    theirs = _engine_on(python, users, [our.pool for our in ours])
    chosen = [
        [int(our.pool.single[i].id) for i in some if i >= 0]
        for our, some in zip(ours, theirs["members"].tolist(), strict=True)
    ]
    whole, singles = np.array([(our.whole_ms, our.singles_ms) for our in ours]).T
    mmd2 = np.array([our.mmd2 for our in ours])
    return Row(
        shares=shares,
        parts=parts,
        single_mmd2=float(np.mean([our.single_mmd2 for our in ours])),
        engine_mmd2=float(theirs["mmd2"].mean()),
        our_mmd2=float(mmd2.mean()),
        worst_ratio=float((mmd2 / theirs["mmd2"]).max()),
        engine_found=_found(families, wanted, chosen),
        our_found=_found(families, wanted, [our.members for our in ours]),
        members=float(np.mean([len(our.members) for our in ours])),
        engine_ms=1e3 * float(theirs["seconds"]) / count,
        whole_ms=float(np.median(whole)),
        whole_p95=float(np.quantile(whole, 0.95)),
        mixture_ms=float(np.median(whole - singles)),
        mixture_p95=float(np.quantile(whole - singles, 0.95)),
        wall_ms=float(np.median([our.wall_ms for our in ours])),
    )


def _searched(index: Index, user: RKME) -> Ours:
    begun = time.process_time()
    index.search(user, max_learnwares=1)
    singles = time.process_time() - begun
    begun, started = time.process_time(), time.perf_counter()
    result = index.search(user)
    whole, wall = time.process_time() - begun, time.perf_counter() - started
    matches = result.mixture.members if result.mixture else result.single[:1]
    best = result.mixture.mmd if result.mixture else result.single[0].mmd
    return Ours(
        single_mmd2=(result.single[0].mmd or 0.0) ** 2,
        mmd2=(best or 0.0) ** 2,
        members=[int(match.id) for match in matches],
        singles_ms=1e3 * singles,
        whole_ms=1e3 * whole,
        wall_ms=1e3 * wall,
        pool=index.search(user, limit=NEAREST, max_learnwares=1),
    )


def _engine_on(
    python: Path, users: Sequence[RKME], pools: Sequence[SearchResult]
) -> dict[str, np.ndarray]:
    """Let the engine mix the nearest of each user under the dock's kernel."""
    kernel = pools[0].kernel
    specs = [[match.specification for match in pool.single] for pool in pools]
    if kernel is None or kernel.scale is None:
        raise SystemExit("The dock has no kernel.")
    return by_engine(
        python,
        "mixtures",
        points=np.array([[spec.points for spec in some if spec] for some in specs]),
        weights=np.array([[spec.weights for spec in some if spec] for some in specs]),
        user_points=np.stack([user.points for user in users]),
        user_weights=np.stack([user.weights for user in users]),
        rates=np.array(kernel.rates),
        scale=kernel.scale,
    )


def _found(families: Families, wanted: list[list[int]], chosen: list[list[int]]) -> float:
    """Return the mean share of the user's families that the chosen learnwares come from."""
    shares = [
        len(set(families[ids].tolist()) & set(some)) / len(some)
        for some, ids in zip(wanted, chosen, strict=True)
    ]
    return float(np.mean(shares))


def bounds(rows: Sequence[Row]) -> list[Bound]:
    """Return what is asked of every number of families."""
    found = []
    for row in rows:
        name = f"{row.parts} families, {row.shares}"
        found += [
            Bound(f"{name}: of the engine's squared MMD", RATIO, row.ratio),
            Bound(f"{name}: ms of the mixture alone", MILLISECONDS, row.mixture_ms),
            Bound(f"{name}: ms of the whole search", MILLISECONDS, row.whole_ms),
        ]
    return found


def report(rows: Sequence[Row], n: int) -> None:
    """Print the table and the bounds."""
    table = Table(title=f"Mixtures in a dock of {n:,} (engine's rule -> ours; ms of CPU)")
    for head in (
        "families",
        "shares",
        "best single",
        "squared MMD",
        "ratio",
        "worst",
        "families found",
        "members",
        "mixture ms (p95)",
        "whole ms (p95, wall)",
        "engine ms",
    ):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            str(row.parts),
            row.shares,
            f"{row.single_mmd2:.4f}",
            f"{row.engine_mmd2:.4f} -> {row.our_mmd2:.4f}",
            f"{row.ratio:.2f}",
            f"{row.worst_ratio:.2f}",
            f"{row.engine_found:.0%} -> {row.our_found:.0%}",
            f"{row.members:.1f}",
            f"{row.mixture_ms:.0f} ({row.mixture_p95:.0f})",
            f"{row.whole_ms:.0f} ({row.whole_p95:.0f}, {row.wall_ms:.0f})",
            f"{row.engine_ms:.0f}",
        )
    console = Console(width=160)
    console.print(table)
    for bound in bounds(rows):
        console.print(str(bound), highlight=False)


if __name__ == "__main__":
    main()
