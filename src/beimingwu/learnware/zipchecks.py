"""The rules that every member of a learnware archive must pass, one small named check per rule.

The reader has already established what the archive says; these decide whether we want it. Each
check takes one member (or all of them) and raises with its own code. Used by `archive.py` only.
"""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Callable, Sequence
from typing import NoReturn

from beimingwu.config import MiB, Settings
from beimingwu.errors import HostileArchive, InvalidArchive, TooLarge
from beimingwu.learnware.zipreader import (
    DEFLATED,
    FLAG_ENCRYPTED,
    FLAGS_REFUSED,
    STORED,
    Member,
)

NAME_MAX_BYTES, COMPONENT_MAX_BYTES, DEPTH_MAX = 1024, 255, 32
#: A few kilobytes of zeros pack a thousandfold and harm nobody; ratios count above this.
RATIO_FROM_BYTES = 1 * MiB
#: Encrypted by the AES scheme of WinZip, which does not always set the flag.
_METHOD_AES = 99
#: Extra fields that carry the target of a Unix link (4.5.7 and the ASi extension).
_EXTRA_PKWARE_UNIX, _EXTRA_ASI_UNIX = 0x000D, 0x756E
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def check_members(members: Sequence[Member], settings: Settings) -> None:
    """Run every check over every member.

    Raises
    ------
    HostileArchive
        A name that escapes or collides, a link, an encrypted member, a compression bomb.
    InvalidArchive
        A name or a compression method that we do not accept.
    TooLarge
        Unpacked, the archive is over `settings.archive_max_unpacked_bytes`.

    Examples
    --------
    >>> check_members([], Settings())
    """
    for member in members:
        for check in MEMBER_CHECKS:
            check(member)
        check_ratio(member, settings.archive_max_ratio)
    check_names_are_distinct(members)
    check_total(members, settings.archive_max_unpacked_bytes)


def check_name_is_text(member: Member) -> None:
    """A name holds no NUL, control or direction-changing character: shown is what is meant."""
    controls = [c for c in member.name if unicodedata.category(c) in ("Cc", "Cs")]
    if controls or _DIRECTION_MARKS.search(member.name):
        _hostile(member, "has control characters in its name", "archive.name_control")


def check_name_length(member: Member) -> None:
    """A name is as long and as deep as file systems allow."""
    parts = member.name.rstrip("/").split("/")
    long = len(member.name.encode()) > NAME_MAX_BYTES or any(
        len(part.encode()) > COMPONENT_MAX_BYTES for part in parts
    )
    if not member.name or long or len(parts) > DEPTH_MAX:
        raise InvalidArchive(
            f"A file name is empty, too long or too deep: {member.name[:60]!r}.",
            remedy="Use shorter names and fewer folders.",
            code="archive.name_length",
        )


def check_name_is_relative(member: Member) -> None:
    """A name does not start at the root."""
    if member.name.startswith("/"):
        _hostile(member, "has an absolute path", "archive.path_absolute")


def check_name_has_no_backslash(member: Member) -> None:
    """A backslash separates folders on one system and is a letter on another."""
    if "\\" in member.name:
        _hostile(member, "has a backslash in its name", "archive.path_backslash")


def check_name_has_no_drive(member: Member) -> None:
    """A colon names a drive, or a hidden stream of a file, on Windows."""
    if ":" in member.name:
        _hostile(member, "names a drive or a stream", "archive.path_drive")


def check_name_stays_inside(member: Member) -> None:
    """No component is `..`."""
    if ".." in member.name.split("/"):
        _hostile(member, "leads out of the archive", "archive.path_escape")


def check_name_is_normal(member: Member) -> None:
    """No component is `.` or empty, so that one file has one name."""
    parts = member.name.removesuffix("/").split("/")
    if "." in parts or "" in parts:
        _hostile(member, "is not written as a plain path", "archive.path_not_normal")


