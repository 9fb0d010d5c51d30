"""How fast exact search is as a dock grows, beside the public engine's searcher and a flat scan.

Docks of 10,000 learnwares to `--n`, made on the disk (`search_docks`); each is measured in a fresh
process (`search_measure`), and so is the public engine's own searcher on a slice of the same
learnwares, under its own kernel; there our search takes that kernel, too, and must find the same.
Times are CPU milliseconds of one thread, with wall milliseconds beside them, since a machine may
have other work. Needs `make engine`. Prints tables and what each bound comes to; writes
benchmarks/results/search.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from beimingwu.search.building import Plan, measured_by
from beimingwu.search.geometry import founded
from beimingwu.search.segment import Segment
from beimingwu.search.single import Asked, nearest
from beimingwu.search.view import Parts
from beimingwu.specification.rkme import GaussianKernel
from search_bounds import Bound, as_json
from search_docks import Tasks
from search_measure import LIMIT, TIE, Filtered, Measured, Resident, Times, measured

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "search.json"
ENGINE = HERE.parent / ".venv-engine" / "bin" / "python"
SMALLEST = 10_000
#: Learnwares that the public engine compares, and users it compares them with.
SLICE, ENGINE_USERS = 2_000, 5
#: In milliseconds, megabytes, seconds: what is asked of a dock of so many learnwares.
P50 = {100_000: 10.0, 1_000_000: 30.0}
P95 = {1_000_000: 80.0}
RESIDENT_MB, OPEN_SECONDS, FILTERED_RATIO = 1500.0, 2.0, 1.5


@dataclass(frozen=True)
class Engine:
    """The public engine on a slice: seconds per learnware, and whether the same were found."""

    microseconds: float
    learnwares: int
    users: int
    same: int

    @property
    def bound(self) -> Bound:
        """What is asked of the slice."""
        return Bound(f"users whose top {LIMIT} is not the engine's", 0, self.users - self.same)


def main() -> None:
    """Measure every size, print the tables and the bounds, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="learnwares of the largest dock")
    parser.add_argument("--d", type=int, default=20, help="features of a task")
    parser.add_argument("--searches", type=int, default=150, help="timed searches of each kind")
    parser.add_argument("--folder", type=Path, help="where docks are kept, and found the next time")
    parser.add_argument("--engine", type=Path, default=ENGINE, help="python that has the engine")
    chosen = parser.parse_args()
    on_one_thread()
    if not chosen.engine.is_file():
        parser.error(f"no engine at {chosen.engine}; run `make engine`")
    rows = []
    with kept_in(chosen.folder) as folder:
        for n in sizes(chosen.n):
            place = folder / f"{chosen.d}-{n}"
            rows.append(in_fresh_process(place, n, chosen.d, chosen.searches))
            print(f"{n:,} learnwares measured", file=sys.stderr, flush=True)
    engine = beside_engine(Tasks(chosen.d), chosen.engine)
    report(rows, engine)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary(chosen.d, rows, engine), indent=2) + "\n")


def on_one_thread() -> None:
    """Start again with one thread for every numerical library; they read it when they load."""
    wanted = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


@contextmanager
def kept_in(folder: Path | None) -> Iterator[Path]:
    """Give the folder of the docks, or a temporary one."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


def sizes(largest: int) -> list[int]:
    """Return 10,000, 100,000 and so on, up to the largest."""
    found, size = [], SMALLEST
    while size < largest:
        found.append(size)
        size *= 10
    return [*found, largest]


def in_fresh_process(place: Path, n: int, dimension: int, searches: int) -> Measured:
    """Measure one dock."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measured, place, n, dimension, searches).result()


