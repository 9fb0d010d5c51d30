"""The specification that a browser makes, beside Python's, on the same twenty data sets.

Each set is dropped as a CSV file on the search page of a service without learnwares, in a Chromium
of its own; what the page would send is read, judged by its squared MMD to the data, and audited by
Python against the records. Real sets are those of benchmarks/scores.py and benchmarks/reduction.py,
each taken as a whole, at most `--records` of them. Python's squared MMD is the mean over five
random states; where these differ by more than a tenth among themselves, as of 300 records in a
line, the browser's is held to the worst of them. Times are from the click that begins to what is
shown for consent; memory is the most that the page's process ever held. Needs `make web` and
chromium. Prints a table and what each bound comes to; writes
benchmarks/results/specify_browser.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from playwright.sync_api import Playwright, sync_playwright
from rich.console import Console
from rich.table import Table

from beimingwu.specification import disclosure_audit, specify
from beimingwu.specification.files import read_specification
from beimingwu.specification.rkme import RKME
from reduction_data import Cell
from reduction_judge import Embedded, Judge
from scores_tasks import SOURCES
from search_bounds import Bound, as_json
from service import fill, served

Rows = NDArray[np.float32]
RESULTS = Path(__file__).parent / "results" / "specify_browser.json"
#: Most of the squared MMD of Python's, and seconds for the largest set.
RATIO, SECONDS = 1.1, 8.0
RANDOM_STATES = 5
#: Shapes of benchmarks/reduction.py, and at which size.
CELLS = (
    Cell("digits", 1_400, 64),
    Cell("air", 20_000, 11),
    Cell("clusters", 1_000, 10),
    Cell("clusters", 20_000, 50),
    Cell("heavy tails", 1_000, 2),
    Cell("heavy tails", 20_000, 20),
    Cell("series", 5_000, 100),
    Cell("student", 20_000, 5),
    Cell("normal", 300, 1),
    Cell("normal", 100_000, 50),
)


@dataclass(frozen=True)
class Row:
    """One set by both: squared MMD, seconds, and megabytes of the browser's process."""

    name: str
    n: int
    d: int
    python_mmd2: float
    python_worst: float
    browser_mmd2: float
    python_seconds: float
    browser_seconds: float
    megabytes: float
    points: int
    clean_here: bool
    clean_there: bool

    @property
    def ratio(self) -> float:
        """The browser's squared MMD over Python's."""
        return self.browser_mmd2 / self.python_mmd2

    @property
    def excess(self) -> float:
        """The same, over Python's worst where that alone would break the bound."""
        own = self.python_worst / self.python_mmd2
        return self.ratio / own if own > RATIO else self.ratio


def main() -> None:
    """Measure, print, and write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="most records of a real set")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        token = fill(Path(temporary) / "dock", 0)
        with served(Path(temporary) / "dock", token) as server:
            rows = [
                measured(playwright, server.url, Path(temporary), name, data)
                for name, data in sets(chosen.records)
            ]
    report(rows)


def sets(records: int) -> Iterator[tuple[str, Rows]]:
    """Yield the twenty data sets; the same in every run."""
    for source in SOURCES:
        frame, _ = source.read()
        table = frame.to_numpy(dtype=np.float32)
        table = table[np.isfinite(table).all(axis=1)]
        draw = np.random.default_rng(0)
        yield source.name, table[np.sort(draw.permutation(len(table))[:records])]
    for cell in CELLS:
        data, _ = cell.draw()
        yield f"{cell.shape} {len(data):,} x {data.shape[1]}", data.astype(np.float32)


def measured(playwright: Playwright, url: str, folder: Path, name: str, data: Rows) -> Row:
    """Specify a set here and there."""
    began = time.perf_counter()
    ours = [specify(data, random_state=state) for state in range(RANDOM_STATES)]
    seconds = (time.perf_counter() - began) / RANDOM_STATES
    judge = Judge(data)
    own = [mmd2(judge, one) for one in ours]
    theirs, browser_seconds, megabytes = by_browser(playwright, url, folder, data)
    print(f"{name}: done", flush=True)
    return Row(
        name,
        data.shape[0],
        data.shape[1],
        float(np.mean(own)),
        max(own),
        mmd2(judge, theirs),
        seconds,
        browser_seconds,
        megabytes,
        len(theirs),
        all(disclosure_audit(data, one).clean for one in ours),
        disclosure_audit(data, theirs).clean,
    )


def mmd2(judge: Judge, spec: RKME) -> float:
    """Return the squared MMD of a specification to the data, under the dock's kind of kernel."""
    return judge.mmd2(Embedded(spec.points, spec.weights), judge.multiscale)


def by_browser(
    playwright: Playwright, url: str, folder: Path, data: Rows
) -> tuple[RKME, float, float]:
    """Return what a browser would send for a table, the seconds it took, and its megabytes."""
    path = folder / "mine.csv"
    pd.DataFrame(data, columns=[f"f{j}" for j in range(data.shape[1])]).to_csv(path, index=False)
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
    )
    try:
        page = browser.new_page()
        page.set_default_timeout(300_000)
        page.goto(f"{url}/search")
        page.locator("input[type=file]").set_input_files(path)
        button = page.get_by_role("button", name=f"Describe {data.shape[1]} column")
        button.wait_for()
        began = time.perf_counter()
        button.click()
        page.get_by_role("button", name="Search with these points").wait_for()
        seconds = time.perf_counter() - began
        with page.expect_download() as download:
            page.get_by_text("Save as stat.json").click()
        content = Path(download.value.path()).read_bytes()
        return read_specification(content), seconds, most_megabytes()
    finally:
        browser.close()


def most_megabytes() -> float:
    """Return the most memory that a page's process has had, of the browser that runs now."""
    most = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" not in (folder / "cmdline").read_bytes():
                continue
            told = (folder / "status").read_text()
        except OSError:
            continue
        most = max(most, int(told.partition("VmHWM:")[2].split()[0]))
    return most / 1024


def report(rows: list[Row]) -> None:
    """Print the table and the bounds, and write both."""
    table = Table(title="Specified in the browser, beside Python")
    for title in (
        "set",
        "records x features",
        "squared MMD",
        "ratio (its worst)",
        "s (Python)",
        "MB",
        "clean",
    ):
        table.add_column(title, justify="left" if title == "set" else "right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.n:,} x {row.d}",
            f"{row.browser_mmd2:.2e}",
            f"{row.ratio:.3f} ({row.python_worst / row.python_mmd2:.3f})",
            f"{row.browser_seconds:.2f} ({row.python_seconds:.2f})",
            f"{row.megabytes:.0f}",
            "both" if row.clean_here and row.clean_there else "NO",
        )
    Console(width=110).print(table)
    largest = max(rows, key=lambda row: row.n * row.d)
    bounds = [
        Bound("most of Python's squared MMD", RATIO, max(row.excess for row in rows)),
        Bound(
            "sets that Python's audit judges otherwise",
            0.0,
            float(sum(row.clean_here != row.clean_there for row in rows)),
        ),
        Bound(f"seconds for {largest.name}", SECONDS, largest.browser_seconds),
    ]
    for bound in bounds:
        print(bound)
    RESULTS.parent.mkdir(exist_ok=True)
    told = {"sets": [asdict(row) for row in rows], "bounds": as_json(bounds)}
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
