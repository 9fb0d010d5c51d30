"""kill -9 leaves nothing half done either where the catalogue is on PostgreSQL.

`test_kill` goes through every moment of a dock in a folder. What a server adds is that locks, and
a transaction that was not committed, end when it notices that their process has gone; some
deaths here and there show that it does.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from beimingwu.dock import Dock
from beimingwu.dock.database import Database
from beimingwu.errors import NotFound
from beimingwu.learnware import pack
from beimingwu.search import SemanticFilter
from beimingwu.specification import RKME, Dimensions, SemanticSpecification, specify

MODULE = """
class Model:
    input_shape = (2,)
    output_shape = (1,)

    def predict(self, X):
        return {factor} * X.sum(axis=1)
"""
KILLED = -9
Crash = Callable[..., tuple[int, list[str]]]
Killed = Callable[..., Iterator[tuple["Place", list[str]]]]


@dataclass(frozen=True)
class Place:
    """Where a dock is."""

    folder: Path
    database: str

    def open(self, workers: int = 1) -> Dock:
        return Dock.open(self.folder, database=self.database, workers=workers)


def a_learnware(folder: Path, factor: int) -> Path:
    """The archive of a model that multiplies a sum."""
    source = folder / f"times {factor}"
    source.mkdir()
    (source / "__init__.py").write_text(MODULE.format(factor=factor))
    (source / "requirements.txt").write_text("numpy\n")
    return pack(
        source,
        a_specification(),
        a_semantic(factor),
        source.with_suffix(".zip"),
        class_name="Model",
    )


def a_specification() -> RKME:
    return specify([[float(row), float(row % 7)] for row in range(40)], size=10)


def a_semantic(factor: int) -> SemanticSpecification:
    return SemanticSpecification(
        name=f"The sum times {factor}",
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
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("archives")
    return [a_learnware(folder, factor) for factor in (1, 2)]


@pytest.fixture(scope="module")
def before(
    tmp_path_factory: pytest.TempPathFactory, postgresql: Any, archives: list[Path]
) -> Iterator[Place]:
    """A dock with one published learnware, 00000001."""
    with postgresql.database() as database:
        place = Place(tmp_path_factory.mktemp("before") / "dock", database)
        with place.open() as dock:
            assert dock.submit(archives[0]).wait().id == "00000001"
        yield place


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crash]:
    """Carry an order out in a process that dies at a moment of it; see `crash_process.py`."""
    script = Path(__file__).with_name("crash_process.py")
    scratch = str(tmp_path_factory.mktemp("scratch"))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": scratch, "OMP_NUM_THREADS": "1"},
    )

    def crash(place: Place, **order: Any) -> tuple[int, list[str]]:
        assert process.stdin is not None
        assert process.stdout is not None
        where = {"folder": str(place.folder), "database": place.database}
        process.stdin.write(json.dumps({**where, **order}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        return answer["status"], answer["promises"]

    with process:
        yield crash


@pytest.fixture
def killed(crash: Crash, before: Place, postgresql: Any, tmp_path: Path) -> Killed:
    """Kill an order at every so many moments, each in a copy of `before`, until it gets through.

    Yields each copy, and what was promised until then.
    """

    def killed(every: int, **order: Any) -> Iterator[tuple[Place, list[str]]]:
        for moment in itertools.count(every, every):
            folder = tmp_path / f"killed at {moment}"
            shutil.copytree(before.folder, folder)
            with postgresql.database(before.database) as database:
                place = Place(folder, database)
                status, promises = crash(place, moment=moment, **order)
                assert status in (0, KILLED)
                yield place, promises
            if status == 0:
                return

    return killed


def finished(place: Place) -> Dock:
    """Open a dock after a crash, let what was left undone be finished, and open it once more."""
    with place.open() as dock:
        for record in dock.list(state=None):
            for _ in dock.submission(record.id):
                pass
    return place.open(workers=0)


def assert_whole(place: Place) -> None:
    """What is on disk is what the catalogue says, and the catalogue agrees in itself."""
    database = Database(place.database)
    with database.reading() as connection:

        def all_of(query: str) -> list[Any]:
            return list(connection.execute(sa.text(query)).scalars())

        kept = "state IN ('uploaded', 'verifying', 'published', 'withdrawn')"
        digests = {
            *all_of(f"SELECT archive_sha256 FROM revision WHERE {kept}"),
            *all_of(f"SELECT specification_sha256 FROM revision WHERE {kept}"),
        }
        assert {path.name for path in (place.folder / "blobs").glob("*/*")} == digests
        shown = all_of("SELECT id FROM learnware WHERE state != 'deleted' ORDER BY id")
        for table in ("facet", "learnware_text"):
            assert all_of(f"SELECT DISTINCT learnware FROM {table} ORDER BY learnware") == shown
        states = all_of("SELECT state FROM learnware UNION SELECT state FROM revision")
        assert set(states) <= {"published", "withdrawn", "deleted"}
        without = "NOT EXISTS (SELECT 1 FROM event e WHERE e.learnware = r.learnware)"
        assert all_of(f"SELECT id FROM revision r WHERE {without}") == []
    assert {path.name for path in (place.folder / "unpacked").iterdir()} <= digests
    assert list((place.folder / "incoming").iterdir()) == []
    database.close()


def test_a_killed_submission_is_absent_or_published(killed: Killed, archives: list[Path]) -> None:
    seen = []
    for place, promises in killed(7, verb="submit", archive=str(archives[1])):
        with finished(place) as dock:
            assert_whole(place)
            ids = [record.id for record in dock.list()]
            assert len(ids) in ((2,) if promises else (1, 2))
            assert ids[-1] == "00000001"
            assert len(dock.search(a_specification())) == len(ids)
            assert len(dock.list(SemanticFilter(text="sum times"))) == len(ids)
        seen.append((len(ids), len(promises)))
    assert len(seen) > 9
    assert set(seen) >= {(1, 0), (2, 1), (2, 2)}


def test_a_killed_update_leaves_the_old_revision_or_the_new_one(
    killed: Killed, archives: list[Path]
) -> None:
    seen = []
    for place, promises in killed(12, verb="update", id="00000001", archive=str(archives[1])):
        with finished(place) as dock:
            assert_whole(place)
            revision = dock.show("00000001").revision
            assert revision in ((2,) if promises else (1, 2))
            assert len(dock.search(a_specification())) == 1
        seen.append(revision)
    assert len(seen) > 5
    assert set(seen) == {1, 2}


@pytest.mark.parametrize(("verb", "after"), [("withdraw", "withdrawn"), ("delete", "deleted")])
def test_a_killed_change_has_happened_or_not(killed: Killed, verb: str, after: str) -> None:
    seen = []
    for place, promises in killed(3, verb=verb, id="00000001"):
        with finished(place) as dock:
            assert_whole(place)
            try:
                state: str = dock.show("00000001").state
            except NotFound:
                state = "deleted"
            assert state in ((after,) if promises else ("published", after))
        seen.append(state)
    assert len(seen) > 3
    assert set(seen) == {"published", after}
