"""Which catalogue a dock's folder belongs to, so that no folder is ever opened with another's.

Opening a dock clears away blobs that its catalogue does not know. Under the wrong catalogue these
would be all of them: a setting that was forgotten must not cost a dock. An SQLite catalogue lies in
the folder itself; a folder whose catalogue is on PostgreSQL and that catalogue bear one mark.
"""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import sqlalchemy as sa

from beimingwu.dock.blobs import sync_folder
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.database import Database
from beimingwu.errors import Conflict, DockDamaged, InvalidInput

#: The catalogue of an embedded dock.
CATALOGUE = "catalogue.sqlite"
#: Says in its place that the catalogue is on PostgreSQL, and bears the mark.
ELSEWHERE = "catalogue.postgresql"

_MARK = re.compile(r"[0-9a-f]{32}")
# A comment goes with the table when it is dumped and restored.
_READ = sa.text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")


def holds_dock(folder: Path) -> bool:
    """Tell whether a folder is a dock's."""
    return any((folder / name).is_file() for name in (CATALOGUE, ELSEWHERE))


def made_folder(folder: Path) -> Path:
    """Make a folder where there is none, and return its whole path.

    Only its owner may look into a new one: a catalogue holds addresses and hashes of passwords.

    Raises
    ------
    InvalidInput
        It cannot be made.
    """
    folder = folder.expanduser()
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"The dock's folder {str(folder)!r} cannot be made: {error.strerror}.",
            remedy="Name a folder that you may write to.",
            code="input.dock_folder",
        ) from None
    return folder.absolute()


def catalogue_of(folder: Path, database: str) -> Path | str:
    """Return where the catalogue of a dock is: its own file, or the URL where one is given.

    Raises
    ------
    Conflict
        The folder has its catalogue in the other place.
    """
    if database and (folder / CATALOGUE).exists():
        raise Conflict(
            f"The dock {str(folder)!r} has its catalogue in the file {CATALOGUE}.",
            remedy="Unset BEIMINGWU_DATABASE to open it, or name another folder.",
            code="dock.other_catalogue",
        )
    if not database and (folder / ELSEWHERE).exists():
        raise Conflict(
            f"The dock {str(folder)!r} has its catalogue in a PostgreSQL database.",
            remedy="Say in which: set BEIMINGWU_DATABASE to postgresql://….",
            code="dock.other_catalogue",
        )
    return database or folder / CATALOGUE


def opened_catalogue(folder: Path, where: Path | str) -> Catalogue:
    """Open a catalogue for its folder; do it while the dock is being opened, alone.

    A new catalogue takes a folder without blobs.

    Raises
    ------
    DockDamaged, InvalidInput, MissingDependency, Unavailable
        As `Database`; and where what marks the folder is not what was written.
    Conflict
        The folder, or the catalogue, belongs to another.
    """
    catalogue = Catalogue(where)
    try:
        if catalogue.database.dialect == "postgresql":
            _require_belonging(folder, catalogue.database)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def _require_belonging(folder: Path, database: Database) -> None:
    here = _mark_of(folder / ELSEWHERE)
    with database.reading() as connection:
        there: str | None = connection.execute(_READ).scalar()
    if there is not None and here == there:
        return
    if there is not None or any((folder / "blobs").glob("*/*")):
        mark = f"put {there} into its file {ELSEWHERE}" if there else "start with an empty one"
        raise Conflict(
            f"The folder {str(folder)!r} is not that of the catalogue in BEIMINGWU_DATABASE.",
            remedy=f"Check both settings; if this folder replaces one that was lost, {mark}.",
            code="dock.other_folder",
        )
    mark = here or uuid.uuid4().hex
    _write(folder / ELSEWHERE, f"{mark}\n")
    with database.writing() as connection:
        # Only the digits of a mark are put in; COMMENT takes no parameters.
        connection.execute(sa.text(f"COMMENT ON TABLE alembic_version IS '{mark}'"))


def _write(path: Path, text: str) -> None:
    """Have a text on disk before the catalogue says that it is there."""
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _mark_of(path: Path) -> str | None:
    try:
        mark = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    # A crash in the middle of `_write` leaves it empty, and the catalogue without a mark.
    if mark and not _MARK.fullmatch(mark):
        raise DockDamaged(
            f"The file {str(path)!r} should hold the 32 digits that mark this dock.",
            remedy="Restore the file from a backup.",
            code="dock.mark",
        )
    return mark or None
