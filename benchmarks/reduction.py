"""How fast and how faithful `specify` is, beside the public engine's generator in the same run.

Every cell (a shape of data, n records, d features) is reduced to 100 points by both, one thread
each, and judged by exact kernels on all the data: the squared MMD under the multi-scale kernel in
standardised space, against the best of three bars (the engine, 100 random records and k-means,
the latter two with optimal weights), and under the engine's own kernel. Needs `make engine`. Prints
one table and writes benchmarks/results/reduction.json; nothing is kept from an earlier run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from beimingwu.specification import disclosure_audit, specify
from reduction_bounds import Bound
from reduction_data import ISOTROPIC, SHAPES, Cell, chosen_cells
from reduction_judge import Embedded, Judge, attainable, k_means, random_records

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "reduction.json"
ENGINE = HERE.parent / ".venv-engine" / "bin" / "python"
POINTS = 100
#: Of the best bar: what issue 2 asks for in every cell.
HALF = 0.5


@dataclass(frozen=True)
class Row:
    """What one cell measured; seconds are CPU seconds of one thread."""

    shape: str
    n: int
    d: int
    engine_seconds: float
    our_seconds: float
    engine_mmd2: float
    records_mmd2: float
    k_means_mmd2: float
    our_mmd2: float
    attainable_mmd2: float | None
    one_scale_bar: float
    one_scale_ours: float
    own_kernel_engine: float
    own_kernel_ours: float
    nearest: float
    disclosed: float
    smallest_cluster: float
    membership_auc: float
    clean: bool

    @property
    def cell(self) -> str:
        """Its name."""
        return f"{self.shape} {self.n:,} x {self.d}"

    @property
    def isotropic(self) -> bool:
        """Whether the data has no structure that fewer points could use (a control)."""
        return self.shape in ISOTROPIC

    @property
    def speed(self) -> float:
        """How many times faster than the engine."""
        return self.engine_seconds / self.our_seconds

    @property
    def to_best_bar(self) -> float:
        """Our squared MMD over the least of the three bars."""
        return self.our_mmd2 / min(self.engine_mmd2, self.records_mmd2, self.k_means_mmd2)

    @property
    def best_found(self) -> float | None:
        """The least squared MMD that long descents found, over the least of the three bars."""
        if self.attainable_mmd2 is None:
            return None
        return self.to_best_bar * self.attainable_mmd2 / self.our_mmd2

    @property
    def one_scale(self) -> float:
        """The same ratio at the one rate 1 / d; ours is fitted to three scales, the bars to it."""
        return self.one_scale_ours / self.one_scale_bar

    @property
    def own_kernel(self) -> float:
        """Our squared MMD over the engine's, under the engine's kernel."""
        return self.own_kernel_ours / self.own_kernel_engine


def main() -> None:
    """Measure every cell asked for, print one table, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only n up to 10,000")
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument(
        "--attainable",
        action="store_true",
        help="search for the best there is in cells where ours is over half the best bar",
    )
    parser.add_argument("--engine", type=Path, default=ENGINE, help="python that has the engine")
    arguments = parser.parse_args()
    _on_one_thread()
    if not arguments.engine.is_file():
        parser.error(f"no engine at {arguments.engine}; run `make engine`")
    print(f"One thread each, CPU seconds. {platform.processor() or platform.machine()}")
    specify(np.random.default_rng(0).standard_normal((200, 2)))  # imports do not count

    rows = []
    for cell in chosen_cells(arguments.shapes, most=10_000 if arguments.quick else None):
        try:
            row = measure(cell, arguments.engine, arguments.attainable)
        except (FileNotFoundError, ImportError) as absent:
            print(f"{cell.shape} is skipped: {absent}")
            continue
        rows.append(row)
        print(_line(row), file=sys.stderr, flush=True)
    if not rows:
        parser.error("no cell could be measured")
    _print(rows)
    for bound in bounds(rows):
        print(bound)
    fifty = {f"{row.shape} x {row.d}": _clean(Cell(row.shape, 50, row.d)) for row in rows}
    print(f"n = 50: {sum(fifty.values())} of {len(fifty)} audits clean")
    RESULTS.parent.mkdir(exist_ok=True)
    summary = {"points": POINTS, "rows": [_as_json(row) for row in rows], **_summary(rows)}
    RESULTS.write_text(json.dumps({**summary, "clean_at_50": fifty}, indent=2) + "\n")


def measure(cell: Cell, engine: Path, search: bool) -> Row:
    """Reduce one cell by both sides and judge them."""
    data, held_out = cell.draw()
    engine_seconds, theirs = by_engine(data, engine)
    started = time.process_time()
    ours = specify(data, size=POINTS)
    our_seconds = time.process_time() - started

    judge = Judge(data)
    multi, single, own = judge.multiscale, judge.one_scale, judge.engines
    records, centres = random_records(judge, POINTS), k_means(judge, POINTS)
    audit = disclosure_audit(data, ours, held_out=held_out)
    mine = Embedded(ours.rows, ours.weights)
    row = Row(
        shape=cell.shape,
        n=len(data),
        d=data.shape[1],
        engine_seconds=engine_seconds,
        our_seconds=our_seconds,
        engine_mmd2=judge.mmd2(theirs, multi),
        records_mmd2=judge.mmd2(judge.best_weights(records, multi), multi),
        k_means_mmd2=judge.mmd2(judge.best_weights(centres, multi), multi),
        our_mmd2=judge.mmd2(mine, multi),
        attainable_mmd2=None,
        one_scale_bar=min(
            judge.mmd2(theirs, single),
            judge.mmd2(judge.best_weights(records, single), single),
            judge.mmd2(judge.best_weights(centres, single), single),
        ),
        one_scale_ours=judge.mmd2(mine, single),
        own_kernel_engine=judge.mmd2(theirs, own),
        own_kernel_ours=judge.mmd2(mine, own),
        nearest=audit.nearest,
        disclosed=audit.disclosed,
        smallest_cluster=audit.smallest_cluster,
        membership_auc=audit.membership_auc or 0.5,
        clean=audit.clean,
    )
    if search and row.to_best_bar > HALF:
        return replace(row, attainable_mmd2=attainable(judge, ours))
    return row


