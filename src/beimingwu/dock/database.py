"""A catalogue's database: opened, upgraded, and one way to begin a transaction.

What differs between an SQLite file and PostgreSQL is in `sqlite` and `postgresql`. Either way
readers see one moment, writers come one after another, and what an operator has to mend is told as
an error of ours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from beimingwu.dock.postgresql import PostgreSQL
from beimingwu.dock.schema import NEWEST
from beimingwu.dock.sqlite import SQLite
from beimingwu.errors import BeimingwuError, DockDamaged, InvalidInput, Unavailable

#: How long a transaction waits for another's, in seconds.
_PATIENCE = 60.0


class Database:
    """A catalogue's database: `reading()` and `writing()` lend connections in a transaction.

    Parameters
    ----------
    where
        An SQLite file, or the URL of a PostgreSQL database; made and brought to the newest schema
        when it is not.

    Raises
    ------
    DockDamaged
        It is no database, not a catalogue of ours, or of a newer Beimingwu.
    InvalidInput, MissingDependency, Unavailable
        The URL is none, its driver is not installed, or nobody answers there.
    """

    def __init__(self, where: Path | str) -> None:
        self.where = where
        self._kind = database_kind(where)
        self._engine = self._kind.engine(sa.QueuePool)
        self._writer = threading.Lock()
        try:
            self._prepare()
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._kind.dialect

    def schema(self) -> str:
        """Return the name of the schema that holds the tables; `main` in SQLite."""
        if self.dialect == "sqlite":
            return "main"
        with self.reading() as connection:
            return str(connection.execute(sa.text("SELECT current_schema()")).scalar())

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Lend a connection that sees one moment of the catalogue.

        Raises
        ------
        DockDamaged
            A page of the file is not what the database wrote.
        Unavailable
            `dock.unreachable`: nobody answers; `dock.busy`: not soon enough.
        InvalidInput
            `input.text`: a text was passed that no database can hold.
        """
        engine = self._engine.execution_options(**self._kind.reads)
        with self._told(), engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Lend the one connection that writes; commits at the end, or leaves no trace.

        Whoever reads the id of an event sees every change that has a lower one.

        Raises
        ------
        DockDamaged, Unavailable, InvalidInput
            As `reading`.
        Conflict
            `dock.disk_full`: there is no space left to write to.
        """
        engine = self._engine.execution_options(**self._kind.writes)
        with self._told(), self._alone(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # The threads of this process queue here, with no connection of the pool in their hands:
        # otherwise those who wait could leave none to read with.
        if not self._writer.acquire(timeout=_PATIENCE):
            raise self._busy()
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise as an error of ours what only the dock's operator can mend, and leave the rest."""
        try:
            yield
        except (sa.exc.DataError, UnicodeEncodeError) as error:
            problem = getattr(error, "orig", None) or error
            raise InvalidInput(
                f"A value cannot be kept in the catalogue, or asked for: {problem}.",
                remedy="Leave out NUL and halves of surrogate pairs, and keep to the limits.",
                code="input.text",
            ) from None
        except sa.exc.DBAPIError as error:
            ours = self._kind.told(error)
            if ours is None:
                raise
            raise ours from None
        except sa.exc.TimeoutError:
            raise self._busy() from None

    def _busy(self) -> BeimingwuError:
        return Unavailable(
            f"{self._kind} was kept busy by others of this process for too long.",
            remedy="Try it again.",
            code="dock.busy",
        )

    def close(self) -> None:
        """Let go of the database; a later read opens it for that read alone."""
        self._engine.dispose()
        self._engine = self._kind.engine(sa.NullPool)

    def _prepare(self) -> None:
        try:
            with self.reading() as connection:
                version = schema_version(connection)
                if version is None:
                    self._kind.require(connection)
        except sa.exc.DatabaseError as error:
            raise self._kind.damaged(error) from None
        if version == NEWEST:
            return
        if version is not None and version > NEWEST:
            raise DockDamaged(
                f"{self._kind} was written by a newer Beimingwu "
                f"(schema {version}; this one knows {NEWEST}).",
                remedy="Upgrade beimingwu: pip install --upgrade beimingwu.",
                code="dock.newer",
            )
        from beimingwu.dock.migrations import upgrade

        with self.writing() as connection:
            upgrade(connection)


def database_kind(where: Path | str) -> SQLite | PostgreSQL:
    """Return how to speak to the database in a file or at a URL; see `Database`."""
    if isinstance(where, Path):
        return SQLite(where, _PATIENCE)
    return PostgreSQL(where, _PATIENCE)


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
            remedy="Name another one; Beimingwu makes its own catalogue in it.",
            code="dock.foreign",
        )
    version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)
