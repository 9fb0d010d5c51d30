"""Hostile archives: each is refused with a code of its own, and leaves nothing behind.

The files are written byte by byte here, since no honest library writes them.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import sys
import tempfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import BeimingwuError, HostileArchive, InvalidArchive, TooLarge
from beimingwu.learnware import open_archive
from beimingwu.specification import RKME
from beimingwu.specification.files import dumps_specification

MiB = 1024 * 1024
STATISTICAL = dumps_specification(RKME(np.eye(2), np.array([0.5, 0.5]), n=20))
MANIFEST = b"""
model: {class_name: Model, kwargs: {}}
stat_specifications:
- {module_path: learnware.specification, class_name: RKMETableSpecification,
   file_name: stat.json, kwargs: {}}
"""


@dataclass(frozen=True)
class Entry:
    """One member of a zip file, with every field of its two headers open to lies."""

    name: bytes
    data: bytes = b""
    method: int = zipfile.ZIP_DEFLATED
    flags: int = 0x0800
    mode: int = 0
    central_name: bytes | None = None
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    extra: bytes = b""
    offset: int | None = None
    central_only: bool = False
    after: bytes = b""

    def bytes_packed(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method == zipfile.ZIP_STORED:
            return self.data
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.data) + deflate.flush()

    def fields(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        size = len(self.data) if self.size is None else self.size
        packed = len(self.bytes_packed()) if self.packed_size is None else self.packed_size
        return crc, packed, size

    def local(self) -> bytes:
        head = struct.pack(
            "<4s5H3I2H",
            *(b"PK\3\4", 20, self.flags, self.method, 0, 33, *self.fields()),
            *(len(self.name), len(self.extra)),
        )
        return head + self.name + self.extra + self.bytes_packed() + self.after

    def central(self, offset: int) -> bytes:
        name = self.name if self.central_name is None else self.central_name
        offset = offset if self.offset is None else self.offset
        head = struct.pack(
            "<4s6H3I5H2I",
            *(b"PK\1\2", 0x0314, 20, self.flags, self.method, 0, 33, *self.fields()),
            *(len(name), len(self.extra), 0, 0, 0, self.mode << 16, offset),
        )
        return head + name + self.extra


def a_zip(
    *entries: Entry,
    before: bytes = b"",
    between: bytes = b"",
    comment: bytes = b"",
    after: bytes = b"",
    count: int | None = None,
    disk: int = 0,
) -> bytes:
    body, central = before, b""
    for entry in entries:
        central += entry.central(len(body))
        body += b"" if entry.central_only else entry.local()
    body += between
    count = len(entries) if count is None else count
    end = struct.pack(
        "<4s4H2IH", b"PK\5\6", disk, disk, count, count, len(central), len(body), len(comment)
    )
    return body + central + end + comment + after


SOUND = (
    Entry(b"learnware.yaml", MANIFEST),
    Entry(b"__init__.py", b"class Model: pass\n"),
    Entry(b"stat.json", STATISTICAL),
    Entry(b"requirements.txt", b"numpy\n"),
)


def with_entry(name: bytes, data: bytes = b"x", **fields: object) -> bytes:
    """Return a sound archive with one entry more."""
    return a_zip(*SOUND, replace(Entry(name, data), **fields))  # type: ignore[arg-type]


def with_manifest(manifest: bytes) -> bytes:
    return a_zip(replace(SOUND[0], data=manifest), *SOUND[1:])


def without(name: bytes) -> bytes:
    return a_zip(*(entry for entry in SOUND if entry.name != name))


def overlapping() -> bytes:
    """Two entries over one run of bytes: the way of 42 kB that hold petabytes."""
    kernel = Entry(b"a", bytes(100_000))
    at = len(a_zip(*SOUND)) - len(a_zip()) - sum(len(entry.central(0)) for entry in SOUND)
    return a_zip(*SOUND, kernel, replace(kernel, name=b"b", offset=at, central_only=True))


def nested_entry() -> bytes:
    """An entry whose whole local header lies inside the stored data of another."""
    inner = Entry(b"inner", b"hidden", method=0)
    outer = Entry(b"outer", inner.local(), method=0)
    at = sum(len(entry.local()) for entry in SOUND) + 30 + len(b"outer")
    return a_zip(*SOUND, outer, replace(inner, offset=at, central_only=True))


def with_descriptor_that_lies() -> bytes:
    lie = struct.pack("<4s3I", b"PK\7\x08", 1, 2, 3)
    return with_entry(b"a", flags=0x0808, after=lie)


def with_second_end() -> bytes:
    """A 64-bit end record that names another directory than the plain one."""
    plain = a_zip(*SOUND)
    body, end = plain[:-22], plain[-22:]
    _, _, _, _, count, size, offset, _ = struct.unpack("<4s4H2IH", end)
    wide = struct.pack(
        "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count - 1, count - 1, size, offset
    )
    return body + wide + struct.pack("<4sIQI", b"PK\6\7", 0, len(body), 1) + end


def zip64_extra(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def unicode_path(name: bytes, other: bytes) -> bytes:
    return struct.pack("<2HBI", 0x7075, 5 + len(other), 1, zlib.crc32(name)) + other


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # Names that lead elsewhere.
    "a path up": (lambda: with_entry(b"../evil"), "archive.path_escape"),
    "a path up, inside": (lambda: with_entry(b"a/../../evil"), "archive.path_escape"),
    "an absolute path": (lambda: with_entry(b"/etc/passwd"), "archive.path_absolute"),
    "a drive letter": (lambda: with_entry(b"C:/evil"), "archive.path_drive"),
    "a hidden stream": (lambda: with_entry(b"__init__.py:evil"), "archive.path_drive"),
    "a backslash": (lambda: with_entry(b"..\\evil"), "archive.path_backslash"),
    "a path with a dot": (lambda: with_entry(b"./evil"), "archive.path_not_normal"),
    "a path with two slashes": (lambda: with_entry(b"a//evil"), "archive.path_not_normal"),
    # Names that deceive.
    "a NUL in a name": (lambda: with_entry(b"good.py\0.txt"), "archive.name_control"),
    "a terminal escape": (lambda: with_entry(b"\x1b[2Jx"), "archive.name_control"),
    "a reversed name": (lambda: with_entry("a\u202eyp.exe".encode()), "archive.name_control"),
    "a name of no letters": (lambda: with_entry(b""), "archive.name_length"),
    "a name of 300 letters": (lambda: with_entry(b"a" * 300), "archive.name_length"),
    "a name of 40 folders": (lambda: with_entry(b"a/" * 40 + b"b"), "archive.name_length"),
    "a name that is no UTF-8": (lambda: with_entry(b"\xff\xfe"), "archive.name_encoding"),
    "two names of one file": (
        lambda: with_entry(b"good", central_name=b"evil"),
        "archive.name_mismatch",
    ),
    "a name in an extra field": (
        lambda: with_entry(b"good", extra=unicode_path(b"good", b"../evil")),
        "archive.name_mismatch",
    ),
    # Names that collide.
    "a name twice": (lambda: with_entry(b"stat.json"), "archive.duplicate"),
    "a name twice but for case": (lambda: with_entry(b"STAT.json"), "archive.name_collision"),
    "a name in two Unicode forms": (
        lambda: a_zip(*SOUND, Entry("\u00e9".encode()), Entry("e\u0301".encode())),
        "archive.name_collision",
    ),
    "a file in a file": (lambda: with_entry(b"stat.json/evil"), "archive.file_is_folder"),
    "a folder named as a file": (lambda: with_entry(b"stat.json/", b""), "archive.file_is_folder"),
    "a folder that holds bytes": (lambda: with_entry(b"d/", b"x"), "archive.file_is_folder"),
    "a file said to be a folder": (
        lambda: with_entry(b"d", b"", mode=stat.S_IFDIR | 0o755),
        "archive.file_is_folder",
    ),
    # Things that are no files.
    "a symbolic link": (
        lambda: with_entry(b"link", b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
        "archive.link",
    ),
    "a hard link": (
        lambda: with_entry(b"link", extra=struct.pack("<2H", 13, 16) + bytes(12) + b"/etc"),
        "archive.link",
    ),
    "a device": (lambda: with_entry(b"d", mode=stat.S_IFCHR | 0o666), "archive.special_file"),
    "a pipe": (lambda: with_entry(b"p", mode=stat.S_IFIFO | 0o666), "archive.special_file"),
    # Contents that cannot be checked.
    "an encrypted file": (lambda: with_entry(b"a", flags=0x0801), "archive.encrypted"),
    "a strongly encrypted file": (lambda: with_entry(b"a", flags=0x0841), "archive.encrypted"),
    "an AES file": (lambda: with_entry(b"a", method=99), "archive.encrypted"),
    "an LZMA file": (lambda: with_entry(b"a", method=14), "archive.compression_method"),
    # Bombs.
    "a thousandfold bomb": (lambda: with_entry(b"a", bytes(4 * MiB)), "archive.bomb_ratio"),
    "a declared petabyte": (
        lambda: with_entry(b"a", size=0xFFFFFFFF, extra=zip64_extra(1 << 50)),
        "archive.bomb_ratio",
    ),
    "a bomb of two overlapping files": (overlapping, "archive.overlap"),
    "a file inside a file": (nested_entry, "archive.overlap"),
    "a count that is a lie": (lambda: a_zip(*SOUND, count=5), "archive.directory"),
    "sixty thousand files, said": (lambda: a_zip(count=60_000), "archive.too_many_members"),
    # Two files in one.
    "a program after the end": (lambda: a_zip(*SOUND, after=b"#!evil"), "archive.trailing_data"),
    "a zip after the zip": (lambda: a_zip(*SOUND) + a_zip(*SOUND), "archive.directory_misplaced"),
    "a program before the start": (
        lambda: a_zip(*SOUND, before=b"MZ" * 40),
        "archive.leading_data",
    ),
    "a page in the comment": (lambda: a_zip(*SOUND, comment=b"<html>" * 99), "archive.comment"),
    "a zip in the comment": (
        lambda: a_zip(*SOUND, comment=a_zip(*SOUND)),
        "archive.directory_misplaced",
    ),
    "bytes before the directory": (
        lambda: a_zip(*SOUND, between=b"evil"),
        "archive.hidden_data",
    ),
    "bytes between two files": (
        lambda: a_zip(replace(SOUND[0], after=b"evil"), *SOUND[1:]),
        "archive.hidden_data",
    ),
    "a file missing from the directory": (
        lambda: a_zip(*SOUND, between=Entry(b"evil", b"x").local()),
        "archive.hidden_data",
    ),
    "part of a split zip": (lambda: a_zip(*SOUND, disk=1), "archive.split"),
    # Sizes that lie.
    "more bytes than declared": (
        lambda: with_entry(b"a", b"x" * 99, size=9),
        "archive.size_mismatch",
    ),
    "fewer bytes than declared": (lambda: with_entry(b"a", b"x", size=9), "archive.size_mismatch"),
    "two sizes of a stored file": (
        lambda: with_entry(b"a", b"x", method=0, size=9),
        "archive.size_mismatch",
    ),
    "a stream after the stream": (
        lambda: with_entry(b"a", packed=Entry(b"a", b"x").bytes_packed() + b"evil"),
        "archive.size_mismatch",
    ),
    "a data descriptor that lies": (with_descriptor_that_lies, "archive.header_mismatch"),
    "sizes missing from a 64-bit field": (
        lambda: with_entry(b"a", size=0xFFFFFFFF),
        "archive.zip64",
    ),
    "two ends that disagree": (with_second_end, "archive.zip64"),
    "a CRC that is wrong": (lambda: with_entry(b"a", crc=1), "archive.crc"),
    "a stream that is garbage": (
        lambda: with_entry(b"a", packed=b"\xff" * 20),
        "archive.compressed_data",
    ),
    "a stream cut short": (
        lambda: with_entry(b"a", b"x" * 99, packed=Entry(b"a", b"x" * 99).bytes_packed()[:-1]),
        "archive.compressed_data",
    ),
    "an archive cut short": (lambda: a_zip(*SOUND)[:-30], "archive.not_zip"),
    "an archive without its start": (lambda: a_zip(*SOUND)[30:], "archive.directory_misplaced"),
    "an empty file": (lambda: b"", "archive.not_zip"),
    "a picture": (lambda: b"\x89PNG\r\n" + bytes(500), "archive.not_zip"),
    # Manifests that are missing or too many.
    "an empty archive": (lambda: a_zip(), "archive.no_manifest"),
    "no manifest": (lambda: without(b"learnware.yaml"), "archive.no_manifest"),
    "a manifest two folders down": (
        lambda: a_zip(*(replace(entry, name=b"a/b/" + entry.name) for entry in SOUND)),
        "archive.no_manifest",
    ),
    "two manifests": (lambda: with_entry(b"top/learnware.yaml"), "archive.two_manifests"),
    "files beside the top folder": (
        lambda: a_zip(*(replace(one, name=b"top/" + one.name) for one in SOUND), Entry(b"evil")),
        "archive.no_manifest",
    ),
    "a manifest of 2 MiB": (
        lambda: with_manifest(MANIFEST + b"#" + os.urandom(MiB).hex().encode()),
        "archive.file_too_large",
    ),
    "no module": (lambda: without(b"__init__.py"), "archive.no_module"),
    "no statistical file": (lambda: without(b"stat.json"), "archive.no_statistical_file"),
    "no requirements": (lambda: without(b"requirements.txt"), "archive.no_requirements"),
    "a semantic file that is not there": (
        lambda: with_manifest(MANIFEST + b"semantic_specification: {file_name: semantic.json}"),
        "archive.no_semantic_file",
    ),
}


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of our own, and the current one, to see what is left behind."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.chdir(folder)
    yield folder


def test_the_archive_that_the_hostile_ones_differ_from_is_accepted() -> None:
    with open_archive(a_zip(*SOUND)) as archive:
        assert archive.names == ("__init__.py", "learnware.yaml", "requirements.txt", "stat.json")
        assert archive.specification().dimension == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_its_own_code_and_leaves_nothing(
    name: str, alone: Path
) -> None:
    build, code = HOSTILE[name]
    with pytest.raises((InvalidArchive, TooLarge)) as caught:
        open_archive(build())
    assert caught.value.code == code
    assert caught.value.remedy
    assert list(alone.iterdir()) == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def test_a_refused_archive_on_disk_is_not_held_open(alone: Path) -> None:
    path = alone / "evil.zip"
    path.write_bytes(with_entry(b"../evil"))
    before = open_files()
    with pytest.raises(HostileArchive):
        open_archive(path)
    assert open_files() == before
    assert [entry.name for entry in alone.iterdir()] == ["evil.zip"]


def test_a_bomb_costs_little_memory() -> None:
    stream = Entry(b"a", bytes(64 * MiB)).bytes_packed()
    bomb = with_entry(b"a", b"", packed=stream, size=1000, crc=zlib.crc32(bytes(1000)))
    tracemalloc.start()
    with pytest.raises(HostileArchive):
        open_archive(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MiB


def test_too_many_bytes_are_refused_by_the_limit_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_entry(b"a", os.urandom(5000))
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_UNPACKED_BYTES", "5000")
    with pytest.raises(TooLarge) as caught:
        open_archive(data)
    assert caught.value.code == "archive.bomb_total"
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_BYTES", "1000")
    with pytest.raises(TooLarge) as caught:
        open_archive(data)
    assert caught.value.code == "archive.too_large"


def test_an_archive_that_changes_after_it_was_opened_extracts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "learnware.zip"
    path.write_bytes(a_zip(*SOUND, Entry(b"weights", b"w" * 50, method=0)))
    with open_archive(path) as archive:
        path.write_bytes(path.read_bytes().replace(b"w" * 50, b"e" * 50))
        with pytest.raises(InvalidArchive):
            archive.extract(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_extraction_does_not_follow_a_link_that_was_planted(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    (folder / "stat.json").symlink_to(outside)
    with open_archive(a_zip(*SOUND)) as archive, pytest.raises(InvalidArchive):
        archive.extract(folder)
    assert not outside.exists()


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(a_zip(*SOUND)) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless_and_never_raises_anything_else(
    at: int, value: int
) -> None:
    data = bytearray(a_zip(*SOUND))
    data[at] = value
    try:
        with open_archive(bytes(data)) as archive:
            for name in archive.names:
                archive.read(name)
    except BeimingwuError:
        pass


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), before=st.booleans())
def test_any_bytes_at_all_are_refused_or_read(data: bytes, before: bool) -> None:
    sound = a_zip(*SOUND)
    for hostile in (data, data + sound if before else sound + data):
        try:
            open_archive(hostile).close()
        except BeimingwuError:
            continue
        assert hostile == sound


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30), max_size=4))
def test_what_is_accepted_extracts_to_just_the_files_it_names(names: list[str]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writer:
        for entry in SOUND:
            writer.writestr(entry.name.decode(), entry.data)
        for name in set(names) - {entry.name.decode() for entry in SOUND}:
            try:
                writer.writestr(name, b"x")
            except (UnicodeError, ValueError, IndexError):  # zipfile refuses it itself
                continue
    try:
        archive = open_archive(file.getvalue())
    except BeimingwuError:
        return
    with archive, tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "inside"
        archive.extract(folder)
        found = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        }
        assert found == set(archive.names)
        assert [path.name for path in Path(parent).iterdir()] == ["inside"]