def beside_engine(tasks: Tasks, python: Path) -> Engine:
    """Rank a slice by both, under the engine's kernel."""
    entries = list(tasks.learnwares(0, SLICE))
    draw = np.random.default_rng(3)
    users = [tasks.user([int(family)], draw) for family in draw.choice(400, ENGINE_USERS)]
    answer = by_engine(
        python,
        "singles",
        points=np.stack([entry.spec.points for entry in entries]),
        weights=np.stack([entry.spec.weights for entry in entries]),
        user_points=np.stack([user.points for user in users]),
        user_weights=np.stack([user.weights for user in users]),
    )
    slice_ = Parts.of(Segment.of(entries))
    geometry = founded(Plan.of(slice_).foundation, GaussianKernel(), len(entries))
    view = measured_by(geometry, slice_)
    same = 0
    for user, theirs, mmd2 in zip(users, answer["nearest"], answer["mmd2"], strict=True):
        ours = nearest(view, Asked.by(view, user), [None] * len(view.parts), LIMIT)
        ranked = [int(id_) for id_ in view.ids(ours.positions).tolist()]
        close = np.allclose(ours.mmd2, mmd2[:LIMIT], rtol=0.0, atol=TIE)
        same += ranked == theirs[:LIMIT].tolist() and close
    microseconds = 1e6 * float(answer["seconds"]) / (len(entries) * len(users))
    return Engine(microseconds, len(entries), len(users), same)


