"""A dock copied while it runs, brought back, and verified."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from beimingwu.config import settings
from beimingwu.dock import Dock
from beimingwu.dock.backup import Backup, back_up, restore, verify_blobs
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import Conflict, DockDamaged, InvalidInput, NotFound
from beimingwu.search import SemanticFilter


def blobs_of(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in (folder / "blobs").rglob("*") if path.is_file()
    }


def backed_up(dock: Dock, target: Path) -> Backup:
    return back_up(dock.folder, target, settings().database)


@pytest.fixture
def filled(dock: Dock) -> Dock:
    """A dock with one learnware that is published, one withdrawn and one deleted."""
    kept, hidden, gone = (dock.submit(a_learnware(seed=n), owner="ada").wait().id for n in range(3))
    dock.withdraw(hidden)
    dock.delete(gone)
    assert kept == "00000001"
    return dock


def test_a_dock_that_is_brought_back_is_the_same_dock(filled: Dock, tmp_path: Path) -> None:
    backup = backed_up(filled, tmp_path / "backup")
    assert (backup.blobs, len(blobs_of(tmp_path / "backup"))) == (4, 4)
    # What happens afterwards is not in it.
    filled.delete("00000001")
    made = restore(tmp_path / "backup", tmp_path / "restored")
    assert (made.blobs, made.created) == (4, backup.created)
    with Dock.open(tmp_path / "restored", database="", workers=0) as dock:
        assert [record.state for record in dock.list(state=None)] == ["withdrawn", "published"]
        assert len(dock.search({}).single) == 1
        assert len(dock.search(SemanticFilter(text="sums of columns")).single) == 1
        with dock.get("00000001") as learnware:
            assert learnware.specification.dimension == 3
        assert all(not blob.problem for blob in verify_blobs(dock.folder, dock.database))
        # Ids go on where they were: that of the deleted one is not given again.
        assert dock.submit(a_learnware(seed=9)).id == "00000004"


def test_a_backup_is_whole_while_learnwares_come_and_go(dock: Dock, tmp_path: Path) -> None:
    stopped = threading.Event()

    def churn() -> None:
        n = 0
        while not stopped.is_set():
            id = dock.submit(a_learnware(seed=n), owner="ada").id
            if n % 2:
                dock.delete(id)
            n += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for n in range(5):
            backed_up(dock, tmp_path / f"backup{n}")
    finally:
        stopped.set()
        thread.join()
    for n in range(5):
        made = restore(tmp_path / f"backup{n}", tmp_path / f"restored{n}")
        assert made.blobs == len(blobs_of(tmp_path / f"restored{n}"))


def test_a_backup_holds_hashes_that_others_may_not_read(filled: Dock, tmp_path: Path) -> None:
    backed_up(filled, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    for folder in ("backup", "restored"):
        mode = (tmp_path / folder / "catalogue.sqlite").stat().st_mode
        assert mode & 0o077 == 0


def test_nothing_is_written_over(filled: Dock, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput):
        backed_up(filled, tmp_path / "full")
    backed_up(filled, tmp_path / "backup")
    for folder in (tmp_path / "full", filled.folder):
        with pytest.raises(InvalidInput):
            restore(tmp_path / "backup", folder)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_what_is_no_dock_and_no_backup_is_told(filled: Dock, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        back_up(tmp_path / "nowhere", tmp_path / "backup")
    for source in (tmp_path / "nowhere", filled.folder):
        with pytest.raises(NotFound):
            restore(source, tmp_path / "restored")
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("what", ["blob changed", "blob gone", "catalogue", "about", "newer"])
def test_a_backup_that_is_not_whole_makes_no_dock(filled: Dock, tmp_path: Path, what: str) -> None:
    backup = tmp_path / "backup"
    backed_up(filled, backup)
    blob = next(path for path in (backup / "blobs").rglob("*") if path.is_file())
    about = json.loads((backup / "backup.json").read_text())
    if what == "blob changed":
        blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    elif what == "blob gone":
        blob.unlink()
    elif what == "catalogue":
        with (backup / "catalogue.sqlite").open("ab") as file:
            file.write(b"?")
    elif what == "about":
        (backup / "backup.json").write_text("{")
    else:
        (backup / "backup.json").write_text(json.dumps({**about, "schema": "9999"}))
    with pytest.raises(Conflict if what == "newer" else DockDamaged):
        restore(backup, tmp_path / "restored")
    assert not (tmp_path / "restored" / "catalogue.sqlite").exists()


def test_a_dock_with_a_damaged_blob_is_not_backed_up_as_if_it_were_whole(
    filled: Dock, tmp_path: Path
) -> None:
    digest = filled.show("00000001").sha256
    (filled.folder / "blobs" / digest[:2] / digest).write_bytes(b"?")
    with pytest.raises(DockDamaged, match=digest):
        backed_up(filled, tmp_path / "backup")
    assert not (tmp_path / "backup" / "backup.json").exists()
    problems = [blob for blob in verify_blobs(filled.folder, filled.database) if blob.problem]
    assert [blob.digest for blob in problems] == [digest]


def test_a_dock_moves_to_a_server_and_goes_on_there(
    filled: Dock, tmp_path: Path, postgresql: Any, empty_dock: str
) -> None:
    backed_up(filled, tmp_path / "backup")
    with postgresql.database(empty_dock) as url:
        restore(tmp_path / "backup", tmp_path / "restored", url)
        with Dock.open(tmp_path / "restored", database=url) as dock:
            assert [record.state for record in dock.list(state=None)] == ["withdrawn", "published"]
            assert len(dock.search(SemanticFilter(text="sums of columns")).single) == 1
            assert dock.submit(a_learnware(seed=9), owner="ada").wait().id == "00000004"
            assert all(not blob.problem for blob in verify_blobs(dock.folder, dock.database))
        with pytest.raises(Conflict) as refused:
            restore(tmp_path / "backup", tmp_path / "another", url)
        assert refused.value.code in ("dock.other_folder", "conflict.database_not_empty")
    assert not list((tmp_path / "restored").glob("*.part*"))
