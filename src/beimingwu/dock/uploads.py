"""Archives that arrive in pieces, from people whose connection may break between any two bytes.

An upload is announced with its size, so that quota and free space are known before a byte is sent.
Each piece is on disk before it is acknowledged, and the sender goes on from there. An upload whose
digest is the sender's is complete and can be submitted; all that is not submitted expires. What a
stranger's dock holds already is never told: every upload is received to its last byte.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from beimingwu.config import settings
from beimingwu.dock import schema
from beimingwu.dock.blobs import Received, noticing_a_full_disk
from beimingwu.dock.database import Database
from beimingwu.errors import Conflict, InvalidInput, NotFound, TooLarge

_upload, _revision, _learnware = schema.upload, schema.revision, schema.learnware
_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Upload:
    """An archive on its way.

    Parameters
    ----------
    id
        A secret of its owner: 32 digits.
    size, received
        Bytes that were announced, and those that arrived.
    sha256
        Of all of them, once it is complete.
    expires
        When it is dropped, if no further piece arrives and it is not submitted.
    """

    id: str
    owner: str
    size: int
    received: int
    sha256: str | None
    created: datetime
    expires: datetime


def named(owner: str, name: str) -> str:
    """Return the id of the upload that its owner calls so (see `Uploads.put`).

    Examples
    --------
    >>> named("account:7", "a name") == named("account:8", "a name")
    False
    """
    return hashlib.sha256(f"{owner}\n{name}".encode()).hexdigest()[:32]


class Uploads:
    """The uploads of one dock.

    Parameters
    ----------
    folder
        The dock's; the pieces lie in `uploads/`.
    database
        The catalogue's.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._home = folder / "uploads"
        self._home.mkdir(exist_ok=True)
        self._database = database

    def create(self, owner: str, size: int) -> Upload:
        """Announce an archive of `size` bytes.

        Raises
        ------
        InvalidInput
            No archive has this size.
        TooLarge
            `too_large.archive`, `too_large.quota`: more than one archive, or this owner, may have.
        Conflict
            `dock.disk_full`, or `conflict.uploads`: too many are open.
        """
        self._require_space(size)
        now = datetime.now(UTC)
        upload = Upload(secrets.token_hex(16), owner, size, 0, None, now, _expiry(now))
        path = self._home / upload.id
        with noticing_a_full_disk():
            path.touch(mode=0o600, exist_ok=False)
        try:
            with self._database.writing() as connection:
                _require_quota(connection, owner, size)
                connection.execute(_upload.insert().values(**vars(upload)))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return upload

    def show(self, owner: str, id: str) -> Upload:
        """Return how far an upload is.

        Raises
        ------
        NotFound
            This owner has none of this id.
        """
        if _ID.fullmatch(id):
            with self._database.reading() as connection:
                mine = (_upload.c.id == id) & (_upload.c.owner == owner)
                row = connection.execute(sa.select(_upload).where(mine)).mappings().first()
            if row is not None:
                return Upload(**row)
        raise NotFound(
            "There is no such upload, or none any more.",
            remedy="Begin a new one: an upload ends when it is submitted, and when it is left.",
            code="not_found.upload",
        )

    def append(self, owner: str, id: str, offset: int, piece: bytes) -> Upload:
        """Add bytes at the end of what arrived, durably, and return how far it is now.

        Raises
        ------
        NotFound
            As `show`.
        Conflict
            `conflict.offset`: it does not end at `offset`; `conflict.complete`: it is complete;
            `dock.disk_full`.
        TooLarge
            More bytes than were announced.
        """
        with self._opened(owner, id) as (upload, file), noticing_a_full_disk():
            _require_going_on(upload, offset, len(piece))
            # What a process wrote that died before it said so is not there.
            os.ftruncate(file, upload.received)
            _write_all(file, piece, upload.received)
            os.fdatasync(file)
            now = datetime.now(UTC)
            return self._change(upload, received=offset + len(piece), expires=_expiry(now))

    def put(self, owner: str, name: str, offset: int, piece: bytes) -> Upload:
        """Take a piece of an archive that nobody announced, and return how far it is now.

        It grows with its pieces, and quota and free space are looked at with each. A piece that
        comes again takes the place of what it was before.

        Parameters
        ----------
        name
            What its owner calls it; `named` finds it again.
        offset
            Where the piece begins; 0 begins an upload where there is none.

        Raises
        ------
        NotFound
            There is no such upload, and this is not its first piece.
        Conflict
            `conflict.offset`: what is before it is missing; `dock.disk_full`, `conflict.uploads`.
        TooLarge
            As `create`.
        """
        id = named(owner, name)
        if offset == 0:
            self._begin(owner, id, max(len(piece), 1))
        with self._opened(owner, id) as (upload, file), noticing_a_full_disk():
            end = max(upload.received, offset + len(piece))
            self._require_room_to_grow(upload, offset, end)
            os.ftruncate(file, upload.received)
            _write_all(file, piece, offset)
            os.fdatasync(file)
            expires = _expiry(datetime.now(UTC))
            return self._change(
                upload, size=max(upload.size, end), received=end, sha256=None, expires=expires
            )

    def seal(self, owner: str, name: str, md5: str) -> Received:
        """Return the archive of an upload that was `put`, if it is what was sent.

        Raises
        ------
        NotFound
            There is no such upload.
        InvalidInput
            `upload.digest`: its MD5 is another; the upload is dropped, to be sent anew.
        """
        id = named(owner, name)
        with self._opened(owner, id) as (upload, file):
            sha256 = self._digest(upload, file)
            with open(file, "rb", closefd=False) as whole:
                whole.seek(0)
                actual = hashlib.file_digest(whole, _md5).hexdigest()
            if actual == md5:
                self._change(upload, sha256=sha256, expires=_expiry(datetime.now(UTC)))
                return Received(self._home / id, sha256, upload.size)
        self.drop(owner, id)
        raise InvalidInput(
            "What arrived is not what was sent: its MD5 is another.",
            remedy="Send the archive again.",
            code="upload.digest",
        )

    def complete(self, owner: str, id: str, sha256: str) -> Upload:
        """End an upload: all of it arrived, and is what was sent. It may be said again.

        Raises
        ------
        NotFound
            As `show`.
        InvalidInput
            `input.digest`: not a SHA-256; `upload.digest`: not that of what arrived.
        Conflict
            `conflict.incomplete`: some of it is missing.
        """
        if not _DIGEST.fullmatch(sha256):
            raise InvalidInput(
                "A SHA-256 is 64 hexadecimal digits in lower case.",
                remedy="Send that of the whole archive.",
                code="input.digest",
            )
        with self._opened(owner, id) as (upload, file):
            if upload.received != upload.size:
                raise Conflict(
                    f"{upload.received:,} of {upload.size:,} bytes arrived.",
                    remedy="Send the rest, then complete it.",
                    code="conflict.incomplete",
                )
            actual = upload.sha256 or self._digest(upload, file)
            if actual != sha256:
                raise InvalidInput(
                    "What arrived is not what was sent: its SHA-256 is another.",
                    remedy="Drop this upload and send the archive again.",
                    code="upload.digest",
                )
            return self._change(upload, sha256=sha256, expires=_expiry(datetime.now(UTC)))

    def archive(self, owner: str, id: str) -> Received:
        """Return the archive of a complete upload, to be submitted.

        Raises
        ------
        NotFound, Conflict
            As `complete`.
        """
        upload = self.show(owner, id)
        if upload.sha256 is None:
            raise Conflict(
                "This upload is not complete.",
                remedy="Send what is missing, and complete it with its SHA-256.",
                code="conflict.incomplete",
            )
        return Received(self._home / id, upload.sha256, upload.size)

    def drop(self, owner: str, id: str) -> None:
        """Forget an upload with all that arrived.

        Raises
        ------
        NotFound
            As `show`.
        """
        self.show(owner, id)
        self._forget(_upload.c.id == id)

    def tidy(self) -> int:
        """Drop the uploads that were left, and files that no upload is of; return how many."""
        # First the files: one that is made now has its row a moment later, and is not old.
        strays = [path for path in self._home.iterdir() if _ID.fullmatch(path.name)]
        with self._database.reading() as connection:
            known = set(connection.execute(sa.select(_upload.c.id)).scalars())
        long_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
        for path in strays:
            # One that was dropped since is gone.
            with suppress(FileNotFoundError):
                if path.name not in known and path.stat().st_mtime < long_ago:
                    path.unlink()
        return self._forget(_upload.c.expires < datetime.now(UTC))

    def _forget(self, which: sa.ColumnElement[bool]) -> int:
        with self._database.writing() as connection:
            ids = list(connection.execute(sa.select(_upload.c.id).where(which)).scalars())
            connection.execute(_upload.delete().where(which))
        for id in ids:
            (self._home / id).unlink(missing_ok=True)
        return len(ids)

    @contextmanager
    def _opened(self, owner: str, id: str) -> Iterator[tuple[Upload, int]]:
        """Lend an upload with its file, to one at a time."""
        self.show(owner, id)
        try:
            file = os.open(self._home / id, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self._forget(_upload.c.id == id)
            file = -1
        try:
            if file >= 0:
                fcntl.flock(file, fcntl.LOCK_EX)
            # As it is now that nobody else changes it; gone where its file was.
            yield self.show(owner, id), file
        finally:
            if file >= 0:
                os.close(file)

    def _begin(self, owner: str, id: str, size: int) -> None:
        """Enter an upload of this very id, unless there is one."""
        with suppress(NotFound):
            self.show(owner, id)
            return
        self._require_space(size)
        now = datetime.now(UTC)
        with suppress(sa.exc.IntegrityError), self._database.writing() as connection:
            # Two first pieces at once: one of them enters it, and both are written to it.
            _require_quota(connection, owner, size)
            connection.execute(
                _upload.insert().values(**vars(Upload(id, owner, size, 0, None, now, _expiry(now))))
            )
            (self._home / id).touch(mode=0o600)

    def _require_room_to_grow(self, upload: Upload, offset: int, end: int) -> None:
        if offset > upload.received:
            raise Conflict(
                f"{upload.received:,} bytes arrived, and this piece begins at {offset:,}.",
                remedy="Send the pieces in their order, the first first.",
                code="conflict.offset",
            )
        if end > upload.size:
            self._require_space(end)
            with self._database.reading() as connection:
                _require_bytes(connection, upload.owner, end - upload.size)

    def _change(self, upload: Upload, **values: Any) -> Upload:
        with self._database.writing() as connection:
            changed = connection.execute(
                _upload.update().where(_upload.c.id == upload.id).values(**values)
            )
        if changed.rowcount == 0:
            return self.show(upload.owner, upload.id)
        return Upload(**{**vars(upload), **values})

    def _digest(self, upload: Upload, file: int) -> str:
        os.ftruncate(file, upload.size)
        os.fsync(file)
        with open(file, "rb", closefd=False) as whole:
            whole.seek(0)
            return hashlib.file_digest(whole, "sha256").hexdigest()

    def _require_space(self, size: int) -> None:
        limits = settings()
        if size < 1:
            raise InvalidInput(
                f"`size` must be an int in the range [1, inf). Got {size} instead.",
                remedy="Announce the archive's size in bytes.",
                code="input.size",
            )
        if size > limits.archive_max_bytes:
            raise TooLarge(
                f"The archive has {size:,} bytes; {limits.archive_max_bytes:,} are accepted.",
                remedy="Make it smaller, or ask who runs this dock.",
                code="too_large.archive",
            )
        free = shutil.disk_usage(self._home).free
        if free - size < limits.free_min_bytes:
            raise Conflict(
                "There is not enough space for this archive on the dock's disk.",
                remedy="Tell who runs this dock, and try it again later.",
                code="dock.disk_full",
            )


def _require_going_on(upload: Upload, offset: int, length: int) -> None:
    if upload.sha256 is not None:
        raise Conflict(
            "This upload is complete.",
            remedy="Submit it, or begin a new one.",
            code="conflict.complete",
        )
    if offset != upload.received:
        raise Conflict(
            f"{upload.received:,} bytes arrived, and this piece begins at {offset:,}.",
            remedy="Ask how far the upload is, and go on from there.",
            code="conflict.offset",
        )
    if offset + length > upload.size:
        raise TooLarge(
            f"{upload.size:,} bytes were announced, and this piece would end at "
            f"{offset + length:,}.",
            remedy="Send what was announced, or begin a new upload.",
            code="too_large.upload",
        )


def _require_quota(connection: sa.Connection, owner: str, size: int) -> None:
    counted = sa.select(sa.func.count()).select_from(_upload).where(_upload.c.owner == owner)
    count = connection.execute(counted).scalar_one()
    if count >= settings().uploads_max:
        raise Conflict(
            f"{count} uploads are open.",
            remedy="Submit them or drop them first.",
            code="conflict.uploads",
        )
    _require_bytes(connection, owner, size)


def _require_bytes(connection: sa.Connection, owner: str, size: int) -> None:
    quota = settings().quota_bytes
    uploading = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(_upload.c.size), 0)).where(_upload.c.owner == owner)
    ).scalar_one()
    # Revisions that share an archive keep it once.
    kept = (
        sa.select(_revision.c.archive_sha256, _revision.c.size)
        .join(_learnware, _learnware.c.id == _revision.c.learnware)
        .where(_learnware.c.owner == owner, _revision.c.state.in_(schema.KEPT))
        .distinct()
        .subquery()
    )
    stored = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(kept.c.size), 0))).scalar()
    used = int(uploading) + int(stored or 0)
    if used + size > quota:
        raise TooLarge(
            f"{used:,} of {quota:,} bytes are used; {size:,} more do not fit.",
            remedy="Delete learnwares that are not needed, or ask who runs this dock for more.",
            code="too_large.quota",
        )


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _write_all(file: int, piece: bytes, offset: int) -> None:
    view = memoryview(piece)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _expiry(now: datetime) -> datetime:
    return now + timedelta(seconds=settings().upload_seconds)