def by_engine(data: NDArray[np.float32], python: Path) -> tuple[float, Embedded]:
    """Run the engine's generator in its own environment; its process times itself."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "data.npy"), Path(folder, "made.npz")
        np.save(given, data)
        subprocess.run(
            [python, HERE / "reduction_engine.py", given, made, str(POINTS)],
            check=True,
            env={**os.environ, "HOME": folder, "TMPDIR": folder},
            stdout=subprocess.DEVNULL,
        )
        with np.load(made) as result:
            return float(result["seconds"]), Embedded(result["points"], result["weights"])


def _clean(cell: Cell) -> bool:
    data, _ = cell.draw()
    return disclosure_audit(data, specify(data, size=POINTS)).clean


def _on_one_thread() -> None:
    """Start again with one thread for every numerical library; they read it when they load."""
    wanted = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


def _geometric_mean(values: Sequence[float]) -> float | None:
    return float(np.exp(np.mean(np.log(values)))) if values else None


def _summary(rows: Sequence[Row]) -> dict[str, float | None]:
    return {
        "geometric_mean_to_best_bar": _geometric_mean([row.to_best_bar for row in rows]),
        "geometric_mean_structured": _geometric_mean(
            [row.to_best_bar for row in rows if not row.isotropic]
        ),
        "geometric_mean_one_scale": _geometric_mean([row.one_scale for row in rows]),
        "geometric_mean_to_engine": _geometric_mean(
            [row.our_mmd2 / row.engine_mmd2 for row in rows]
        ),
        "geometric_mean_speed": _geometric_mean([row.speed for row in rows]),
    }


def bounds(rows: Sequence[Row]) -> list[Bound]:
    """Return what issue 2 asks for ("Done when" 2), with what these rows measured."""
    found = {row.cell: row.best_found for row in rows if row.best_found is not None}
    ours = {row.cell: row.to_best_bar for row in rows}
    largest = {row.cell: row.speed for row in rows if (row.n, row.d) == (100_000, 100)}
    middle = {row.cell: row.speed for row in rows if row.n == 10_000}
    all_of_them, at_one = (
        {"geometric mean": float(np.exp(np.mean(np.log(ratios))))}
        for ratios in ([row.to_best_bar for row in rows], [row.one_scale for row in rows])
    )
    return [
        Bound("times faster at 100,000 x 100, at least", 25.0, largest, at_least=True),
        Bound("times faster at n = 10,000, at least", 1.0, middle, at_least=True),
        Bound("of the best bar, three scales, at most", HALF, ours, found),
        Bound("of the best bar at 1/d, at most", HALF, {row.cell: row.one_scale for row in rows}),
        Bound("the same in geometric mean, three scales, at most", 0.25, all_of_them),
        Bound("the same in geometric mean at 1/d, at most", 0.25, at_one),
        Bound(
            "of the engine's under its own kernel, at most",
            1.1,
            {row.cell: row.own_kernel for row in rows},
        ),
        Bound("records disclosed, at most", 0.0, {row.cell: row.disclosed for row in rows}),
    ]


def _as_json(row: Row) -> dict[str, object]:
    names = ("speed", "to_best_bar", "one_scale", "own_kernel")
    return {**asdict(row), **{name: getattr(row, name) for name in names}}


def _line(row: Row) -> str:
    return (
        f"{row.shape} {row.n} x {row.d}: {row.speed:.1f} times faster, "
        f"{row.to_best_bar:.3f} of the best bar, at 1/d {row.one_scale:.3f}, "
        f"own kernel {row.own_kernel:.3f}"
    )


def _print(rows: Sequence[Row]) -> None:
    table = Table(title="specify beside the public engine, squared MMD x 1000")
    heads = "n,d,engine s,ours s,faster,engine,records,k-means,ours,best found,ours/best bar"
    table.add_column("data")
    for head in (*heads.split(","), "at 1/d", "own kernel", "nearest", "AUC", "clean"):
        table.add_column(head, justify="right")
    for row in rows:
        found = row.attainable_mmd2
        mmd2 = (row.engine_mmd2, row.records_mmd2, row.k_means_mmd2, row.our_mmd2)
        table.add_row(
            row.shape + (" *" if row.isotropic else ""),
            f"{row.n:,}",
            str(row.d),
            f"{row.engine_seconds:.2f}",
            f"{row.our_seconds:.2f}",
            f"{row.speed:.1f}",
            *(f"{1000 * value:.2f}" for value in mmd2),
            "" if found is None else f"{1000 * found:.2f}",
            f"{row.to_best_bar:.3f}",
            f"{row.one_scale:.3f}",
            f"{row.own_kernel:.3f}",
            f"{row.nearest:.3f}",
            f"{row.membership_auc:.2f}",
            "yes" if row.clean else "NO",
        )
    console = Console(width=160)
    console.print(table)
    console.print("* independent features: a control, with no structure for points to use")
    for name, value in _summary(rows).items():
        if value is not None:
            console.print(f"{name.replace('_', ' ')}: {value:.3f}")


if __name__ == "__main__":
    main()
