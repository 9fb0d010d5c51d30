"""Blobs are whole or absent, and are what they are named by."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.dock.blobs import Blobs, Unpacked
from beimingwu.errors import DockDamaged, InvalidInput, TooLarge


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


@pytest.fixture(scope="module")
def shared_blobs(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    return Blobs(tmp_path_factory.mktemp("blobs"))


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@given(st.binary(max_size=2000))
def test_a_blob_is_named_by_its_bytes_and_read_back(shared_blobs: Blobs, content: bytes) -> None:
    digest = shared_blobs.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert shared_blobs.read(digest) == content
    assert shared_blobs.verified(digest).read_bytes() == content


def test_a_path_bytes_and_an_open_file_arrive_alike(blobs: Blobs, tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "given").write_bytes(content)
    for source in (content, tmp_path / "given", str(tmp_path / "given"), io.BytesIO(content)):
        with blobs.receive(source, len(content)) as incoming:
            assert (incoming.digest, incoming.size) == (
                hashlib.sha256(content).hexdigest(),
                len(content),
            )


def test_what_is_not_kept_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    with blobs.receive(b"content", 7) as incoming:
        assert incoming.path.exists()
    assert files_of(tmp_path) == []


def test_one_byte_over_the_limit_is_refused_and_leaves_nothing(
    blobs: Blobs, tmp_path: Path
) -> None:
    with pytest.raises(TooLarge) as refused:
        blobs.receive(b"12345678", 7)
    assert refused.value.code == "too_large.archive"
    assert files_of(tmp_path) == []


def test_a_path_that_is_no_file_is_named_in_the_refusal(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere") as refused:
        blobs.receive(tmp_path / "nowhere.zip", 7)
    assert refused.value.code == "input.archive"
    assert files_of(tmp_path) == []


@pytest.mark.parametrize("spoil", ["change", "remove"])
def test_a_damaged_blob_is_never_handed_out(blobs: Blobs, spoil: str) -> None:
    digest = blobs.put(b"content")
    path = blobs.verified(digest)
    path.write_bytes(b"CONTENT") if spoil == "change" else path.unlink()
    code = {"change": "dock.blob_damaged", "remove": "dock.blob_missing"}[spoil]
    for read in (blobs.read, blobs.verified):
        with pytest.raises(DockDamaged) as found:
            read(digest)
        assert found.value.code == code


def test_storing_the_same_bytes_again_heals_a_damaged_blob(blobs: Blobs) -> None:
    digest = blobs.put(b"content")
    blobs.verified(digest).write_bytes(b"CONTENT")
    assert blobs.put(b"content") == digest
    assert blobs.read(digest) == b"content"


def test_a_sweep_removes_what_nothing_needs_and_only_names_of_ours(
    blobs: Blobs, tmp_path: Path
) -> None:
    kept, dropped = blobs.put(b"kept"), blobs.put(b"dropped")
    blobs.receive(b"half a submission", 100)
    theirs = tmp_path / "blobs" / "notes.txt"
    theirs.write_text("the user's own")
    assert blobs.sweep({kept}) == 2
    assert files_of(tmp_path) == sorted([kept, "notes.txt"])
    with pytest.raises(DockDamaged):
        blobs.read(dropped)


def test_an_archive_is_unpacked_once(blobs: Blobs, tmp_path: Path) -> None:
    unpacked, times = Unpacked(tmp_path, blobs), []

    def unpack(archive: Path, folder: Path) -> None:
        times.append(archive)
        folder.mkdir()
        (folder / "file").write_bytes(archive.read_bytes())

    digest = blobs.put(b"an archive")
    assert (unpacked.folder(digest, unpack) / "file").read_bytes() == b"an archive"
    assert unpacked.folder(digest, unpack) == tmp_path / "unpacked" / digest
    assert len(times) == 1
    unpacked.sweep({digest})
    assert unpacked.folder(digest, unpack).exists()
    unpacked.sweep(set())
    assert not (tmp_path / "unpacked" / digest).exists()


def test_an_unpacking_that_fails_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    def fail(archive: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise OSError("disk full")

    digest = blobs.put(b"an archive")
    with pytest.raises(OSError, match="disk full"):
        Unpacked(tmp_path, blobs).folder(digest, fail)
    assert files_of(tmp_path) == [digest]
