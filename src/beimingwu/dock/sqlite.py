"""The catalogue of an embedded dock: one SQLite file, in WAL mode, in the dock's folder.

WAL lets readers go on beside one writer, in this process or another. Every writing transaction
begins IMMEDIATE, so what it reads cannot change before it commits. Used by `database`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa

from beimingwu.errors import BeimingwuError, Conflict, DockDamaged, Unavailable


class SQLite:
    """A catalogue in a file.

    Parameters
    ----------
    path
        The file; made when it is first connected to.
    patience
        How long a transaction waits for another process's, in seconds.
    """

    dialect = "sqlite"
    #: Execution options of a transaction that reads, and of one that writes.
    reads = MappingProxyType({"writes": False})
    writes = MappingProxyType({"writes": True})

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience

    def __str__(self) -> str:
        return f"The dock {str(self._path.parent)!r}"

    def engine(self, pool: type[sa.Pool]) -> sa.Engine:
        """Return an engine that has not connected yet."""
        url = sa.URL.create("sqlite", database=str(self._path))
        engine = sa.create_engine(
            url, poolclass=pool, connect_args={"timeout": self._patience}, hide_parameters=True
        )
        sa.event.listen(engine, "connect", _configure)
        sa.event.listen(engine, "begin", _begin)
        return engine

    def require(self, connection: sa.Connection) -> None:
        """Accept every new file: SQLite's own format serves."""

    def told(self, error: sa.exc.DBAPIError) -> BeimingwuError | None:
        """Return as an error of ours what only the dock's operator can mend, and None else."""
        # The low byte is the result code; the rest of an extended one tells it more closely.
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return Conflict(
                f"The disk is full: nothing can be written to {str(self._path)!r}.",
                remedy="Make space on that disk, and try it again.",
                code="dock.disk_full",
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Unavailable(
                f"Another process kept {str(self._path)!r} to itself for too long.",
                remedy="Try it again; find that process if it happens often.",
                code="dock.busy",
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self.damaged(error)
        return None

    def damaged(self, error: sa.exc.DBAPIError) -> DockDamaged:
        """Return the error for a file that cannot be read."""
        return DockDamaged(
            f"The catalogue {str(self._path)!r} cannot be read: {error.orig}.",
            remedy="Restore the dock's folder from a backup, or open another folder.",
            code="dock.damaged",
        )


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
