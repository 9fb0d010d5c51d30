"""Archives that nobody announced: pieces in any order that leaves no hole, named by their MD5."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.dock import Dock
from beimingwu.dock.database import Database
from beimingwu.dock.keys import note_md5, of_md5
from beimingwu.dock.uploads import Uploads, named
from beimingwu.errors import Conflict, InvalidInput, NotFound, TooLarge

CONTENT = bytes(range(256)) * 4


def md5_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


NAME = md5_of(CONTENT)


@pytest.fixture
def uploads(tmp_path: Path, database: str) -> Any:
    opened = Database(database or tmp_path / "catalogue.sqlite")
    yield Uploads(tmp_path, opened)
    opened.close()


def test_pieces_become_an_archive_that_is_what_was_sent(uploads: Uploads) -> None:
    for begin in range(0, len(CONTENT), 100):
        far = uploads.put("ada", NAME, begin, CONTENT[begin : begin + 100])
        assert far.received == far.size == min(begin + 100, len(CONTENT))
    sealed = uploads.seal("ada", NAME, NAME)
    assert sealed.path.read_bytes() == CONTENT
    assert sealed.digest == hashlib.sha256(CONTENT).hexdigest()
    assert sealed.size == len(CONTENT)
    # Said again, it is sealed again; and it is an upload like any other.
    assert uploads.seal("ada", NAME, NAME) == sealed
    assert uploads.archive("ada", named("ada", NAME)) == sealed
    uploads.drop("ada", named("ada", NAME))
    with pytest.raises(NotFound):
        uploads.seal("ada", NAME, NAME)


def test_only_its_owner_has_an_upload_of_a_name(uploads: Uploads) -> None:
    uploads.put("ada", NAME, 0, CONTENT)
    with pytest.raises(NotFound):
        uploads.seal("bob", NAME, NAME)
    uploads.put("bob", NAME, 0, b"another thing")
    assert uploads.seal("ada", NAME, NAME).path.read_bytes() == CONTENT


def test_what_leaves_a_hole_or_has_no_beginning_is_refused(uploads: Uploads) -> None:
    with pytest.raises(NotFound):
        uploads.put("ada", NAME, 100, CONTENT[100:])
    uploads.put("ada", NAME, 0, CONTENT[:100])
    with pytest.raises(Conflict, match="100 bytes arrived"):
        uploads.put("ada", NAME, 101, CONTENT[101:])


def test_what_is_not_what_was_sent_is_dropped(uploads: Uploads) -> None:
    uploads.put("ada", NAME, 0, CONTENT + b"!")
    with pytest.raises(InvalidInput, match="MD5"):
        uploads.seal("ada", NAME, NAME)
    with pytest.raises(NotFound):
        uploads.seal("ada", NAME, NAME)
    uploads.put("ada", NAME, 0, CONTENT)
    assert uploads.seal("ada", NAME, NAME).size == len(CONTENT)


def test_quota_size_and_number_hold_for_each_piece(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.put("ada", NAME, 0, CONTENT)
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_BYTES", "1030")
    with pytest.raises(TooLarge) as too_large:
        uploads.put("ada", NAME, len(CONTENT), CONTENT)
    assert too_large.value.code == "too_large.archive"
    monkeypatch.setenv("BEIMINGWU_QUOTA_BYTES", "1028")
    with pytest.raises(TooLarge) as too_large:
        uploads.put("ada", NAME, len(CONTENT), b"12345")
    assert too_large.value.code == "too_large.quota"
    assert uploads.put("ada", NAME, len(CONTENT), b"1234").received == 1028
    # A piece that comes again needs no room.
    assert uploads.put("ada", NAME, 0, CONTENT).received == 1028
    monkeypatch.setenv("BEIMINGWU_UPLOADS_MAX", "1")
    with pytest.raises(Conflict) as conflict:
        uploads.put("ada", "another", 0, b"1")
    assert conflict.value.code == "conflict.uploads"
    assert uploads.put("bob", "another", 0, b"1").received == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1024), st.integers(1, 400)), max_size=12))
def test_pieces_sent_in_whatever_order_never_lose_what_arrived(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    opened = Database(folder / "catalogue.sqlite")
    uploads, received = Uploads(folder, opened), 0
    for begin, size in [(0, 1), *pieces]:
        piece = CONTENT[begin : begin + size]
        if begin > received:
            with pytest.raises(Conflict):
                uploads.put("ada", NAME, begin, piece)
            continue
        received = max(received, begin + len(piece))
        assert uploads.put("ada", NAME, begin, piece).received == received
    there = uploads.seal("ada", NAME, md5_of(CONTENT[:received]))
    assert there.path.read_bytes() == CONTENT[:received]
    opened.close()


def test_a_file_is_known_by_its_md5_to_its_owner_while_there_is_a_learnware_of_it(
    tmp_path: Path, database: str, archive: Callable[..., bytes], semantic: Callable[..., Any]
) -> None:
    content = archive()
    with Dock.open(tmp_path / "dock", database=database) as dock:
        id = dock.submit(content, semantic(), owner="ada").wait().id
        assert of_md5(dock.database, "ada", md5_of(content)) is None
        for _ in range(2):
            note_md5(dock.database, "ada", md5_of(content), dock.revisions(id)[-1])
        assert of_md5(dock.database, "ada", md5_of(content)) == id
        assert of_md5(dock.database, "bob", md5_of(content)) is None
        dock.delete(id)
        assert of_md5(dock.database, "ada", md5_of(content)) is None


def test_how_learnwares_stand_is_told_with_their_newest_revision(
    tmp_path: Path, database: str, archive: Callable[..., bytes], semantic: Callable[..., Any]
) -> None:
    with Dock.open(tmp_path / "dock", database=database) as dock:
        first = dock.submit(archive(), semantic(), owner="ada").wait().id
        second = dock.submit(archive(seed=1), semantic(), owner="bob").wait().id
        gone = dock.submit(archive(seed=2), semantic(), owner="ada").wait().id
        dock.delete(gone)
        newer = archive(answer="X.no_such_thing", seed=3)
        list(dock.update(first, archive=newer))
        told = [(one.id, one.owner, one.state, one.newest) for one in dock.standings()]
        assert told == [
            (second, "bob", "published", "published"),
            (first, "ada", "published", "rejected"),
        ]
        assert [one.id for one in dock.standings(owner="ada")] == [first]
        records = dock.records([first, gone, second, "00000099"])
        assert [record.id for record in records] == [first, second]
