"""Locks hold between processes and threads and die with their process, in a folder or database."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from beimingwu.dock.database import Database
from beimingwu.dock.locks import DatabaseLocks, FolderLocks, Locks, locks_of
from beimingwu.errors import Unavailable

HOLD = """
import sys
from pathlib import Path
from beimingwu.dock.locks import locks_of
folder, database = sys.argv[1:]
locks = locks_of(Path(folder), database or Path(folder) / "catalogue.sqlite")
with locks.writing():
    print(locks.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def enter(tmp_path: Path, database: str) -> Iterator[Callable[[], Locks]]:
    """Make the locks of one more process of the same dock; those left to the end leave then."""
    entered: list[Locks] = []

    def enter() -> Locks:
        entered.append(locks_of(tmp_path, database or tmp_path / "catalogue.sqlite"))
        return entered[-1]

    yield enter
    for locks in entered:
        if not isinstance(locks, FolderLocks) or locks.is_alive(locks.name):
            locks.leave()


def another_process(folder: Path, database: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what a server does in its own time after a process has gone."""
    for _ in range(200):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come")


def test_nobody_collects_while_another_process_writes(
    enter: Callable[[], Locks], tmp_path: Path, database: str
) -> None:
    here = enter()
    process, name = another_process(tmp_path, database)
    with process:
        with here.collecting() as alone:
            assert not alone
        with here.writing():
            assert here.is_alive(name)
        process.kill()
        process.wait()
        wait_until(lambda: not here.is_alive(name))
        with here.collecting() as alone:
            assert alone


def test_nobody_collects_while_another_thread_writes(enter: Callable[[], Locks]) -> None:
    here, there = enter(), enter()
    with here.writing():
        for locks in (here, there):
            with locks.collecting() as alone:
                assert not alone
        with here.writing():
            pass
        with there.collecting() as alone:
            assert not alone
    for locks in (here, there):
        with locks.collecting() as alone:
            assert alone


@pytest.mark.parametrize("same", [True, False])
def test_writing_waits_for_a_collection(enter: Callable[[], Locks], same: bool) -> None:
    here = enter()
    there, order = here if same else enter(), []

    def write() -> None:
        with there.writing():
            order.append("write")

    with here.collecting():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(0.1)
        order.append("collect")
    thread.join()
    assert order == ["collect", "write"]


def test_a_dock_is_opened_by_one_at_a_time(enter: Callable[[], Locks]) -> None:
    here, there, order = enter(), enter(), []

    def open_it() -> None:
        with there.opening():
            order.append("there")

    with here.opening():
        thread = threading.Thread(target=open_it)
        thread.start()
        thread.join(0.1)
        order.append("here")
    thread.join()
    assert order == ["here", "there"]


def test_who_left_is_not_alive(enter: Callable[[], Locks]) -> None:
    here, there = enter(), enter()
    assert here.name != there.name
    assert here.is_alive(there.name)
    assert here.is_alive(here.name)
    assert not here.is_alive("0" * 32)
    there.leave()
    wait_until(lambda: not here.is_alive(there.name))
    assert not there.is_alive(there.name)
    assert there.is_alive(here.name)


def end_sessions(database: str) -> None:
    """End every session of a database but the asker's, as a restart of its server does."""
    engine = sa.create_engine(
        sa.make_url(database).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )


def test_a_presence_that_was_cut_off_comes_back(shared_dock: str) -> None:
    here, there = DatabaseLocks(shared_dock), DatabaseLocks(shared_dock)
    name = here.name
    end_sessions(shared_dock)
    assert not there.is_alive(name)
    assert here.name == name
    assert there.is_alive(name)
    here.leave(), there.leave()


def test_who_stored_files_while_the_server_was_away_is_told(shared_dock: str) -> None:
    here, there = DatabaseLocks(shared_dock), DatabaseLocks(shared_dock)
    with pytest.raises(Unavailable) as lost, here.writing():
        end_sessions(shared_dock)
        with there.collecting() as alone:
            assert alone
        with here.collecting() as alone:
            assert not alone
        with here.writing():
            pass
    assert lost.value.code == "dock.lost_sight"
    assert lost.value.remedy
    with here.writing(), there.collecting() as alone:
        assert not alone
    here.leave(), there.leave()


def test_docks_in_two_schemas_of_a_database_do_not_know_each_other(shared_dock: str) -> None:
    database = Database(shared_dock)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE SCHEMA other")
    here = DatabaseLocks(shared_dock)
    there = DatabaseLocks(f"{shared_dock}&options=-csearch_path%3Dother")
    assert not there.is_alive(here.name)
    with here.writing(), there.collecting() as alone:
        assert alone
    with database.writing():
        other = Database(f"{shared_dock}&options=-csearch_path%3Dother")
    with other.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM other.learnware").scalar() == 0
    here.leave(), there.leave()
    database.close(), other.close()


def test_a_server_that_is_not_there_is_told_and_its_password_is_not() -> None:
    for locks in (DatabaseLocks, Database):
        with pytest.raises(Unavailable, match=r"ada:\*\*\*@127") as away:
            locks("postgresql://ada:secret@127.0.0.1:1/dock")
        assert "secret" not in str(away.value)
        assert away.value.code == "dock.unreachable"


def test_a_sweep_forgets_the_dead_and_keeps_the_living(tmp_path: Path) -> None:
    here = FolderLocks(tmp_path)
    process, name = another_process(tmp_path, "")
    with process:
        process.kill()
        process.wait()
        assert (tmp_path / "locks" / f"{name}.alive").exists()
    with here.opening():
        here.sweep()
    assert [path.stem for path in (tmp_path / "locks").glob("*.alive")] == [here.name]
    here.leave()
    assert not list((tmp_path / "locks").glob("*.alive"))
