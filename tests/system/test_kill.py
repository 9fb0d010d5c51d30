"""A process that is killed at any moment loses nothing and leaves nothing half done.

For each verb, a process is killed at the first moment, at the second, and so on until one gets
through (`crash_process.py` says what a moment is). After each death the dock is opened again, and
has to be whole: everything that was there before, everything that was promised, and nothing else.
Some three hundred processes die here.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beimingwu.dock import Dock
from beimingwu.errors import NotFound
from beimingwu.learnware import open_archive, pack
from beimingwu.search import SemanticFilter
from beimingwu.specification import RKME, Dimensions, SemanticSpecification

MODULE = """
class Model:
    input_shape = (2,)
    output_shape = (1,)

    def predict(self, X):
        return {answer}
"""
KILLED = -9


class Crashing:
    """The process of `crash_process.py`, and how many deaths it has seen."""

    def __init__(self, scratch: Path) -> None:
        self.deaths = 0
        script = Path(__file__).with_name("crash_process.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # What a guest leaves in the temporary folder when its host is killed stays in here.
            env={**os.environ, "TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"},
        )

    def __call__(self, **order: Any) -> tuple[int, list[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.deaths += answer["status"] == KILLED
        return answer["status"], answer["promises"]


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashing]:
    crashing = Crashing(tmp_path_factory.mktemp("scratch"))
    yield crashing
    with crashing.process:
        pass


@pytest.fixture
def crash(crashing: Crashing) -> Crashing:
    """The crashing process, counting the deaths of one test."""
    crashing.deaths = 0
    return crashing


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Archives by what becomes of them: `good`, `better` and `bad`."""
    folder = tmp_path_factory.mktemp("archives")
    answers = {"good": "X.sum(axis=1)", "better": "2 * X.sum(axis=1)", "bad": "X[:1].sum(axis=1)"}
    for position, (name, answer) in enumerate(answers.items()):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(MODULE.format(answer=answer))
        (folder / name / "requirements.txt").write_text("numpy\n")
        pack(
            folder / name,
            a_specification(position),
            a_semantic(name),
            folder / f"{name}.zip",
            class_name="Model",
        )
    return {name: folder / f"{name}.zip" for name in answers}


def a_specification(centre: float) -> RKME:
    points = np.random.default_rng(0).normal(3 * centre, 1.0, (10, 2)).astype(np.float32)
    return RKME(points, np.full(10, 0.1), n=200)


def a_semantic(name: str) -> SemanticSpecification:
    return SemanticSpecification(
        name=f"The {name} sum",
        description="Adds two numbers, one way or another.",
        data="Table",
        task="Regression",
        library="Others",
        scenarios="Education",
        license="MIT",
        input=Dimensions.of(["one", "other"]),
        output=Dimensions(1),
    )


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, archives: dict[str, Path]) -> Path:
    """A dock with one published learnware, 00000001."""
    folder = tmp_path_factory.mktemp("before") / "dock"
    with Dock.open(folder) as dock:
        assert dock.submit(archives["good"]).wait().id == "00000001"
    return folder


def killed_at_every_moment(
    crash: Crashing, before: Path, tmp_path: Path, every: int = 1, **order: Any
) -> Iterator[tuple[Path, list[str], bool]]:
    """Yield the folder after each death, the promises made until then, and if it got through.

    The last one got through without dying. Where a verb goes the way of another that was killed at
    every moment, `every` third, say, will do.
    """
    moment, status = 1 - every, KILLED
    while status == KILLED:
        moment += every
        folder = tmp_path / f"killed {order['verb']} at {moment}"
        shutil.copytree(before, folder)
        status, promises = crash(folder=str(folder), moment=moment, **order)
        assert status in (0, KILLED)
        yield folder, promises, status == 0


def assert_whole(folder: Path) -> None:
    """What a dock has on disk is what its catalogue says, and the catalogue agrees in itself."""
    catalogue = sqlite3.connect(folder / "catalogue.sqlite")

    def all_of(query: str) -> list[tuple[Any, ...]]:
        return catalogue.execute(query).fetchall()

    assert all_of("PRAGMA integrity_check") == [("ok",)]
    assert all_of("PRAGMA foreign_key_check") == []
    kept = "state IN ('uploaded', 'verifying', 'published', 'withdrawn')"
    archives = {row[0] for row in all_of(f"SELECT archive_sha256 FROM revision WHERE {kept}")}
    specs = {row[0] for row in all_of(f"SELECT specification_sha256 FROM revision WHERE {kept}")}
    there = {path.name for path in (folder / "blobs").glob("*/*")}
    assert there == archives | specs
    assert {path.name for path in (folder / "unpacked").iterdir()} <= archives
    assert list((folder / "incoming").iterdir()) == []
    assert len(list((folder / "locks").glob("*.alive"))) == 1
    shown = all_of("SELECT id FROM learnware WHERE state != 'deleted'")
    assert all_of("SELECT DISTINCT learnware FROM facet ORDER BY learnware") == shown
    assert all_of("SELECT rowid FROM learnware_text ORDER BY rowid") == shown
    states = all_of("SELECT state FROM learnware UNION SELECT state FROM revision")
    assert {state for (state,) in states} <= {"published", "withdrawn", "rejected", "deleted"}
    without = "SELECT 1 FROM revision r WHERE NOT EXISTS (SELECT 1 FROM event e WHERE "
    assert all_of(without + "e.learnware = r.learnware AND e.revision = r.number)") == []
    catalogue.close()


def reopened(folder: Path) -> Dock:
    """Open a dock after a crash, let what was left undone be finished, and open it once more."""
    with Dock.open(folder) as dock:
        for record in dock.list(state=None):
            for _ in dock.submission(record.id):
                pass
    return Dock.open(folder, workers=0)


