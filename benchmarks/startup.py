"""How long the command line and the package take to start, beside Python itself.

Every run starts each of them in turn, so that all meet the same machine; the table holds medians
and their ratio to `python -c pass` of the same run. Writes benchmarks/results/startup.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "startup.json"
BASELINE = "python -c pass"

_SCRIPT = Path(sys.executable).with_name("beimingwu")
COMMANDS: dict[str, list[str]] = {
    BASELINE: [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
    "python -c 'import beimingwu'": [sys.executable, "-c", "import beimingwu"],
    "beimingwu --version": [str(_SCRIPT), "--version"],
    "beimingwu --help": [str(_SCRIPT), "--help"],
    "beimingwu version": [str(_SCRIPT), "version"],
}
#: What DESIGN promises, in seconds.
PROMISED = {"beimingwu --version": 0.15, "python -c 'import beimingwu'": 0.2}


def main() -> None:
    """Measure, print one table, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21, help="of each command")
    runs = parser.parse_args().runs
    medians = {name: statistics.median(times) for name, times in measured(runs).items()}
    ratios = {name: median / medians[BASELINE] for name, median in medians.items()}
    _print(medians, ratios)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "python": platform.python_version(),
                "runs": runs,
                "seconds": {name: round(median, 4) for name, median in medians.items()},
                "ratio": {name: round(ratio, 2) for name, ratio in ratios.items()},
                "promised_seconds": PROMISED,
            },
            indent=2,
        )
        + "\n"
    )


def measured(runs: int) -> dict[str, list[float]]:
    """Return the seconds of each run of each command, after one run that warms the disk."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for run in range(runs + 1):
        for name, words in COMMANDS.items():
            seconds = _seconds(words)
            if run:
                times[name].append(seconds)
    return times


def _seconds(words: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _print(medians: dict[str, float], ratios: dict[str, float]) -> None:
    print(f"{'':<30}{'median':>9}{'ratio':>8}{'promised':>11}")
    for name, median in medians.items():
        promised = f"{PROMISED[name]:.2f} s" if name in PROMISED else ""
        print(f"{name:<30}{median:>7.3f} s{ratios[name]:>8.2f}{promised:>11}")


if __name__ == "__main__":
    main()
