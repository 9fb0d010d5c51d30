"""A dock copied while it runs, brought back into an empty folder, and its blobs verified.

A backup is a folder: the catalogue as it was at one moment, and every blob that it refers to.
Nothing is collected meanwhile, and blobs are on disk before the catalogue knows them, so none is
missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from beimingwu.dock.blobs import Blobs, sync_folder
from beimingwu.dock.database import Database
from beimingwu.dock.locks import FolderLocks
from beimingwu.dock.schema import KEPT, NEWEST
from beimingwu.dock.schema import revision as _revision
from beimingwu.errors import Conflict, DockDamaged, InvalidInput, NotFound

_CATALOGUE, _ABOUT = "catalogue.sqlite", "backup.json"
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Backup:
    """What a backup holds.

    Parameters
    ----------
    blobs, size
        The number of blobs, and the bytes of all together with the catalogue.
    """

    folder: Path
    created: datetime
    blobs: int
    size: int


@dataclass(frozen=True)
class Verified:
    """What came of reading one blob.

    Parameters
    ----------
    problem
        Empty where its bytes are those it is named by.
    """

    digest: str
    problem: str


def back_up(folder: Path, target: Path) -> Backup:
    """Copy the dock in a folder into another folder, also while servers run on it.

    Raises
    ------
    NotFound
        There is no dock with a catalogue in the folder.
    InvalidInput
        The target is not an empty folder, nor a name for a new one.
    DockDamaged
        A blob is missing or damaged; the backup is not whole.
    """
    catalogue = folder / _CATALOGUE
    if not catalogue.is_file():
        raise NotFound(
            f"There is no catalogue in {str(folder)!r}.",
            remedy="Name a dock's folder; of a catalogue in PostgreSQL, make a dump with pg_dump.",
            code="not_found.dock",
        )
    _require_empty(target)
    locks = FolderLocks(folder)
    try:
        with locks.writing():
            copied = target / f"{_CATALOGUE}.part"
            _copy_catalogue(catalogue, copied)
            digests = _digests_in(copied)
            size = _copy_blobs(folder, target, digests) + copied.stat().st_size
    finally:
        locks.leave()
    copied.replace(target / _CATALOGUE)
    backup = Backup(target, datetime.now(UTC), len(digests), size)
    _write_about(backup, hashlib.sha256((target / _CATALOGUE).read_bytes()).hexdigest())
    return backup


def restore(source: Path, folder: Path) -> Backup:
    """Bring a backup back, as the dock in an empty folder; every byte of it is verified.

    Raises
    ------
    NotFound
        There is no backup in the source.
    InvalidInput
        The folder is not empty.
    DockDamaged
        The backup is not what was written; the folder is no dock then.
    Conflict
        It was written by a newer Beimingwu.
    """
    about = _read_about(source)
    _require_empty(folder)
    content = (source / _CATALOGUE).read_bytes()
    if hashlib.sha256(content).hexdigest() != about["catalogue_sha256"]:
        raise _not_whole(source, "its catalogue is not the one that was written")
    size = _copy_blobs(source, folder, _digests_in(source / _CATALOGUE)) + len(content)
    # Last, since it makes the folder a dock.
    part = folder / f"{_CATALOGUE}.part"
    with _private(part) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / _CATALOGUE)
    sync_folder(folder)
    created = datetime.fromisoformat(str(about["created"]))
    return Backup(folder, created, int(str(about["blobs"])), size)


def verify_blobs(folder: Path, database: Database) -> Iterator[Verified]:
    """Read every blob that a dock's catalogue refers to against its name, one after another."""
    with database.reading() as connection:
        digests = _live_digests(connection)
    blobs = Blobs(folder)
    for digest in sorted(digests):
        try:
            blobs.verified(digest)
        except DockDamaged as error:
            yield Verified(digest, error.problem)
        else:
            yield Verified(digest, "")


def _digests_in(catalogue: Path) -> set[str]:
    """Return the digest of every blob that a copied catalogue refers to."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(catalogue)))
    try:
        with engine.connect() as connection:
            return _live_digests(connection)
    finally:
        engine.dispose()


def _live_digests(connection: sa.Connection) -> set[str]:
    rows = connection.execute(
        sa.select(_revision.c.archive_sha256, _revision.c.specification_sha256).where(
            _revision.c.state.in_(KEPT)
        )
    )
    return {digest for row in rows for digest in row}


def _copy_catalogue(catalogue: Path, target: Path) -> None:
    _private(target).close()
    with (
        closing(sqlite3.connect(f"{catalogue.as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        # The copy is one file: no journal beside it that could be forgotten.
        copy.execute("PRAGMA journal_mode = DELETE")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _copy_blobs(source: Path, target: Path, digests: set[str]) -> int:
    """Copy blobs, verifying each on its way, and return their bytes."""
    size = 0
    shelves = {digest[:2] for digest in digests}
    for shelf in shelves:
        (target / "blobs" / shelf).mkdir(parents=True)
    for digest in digests:
        name = Path("blobs") / digest[:2] / digest
        size += _copy_verified(source / name, target / name, digest)
    for shelf in shelves:
        sync_folder(target / "blobs" / shelf)
    return size


def _copy_verified(source: Path, target: Path, digest: str) -> int:
    hashed, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as read, target.open("xb") as written:
            while chunk := read.read(_CHUNK):
                hashed.update(chunk)
                size += len(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
    except FileNotFoundError:
        raise _not_whole(source.parents[2], f"the blob {digest} is missing") from None
    if hashed.hexdigest() != digest:
        raise _not_whole(source.parents[2], f"the blob {digest} is damaged")
    return size


def _write_about(backup: Backup, catalogue: str) -> None:
    about = {
        "created": backup.created.isoformat(),
        "schema": NEWEST,
        "blobs": backup.blobs,
        "catalogue_sha256": catalogue,
    }
    path = backup.folder / _ABOUT
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    sync_folder(backup.folder)


def _read_about(source: Path) -> dict[str, object]:
    try:
        about = json.loads((source / _ABOUT).read_text(encoding="utf-8"))
        newer = str(about["schema"]) > NEWEST
    except FileNotFoundError:
        raise NotFound(
            f"There is no backup in {str(source)!r}.",
            remedy="Name a folder that `beimingwu admin backup` wrote to its end.",
            code="not_found.backup",
        ) from None
    except (ValueError, KeyError, TypeError):
        raise _not_whole(source, f"its {_ABOUT} cannot be read") from None
    if newer:
        raise Conflict(
            f"The backup {str(source)!r} was written by a newer Beimingwu.",
            remedy="Upgrade beimingwu: pip install --upgrade beimingwu.",
            code="dock.newer",
        )
    return dict(about)


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(
            f"{str(folder)!r} is not an empty folder.",
            remedy="Name a new folder, or an empty one.",
            code="input.folder",
        )
    folder.mkdir(parents=True, exist_ok=True)


def _private(path: Path) -> BinaryIO:
    """Open a new file that only this user may read: a catalogue holds hashes of passwords."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")


def _not_whole(folder: Path, why: str) -> DockDamaged:
    return DockDamaged(
        f"What is in {str(folder)!r} is not whole: {why}.",
        remedy="See the others with `beimingwu admin verify`, or use another backup.",
        code="dock.not_whole",
    )