def assert_serves(dock: Dock, id: str, answers_in: Path) -> None:
    """A learnware is found, and it is that of the given archive, byte for byte."""
    with open_archive(answers_in) as archive:
        assert dock.show(id).sha256 == archive.sha256
        module = archive.read("__init__.py")
        spec = archive.specification()
    assert (dock.get(id).folder / "__init__.py").read_bytes() == module
    best = dock.search(spec).best
    assert best is not None
    assert best.id == id
    assert id in [record.id for record in dock.list(SemanticFilter(text="sum"))]


def test_a_killed_submission_is_absent_or_published(
    crash: Crashing, before: Path, archives: dict[str, Path], tmp_path: Path
) -> None:
    seen = set()
    for folder, promises, through in killed_at_every_moment(
        crash, before, tmp_path, verb="submit", archive=str(archives["better"])
    ):
        with Dock.open(folder, workers=0) as dock:
            assert_serves(dock, "00000001", archives["good"])
        with reopened(folder) as dock:
            assert_whole(folder)
            ids = [record.id for record in dock.list()]
            assert ids in (["00000001"], ["00000002", "00000001"])
            if promises or through:
                assert ids == ["00000002", "00000001"]
            if len(ids) == 2:
                assert_serves(dock, "00000002", archives["better"])
            seen.add((len(ids), len(promises)))
    assert crash.deaths >= 75
    assert seen == {(1, 0), (2, 0), (2, 1), (2, 2)}


def test_a_killed_bad_submission_is_absent_or_rejected(
    crash: Crashing, before: Path, archives: dict[str, Path], tmp_path: Path
) -> None:
    for folder, promises, _ in killed_at_every_moment(
        crash, before, tmp_path, every=6, verb="submit", archive=str(archives["bad"])
    ):
        with reopened(folder) as dock:
            assert_whole(folder)
            states = [record.state for record in dock.list(state=None)]
            assert states in (["published"], ["rejected", "published"])
            if promises:
                assert states == ["rejected", "published"]
                assert dock.show("00000002").steps[-1].code == "guest.reply_length"


def test_a_killed_update_leaves_the_old_revision_or_the_new_one(
    crash: Crashing, before: Path, archives: dict[str, Path], tmp_path: Path
) -> None:
    for folder, promises, _ in killed_at_every_moment(
        crash,
        before,
        tmp_path,
        every=3,
        verb="update",
        id="00000001",
        archive=str(archives["better"]),
    ):
        with Dock.open(folder, workers=0) as dock:
            serving = dock.show("00000001").revision
            assert_serves(dock, "00000001", archives["better" if serving == 2 else "good"])
        with reopened(folder) as dock:
            assert_whole(folder)
            revision = dock.show("00000001").revision
            assert revision >= serving
            assert revision == 2 or not promises
            assert_serves(dock, "00000001", archives["better" if revision == 2 else "good"])
    assert crash.deaths >= 20


@pytest.mark.parametrize(
    ("verb", "after"),
    [("amend", "Another name"), ("withdraw", "withdrawn"), ("delete", "deleted"), ("get", "got")],
)
def test_a_killed_change_has_happened_or_not(
    crash: Crashing,
    before: Path,
    archives: dict[str, Path],
    tmp_path: Path,
    verb: str,
    after: str,
) -> None:
    for folder, promises, _ in killed_at_every_moment(
        crash, before, tmp_path, verb=verb, id="00000001"
    ):
        with reopened(folder) as dock:
            assert_whole(folder)
            happened = what_happened(dock)
            assert happened in ("nothing", after)
            if promises and verb != "get":
                assert happened == after
            if happened != "deleted":
                assert (dock.get("00000001").folder / "__init__.py").exists()


def what_happened(dock: Dock) -> str:
    try:
        record = dock.show("00000001")
    except NotFound:
        return "deleted"
    if record.state != "published":
        return record.state
    return "nothing" if record.name == "The good sum" else record.name


def test_a_dock_killed_while_it_is_made_is_made_the_next_time(
    crash: Crashing, archives: dict[str, Path], tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for folder, _, _ in killed_at_every_moment(crash, nothing, tmp_path, verb="open"):
        with reopened(folder) as dock:
            assert_whole(folder)
            assert len(dock) == 0
            assert dock.list(state=None) == []


def test_a_recovery_may_be_killed_like_anything_else(
    crash: Crashing, before: Path, archives: dict[str, Path], tmp_path: Path
) -> None:
    left = tmp_path / "left"
    order = {"verb": "submit", "archive": str(archives["better"])}
    for folder, promises, _ in killed_at_every_moment(crash, before, tmp_path, every=4, **order):
        if promises:
            shutil.copytree(folder, left)
            break
    for folder, _, _ in killed_at_every_moment(crash, left, tmp_path, verb="open"):
        with reopened(folder) as dock:
            assert_whole(folder)
            assert_serves(dock, "00000002", archives["better"])
    assert crash.deaths >= 40


def test_killed_at_any_time(
    crash: Crashing, before: Path, archives: dict[str, Path], tmp_path: Path
) -> None:
    chance = random.Random(0)
    for attempt in range(15):
        folder = tmp_path / f"dock{attempt}"
        shutil.copytree(before, folder)
        after = chance.uniform(0.0, 0.15)
        order = {"verb": "submit", "archive": str(archives["better"]), "after": after}
        _, promises = crash(folder=str(folder), **order)
        with reopened(folder) as dock:
            assert_whole(folder)
            assert_serves(dock, "00000001", archives["good"])
            if promises:
                assert_serves(dock, "00000002", archives["better"])
    assert crash.deaths >= 5
