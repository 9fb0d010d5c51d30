"""How long a learnware takes behind its walls, beside the same model in the caller's process.

Two questions, each with a bound of its own. The first answer: a scikit-learn learnware whose
environment is in the cache is opened and asked once, beside a fresh interpreter of the same
environment that imports the same model and asks it. The warm answer: a guest that is running is
asked about 1,000 records of 64 numbers, beside the same call in this process. Both sides of a
comparison take turns, so that they meet the same machine. Needs a package index once. Writes
benchmarks/results/runtime.json.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from beimingwu.config import settings
from beimingwu.learnware.archive import Requirements
from beimingwu.learnware.manifest import Manifest
from beimingwu.runtime.host import GuestModel
from beimingwu.runtime.isolation import gated_environments, open_model
from beimingwu.runtime.lock import Lock

RESULTS = Path(__file__).parent / "results" / "runtime.json"
ROWS, COLUMNS, CLASSES = 1000, 64, 10
REQUIREMENTS = Requirements("requirements.txt", f"scikit-learn=={sklearn.__version__}\n")
#: In seconds; a warm answer may take `WARM_RATIO` times the call in this process, and this more.
FIRST_SECONDS, WARM_RATIO, WARM_SECONDS = 1.5, 1.3, 0.002
MODULE = """
import pickle
from pathlib import Path

from learnware.model import BaseModel


class Model(BaseModel):
    def __init__(self):
        super().__init__(input_shape=(64,), output_shape=(10,))
        self.model = pickle.loads((Path(__file__).parent / "model.pkl").read_bytes())

    def predict(self, X):
        return self.model.predict_proba(X)
"""
FRESH = """
import pickle, sys, numpy
model = pickle.load(open(sys.argv[1], "rb"))
model.predict_proba(numpy.load(sys.argv[2]))
"""


def main() -> None:
    """Measure, print one table, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=9, help="first answers of each way")
    parser.add_argument("--calls", type=int, default=1001, help="warm answers of each way")
    arguments = parser.parse_args()
    os.environ["BEIMINGWU_PACKAGES"] = "own"
    with tempfile.TemporaryDirectory(prefix="beimingwu-benchmark-") as name:
        folder = Path(name)
        model, batch = _learnware(folder)
        lock = gated_environments().lock(REQUIREMENTS)
        first = first_answers(folder, batch, lock, arguments.starts)
        warm = warm_answers(folder, batch, lock, model, arguments.calls)
    rows = {"first answer": _row(*first, FIRST_SECONDS)}
    inside = statistics.median(warm[1])
    rows["warm answer"] = _row(*warm, WARM_RATIO * inside + WARM_SECONDS)
    _print(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    document = {
        "packages": lock.versions,
        "python": lock.python,
        "sandbox": settings().sandbox,
        "batch": [ROWS, COLUMNS],
        "starts": arguments.starts,
        "calls": arguments.calls,
        "seconds": rows,
    }
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")


def first_answers(
    folder: Path, batch: NDArray[np.float32], lock: Lock, runs: int
) -> tuple[list[float], list[float]]:
    """Return the seconds until a first answer: behind walls, and in a fresh interpreter."""
    np.save(folder / "batch.npy", batch)
    words = ["-c", FRESH, str(folder / "model.pkl"), str(folder / "batch.npy")]
    with gated_environments().use(lock) as environment:
        command = [str(environment.python), *words]

        def walled() -> None:
            with _opened(folder, lock) as model:
                model.predict(batch)

        def fresh() -> None:
            subprocess.run(command, check=True)

        return _in_turns(walled, fresh, runs)


def warm_answers(
    folder: Path,
    batch: NDArray[np.float32],
    lock: Lock,
    model: LogisticRegression,
    runs: int,
) -> tuple[list[float], list[float]]:
    """Return the seconds of an answer: of a guest that is running, and of this process."""
    with _opened(folder, lock) as guest:
        expected = model.predict_proba(batch)
        if not np.allclose(guest.predict(batch), expected, atol=1e-6):
            raise SystemExit("The guest answers otherwise than the model does here.")
        return _in_turns(lambda: guest.predict(batch), lambda: model.predict_proba(batch), runs)


def _learnware(folder: Path) -> tuple[LogisticRegression, NDArray[np.float32]]:
    """Write a learnware into a folder; return its model, and a batch for it."""
    rng = np.random.default_rng(0)
    batch = rng.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    labels = np.argmax(batch @ rng.normal(size=(COLUMNS, CLASSES)), axis=1)
    model = LogisticRegression(max_iter=50).fit(batch, labels)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "__init__.py").write_text(MODULE)
    return model, batch


def _opened(folder: Path, lock: Lock) -> GuestModel:
    return open_model(folder, Manifest(class_name="Model"), REQUIREMENTS, lock=lock.to_json())


def _in_turns(
    one: Callable[[], object], other: Callable[[], object], runs: int
) -> tuple[list[float], list[float]]:
    """Return the seconds of each run of both, after one of each that fills the caches."""
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for call, seconds in zip((one, other), times, strict=True):
            started = time.perf_counter()
            call()
            if run:
                seconds.append(time.perf_counter() - started)
    return times


def _row(walled: list[float], here: list[float], bound: float) -> dict[str, float]:
    behind, beside = statistics.median(walled), statistics.median(here)
    figures = {"walled": behind, "unwalled": beside, "ratio": behind / beside, "bound": bound}
    return {name: round(figure, 6) for name, figure in figures.items()}


def _print(rows: dict[str, dict[str, float]]) -> None:
    print(f"{'median of':<14}{'behind walls':>14}{'without':>14}{'ratio':>9}{'bound':>14}  kept")
    for name, row in rows.items():
        times = "".join(f"{row[key] * 1000:>11.2f} ms" for key in ("walled", "unwalled"))
        kept = "yes" if row["walled"] <= row["bound"] else "no"
        print(f"{name:<14}{times}{row['ratio']:>9.2f}{row['bound'] * 1000:>11.2f} ms  {kept}")


if __name__ == "__main__":
    main()
