"""How long the command line, the package and a service take to start, beside Python itself.

Every run starts each of them in turn, so that all meet the same machine; the table holds medians
and their ratio to `python -c pass` of the same run. A service has started when it answers; its
folder is new each time. Writes benchmarks/results/startup.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
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
SERVICE = "beimingwu serve, new folder"
#: What DESIGN promises, in seconds.
PROMISED = {"beimingwu --version": 0.15, "python -c 'import beimingwu'": 0.2, SERVICE: 3.0}


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
    times: dict[str, list[float]] = {name: [] for name in (*COMMANDS, SERVICE)}
    for run in range(runs + 1):
        seconds = {name: _seconds(words) for name, words in COMMANDS.items()}
        seconds[SERVICE] = _seconds_until_it_answers()
        for name, value in seconds.items():
            if run:
                times[name].append(value)
    return times


def _seconds(words: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _seconds_until_it_answers() -> float:
    with tempfile.TemporaryDirectory() as folder:
        words = [str(_SCRIPT), "serve", "--dock", f"{folder}/dock", "--port", "0", "--quiet"]
        started = time.perf_counter()
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as service:
            assert service.stdout is not None
            url = service.stdout.readline()
            seconds = time.perf_counter() - started
            service.terminate()
        assert url.startswith("http://"), "the service did not start"
    return seconds


def _print(medians: dict[str, float], ratios: dict[str, float]) -> None:
    print(f"{'':<30}{'median':>9}{'ratio':>8}{'promised':>11}")
    for name, median in medians.items():
        promised = f"{PROMISED[name]:.2f} s" if name in PROMISED else ""
        print(f"{name:<30}{median:>7.3f} s{ratios[name]:>8.2f}{promised:>11}")


if __name__ == "__main__":
    main()
