"""A process that is killed while it writes the index leaves one that can be gone on from.

What is opened afterwards, and brought to what the catalogue says now, answers as a comparison with
everything does; and the next write leaves nothing over. See `index_process.py`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SINCE, UNTIL = 61, 75
KILLED = -9


class Writer:
    """The process of `index_process.py`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("index_process.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def __call__(self, folder: Path, **order: Any) -> tuple[int, int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order |= {"folder": str(folder), "since": SINCE, "until": UNTIL}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        status, moments = json.loads(self.process.stdout.readline())
        return status, moments


@pytest.fixture(scope="module", name="writer")
def _writer() -> Iterator[Writer]:
    writer = Writer()
    yield writer
    with writer.process:
        pass


@pytest.fixture(name="earlier")
def _earlier(small, history, tmp_path):
    """An index of an earlier moment, with deletions."""
    folder = tmp_path / "earlier"
    index = history.filled(folder, SINCE - 9)
    history.follow(index, SINCE - 9, SINCE)
    index.keep(history.mark(SINCE), everything=True)
    return folder


def check_after_death(folder, history):
    index = history.opened(folder, UNTIL)
    history.check(index, UNTIL)
    index.settle()
    index.keep(history.mark(UNTIL), everything=True)
    assert history.left_over(folder) == set()
    again = history.opened(folder, UNTIL)
    history.check(again, UNTIL)
    again.settle()


def test_the_index_is_right_after_a_death_at_any_moment(writer, earlier, history, tmp_path):
    shutil.copytree(earlier, tmp_path / "whole")
    status, moments = writer(tmp_path / "whole")
    assert status == 0
    assert moments > 100
    deaths = 0
    # A stride that is no divisor of what one segment takes: every kind of moment is met.
    for moment in range(1, moments, 13):
        folder = tmp_path / f"at {moment}"
        shutil.copytree(earlier, folder)
        deaths += writer(folder, moment=moment)[0] == KILLED
        check_after_death(folder, history)
        shutil.rmtree(folder)
    assert deaths > moments / 15


def test_an_index_is_right_after_fifty_deaths_one_upon_another(writer, earlier, history, tmp_path):
    chance, folder = random.Random(4), tmp_path / "index"
    shutil.copytree(earlier, folder)
    start = time.perf_counter()
    _, moments = writer(folder)
    took = time.perf_counter() - start
    deaths = turns = 0
    while deaths < 50:
        turns += 1
        assert turns < 200
        if turns % 6 == 1:
            # From nothing, or from what there was earlier; else from what the dead has left.
            shutil.rmtree(folder)
            shutil.copytree(earlier, folder) if turns % 12 == 1 else folder.mkdir()
        if chance.random() < 0.5:
            died, _ = writer(folder, after=chance.uniform(0.0, took))
        else:
            died, _ = writer(folder, moment=chance.randint(1, moments // 2))
        deaths += died == KILLED
        # In a copy, so that the next one meets what this one has left.
        shutil.copytree(folder, tmp_path / "copy")
        check_after_death(tmp_path / "copy", history)
        shutil.rmtree(tmp_path / "copy")
    check_after_death(folder, history)
