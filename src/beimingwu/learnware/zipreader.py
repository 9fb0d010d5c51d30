"""A strict reader of the zip format: every byte of the file is accounted for, or it is refused.

A lenient reader finds *a* zip in almost any file, and two lenient readers find two different ones;
that is how hostile archives hide. This one reads the central directory, compares each entry with
its local header, and inflates under the declared size. It takes no decision about names or sizes:
that is `zipchecks`. Standard library only.

Format: PKWARE APPNOTE.TXT 6.3.10, the section numbers below are its own.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from beimingwu.errors import HostileArchive, InvalidArchive, TooLarge

STORED, DEFLATED = 0, 8
FLAG_ENCRYPTED, FLAG_DESCRIPTOR, FLAG_UTF8 = 0x0001, 0x0008, 0x0800
#: Patched data, strong encryption, masked headers (4.4.4): nobody honest sends these.
FLAGS_REFUSED = 0x0020 | 0x0040 | 0x2000
COMMENT_MAX_BYTES = 256
#: An entry of the directory: 46 bytes, a name and some extra fields. Keeps the directory in memory.
ENTRY_MAX_BYTES = 8 * 1024
CHUNK = 256 * 1024

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02"
_END_SIGNATURE, _END64_SIGNATURE, _LOCATOR_SIGNATURE = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_EXTRA_ZIP64, _EXTRA_UNICODE_PATH = 0x0001, 0x7075


@dataclass(frozen=True)
class Member:
    """One entry, as the central directory and its local header agree on it."""

    name: str
    method: int
    flags: int
    crc: int
    packed_size: int
    size: int
    mode: int
    extra: tuple[tuple[int, bytes], ...]
    header_offset: int
    data_offset: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether the name ends with a slash, as only folders' names do."""
        return self.name.endswith("/")

    @property
    def file_type(self) -> int:
        """The Unix file type that the entry claims; 0 where it claims none."""
        return stat.S_IFMT(self.mode)


@dataclass(frozen=True)
class _Directory:
    offset: int
    size: int
    count: int


def read_members(file: BinaryIO, *, max_members: int) -> tuple[Member, ...]:
    """Read the directory of a zip file and hold every entry against its local header.

    Parameters
    ----------
    file
        The archive, seekable.
    max_members
        Refuse an archive that claims more entries, before reading them.

    Raises
    ------
    InvalidArchive
        Not a zip file, or a damaged one.
    HostileArchive
        Bytes outside the zip structure, entries that share bytes, headers that disagree.
    TooLarge
        More than `max_members` entries.

    Examples
    --------
    >>> import io, zipfile
    >>> file = io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as writer:
    ...     writer.writestr("a.txt", "hello")
    >>> [member.name for member in read_members(file, max_members=10)]
    ['a.txt']
    """
    directory = _find_directory(file)
    if directory.count > max_members:
        raise TooLarge(
            f"The archive holds {directory.count:,} files; at most {max_members:,} are accepted.",
            remedy="Put many small files into one, or raise BEIMINGWU_ARCHIVE_MAX_MEMBERS.",
            code="archive.too_many_members",
        )
    if directory.size > directory.count * ENTRY_MAX_BYTES:
        _hostile("The directory of the zip file hides other data.", "archive.directory")
    members = _read_directory(file, directory)
    return tuple(_require_contiguous(file, members, directory.offset))