def by_engine(python: Path, what: str, **given: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Let the public engine answer in its own environment; its process times itself."""
    with tempfile.TemporaryDirectory() as folder:
        asked, made = Path(folder, "given.npz"), Path(folder, "made.npz")
        np.savez(asked, allow_pickle=False, **given)
        subprocess.run(
            [python, HERE / "search_engine.py", what, asked, made],
            check=True,
            env={**os.environ, "HOME": folder, "TMPDIR": folder},
            stdout=subprocess.DEVNULL,
        )
        with np.load(made) as result:
            return dict(result)


def exponent(rows: Sequence[Measured]) -> float | None:
    """Return the power of its size with which the cost of a search grows."""
    first, last = rows[0], rows[-1]
    if first.n == last.n:
        return None
    return float(np.log(last.unseen.cpu_p50 / first.unseen.cpu_p50) / np.log(last.n / first.n))


def bounds(rows: Sequence[Measured]) -> list[Bound]:
    """Return what is asked of these sizes."""
    found = []
    for row in rows:
        for kind, times in (("unseen tasks", row.unseen), ("mixed tasks", row.mixed)):
            for name, asked, value in (
                ("p50", P50, times.cpu_p50),
                ("p95", P95, times.cpu_p95),
            ):
                if row.n in asked:
                    found.append(Bound(f"{row.n:,}: {name} ms, {kind}", asked[row.n], value))
        found += [
            Bound(f"{row.n:,}: resident MB, unseen tasks", RESIDENT_MB, row.resident_unseen.most),
            Bound(f"{row.n:,}: resident MB, with mixtures", RESIDENT_MB, row.resident_whole.most),
            Bound(f"{row.n:,}: seconds to open", OPEN_SECONDS, row.open_seconds),
            Bound(f"{row.n:,}: answers that are not exact", 0, row.compared - row.exact),
        ]
        for part in row.filtered:
            name = f"{row.n:,}: filtered to {part.share:.1%}"
            found += [
                Bound(f"{name}, times unfiltered", FILTERED_RATIO, part.ratio),
                Bound(f"{name}, answers that are not exact", 0, part.compared - part.exact),
            ]
    return found


def report(rows: Sequence[Measured], engine: Engine) -> None:
    """Print the tables and the bounds."""
    console = Console(width=160)
    console.print(f"One thread. {platform.processor() or platform.machine()}")
    console.print(search_table(rows))
    console.print(dock_table(rows))
    console.print(filter_table(rows))
    console.print(
        f"Public engine: {engine.microseconds:.0f} us a learnware, {engine.learnwares:,} learnwares"
        f" of the same dock; under its kernel our search finds the same {LIMIT} as it for "
        f"{engine.same} of {engine.users} users."
    )
    for row in rows:
        ratio = engine.microseconds * row.n / (1e3 * row.unseen.cpu_p50)
        console.print(f"{row.n:>10,}: {ratio:,.0f} times as fast per learnware as the engine.")
    power = exponent(rows)
    if power is not None:
        console.print(f"Cost grows as n^{power:.2f} from {rows[0].n:,} to {rows[-1].n:,}.")
    for bound in [*bounds(rows), engine.bound]:
        console.print(str(bound), highlight=False)


def search_table(rows: Sequence[Measured]) -> Table:
    """Return the table of searches."""
    table = Table(title=f"Certified top {LIMIT}, ms of CPU (of wall)")
    for head in ("learnwares", "searches", "p50", "p95", "opened", "most", "of a flat scan"):
        table.add_column(head, justify="right")
    for row in rows:
        kinds = (("unseen tasks", row.unseen), ("mixed tasks", row.mixed))
        for name, times in (*kinds, ("with mixtures", row.whole)):
            share = times.cpu_p50 / row.flat_cpu_ms
            table.add_row(f"{row.n:,}", name, *_cells(times), f"{share:.2f}")
        table.add_row(
            f"{row.n:,}",
            "flat scan",
            f"{row.flat_cpu_ms:.1f} ({row.flat_wall_ms:.1f})",
            "",
            "",
            "",
            "",
        )
    return table


def _cells(times: Times) -> tuple[str, ...]:
    return (
        f"{times.cpu_p50:.1f} ({times.wall_p50:.1f})",
        f"{times.cpu_p95:.1f} ({times.wall_p95:.1f})",
        f"{times.opened_p50:,.0f}",
        f"{times.opened_most:,.0f}",
    )


def dock_table(rows: Sequence[Measured]) -> Table:
    """Return the table of what a dock needs."""
    table = Table(title="What a dock needs")
    for head in (
        "learnwares",
        "made in s",
        "opened in s",
        "resident MB (own + files)",
        "after mixed tasks",
        "after mixtures",
        "index bytes a learnware",
        "of points",
        "exact",
    ):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            f"{row.n:,}",
            "" if row.build_seconds is None else f"{row.build_seconds:,.0f}",
            f"{row.open_seconds:.2f}",
            _memory(row.resident_unseen),
            _memory(row.resident_mixed),
            _memory(row.resident_whole),
            f"{row.index_bytes:,.0f}",
            f"{row.point_bytes:,.0f}",
            f"{row.exact} of {row.compared}",
        )
    return table


def _memory(resident: Resident) -> str:
    return f"{resident.most:,.0f} ({resident.own:,.0f} + {resident.of_files:,.0f})"


def filter_table(rows: Sequence[Measured]) -> Table:
    """Return the table of filtered searches."""
    table = Table(title="Filtered, ms of CPU (of wall)")
    for head in (
        "learnwares",
        "allowed",
        "p50",
        "p95",
        "opened",
        "most",
        "unfiltered p50",
        "ratio",
    ):
        table.add_column(head, justify="right")
    table.add_column("exact", justify="right")
    for row in rows:
        for part in row.filtered:
            table.add_row(f"{row.n:,}", f"{part.share:.1%}", *_cells(part.times), *_beside(part))
    return table


def _beside(part: Filtered) -> tuple[str, ...]:
    return (
        f"{part.unfiltered.cpu_p50:.1f}",
        f"{part.ratio:.2f}",
        f"{part.exact} of {part.compared}",
    )


def summary(dimension: int, rows: Sequence[Measured], engine: Engine) -> dict[str, Any]:
    """Return all of it for the results."""
    return {
        "dimension": dimension,
        "threads": 1,
        "docks": [asdict(row) for row in rows],
        "exponent": exponent(rows),
        "engine": asdict(engine),
        "bounds": as_json([*bounds(rows), engine.bound]),
    }


if __name__ == "__main__":
    main()
