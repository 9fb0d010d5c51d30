"""What only a catalogue on PostgreSQL meets: its addresses, its server, and what that says."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.database import Database
from beimingwu.dock.listing import Listing
from beimingwu.errors import BeimingwuError, Conflict, DockDamaged, InvalidInput, Unavailable
from beimingwu.search.semantic import SemanticFilter


@pytest.mark.parametrize(
    "given",
    [
        "mysql://ada:secret@db/dock",
        "sqlite:///secret.sqlite",
        "ada:secret@db/dock",
        "postgresql://ada:secret@db:port/dock",
        "postgresql+psycopg2://ada:secret@db/dock",
        "secret",
    ],
)
def test_what_is_no_address_of_a_postgresql_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Database(given)
    assert refused.value.code == "input.database"
    assert "secret" not in str(refused.value)


def test_a_parameter_that_libpq_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nonsense") as refused:
        Database("postgresql://ada:secret@127.0.0.1:1/dock?nonsense=1")
    assert refused.value.code == "input.database"
    assert "secret" not in str(refused.value)


def test_a_database_that_is_not_there_is_told(postgresql: Any) -> None:
    with postgresql.database() as url:
        elsewhere = sa.make_url(url).set(database="nowhere").render_as_string(hide_password=False)
        with pytest.raises(Unavailable, match="nowhere") as away:
            Database(elsewhere)
        assert away.value.code == "dock.unreachable"


def test_psycopg_is_asked_for_only_by_who_has_a_postgresql() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from beimingwu.dock import Dock; from beimingwu.errors import MissingDependency\n"
        "import tempfile; Dock.open(tempfile.mkdtemp()).close()\n"
        "try: Dock.open(tempfile.mkdtemp(), database='postgresql://db/dock')\n"
        "except MissingDependency as missing: print(missing.remedy)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "beimingwu[postgres]" in said.stdout


def test_a_database_that_cannot_hold_every_text_is_refused(postgresql: Any) -> None:
    postgresql.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with postgresql.database("latin") as url:
        with pytest.raises(InvalidInput, match="LATIN1") as refused:
            Database(url)
        assert refused.value.code == "input.database_encoding"


def test_somebody_elses_database_is_refused_and_left_alone(postgresql: Any) -> None:
    with postgresql.database() as url:
        postgresql.run("CREATE TABLE recipes (name text)", url)
        with pytest.raises(DockDamaged, match="recipes") as refused:
            Database(url)
        assert refused.value.code == "dock.foreign"
        postgresql.run("DROP TABLE recipes", url)
        Database(url).close()


def test_a_catalogue_of_a_newer_release_is_refused(postgresql: Any, shared_dock: str) -> None:
    postgresql.run("UPDATE alembic_version SET version_num = '9999'", shared_dock)
    with pytest.raises(DockDamaged, match="9999") as refused:
        Database(shared_dock)
    assert refused.value.code == "dock.newer"


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        ("53100", Conflict, "dock.disk_full"),
        ("XX001", DockDamaged, "dock.damaged"),
        ("XX002", DockDamaged, "dock.damaged"),
        ("57014", Unavailable, "dock.busy"),
        ("53300", Unavailable, "dock.unreachable"),
        ("25006", Unavailable, "dock.unreachable"),
        ("22001", InvalidInput, "input.text"),
    ],
)
def test_what_the_server_cannot_do_is_told_and_leaves_no_trace(
    shared_dock: str, state: str, error: type[BeimingwuError], code: str
) -> None:
    database = Database(shared_dock)
    with pytest.raises(error) as told, database.writing() as connection:
        connection.execute(sa.text("INSERT INTO tally VALUES ('search', '2026-11-24', 1)"))
        # The server itself says so, though nothing is wrong with it.
        raised = f"RAISE EXCEPTION 'so it is' USING ERRCODE = '{state}'"
        connection.exec_driver_sql(f"DO $$ BEGIN {raised}; END $$")
    assert told.value.code == code
    assert told.value.remedy
    assert "so it is" in told.value.problem
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM tally")).scalar() == 0
    database.close()


def test_an_error_of_ours_is_not_taken_for_the_servers(shared_dock: str) -> None:
    database = Database(shared_dock)
    with pytest.raises(sa.exc.ProgrammingError), database.reading() as connection:
        connection.exec_driver_sql("SELECT nonsense")
    database.close()


def test_a_connection_that_is_cut_in_the_middle_is_told_and_the_next_one_works(
    shared_dock: str,
) -> None:
    database = Database(shared_dock)
    for lend in (database.reading, database.writing):
        with pytest.raises(Unavailable) as cut, lend() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
            connection.exec_driver_sql("SELECT 1")
        assert cut.value.code == "dock.unreachable"
        with lend() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    database.close()


def test_sessions_that_ended_meanwhile_are_replaced_and_nobody_notices(
    postgresql: Any, shared_dock: str
) -> None:
    database = Database(shared_dock)
    with database.reading():
        pass
    name = sa.make_url(shared_dock).database
    postgresql.run(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    database.close()


def test_a_writer_that_stops_in_the_middle_does_not_stop_the_others(
    shared_dock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beimingwu.dock.database._PATIENCE", 0.3)
    stopped = Database(shared_dock)
    monkeypatch.setattr("beimingwu.dock.database._PATIENCE", 30.0)
    other, turn = Database(shared_dock), threading.Event()

    def write() -> None:
        with other.writing():
            turn.set()

    thread = threading.Thread(target=write)
    with pytest.raises(Unavailable) as ended, stopped.writing() as connection:
        thread.start()
        assert turn.wait(20)
        connection.exec_driver_sql("SELECT 1")
    assert ended.value.code == "dock.unreachable"
    thread.join()
    stopped.close(), other.close()


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_a_text_that_no_database_holds_is_refused(shared_dock: str, text: str) -> None:
    catalogue = Catalogue(shared_dock)
    with pytest.raises(InvalidInput) as refused:
        Listing(catalogue).ids(SemanticFilter(), "published", owner=text)
    assert refused.value.code == "input.text"
    catalogue.close()
