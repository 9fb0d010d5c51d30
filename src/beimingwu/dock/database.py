"""The SQLite file behind an embedded dock: opened, upgraded, and one way to begin a transaction.

WAL mode lets readers go on beside one writer, in this process or another. Every writing transaction
begins IMMEDIATE, so what it reads cannot change before it commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from beimingwu.dock.schema import NEWEST
from beimingwu.errors import Conflict, DockDamaged

#: How long a transaction waits for another process's, in seconds.
_PATIENCE = 60.0


class Database:
    """A catalogue's database: `reading()` and `writing()` lend connections in a transaction.

    Parameters
    ----------
    path
        The SQLite file; made and brought to the newest schema when it is not.

    Raises
    ------
    DockDamaged
        The file is no database, not a catalogue of ours, or of a newer Beimingwu.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = _engine(path, sa.QueuePool)
        try:
            self._prepare()
        except sa.exc.DatabaseError as error:
            self._engine.dispose()
            raise _damaged(path, error) from None
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Lend a connection that sees one moment of the catalogue.

        Raises
        ------
        DockDamaged
            A page of the file is not what SQLite wrote.
        """
        with self._told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Lend the one connection that writes; commits at the end, or leaves no trace.

        Raises
        ------
        DockDamaged
            As `reading`.
        Conflict
            `dock.disk_full`: there is no space left to write to.
        """
        with self._told(), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise as an error of ours what only the dock's operator can mend, and leave the rest."""
        try:
            yield
        except sa.exc.DatabaseError as error:
            # The low byte is the result code; the rest of an extended one tells it more closely.
            code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                raise Conflict(
                    f"The disk is full: nothing can be written to {str(self._path)!r}.",
                    remedy="Make space on that disk, and try it again.",
                    code="dock.disk_full",
                ) from None
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise _damaged(self._path, error) from None
            raise

    def close(self) -> None:
        """Let go of the file; a later read opens it for that read alone."""
        self._engine.dispose()
        self._engine = _engine(self._path, sa.NullPool)

    def _prepare(self) -> None:
        with self.reading() as connection:
            version = schema_version(connection)
        if version == NEWEST:
            return
        if version is not None and version > NEWEST:
            raise DockDamaged(
                f"The dock {str(self._path.parent)!r} was written by a newer Beimingwu "
                f"(schema {version}; this one knows {NEWEST}).",
                remedy="Upgrade beimingwu: pip install --upgrade beimingwu.",
                code="dock.newer",
            )
        from beimingwu.dock.migrations import upgrade

        with self.writing() as connection:
            upgrade(connection)


def schema_version(connection: sa.Connection) -> str | None:
    """Return the version of the schema, or None for an empty database.

    Raises
    ------
    DockDamaged
        The database holds tables, and they are not ours.
    """
    tables = set(sa.inspect(connection).get_table_names())
    if not tables:
        return None
    if not {"alembic_version", "learnware", "revision"} <= tables:
        raise DockDamaged(
            f"The database holds the tables {', '.join(sorted(tables)[:5])}, and is no catalogue.",
            remedy="Open another folder; Beimingwu makes its own catalogue in it.",
            code="dock.foreign",
        )
    version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def _damaged(path: Path, error: sa.exc.DatabaseError) -> DockDamaged:
    return DockDamaged(
        f"The catalogue {str(path)!r} cannot be read: {error.orig}.",
        remedy="Restore the dock's folder from a backup, or open another folder.",
        code="dock.damaged",
    )


def _engine(path: Path, pool: type[sa.Pool]) -> sa.Engine:
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, poolclass=pool, connect_args={"timeout": _PATIENCE})
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: object, record: object) -> None:
    # The driver's own transaction control is off: it would begin deferred, and only before a write.
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
