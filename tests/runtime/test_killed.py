"""A process that is killed while it makes or removes an environment leaves none half made in use.

A process is killed at the first moment, at the second, and so on until one gets through
(`building_process.py` says what a moment is). After each death whatever has the name of an
environment has to be all of it, no process of the dead may be left, and it can be made again.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from beimingwu.learnware.archive import Requirements
from beimingwu.runtime.environment import Environments
from beimingwu.runtime.lock import Lock

KILLED = -9
Order = Callable[..., int]


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("building_process.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        yield started
        assert started.stdin is not None
        started.stdin.close()


@pytest.fixture
def lock(environments: Environments) -> Lock:
    return environments.lock(Requirements("requirements.txt", "paint"))


@pytest.fixture
def order(process, environments, installer, lock) -> Order:
    """Return a function that has an order carried out, and returns how that ended."""

    def given(verb: str, **extra: Any) -> int:
        about = {
            "verb": verb,
            "folder": str(environments.folder),
            "cache": str(installer.cache),
            "indexes": installer.indexes,
            "lock": lock.to_json(),
        }
        process.stdin.write(json.dumps(about | extra) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    return given


def contents(folder: Path) -> str:
    """Digest every name, mode and byte under a folder but the times and names of its making."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        digest.update(f"{name} {path.lstat().st_mode}".encode())
        if path.is_file() and not path.is_symlink() and "activate" not in name:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def is_whole(environments: Environments, lock: Lock, whole: str) -> bool:
    """Whether the environment is there; if it is, it has to be all there."""
    found = environments.find(lock)
    if found is None:
        return False
    with found:
        assert contents(found.folder) == whole
    return True


def nothing_runs_in(folder: Path) -> bool:
    """Whether no process has the folder in its words, within a few seconds."""
    for _ in range(200):
        if not any(bytes(folder) in words for words in words_of_processes()):
            return True
        time.sleep(0.02)
    return False


def words_of_processes() -> Iterator[bytes]:
    """Yield the command line of each process that has not ended by now."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


@pytest.fixture
def whole(environments: Environments, lock: Lock) -> str:
    """Return the digest of a whole environment, which is removed again."""
    with environments.use(lock) as made:
        digest = contents(made.folder)
    environments.prune(0)
    return digest


def test_killed_at_any_moment_of_making_it_is_whole_or_not_there(order, environments, lock, whole):
    kills, moment = 0, 1
    while order("make", moment=moment) == KILLED:
        kills += 1
        moment += 2  # After one change and before the next nothing happens.
        assert nothing_runs_in(environments.folder)
        if is_whole(environments, lock, whole):
            environments.prune(0)
    assert kills >= 50
    assert is_whole(environments, lock, whole)
    environments.prune(0)
    assert {entry.suffix or entry.name for entry in environments.folder.iterdir()} == {
        ".lock",
        "locks",
    }


def test_killed_at_any_moment_of_removing_it_is_whole_or_not_there(
    order, environments, lock, whole
):
    kills, moment, gone = 0, 0, False
    while not gone:
        environments.use(lock).close()
        moment += 1 + moment // 6  # Most moments of a removal are alike.
        status = order("remove", moment=moment)
        kills += status == KILLED
        gone = status != KILLED
        is_whole(environments, lock, whole)
    assert kills >= 5
    assert not is_whole(environments, lock, whole)


def test_killed_at_moments_of_chance_it_is_whole_or_not_there(order, environments, lock, whole):
    draw = random.Random(0)
    started = time.monotonic()
    assert order("make") == 0
    seconds = time.monotonic() - started
    environments.prune(0)
    for _ in range(10):
        order("make", after=draw.uniform(0, seconds))
        assert nothing_runs_in(environments.folder)
        if is_whole(environments, lock, whole):
            environments.prune(0)
    with environments.use(lock) as made:
        assert contents(made.folder) == whole