def check_is_file_or_folder(member: Member) -> None:
    """No symbolic links: their target decides what is read or written later."""
    linked = member.file_type == stat.S_IFLNK or any(
        (kind == _EXTRA_PKWARE_UNIX and len(body) > 12)
        or (kind == _EXTRA_ASI_UNIX and len(body) > 14)
        for kind, body in member.extra
    )
    if linked:
        _hostile(member, "is a link", "archive.link")
    if member.file_type not in (0, stat.S_IFREG, stat.S_IFDIR):
        _hostile(member, "is a device, socket or pipe", "archive.special_file")


def check_folders_are_empty(member: Member) -> None:
    """A folder holds no bytes of its own, and only folders are called folders."""
    claims = member.file_type == stat.S_IFDIR
    if (member.is_folder and member.size) or (claims and not member.is_folder):
        _hostile(member, "is both a folder and a file", "archive.file_is_folder")


def check_is_not_encrypted(member: Member) -> None:
    """What nobody can read nobody can check."""
    if member.flags & (FLAG_ENCRYPTED | FLAGS_REFUSED) or member.method == _METHOD_AES:
        _hostile(member, "is encrypted or patched", "archive.encrypted")


def check_compression(member: Member) -> None:
    """Only stored and deflated: every zip tool reads these, and neither asks for much memory."""
    if member.method not in (STORED, DEFLATED):
        raise InvalidArchive(
            f"{member.name!r} is packed by method {member.method}.",
            remedy="Pack with the ordinary method, deflate.",
            code="archive.compression_method",
        )
    if member.method == STORED and member.size != member.packed_size:
        _hostile(member, "declares two sizes", "archive.size_mismatch")


#: In this order: what a name holds before what it means, so that each refusal has one cause.
MEMBER_CHECKS: tuple[Callable[[Member], None], ...] = (
    check_name_is_text,
    check_name_length,
    check_name_has_no_backslash,
    check_name_has_no_drive,
    check_name_is_relative,
    check_name_stays_inside,
    check_name_is_normal,
    check_is_file_or_folder,
    check_folders_are_empty,
    check_is_not_encrypted,
    check_compression,
)


def check_ratio(member: Member, limit: int) -> None:
    """Unpacked, a large member is at most `limit` times its packed size."""
    if member.size > RATIO_FROM_BYTES and member.size > limit * member.packed_size:
        _hostile(
            member,
            f"unpacks to more than {limit} times its packed size",
            "archive.bomb_ratio",
        )


def check_names_are_distinct(members: Sequence[Member]) -> None:
    """No two members land on one file on any system: by case, by Unicode form, file on folder."""
    seen: dict[str, Member] = {}
    for member in members:
        name = _folded(member.name)
        if name in seen:
            exact = seen[name].name == member.name
            _hostile(
                member,
                "appears twice" if exact else f"is the same file as {seen[name].name!r}",
                "archive.duplicate" if exact else "archive.name_collision",
            )
        seen[name] = member
    files = {name for name, member in seen.items() if not member.is_folder}
    for name, member in seen.items():
        parts = name.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in files:
                _hostile(member, "lies in a folder that is also a file", "archive.file_is_folder")


def check_total(members: Sequence[Member], limit: int) -> None:
    """Unpacked, all members together stay under `limit` bytes."""
    total = sum(member.size for member in members)
    if total > limit:
        raise TooLarge(
            f"The archive unpacks to {total / MiB:,.1f} MiB; {limit / MiB:,.0f} are accepted.",
            remedy="Leave out what the model does not need to predict.",
            code="archive.bomb_total",
        )


def _folded(name: str) -> str:
    """Return the name as a file system that ignores case and Unicode form would."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def _hostile(member: Member, what: str, code: str) -> NoReturn:
    raise HostileArchive(
        f"{member.name[:100]!r} {what}.",
        remedy="Make the archive again with an ordinary zip tool.",
        code=code,
    )
