"""Opening a catalogue: made, upgraded, or refused with a reason."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import beimingwu.dock.migrations as migrations
from beimingwu.dock import Dock
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.database import Database
from beimingwu.dock.records import Draft
from beimingwu.dock.schema import NEWEST, event, metadata
from beimingwu.errors import Conflict, DockDamaged, Unavailable


def ours(name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and (name or "").startswith("learnware_text"))


@pytest.fixture
def nothing(tmp_path: Path, database: str, postgresql: Any) -> Iterator[Path | str]:
    """Where a catalogue may be made: no file, or a database without a table."""
    if not database:
        yield tmp_path / "catalogue.sqlite"
        return
    with postgresql.database() as url:
        yield url


def test_the_migrations_make_the_schema_that_the_code_means(nothing: Path | str) -> None:
    database = Database(nothing)
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda table, *rest: ours(*rest)}
        )
        differences = [
            change
            for change in compare_metadata(context, metadata)
            if not str(change).count("learnware_text")
        ]
        assert differences == []
        assert context.get_current_revision() == NEWEST
    database.close()
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head() == NEWEST


def test_alembic_is_imported_only_when_there_is_something_to_migrate(tmp_path: Path) -> None:
    program = (
        "import sys; from beimingwu.dock import Dock\n"
        f"Dock.open({str(tmp_path)!r}).close(); print('alembic' in sys.modules)"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["True", "False"]


def test_many_may_open_a_new_dock_at_once(tmp_path: Path, nothing: Path | str) -> None:
    url = "" if isinstance(nothing, Path) else nothing
    with ThreadPoolExecutor(8) as pool:
        docks = list(pool.map(lambda _: Dock.open(tmp_path, database=url), range(8)))
    assert [len(dock) for dock in docks] == [0] * 8
    for dock in docks:
        dock.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"my shopping list, kept in a strange place" * 99)
    with pytest.raises(DockDamaged) as refused:
        Dock.open(tmp_path)
    assert refused.value.code == "dock.damaged"


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE recipes (name)")
    theirs.close()
    with pytest.raises(DockDamaged, match="recipes") as refused:
        Dock.open(tmp_path)
    assert refused.value.code == "dock.foreign"
    with sqlite3.connect(path) as theirs:
        assert theirs.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    theirs.close()


def test_a_dock_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    Dock.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    with pytest.raises(DockDamaged, match="9999") as refused:
        Dock.open(tmp_path)
    assert refused.value.code == "dock.newer"


def test_a_transaction_that_raises_leaves_no_trace(nothing: Path | str) -> None:
    database = Database(nothing)
    insert = sa.text("INSERT INTO facet VALUES (1, 'task', 'Regression')")
    # A row without its learnware: the database itself refuses it.
    with pytest.raises(sa.exc.IntegrityError), database.writing() as connection:
        connection.execute(insert)
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM facet")).scalar() == 0
    database.close()


def test_a_damaged_page_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    database = Database(path)
    database.close()
    with sqlite3.connect(path) as plain:
        (size,) = plain.execute("PRAGMA page_size").fetchone()
        (page,) = plain.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'revision'"
        ).fetchone()
    plain.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    for lend in (database.reading, database.writing):
        with pytest.raises(DockDamaged, match="malformed") as damaged, lend() as connection:
            connection.execute(sa.text("SELECT * FROM revision"))
        assert damaged.value.code == "dock.damaged"
        assert damaged.value.remedy
    database.close()


def test_a_full_disk_is_told_and_leaves_no_trace(tmp_path: Path) -> None:
    database = Database(tmp_path / "catalogue.sqlite")
    count = sa.text("SELECT count(*) FROM sqlite_master")
    with database.reading() as connection:
        before = connection.execute(count).scalar()
    with pytest.raises(Conflict, match="disk is full") as full, database.writing() as connection:
        # SQLite answers the same where the disk has no more pages as where it may use no more.
        connection.execute(sa.text("PRAGMA max_page_count = 1"))
        connection.execute(sa.text("CREATE TABLE large AS SELECT randomblob(1000000)"))
    assert full.value.code == "dock.disk_full"
    with database.reading() as connection:
        assert connection.execute(count).scalar() == before
    database.close()


def test_who_reads_sees_one_moment_and_waits_for_no_writer(nothing: Path | str) -> None:
    database, other = Database(nothing), Database(nothing)
    count = sa.text("SELECT count(*) FROM tally")
    with database.reading() as reader:
        assert reader.execute(count).scalar() == 0
        with other.writing() as writer:
            writer.execute(sa.text("INSERT INTO tally VALUES ('search', '2026-11-24', 1)"))
            assert reader.execute(count).scalar() == 0
        assert reader.execute(count).scalar() == 0
        with other.reading() as later:
            assert later.execute(count).scalar() == 1
    database.close(), other.close()


def test_the_number_of_an_event_is_seen_only_when_all_below_it_are(
    nothing: Path | str, draft: Callable[..., Draft]
) -> None:
    """Followers ask for what came after the highest number they saw, and must miss nothing."""
    writers, turns = 4, 25
    catalogues = [Catalogue(nothing) for _ in range(writers)]

    def write(catalogue: Catalogue, who: int) -> None:
        for turn in range(turns):
            with suppress(ZeroDivisionError), catalogue.database.writing() as connection:
                connection.execute(
                    event.insert().values(
                        at=datetime.now(UTC),
                        learnware=1,
                        revision=turn,
                        kind="seen",
                        actor=str(who),
                        detail={},
                    )
                )
                if turn % 5 == 4:
                    # Its number is gone for good: a gap that nobody has to wait for.
                    raise ZeroDivisionError

    catalogues[0].submit("", draft())
    seen: set[int] = set()
    with ThreadPoolExecutor(writers) as pool:
        work = [pool.submit(write, one, who) for who, one in enumerate(catalogues)]
        while not all(one.done() for one in work):
            with catalogues[0].reading() as connection:
                now = set(connection.execute(sa.select(event.c.id)).scalars())
            assert not {number for number in now - seen if number < max(seen, default=0)}
            seen |= now
        for one in work:
            one.result()
    with catalogues[0].reading() as connection:
        assert len(connection.execute(sa.select(event.c.id)).all()) == 1 + writers * turns * 4 // 5
    for catalogue in catalogues:
        catalogue.close()


def test_who_writes_reads_what_was_written_while_it_waited(nothing: Path | str) -> None:
    here, there = Database(nothing), Database(nothing)
    count = sa.text("SELECT count(*) FROM tally")

    def look() -> object:
        with there.writing() as connection:
            return connection.execute(count).scalar()

    with ThreadPoolExecutor(1) as pool:
        with here.writing() as connection:
            later = pool.submit(look)
            # It is on its way, and would have taken its snapshot by now if it took it too early.
            with suppress(TimeoutError):
                later.result(0.3)
            connection.execute(sa.text("INSERT INTO tally VALUES ('search', '2026-11-24', 1)"))
        assert later.result() == 1
    here.close(), there.close()


def test_who_waits_too_long_to_write_is_told(
    nothing: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Database(nothing)
    monkeypatch.setattr("beimingwu.dock.database._PATIENCE", 0.2)
    there = Database(nothing)
    with here.writing():
        for database in (here, there):
            with pytest.raises(Unavailable) as busy, database.writing():
                raise AssertionError("it is not its turn")
            assert busy.value.code == "dock.busy"
            assert busy.value.remedy
            with database.reading() as connection:
                assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    with there.writing():
        pass
    here.close(), there.close()
