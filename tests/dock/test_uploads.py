"""An archive arrives in pieces: whole, once, within what its owner may have, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as running
from hypothesis import strategies as st

from beimingwu.dock import Dock
from beimingwu.dock.records import Once
from beimingwu.dock.testing import a_learnware
from beimingwu.dock.uploads import Uploads
from beimingwu.errors import BeimingwuError

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def uploads(dock: Dock) -> Uploads:
    return dock.uploads


def sent(uploads: Uploads, owner: str, content: bytes = CONTENT, size: int = 500) -> str:
    """Send all of it in pieces, and return the upload's id."""
    id = uploads.create(owner, len(content)).id
    for offset in range(0, len(content), size):
        uploads.append(owner, id, offset, content[offset : offset + size])
    return id


def digest(content: bytes = CONTENT) -> str:
    return hashlib.sha256(content).hexdigest()


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(BeimingwuError) as error:
        call()
    assert error.value.remedy
    return error.value.code


@given(cuts=st.lists(st.integers(1, len(CONTENT) - 1), max_size=12, unique=True))
@running(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
def test_pieces_of_any_size_make_the_whole(uploads: Uploads, cuts: list[int]) -> None:
    id = uploads.create("ada", len(CONTENT)).id
    bounds = [0, *sorted(cuts), len(CONTENT)]
    for start, end in pairwise(bounds):
        assert uploads.append("ada", id, start, CONTENT[start:end]).received == end
    assert uploads.complete("ada", id, digest()).sha256 == digest()
    assert uploads.archive("ada", id).path.read_bytes() == CONTENT
    uploads.drop("ada", id)


def test_a_piece_goes_on_where_the_last_one_ended_and_nowhere_else(uploads: Uploads) -> None:
    id = uploads.create("ada", len(CONTENT)).id
    uploads.append("ada", id, 0, CONTENT[:100])
    for offset in (0, 50, 99, 101, 1000):
        assert refused(lambda at=offset: uploads.append("ada", id, at, b"x")) == "conflict.offset"
    assert uploads.show("ada", id).received == 100
    assert refused(lambda: uploads.append("ada", id, 100, CONTENT)) == "too_large.upload"


def test_what_a_process_wrote_that_died_before_it_said_so_is_written_anew(
    dock: Dock, uploads: Uploads
) -> None:
    id = uploads.create("ada", len(CONTENT)).id
    uploads.append("ada", id, 0, CONTENT[:100])
    with (dock.folder / "uploads" / id).open("ab") as file:
        file.write(b"half a piece that nobody acknowledged, and much longer than the next one")
    uploads.append("ada", id, 100, CONTENT[100:])
    assert uploads.complete("ada", id, digest()).sha256 == digest()


def test_an_upload_is_complete_only_when_all_of_it_is_what_was_sent(uploads: Uploads) -> None:
    id = sent(uploads, "ada", CONTENT[:-1] + b"?")
    assert refused(lambda: uploads.complete("ada", id, digest())) == "upload.digest"
    assert refused(lambda: uploads.complete("ada", id, "no digest")) == "input.digest"
    assert refused(lambda: uploads.archive("ada", id)) == "conflict.incomplete"
    other = uploads.create("ada", 10).id
    assert refused(lambda: uploads.complete("ada", other, digest())) == "conflict.incomplete"
    id = sent(uploads, "ada")
    first = uploads.complete("ada", id, digest())
    assert uploads.complete("ada", id, digest()).sha256 == first.sha256
    assert refused(lambda: uploads.append("ada", id, len(CONTENT), b"")) == "conflict.complete"


def test_nobody_finds_the_upload_of_another(uploads: Uploads) -> None:
    id = sent(uploads, "ada")
    for call in (
        lambda: uploads.show("bob", id),
        lambda: uploads.append("bob", id, 0, b"x"),
        lambda: uploads.complete("bob", id, digest()),
        lambda: uploads.archive("bob", id),
        lambda: uploads.drop("bob", id),
        lambda: uploads.show("ada", "0" * 32),
        lambda: uploads.show("ada", "../catalogue.sqlite"),
    ):
        assert refused(call) == "not_found.upload"


def test_quota_and_space_are_known_before_a_byte_is_sent(
    dock: Dock, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_QUOTA_BYTES", "10000")
    archive = a_learnware()
    dock.submit(archive, owner="ada").wait()
    dock.update("00000001", semantic=dock.show("00000001").semantic)
    left = 10000 - len(archive)
    assert refused(lambda: uploads.create("ada", left + 1)) == "too_large.quota"
    id = uploads.create("ada", left).id
    assert refused(lambda: uploads.create("ada", 1)) == "too_large.quota"
    assert uploads.create("bob", 10000).size == 10000
    uploads.drop("ada", id)
    dock.delete("00000001")
    assert uploads.create("ada", 10000).size == 10000
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_BYTES", "9999")
    assert refused(lambda: uploads.create("eve", 10000)) == "too_large.archive"
    monkeypatch.setenv("BEIMINGWU_FREE_MIN_BYTES", str(2**60))
    assert refused(lambda: uploads.create("eve", 1)) == "dock.disk_full"
    assert refused(lambda: uploads.create("eve", 0)) == "input.size"


def test_only_so_many_are_open_at_a_time(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEIMINGWU_UPLOADS_MAX", "2")
    ids = [uploads.create("ada", 1).id for _ in range(2)]
    assert refused(lambda: uploads.create("ada", 1)) == "conflict.uploads"
    uploads.drop("ada", ids[0])
    uploads.create("ada", 1)


def test_what_was_left_goes_and_what_goes_on_stays(
    dock: Dock, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = uploads.create("ada", 10).id
    monkeypatch.setenv("BEIMINGWU_UPLOAD_SECONDS", "-1")
    uploads.create("ada", 10)
    stray = dock.folder / "uploads" / ("f" * 32)
    stray.touch()
    os.utime(stray, (0, 0))
    (dock.folder / "uploads" / "a note of the operator").touch()
    assert uploads.tidy() == 1
    there = {path.name for path in (dock.folder / "uploads").iterdir()}
    assert there == {kept, "a note of the operator"}


def test_a_learnware_is_made_of_an_upload_without_copying_it(dock: Dock, uploads: Uploads) -> None:
    archive = a_learnware()
    id = sent(uploads, "ada", archive)
    uploads.complete("ada", id, digest(archive))
    submission = dock.submit(uploads.archive("ada", id), owner="ada").wait()
    record = dock.show(submission.id)
    assert (record.sha256, record.size) == (digest(archive), len(archive))
    blob = dock.folder / "blobs" / record.sha256[:2] / record.sha256
    assert blob.stat().st_ino == (dock.folder / "uploads" / id).stat().st_ino
    uploads.drop("ada", id)
    assert blob.read_bytes() == archive


def test_an_archive_that_is_refused_leaves_its_upload_for_other_words(
    dock: Dock, uploads: Uploads
) -> None:
    id = sent(uploads, "ada", b"no archive at all")
    uploads.complete("ada", id, digest(b"no archive at all"))
    for _ in range(2):
        with pytest.raises(BeimingwuError):
            dock.submit(uploads.archive("ada", id), owner="ada")
    assert uploads.show("ada", id).sha256 is not None


def test_a_submission_that_is_asked_for_again_by_its_key_is_made_once(dock: Dock) -> None:
    archive, once = a_learnware(), Once("a key", "a" * 64)
    first = dock.submit(archive, owner="ada", once=once)
    assert dock.submit(archive, owner="ada", once=once).id == first.id
    assert dock.submit(archive, owner="bob", once=once).id != first.id
    other = a_learnware(centre=5.0)
    assert refused(lambda: dock.submit(other, owner="ada", once=Once("a key", "b" * 64))) == (
        "conflict.key"
    )
    assert dock.count(state=None) == 2
    first.wait()
    dock.delete(first.id)
    assert refused(lambda: dock.submit(archive, owner="ada", once=once)) == "conflict.key"


def test_uploads_come_and_go_while_what_was_left_is_dropped(uploads: Uploads) -> None:
    def come_and_go() -> None:
        for _ in range(200):
            uploads.drop("ada", uploads.create("ada", 1).id)

    with ThreadPoolExecutor(1) as others:
        coming = others.submit(come_and_go)
        while not coming.done():
            assert uploads.tidy() == 0
        coming.result()
