"""No folder is opened with a catalogue that is not its own: opening clears away what is unknown."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from beimingwu.dock import Dock
from beimingwu.dock.belonging import holds_dock
from beimingwu.dock.database import Database
from beimingwu.errors import Conflict, DockDamaged
from beimingwu.specification.semantic import SemanticSpecification

Archive = Callable[..., bytes]
Semantic = Callable[..., SemanticSpecification]


@pytest.fixture
def another(postgresql: Any, empty_dock: str) -> Any:
    with postgresql.database(empty_dock) as url:
        yield url


def blobs(folder: Path) -> list[Path]:
    return sorted((folder / "blobs").glob("*/*"))


@pytest.fixture
def folder(tmp_path: Path, shared_dock: str, archive: Archive, semantic: Semantic) -> Path:
    """A dock whose catalogue is `shared_dock`, with a learnware."""
    with Dock.open(tmp_path / "dock", database=shared_dock) as dock:
        dock.submit(archive(), semantic()).wait()
    return tmp_path / "dock"


def test_only_its_owner_looks_into_a_new_folder(tmp_path: Path) -> None:
    Dock.open(tmp_path / "new", workers=0).close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_folder_and_its_catalogue_know_each_other_again(folder: Path, shared_dock: str) -> None:
    assert holds_dock(folder)
    assert not holds_dock(folder.parent)
    with Dock.open(folder, database=shared_dock) as dock:
        assert len(dock) == 1


def test_the_setting_names_the_database(
    folder: Path, shared_dock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_DATABASE", shared_dock)
    monkeypatch.setenv("BEIMINGWU_DOCK", str(folder))
    with Dock.open(workers=0) as dock:
        assert len(dock) == 1


def test_a_database_that_was_forgotten_costs_nothing(folder: Path, shared_dock: str) -> None:
    there = blobs(folder)
    with pytest.raises(Conflict, match="PostgreSQL") as refused:
        Dock.open(folder, database="")
    assert refused.value.code == "dock.other_catalogue"
    assert blobs(folder) == there
    assert not (folder / "catalogue.sqlite").exists()


def test_a_database_of_another_dock_costs_nothing(
    folder: Path, shared_dock: str, another: str, tmp_path: Path
) -> None:
    there = blobs(folder)
    for _ in ("new", "with a folder of its own"):
        with pytest.raises(Conflict, match="not that of the catalogue") as refused:
            Dock.open(folder, database=another)
        assert refused.value.code == "dock.other_folder"
        assert blobs(folder) == there
        Dock.open(tmp_path / "its own", database=another).close()


def test_another_folder_is_refused_until_it_is_marked(
    folder: Path, shared_dock: str, tmp_path: Path
) -> None:
    with pytest.raises(Conflict) as refused:
        Dock.open(tmp_path / "new", database=shared_dock)
    mark = (folder / "catalogue.postgresql").read_text()
    assert mark.strip() in refused.value.remedy
    (tmp_path / "new" / "catalogue.postgresql").write_text(mark)
    with Dock.open(tmp_path / "new", database=shared_dock) as dock:
        assert len(dock) == 1


def test_a_dock_on_sqlite_is_not_opened_with_a_postgresql(
    tmp_path: Path, shared_dock: str, archive: Archive, semantic: Semantic
) -> None:
    with Dock.open(tmp_path) as dock:
        dock.submit(archive(), semantic()).wait()
    there = blobs(tmp_path)
    with pytest.raises(Conflict) as refused:
        Dock.open(tmp_path, database=shared_dock)
    assert refused.value.code == "dock.other_catalogue"
    assert blobs(tmp_path) == there


@pytest.mark.parametrize("left", ["", "0" * 32])
def test_a_folder_that_was_marked_before_a_crash_is_taken(
    tmp_path: Path, shared_dock: str, left: str
) -> None:
    (tmp_path / "catalogue.postgresql").write_text(left)
    for _ in range(2):
        Dock.open(tmp_path, database=shared_dock).close()
    database = Database(shared_dock)
    with database.reading() as connection:
        asked = sa.text("SELECT obj_description(CAST('alembic_version' AS regclass), 'pg_class')")
        mark = connection.execute(asked).scalar()
    database.close()
    assert (tmp_path / "catalogue.postgresql").read_text().strip() == mark
    assert mark == left or not left


def test_a_mark_that_is_none_is_told(tmp_path: Path, shared_dock: str) -> None:
    (tmp_path / "catalogue.postgresql").write_text("'; DROP TABLE learnware; --")
    with pytest.raises(DockDamaged) as damaged:
        Dock.open(tmp_path, database=shared_dock)
    assert damaged.value.code == "dock.mark"
