"""How good mixtures and scores are on docks whose truth is known.

A dock of families: siblings of one family have data near each other, users have data from one, two,
three or five families. The whole-island mixture is compared with the public rule, greedy among the
25 nearest singles, both under the dock's kernel: squared MMD reached, families found, seconds. Then
the scores of what fits and of what does not. Prints two tables, writes results/search_quality.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from beimingwu.search import Index, SearchResult
from beimingwu.specification import RKME

RESULTS = Path(__file__).parent / "results" / "search_quality.json"
DIMENSION = 20
POINTS = 100
FAMILIES = 100
NEAREST = 25


@dataclass(frozen=True)
class MixtureRow:
    """Means over the users of one number of parts."""

    parts: int
    pool_mmd2: float
    whole_mmd2: float
    pool_found: float
    whole_found: float
    pool_seconds: float
    whole_seconds: float


@dataclass(frozen=True)
class ScoreRow:
    """Best scores over the users of one relation to the dock: 10 %, 50 % and 90 % quantiles."""

    user: str
    low: float
    median: float
    high: float
    fits: float


class Families:
    """Six-component clouds on five-dimensional planes, in domains; siblings differ a little."""

    def __init__(self, generator: np.random.Generator) -> None:
        domains = generator.normal(0.0, 1.0, (FAMILIES // 5, DIMENSION))
        self._generator = generator
        self._places = domains[np.arange(FAMILIES) % len(domains)]
        self._places = self._places + generator.normal(0.0, 0.5, (FAMILIES, DIMENSION))
        self._planes = generator.normal(0.0, 0.5, (FAMILIES, 5, DIMENSION))
        self._components = generator.normal(0.0, 1.0, (FAMILIES, 6, 5))

    def sibling(self, family: int, shift: float = 0.0) -> RKME:
        """Return the specification of a new member of a family."""
        generator = self._generator
        components = self._components[family] + generator.normal(0.0, 0.25, (6, 5))
        chosen = generator.integers(0, 6, POINTS)
        rows = components[chosen] @ self._planes[family] + self._places[family] + shift
        rows = rows + generator.normal(0.0, 0.3, rows.shape)
        weights = generator.dirichlet(np.full(POINTS, 10.0))
        return RKME(rows.astype(np.float32), weights, n=5_000)

    def user_of(self, families: list[int]) -> RKME:
        """Return the specification of data that comes evenly from several families."""
        parts = [self.sibling(family) for family in families]
        weights = np.concatenate([part.weights for part in parts]) / len(parts)
        return RKME(np.concatenate([part.points for part in parts]), weights, n=5_000)


def families_found(result: SearchResult, wanted: list[int]) -> float:
    """Return the share of the user's families that the mixture (or best single) comes from."""
    members = result.mixture.members if result.mixture else result.single[:1]
    found = {int(match.id) % FAMILIES for match in members}
    return len(found & set(wanted)) / len(wanted)


def squared_distance(result: SearchResult) -> float:
    """Return the squared MMD of the mixture, or of the best single."""
    return (result.mixture.mmd if result.mixture else (result.single[0].mmd or 0.0)) ** 2


def mixture_row(index: Index, families: Families, parts: int, users: int) -> MixtureRow:
    """Compare the whole island with the 25 nearest for users of `parts` families."""
    generator = np.random.default_rng(parts)
    figures = np.empty((users, 6))
    for u in range(users):
        wanted = generator.choice(FAMILIES, parts, replace=False).tolist()
        user = families.user_of(wanted)
        begun = time.perf_counter()
        whole = index.search(user, limit=NEAREST)
        whole_seconds = time.perf_counter() - begun
        begun = time.perf_counter()
        nearest = index.search(user, limit=NEAREST, max_learnwares=1)
        pool = index.search(user, among=[match.id for match in nearest])
        pool_seconds = time.perf_counter() - begun
        figures[u] = (
            squared_distance(pool),
            squared_distance(whole),
            families_found(pool, wanted),
            families_found(whole, wanted),
            pool_seconds,
            whole_seconds,
        )
    return MixtureRow(parts, *figures.mean(axis=0).tolist())


def score_rows(index: Index, families: Families, users: int) -> list[ScoreRow]:
    """Return the best scores of users that the dock should and should not serve."""
    unknown = Families(np.random.default_rng(99))
    kinds: dict[str, Callable[[int], RKME]] = {
        "of a family in the dock": families.sibling,
        "of a family the dock lacks": unknown.sibling,
        "ten units away": lambda family: families.sibling(family, shift=10.0),
    }
    rows = []
    for name, user_of in kinds.items():
        results = [index.search(user_of(family), max_learnwares=1) for family in range(users)]
        scores = [result.single[0].score or 0.0 for result in results]
        low, median, high = np.quantile(scores, [0.1, 0.5, 0.9]).tolist()
        rows.append(
            ScoreRow(name, low, median, high, float(np.mean([result.fits for result in results])))
        )
    return rows


def print_tables(mixtures: list[MixtureRow], scores: list[ScoreRow], learnwares: int) -> None:
    """Print both tables."""
    table = Table(title=f"Mixtures in a dock of {learnwares:,} (25 nearest -> whole island)")
    for head in ("families", "squared MMD", "ratio", "families found", "seconds"):
        table.add_column(head, justify="right")
    for row in mixtures:
        table.add_row(
            str(row.parts),
            f"{row.pool_mmd2:.4f} -> {row.whole_mmd2:.4f}",
            f"{row.pool_mmd2 / row.whole_mmd2:.1f}",
            f"{row.pool_found:.2f} -> {row.whole_found:.2f}",
            f"{row.pool_seconds:.2f} -> {row.whole_seconds:.2f}",
        )
    best = Table(title="Best scores")
    for head in ("user", "10 %", "median", "90 %", "said to fit"):
        best.add_column(head, justify="right")
    for line in scores:
        best.add_row(
            line.user, *(f"{q:.2f}" for q in (line.low, line.median, line.high)), f"{line.fits:.0%}"
        )
    console = Console()
    console.print(table)
    console.print(best)


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--learnwares", type=int, default=2_000)
    options.add_argument("--users", type=int, default=10)
    chosen = options.parse_args()
    families, index = Families(np.random.default_rng(0)), Index()
    for i in range(chosen.learnwares):
        index.add(f"{i:08d}", families.sibling(i % FAMILIES))
    mixtures = [mixture_row(index, families, parts, chosen.users) for parts in (2, 3, 5)]
    scores = score_rows(index, families, min(chosen.users, FAMILIES))
    print_tables(mixtures, scores, chosen.learnwares)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "learnwares": chosen.learnwares,
                "users": chosen.users,
                "mixtures": [asdict(row) for row in mixtures],
                "scores": [asdict(row) for row in scores],
            },
            indent=2,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
