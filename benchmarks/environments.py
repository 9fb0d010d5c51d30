"""How long a learnware's environment takes to make from a warm cache, beside venv and pip.

Each run makes both in turn, in a new folder, of the same packages on the same Python, so that both
meet the same machine; the table holds medians and their ratio to `python -m venv` and
`pip install`. Needs a package index once. Writes benchmarks/results/environments.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from beimingwu.learnware.archive import Requirements
from beimingwu.runtime.environment import Environments
from beimingwu.runtime.installer import configured
from beimingwu.runtime.interpreters import Interpreter, find_interpreters, ranked

RESULTS = Path(__file__).parent / "results" / "environments.json"
REQUIREMENTS = Requirements("requirements.txt", "scikit-learn")
BASELINE = "venv and pip"
NEW, AGAIN = "a new environment", "its second use"
#: In seconds.
PROMISED = {NEW: 5.0}


def main() -> None:
    """Measure, print one table, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each way")
    runs = parser.parse_args().runs
    interpreter = ranked("", find_interpreters())[0]
    times = measured(runs, interpreter)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    ratios = {name: median / medians[BASELINE] for name, median in medians.items()}
    _print(medians, ratios)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "python": interpreter.version,
                "packages": REQUIREMENTS.text,
                "runs": runs,
                "seconds": {name: round(median, 4) for name, median in medians.items()},
                "ratio": {name: round(ratio, 5) for name, ratio in ratios.items()},
                "promised_seconds": PROMISED,
            },
            indent=2,
        )
        + "\n"
    )


def measured(runs: int, interpreter: Interpreter) -> dict[str, list[float]]:
    """Return the seconds of each run of each way, after one run that fills the caches."""
    times: dict[str, list[float]] = {BASELINE: [], NEW: [], AGAIN: []}
    for run in range(runs + 1):
        with tempfile.TemporaryDirectory(prefix="beimingwu-benchmark-") as folder:
            for name, seconds in _one_run(Path(folder), interpreter).items():
                if run:
                    times[name].append(seconds)
    return times


def _one_run(folder: Path, interpreter: Interpreter) -> dict[str, float]:
    environments = Environments(folder / "environments", installer=configured())
    packages: list[str] = []

    def use() -> None:
        with environments.use(environments.lock(REQUIREMENTS)) as made:
            packages[:] = [f"{name}=={version}" for name, version in made.lock.versions.items()]

    seconds = {NEW: _seconds(use), AGAIN: _seconds(use)}
    seconds[BASELINE] = _seconds(lambda: _by_pip(folder / "venv", interpreter, packages))
    environments.prune(0)
    return seconds


def _by_pip(folder: Path, interpreter: Interpreter, packages: list[str]) -> None:
    subprocess.run([interpreter.path, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--only-binary", ":all:", *packages], check=True)


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _print(medians: dict[str, float], ratios: dict[str, float]) -> None:
    print(f"{REQUIREMENTS.text:<22}{'median':>11}{'ratio':>11}{'promised':>11}")
    for name, median in medians.items():
        promised = f"{PROMISED[name]:.2f} s" if name in PROMISED else ""
        print(f"{name:<22}{median:>9.4f} s{ratios[name]:>11.5f}{promised:>11}")


if __name__ == "__main__":
    main()