def inflate(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield the content of one member, never more than it declares, and check its CRC.

    Raises
    ------
    HostileArchive
        The packed data hold more, or less, than the entry declares.
    InvalidArchive
        The data do not unpack, or their CRC differs.
    """
    left, crc = member.size, 0
    try:
        for chunk in _unpacked(file, member):
            left -= len(chunk)
            if left < 0:
                break
            crc = zlib.crc32(chunk, crc)
            yield chunk
    except zlib.error as error:
        _damaged(f"{member.name!r} does not unpack: {error}.", "archive.compressed_data")
    if left:
        what = "more" if left < 0 else "fewer"
        _hostile(
            f"{member.name!r} declares {member.size:,} bytes and holds {what}.",
            "archive.size_mismatch",
        )
    if crc != member.crc:
        _damaged(f"The CRC of {member.name!r} does not match its content.", "archive.crc")


def _unpacked(file: BinaryIO, member: Member) -> Iterator[bytes]:
    file.seek(member.data_offset)
    left = member.packed_size
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == DEFLATED else None
    while left:
        packed = file.read(min(CHUNK, left))
        if not packed:
            return
        left -= len(packed)
        if inflater is None:
            yield packed
            continue
        while packed:
            yield inflater.decompress(packed, CHUNK)
            if inflater.unused_data or (inflater.eof and left):
                _hostile(
                    f"Bytes follow the end of the packed data of {member.name!r}.",
                    "archive.size_mismatch",
                )
            packed = inflater.unconsumed_tail
    if inflater is not None:
        yield inflater.flush()
        if not inflater.eof:
            _damaged(f"The packed data of {member.name!r} end early.", "archive.compressed_data")


def _find_directory(file: BinaryIO) -> _Directory:
    """Find the end record (4.3.16): the last thing in the file but for a short plain comment."""
    total = file.seek(0, 2)
    tail_size = min(total, _END.size + _MAX16)
    file.seek(total - tail_size)
    tail = file.read(tail_size)
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        _damaged("This is not a zip file, or its end is missing.", "archive.not_zip")
    _, disk, first_disk, here, count, size, offset, comment_size = _END.unpack_from(tail, at)
    comment = tail[at + _END.size :]
    if len(comment) != comment_size:
        _hostile("Other data follow the end of the zip file.", "archive.trailing_data")
    plain_text = comment.isascii() and comment.decode("ascii").isprintable()
    if comment_size > COMMENT_MAX_BYTES or not plain_text:
        _hostile(
            f"The archive's comment ({comment_size:,} bytes) is not a short plain text.",
            "archive.comment",
        )
    end = total - tail_size + at
    directory = _Directory(offset, size, count)
    directory, end = _zip64_directory(file, directory, end)
    if (disk, first_disk, here) != (0, 0, count):
        _damaged("The archive is one part of a split zip file.", "archive.split")
    if directory.offset + directory.size != end:
        _hostile(
            "The directory of the zip file does not lie right before its end.",
            "archive.directory_misplaced",
        )
    return directory


def _zip64_directory(file: BinaryIO, plain: _Directory, end: int) -> tuple[_Directory, int]:
    """Read the 64-bit end record (4.3.14) where the plain one says that it is needed."""
    saturated = plain.count == _MAX16 or _MAX32 in (plain.size, plain.offset)
    at = end - _LOCATOR.size
    file.seek(max(at, 0))
    locator = file.read(_LOCATOR.size)
    if at < 0 or not locator.startswith(_LOCATOR_SIGNATURE):
        return plain, end
    record_at, disks = _LOCATOR.unpack(locator)[2:]
    if record_at + _END64.size != at or disks != 1:
        _hostile("The 64-bit end of the zip file is misplaced.", "archive.zip64")
    file.seek(record_at)
    signature, length, _, _, disk, first_disk, here, count, size, offset = _END64.unpack(
        file.read(_END64.size)
    )
    wide = _Directory(offset, size, count)
    agrees = all(
        narrow in (value, limit)
        for narrow, value, limit in (
            (plain.count, count, _MAX16),
            (plain.size, size, _MAX32),
            (plain.offset, offset, _MAX32),
        )
    )
    if (
        signature != _END64_SIGNATURE
        or length != _END64.size - 12
        or (disk, first_disk, here) != (0, 0, count)
        or not (agrees and saturated)
    ):
        _hostile("The two ends of the zip file contradict each other.", "archive.zip64")
    return wide, record_at


def _read_directory(file: BinaryIO, directory: _Directory) -> list[Member]:
    file.seek(directory.offset)
    data = file.read(directory.size)
    members, at = [], 0
    for _ in range(directory.count):
        if len(data) - at < _CENTRAL.size or not data.startswith(_CENTRAL_SIGNATURE, at):
            _damaged("The directory of the zip file is cut short.", "archive.directory")
        fields = _CENTRAL.unpack_from(data, at)
        name_size, extra_size, comment_size = fields[10:13]
        name_at = at + _CENTRAL.size
        extra_at = name_at + name_size
        at = extra_at + extra_size + comment_size
        if at > len(data):
            _damaged("The directory of the zip file is cut short.", "archive.directory")
        members.append(_member(fields, data[name_at:extra_at], data[extra_at : at - comment_size]))
    if at != len(data):
        _hostile("The directory of the zip file hides other data.", "archive.directory")
    return members


def _member(fields: tuple[int, ...], raw_name: bytes, raw_extra: bytes) -> Member:
    flags, method, crc, packed_size, size = fields[3], fields[4], *fields[7:10]
    disk, offset = fields[13], fields[16]
    name = _decoded(raw_name, flags)
    extra = _parsed_extra(raw_extra, name)
    sizes = _widened(extra, name, (size, packed_size, offset))
    if disk:
        _damaged("The archive is one part of a split zip file.", "archive.split")
    return Member(
        name=name,
        method=method,
        flags=flags,
        crc=crc,
        size=sizes[0],
        packed_size=sizes[1],
        mode=fields[15] >> 16,
        extra=extra,
        header_offset=sizes[2],
    )


def _decoded(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & FLAG_UTF8 else "cp437")
    except UnicodeDecodeError:
        _hostile(f"A file name is not valid UTF-8: {raw!r}.", "archive.name_encoding")


def _parsed_extra(raw: bytes, name: str) -> tuple[tuple[int, bytes], ...]:
    """Split the extra field (4.5.1); a second name in it (4.6.9) must be the same name."""
    extra, at = [], 0
    while at < len(raw):
        if len(raw) - at < 4:
            break  # Padding of fewer than four bytes is written by alignment tools.
        kind, size = struct.unpack_from("<2H", raw, at)
        body = raw[at + 4 : at + 4 + size]
        if len(body) != size:
            _damaged(f"The extra field of {name!r} is cut short.", "archive.extra_field")
        if kind == _EXTRA_UNICODE_PATH and body[5:].decode("utf-8", "replace") != name:
            _hostile(f"{name!r} carries a second, different name.", "archive.name_mismatch")
        extra.append((kind, body))
        at += 4 + size
    return tuple(extra)


def _widened(
    extra: tuple[tuple[int, bytes], ...], name: str, values: tuple[int, ...]
) -> tuple[int, ...]:
    """Replace each saturated 32-bit value by its 64-bit one from the extra field (4.5.3)."""
    wanted = sum(value == _MAX32 for value in values)
    bodies = [body for kind, body in extra if kind == _EXTRA_ZIP64]
    if not wanted:
        return values
    if len(bodies) != 1 or len(bodies[0]) != 8 * wanted:
        _hostile(f"The 64-bit sizes of {name!r} are missing or ambiguous.", "archive.zip64")
    wide = iter(struct.unpack(f"<{wanted}Q", bodies[0]))
    return tuple(next(wide) if value == _MAX32 else value for value in values)


def _require_contiguous(file: BinaryIO, members: list[Member], end: int) -> Iterator[Member]:
    """Yield the members in file order; each must begin where the one before it ends."""
    expected = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < expected:
            _hostile(f"{member.name!r} shares bytes with another file.", "archive.overlap")
        if member.header_offset > expected:
            what = "Data precede" if expected == 0 else "Hidden data lie before"
            code = "archive.leading_data" if expected == 0 else "archive.hidden_data"
            _hostile(f"{what} {member.name!r}.", code)
        data_offset = _matching_local_header(file, member, end)
        located = Member(**{**member.__dict__, "data_offset": data_offset})
        expected = data_offset + member.packed_size
        if member.flags & FLAG_DESCRIPTOR:
            expected += _descriptor_size(file, located)
        yield located
    if expected != end:
        code = "archive.overlap" if expected > end else "archive.hidden_data"
        _hostile("Hidden data lie before the directory of the zip file.", code)


def _matching_local_header(file: BinaryIO, member: Member, end: int) -> int:
    """Compare the local header (4.3.7) with the directory; return where the data begin."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_SIGNATURE):
        _damaged(f"The header of {member.name!r} is missing.", "archive.local_header")
    _, _, flags, method, _, _, crc, packed_size, size, name_size, extra_size = _LOCAL.unpack(header)
    raw_name, raw_extra = file.read(name_size), file.read(extra_size)
    name = _decoded(raw_name, flags)
    if name != member.name:
        _hostile(
            f"A file is called {name!r} in its own header and {member.name!r} in the directory.",
            "archive.name_mismatch",
        )
    extra = _parsed_extra(raw_extra, name)
    size, packed_size = _widened(extra, name, (size, packed_size))
    later = bool(flags & FLAG_DESCRIPTOR) and (crc, packed_size, size) == (0, 0, 0)
    same = (crc, packed_size, size) == (member.crc, member.packed_size, member.size)
    if (flags, method) != (member.flags, member.method) or not (same or later):
        _hostile(
            f"The header of {member.name!r} contradicts the directory.", "archive.header_mismatch"
        )
    data_offset = member.header_offset + _LOCAL.size + len(raw_name) + len(raw_extra)
    if data_offset + member.packed_size > end:
        _hostile(f"{member.name!r} runs past the files of the archive.", "archive.overlap")
    return data_offset


def _descriptor_size(file: BinaryIO, member: Member) -> int:
    """Return the length of the descriptor after the data (4.3.9), in one of its four forms."""
    file.seek(member.data_offset + member.packed_size)
    found = file.read(24)
    wide = struct.pack("<I2Q", member.crc, member.packed_size, member.size)
    narrow = struct.pack("<3I", member.crc, member.packed_size & _MAX32, member.size & _MAX32)
    for plain in (narrow, wide):
        for form in (_DESCRIPTOR_SIGNATURE + plain, plain):
            if found.startswith(form):
                return len(form)
    _hostile(f"What follows {member.name!r} contradicts the directory.", "archive.header_mismatch")


def _hostile(problem: str, code: str) -> NoReturn:
    raise HostileArchive(
        problem, remedy="Make the archive again with an ordinary zip tool.", code=code
    )


def _damaged(problem: str, code: str) -> NoReturn:
    raise InvalidArchive(
        problem, remedy="Make the archive again with an ordinary zip tool.", code=code
    )
