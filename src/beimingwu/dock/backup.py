"""A dock copied while it runs, brought back into an empty folder, and its blobs verified.

A backup is a folder: the catalogue as it was at one moment, in one SQLite file wherever it comes
from, and every blob that it refers to. What is being uploaded is left out.
Nothing is collected meanwhile, and blobs are on disk before the catalogue knows them, so none is
missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from beimingwu.dock.belonging import CATALOGUE, catalogue_of, holds_dock, opened_catalogue
from beimingwu.dock.blobs import Blobs, sync_folder
from beimingwu.dock.database import Database
from beimingwu.dock.locks import locks_of
from beimingwu.dock.schema import KEPT, NEWEST
from beimingwu.dock.schema import revision as _revision
from beimingwu.dock.transfer import copy_catalogue
from beimingwu.errors import Conflict, DockDamaged, InvalidInput, NotFound

_ABOUT = "backup.json"
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


def back_up(folder: Path, target: Path, database: str = "") -> Backup:
    """Copy the dock in a folder into another folder, also while servers run on it.

    Parameters
    ----------
    database
        The setting of that name: where the catalogue is, unless it is in the folder.

    Raises
    ------
    NotFound
        There is no dock in the folder.
    InvalidInput
        The target is not an empty folder, nor a name for a new one.
    DockDamaged
        A blob is missing or damaged; the backup is not whole.
    Conflict, Unavailable
        The catalogue is elsewhere, or does not answer.
    """
    if not holds_dock(folder):
        raise NotFound(
            f"There is no dock in {str(folder)!r}.",
            remedy="Check --dock and BEIMINGWU_DOCK.",
            code="not_found.dock",
        )
    where = catalogue_of(folder, database)
    _require_empty(target)
    locks = locks_of(folder, where)
    try:
        with locks.writing():
            copied = target / f"{CATALOGUE}.part"
            _copy_catalogue(where, copied)
            digests = _digests_in(copied)
            size = _copy_blobs(folder, target, digests) + copied.stat().st_size
    finally:
        locks.leave()
    copied.replace(target / CATALOGUE)
    backup = Backup(target, datetime.now(UTC), len(digests), size)
    _write_about(backup, _digest(target / CATALOGUE))
    return backup


def restore(source: Path, folder: Path, database: str = "") -> Backup:
    """Bring a backup back, as the dock in an empty folder; every byte of it is verified.

    Parameters
    ----------
    database
        The PostgreSQL database that the catalogue goes into, a new one; a file in the folder where
        empty. It need not be the kind that the backup was made of.

    Raises
    ------
    NotFound
        There is no backup in the source.
    InvalidInput
        The folder is not empty.
    DockDamaged
        The backup is not what was written; the folder is no dock then.
    Conflict
        It was written by a newer Beimingwu; or the database is not empty.
    """
    about = _read_about(source)
    _require_empty(folder)
    if _digest(source / CATALOGUE) != about["catalogue_sha256"]:
        raise _not_whole(source, "its catalogue is not the one that was written")
    digests = _digests_in(source / CATALOGUE)
    part = folder / f"{CATALOGUE}.part"
    with (source / CATALOGUE).open("rb") as read, _private(part) as written:
        shutil.copyfileobj(read, written, _CHUNK)
        written.flush()
        os.fsync(written.fileno())
    size = part.stat().st_size
    # The catalogue comes last, since it makes the folder a dock.
    if database:
        size += _restore_into_server(source, folder, database, part, digests)
    else:
        size += _copy_blobs(source, folder, digests)
        part.replace(folder / CATALOGUE)
        sync_folder(folder)
    return Backup(folder, datetime.fromisoformat(str(about["created"])), len(digests), size)


def _restore_into_server(
    source: Path, folder: Path, database: str, part: Path, digests: set[str]
) -> int:
    """Copy blobs, and then a catalogue out of its file into a database; return the blobs' bytes."""
    locks = locks_of(folder, database)
    try:
        with locks.opening():
            catalogue = opened_catalogue(folder, database)
        with closing(catalogue), closing(Database(part)) as copied, locks.writing():
            size = _copy_blobs(source, folder, digests)
            copy_catalogue(copied, catalogue.database)
    finally:
        locks.leave()
        for left in folder.glob(f"{part.name}*"):
            left.unlink()
    return size


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


def _copy_catalogue(where: Path | str, target: Path) -> None:
    """Copy a catalogue as it is at one moment into a new file."""
    _private(target).close()
    if isinstance(where, Path):
        reads = f"{where.as_uri()}?mode=ro"
        with closing(sqlite3.connect(reads, uri=True)) as source, _file(target) as copy:
            source.backup(copy)
            copy.execute("DELETE FROM upload")
            copy.commit()
    else:
        with closing(Database(where)) as there, closing(Database(target)) as here:
            copy_catalogue(there, here)
    with _file(target) as copy:
        # One file: no journal beside it that could be forgotten.
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


def _file(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    folder.mkdir(0o700, parents=True, exist_ok=True)


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
