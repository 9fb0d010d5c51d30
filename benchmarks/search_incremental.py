"""Searching from four threads while learnwares come in, one at a time.

In turns, the threads search a dock that does not change, and one that takes learnwares in and keeps
them in its files as it goes. The learnwares are of the families that are searched for, so they
change the answers. Every answer is then compared with all that was in: there must be a moment
between the beginning and the end of the search at which it was the whole truth; and the dock is
opened again at the end and asked once more. Times are milliseconds as a thread waits for them, and
in CPU of that thread. Prints a table and what each bound comes to; writes
benchmarks/results/search_incremental.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from beimingwu.search import Index, SearchResult
from beimingwu.search.keeping import MANIFEST, Mark
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.single import squared_distances_from
from beimingwu.specification import RKME
from search import kept_in, on_one_thread
from search_bounds import Bound, as_json
from search_docks import FAMILIES, Tasks, dock
from search_measure import LIMIT, TIE, all_distances, view_of

RESULTS = Path(__file__).parent / "results" / "search_incremental.json"
THREADS, ROUNDS = 4, 4
#: Of the time without inserts.
RATIO = 2.0


@dataclass(frozen=True)
class Answer:
    """One search: for whom, how many inserts were through before and begun after, and how long."""

    user: int
    before: int
    after: int
    wall: float
    cpu: float
    result: SearchResult


@dataclass(frozen=True)
class Waits:
    """Milliseconds of many searches."""

    searches: int
    wall_p50: float
    wall_p95: float
    wall_most: float
    cpu_p50: float
    cpu_p95: float

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Waits:
        """Summarise answers."""
        wall, cpu = 1e3 * np.array([(answer.wall, answer.cpu) for answer in answers]).T
        figures = [*np.quantile(wall, [0.5, 0.95]), wall.max(), *np.quantile(cpu, [0.5, 0.95])]
        return cls(len(answers), *map(float, figures))


@dataclass
class Run:
    """A dock that is searched, and how far the inserts have come."""

    index: Index
    users: list[RKME]
    coming: list[Entry]
    mark: Mark
    begun: int = 0
    through: int = 0
    failures: list[str] = field(default_factory=list)

    def searched(self, stop: threading.Event, seed: int, answers: list[Answer]) -> None:
        """Search until told to stop."""
        draw = np.random.default_rng(seed)
        try:
            while not stop.is_set():
                u = int(draw.integers(len(self.users)))
                before, cpu, wall = self.through, time.thread_time(), time.perf_counter()
                result = self.index.search(self.users[u], limit=LIMIT, max_learnwares=1)
                wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
                answers.append(Answer(u, before, self.begun, wall, cpu, result))
        except Exception as error:
            self.failures.append(repr(error))

    @contextmanager
    def searching(self, seed: int) -> Iterator[list[Answer]]:
        """Search from all threads meanwhile."""
        stop, answers = threading.Event(), [list[Answer]() for _ in range(THREADS)]
        threads = [
            threading.Thread(target=self.searched, args=[stop, THREADS * seed + i, mine])
            for i, mine in enumerate(answers)
        ]
        together: list[Answer] = []
        for thread in threads:
            thread.start()
        yield together
        stop.set()
        for thread in threads:
            thread.join()
        together += [answer for mine in answers for answer in mine]

    def insert(self, count: int, seconds: float) -> list[float]:
        """Take learnwares in, spread over these seconds; return how long each took."""
        took, started, first = [], time.perf_counter(), self.through
        for j in range(first, first + count):
            time.sleep(max(started + (j - first) * seconds / count - time.perf_counter(), 0.0))
            entry, self.begun = self.coming[j], j + 1
            begun = time.perf_counter()
            self.index.add(entry.id, entry.spec)
            self.through = j + 1
            self.index.keep(Mark(self.mark.sequence + j + 1, self.mark.fingerprint))
            took.append(time.perf_counter() - begun)
        return took


@dataclass(frozen=True, eq=False)
class Truth:
    """What is nearest to one user: of the dock at first, and of everything that came in."""

    ids: NDArray[np.bytes_]
    mmd2: NDArray[np.float64]
    coming: NDArray[np.float64]

    def allows(self, answer: Answer, first: int) -> bool:
        """Tell whether an answer was the whole truth at a moment of its search.

        What it holds of the learnwares that came in says from which moment on it can be; from then
        on, nothing else that came in may be nearer.
        """
        found = [int(match.id) - first for match in answer.result.single]
        moment = max(answer.before, *(number + 1 for number in found))
        if moment > answer.after:
            return False
        ids = [*self.ids.tolist(), *(b"%08d" % (first + j) for j in range(moment))]
        mmd2 = np.concatenate([self.mmd2, self.coming[:moment]])
        nearest = np.sort(mmd2)[:LIMIT]
        distance = dict(zip(ids, mmd2.tolist(), strict=True))
        told = np.array([match.mmd or 0.0 for match in answer.result.single]) ** 2
        own = [distance.get(match.id.encode(), np.inf) for match in answer.result.single]
        return (
            len(set(found)) == LIMIT
            and np.allclose(told, nearest, rtol=0.0, atol=TIE)
            and np.allclose(told, own, rtol=0.0, atol=TIE)
        )


def main() -> None:
    """Run, check every answer, print, and write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="learnwares of the dock at first")
    parser.add_argument("--d", type=int, default=20, help="features of a task")
    parser.add_argument("--inserts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=80.0, help="over which they come in")
    parser.add_argument("--users", type=int, default=8, help="different requirements")
    parser.add_argument("--folder", type=Path, help="where docks are kept, and found the next time")
    chosen = parser.parse_args()
    on_one_thread()
    tasks, draw = Tasks(chosen.d), np.random.default_rng(4)
    families = draw.choice(FAMILIES, chosen.users, replace=False).tolist()
    users = [tasks.user([family], draw) for family in families]
    coming = [
        Entry(f"{chosen.n + j:08d}", tasks.mixture([families[j % len(families)]], draw), ())
        for j in range(chosen.inserts)
    ]
    with kept_in(chosen.folder) as folder, tempfile.TemporaryDirectory(dir=folder) as copy:
        place = folder / f"{chosen.d}-{chosen.n}"
        dock(place, tasks, chosen.n)
        truths = [truth_of(place, user, coming) for user in users]
        linked(place, Path(copy, "dock"))
        index, mark = Index.open(Path(copy, "dock"))
        if mark is None:
            parser.error(f"the dock in {place} cannot be opened")
        run = Run(index, users, coming, mark)
        without, during, took = in_turns(run, chosen.seconds)
        again = opened_again(Path(copy, "dock"), run)
    wrong = sum(not truths[a.user].allows(a, chosen.n) for a in [*without, *during, *again])
    report(run, Waits.of(without), Waits.of(during), took, wrong)


def truth_of(place: Path, user: RKME, coming: Sequence[Entry]) -> Truth:
    """Compare a user with every learnware of the dock, and with every one that is to come."""
    view = view_of(place)
    mmd2, ids = all_distances(view, view.living_positions(), user)
    nearest, kernel = np.argsort(mmd2, kind="stable")[: 2 * LIMIT], view.geometry.kernel
    segment = view.geometry.measured(Segment.of(coming))
    products = segment.stack.inner_products(user, np.arange(len(coming)), kernel)
    own = user.inner(user, kernel)
    return Truth(
        ids[nearest], mmd2[nearest], squared_distances_from(own, products, segment.self_inner)
    )


def linked(place: Path, copy: Path) -> None:
    """Give the index of a dock another folder, its files shared: they are never written again."""
    shutil.copytree(place, copy, copy_function=os.link, ignore=shutil.ignore_patterns("lock"))
    content = (copy / MANIFEST).read_bytes()
    (copy / MANIFEST).unlink()
    (copy / MANIFEST).write_bytes(content)


def in_turns(run: Run, seconds: float) -> tuple[list[Answer], list[Answer], list[float]]:
    """Search without inserts and with them, in turns, so that both meet the same machine."""
    without, during, took = list[Answer](), list[Answer](), list[float]()
    for user in run.users:
        run.index.search(user, limit=LIMIT, max_learnwares=1)
    for turn in range(ROUNDS):
        with run.searching(2 * turn) as answers:
            time.sleep(seconds / ROUNDS)
        without += answers
        with run.searching(2 * turn + 1) as answers:
            took += run.insert(len(run.coming) // ROUNDS, seconds / ROUNDS)
        during += answers
    return without, during, took


def opened_again(place: Path, run: Run) -> list[Answer]:
    """Keep everything, open the files as another process would, and ask once more."""
    run.index.settle()
    mark = Mark(run.mark.sequence + run.through, run.mark.fingerprint)
    run.index.keep(mark, everything=True)
    index, found = Index.open(place)
    if found != mark or len(index) != run.mark.sequence + run.through:
        run.failures.append(f"opened again: {found}, {len(index):,} learnwares")
    return [
        Answer(u, run.through, run.through, 0.0, 0.0, index.search(user, max_learnwares=1))
        for u, user in enumerate(run.users)
    ]


def report(run: Run, without: Waits, during: Waits, took: Sequence[float], wrong: int) -> None:
    """Print the table and the bounds, and write them."""
    table = Table(title=f"{THREADS} threads searching {run.mark.sequence:,} learnwares, ms")
    for head in ("", "searches", "p50", "p95", "most", "CPU p50", "CPU p95"):
        table.add_column(head, justify="right")
    for name, waits in (("without inserts", without), ("with inserts", during)):
        figures = (waits.wall_p50, waits.wall_p95, waits.wall_most, waits.cpu_p50, waits.cpu_p95)
        table.add_row(name, f"{waits.searches:,}", *(f"{figure:,.1f}" for figure in figures))
    console, inserts = Console(width=120), 1e3 * np.array(took)
    console.print(table)
    p50, p95, most = (*np.quantile(inserts, [0.5, 0.95]), inserts.max())
    console.print(f"An insert: p50 {p50:.2f} ms, p95 {p95:.2f} ms, most {most:,.0f} ms")
    for failure in run.failures:
        console.print(failure, style="red")
    bounds = [
        Bound("p95 of a search, times without inserts", RATIO, during.wall_p95 / without.wall_p95),
        Bound("wrong answers", 0, wrong),
        Bound("failures", 0, len(run.failures)),
    ]
    for bound in bounds:
        console.print(str(bound), highlight=False)
    summary = {
        "learnwares": run.mark.sequence,
        "inserts": len(took),
        "threads": THREADS,
        "without": asdict(without),
        "during": asdict(during),
        "insert_ms": {"p50": p50, "p95": p95, "most": float(inserts.max())},
        "bounds": as_json(bounds),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
