"""Worker processes beside a server, on a dock whose catalogue is in PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware
from beimingwu.server.work import Work

SLOW = """
import time


class Model:
    input_shape = (3,)
    output_shape = (1,)

    def predict(self, X):
        time.sleep(0.5)
        return X.sum(axis=1)
"""
COMMAND = "from beimingwu.cli import main; main()"


@pytest.fixture
def database(postgresql: Any, empty_dock: str) -> Iterator[str]:
    with postgresql.database(empty_dock) as url:
        yield url


@pytest.fixture
def dock(tmp_path: Path, database: str) -> Iterator[Dock]:
    """The dock of a server that leaves all verification to workers."""
    with Dock.open(tmp_path / "dock", database=database, workers=0) as opened:
        work = Work(opened, 0)
        opened.hand_over(work)
        work.start()
        yield opened


@pytest.fixture
def worker(tmp_path: Path, database: str) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "worker", "--dock", str(tmp_path / "dock"), "--quiet"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BEIMINGWU_DATABASE": database},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(tmp_path / "dock")
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_workers_verify_what_a_server_accepts_and_take_over_from_each_other(
    dock: Dock, worker: Callable[[], subprocess.Popen[str]]
) -> None:
    quick = dock.submit(a_learnware())
    time.sleep(1.0)
    assert quick.state == "uploaded", "nobody works yet"
    one, other = worker(), worker()
    assert quick.wait().state == "published"
    slow = [dock.submit(a_learnware(centre=1.0 + i, module=SLOW)) for i in range(3)]
    until(lambda: [one.state for one in slow].count("verifying") == 2)
    one.send_signal(signal.SIGKILL)
    for submission in slow:
        assert submission.wait().state == "published"
    kinds = [[event.kind for event in dock.events(one.id)] for one in slow]
    assert sum(history.count("interrupted") for history in kinds) == 1
    assert all(history.count("published") == 1 for history in kinds)
    other.terminate()
    assert other.wait(timeout=30) == 0


def test_a_worker_that_is_stopped_gives_back_what_it_was_at(
    dock: Dock, worker: Callable[[], subprocess.Popen[str]]
) -> None:
    process = worker()
    submission = dock.submit(a_learnware(module=SLOW))
    until(lambda: submission.state == "verifying")
    process.terminate()
    assert process.wait(timeout=30) == 0
    assert submission.state == "uploaded"
    worker()
    assert submission.wait().state == "published"
