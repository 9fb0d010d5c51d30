"""`beimingwu environments`, on environments that are on the disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from beimingwu.runtime.environment import MARKER, Environments
from beimingwu.runtime.lock import Lock


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def lock(cache: Path) -> Lock:
    """Write an environment as it is when it has been made, and return its lock."""
    lock = Lock("numpy==2.0.0\npaint==1.2.0\n", "3.11", "linux-x86_64")
    folder = cache / "environments" / lock.digest[:40]
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "weights").write_bytes(bytes(3 << 20))
    about = {"lock": lock.to_json(), "size": 3 << 20, "prefix": "/", "version": "3.11.7"}
    (folder / MARKER).write_text(json.dumps(about))
    return lock


def test_none_yet_is_said(run):
    ran = run("environments", "ls")
    assert ran.status == 0
    assert ran.out == ""
    assert "no environments yet" in ran.err


def test_what_there_is_is_listed_with_its_size_and_the_next_command(run, lock):
    ran = run("environments")
    assert ran.status == 0
    for word in (lock.digest[:12], "3.11.7", "paint 1.2.0", "3.0 MiB"):
        assert word in ran.out
    assert ran.next == "beimingwu environments prune"
    [info] = run("environments", "ls", "--format", "json").json
    assert (info["packages"]["paint"], info["bytes"]) == ("1.2.0", 3 << 20)


def test_prune_keeps_to_a_size(run, lock):
    assert run("environments", "prune", "--quiet").out == ""
    assert run("environments", "prune", "--max-size", "3.1MiB", "--quiet").out == ""
    pruned = run("environments", "prune", "--max-size", "2.9M", "--quiet")
    assert pruned.lines == [lock.digest[:40]]
    assert "no environments yet" in run("environments").err


def test_prune_all_leaves_the_one_in_use(run, lock):
    with Environments().find(lock):
        assert "Nothing had to be removed." in run("environments", "prune", "--all").out
    assert "1 removed; 3.0 MiB are free again." in run("environments", "prune", "--all").out
    assert "Nothing had to be removed." in run("environments", "prune", "--all").out


def test_what_is_linked_is_counted_once_and_packages_are_counted_too(run, lock, cache):
    package = cache / "uv" / "archive" / "paint"
    package.mkdir(parents=True)
    (package / "linked").hardlink_to(cache / "environments" / lock.digest[:40] / "weights")
    (package / "own").write_bytes(bytes(2 << 20))
    told = run("environments", "ls").err
    assert "3.0 MiB in all" in told
    assert "2.0 MiB of packages are kept to make more" in told


def test_pruning_all_frees_the_packages_as_well(run, lock, cache):
    (cache / "uv" / "archive-v0").mkdir(parents=True)
    (cache / "uv" / "archive-v0" / "own").write_bytes(bytes(2 << 20))
    assert "1 removed; 5.0 MiB are free again." in run("environments", "prune", "--all").out
    assert not (cache / "uv" / "archive-v0").exists()


@pytest.mark.parametrize(
    "words",
    [["ls", "--all"], ["prune", "--all", "--max-size", "1G"], ["prune", "--max-size", "big"]],
)
def test_what_makes_no_sense_is_a_usage_error(run, words):
    ran = run("environments", *words)
    assert ran.status == 2
    assert ran.err.startswith("Error: ")
