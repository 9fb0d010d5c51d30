"""The catalogue of a dock that many machines share: a PostgreSQL database.

Writers come one after another, by an advisory lock that their transaction holds until others can
see what it did. So what a writer reads cannot change before it commits, and the ids of events
become visible in their order: whoever sees one sees all below it, which is what indexes follow.
Readers see one moment and wait for nobody. Used by `database` and `locks`; connect to the server
itself and not through a pooler that lends one session to many.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from beimingwu.errors import (
    BeimingwuError,
    Conflict,
    DockDamaged,
    InvalidInput,
    MissingDependency,
    Unavailable,
)

#: The key of an advisory lock, by the name `lock`. Advisory locks are the database's, and another
#: schema of it may hold another dock.
LOCK = "hashtextextended(concat_ws(':', 'beimingwu', current_schema(), CAST(:lock AS text)), 0)"

_DRIVERS = ("postgresql", "postgres", "postgresql+psycopg")
# Both ends ask after one another, so that a machine that lost its power, or its way, is given up
# within half a minute: its session ends, and with it what it holds.
_CLIENT = {
    "application_name": "beimingwu",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SERVER = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "idle_session_timeout": "0",
    # What a full text is indexed by is long and lies apart from its row. The planner thinks that
    # reading it for every row costs nothing, and for a common word it costs seconds.
    "enable_seqscan": "off",
    "jit": "off",
}
_DISK_FULL = ("53100",)
_DAMAGED = ("XX001", "XX002")
_BUSY = ("55P03", "57014", "40P01", "40001")
_AWAY = ("08", "57P0", "53", "25P03", "25006")


class PostgreSQL:
    """A catalogue in a database of its own, or in a schema of one.

    Parameters
    ----------
    given
        `postgresql://USER:PASSWORD@HOST:PORT/NAME`; parameters of libpq may follow, such as
        `?sslmode=verify-full` or `?options=-csearch_path%3DNAME` for a schema.
    patience
        How long a writer waits for another, in seconds, and how long it may do nothing.

    Raises
    ------
    InvalidInput
        It does not have this form.
    MissingDependency
        psycopg is not installed.

    Examples
    --------
    >>> print(PostgreSQL("postgresql://ada:secret@db.example.org/dock", 60.0))
    The database postgresql://ada:***@db.example.org/dock
    """

    dialect = "postgresql"
    #: Execution options of a transaction that reads, and of one that writes.
    reads: MappingProxyType[str, Any] = MappingProxyType(
        {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    # READ COMMITTED: each statement sees what was committed before it began, and the first one ends
    # when the writer before has. A snapshot of the whole transaction would be older than its turn.
    writes: MappingProxyType[str, Any] = MappingProxyType(
        {"isolation_level": "READ COMMITTED", "writes": True}
    )

    def __init__(self, given: str, patience: float) -> None:
        self._url = _parsed(given)
        self._milliseconds = int(patience * 1000)

    def __str__(self) -> str:
        shown = self._url.set(drivername="postgresql", query={})
        return f"The database {shown.render_as_string(hide_password=True)}"

    def engine(self, pool: type[sa.Pool], **settings: str) -> sa.Engine:
        """Return an engine that has not connected yet; `settings` are those of its sessions."""
        query = dict(self._url.query)
        options = " ".join(f"-c {name}={value}" for name, value in {**_SERVER, **settings}.items())
        # Those of the caller come last, and hold.
        query["options"] = f"{options} {query.get('options', '')}".strip()
        url = self._url.set(drivername="postgresql+psycopg", query={**_CLIENT, **query})
        try:
            engine = sa.create_engine(url, poolclass=pool, pool_pre_ping=True, hide_parameters=True)
        except ModuleNotFoundError:
            raise MissingDependency(
                "A catalogue on PostgreSQL needs psycopg.",
                remedy="Install it: pip install 'beimingwu[postgres]'.",
            ) from None
        sa.event.listen(engine, "begin", self._begin)
        return engine

    def require(self, connection: sa.Connection) -> None:
        """Refuse a new database that could not hold every text.

        Raises
        ------
        InvalidInput
            Its encoding is not UTF-8.
        """
        encoding = connection.execute(sa.text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise InvalidInput(
                f"{self} has the encoding {encoding}, which cannot hold every text.",
                remedy="Make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
                code="input.database_encoding",
            )

    def told(self, error: sa.exc.DBAPIError) -> BeimingwuError | None:
        """Return as an error of ours what only the dock's operator can mend, and None else."""
        state = getattr(error.orig, "sqlstate", None)
        if state is None:
            return self._untold(error)
        if state in _DISK_FULL:
            return Conflict(
                f"The disk is full: nothing can be written to it. {self} says: {_line(error)}",
                remedy="Make space on the database's disk, and try it again.",
                code="dock.disk_full",
            )
        if state in _DAMAGED:
            return self.damaged(error)
        if state in _BUSY:
            return Unavailable(
                f"{self} was kept busy for too long: {_line(error)}",
                remedy="Try it again; look at pg_stat_activity if it happens often.",
                code="dock.busy",
            )
        return self._away(error) if state.startswith(_AWAY) else None

    def damaged(self, error: sa.exc.DBAPIError) -> DockDamaged:
        """Return the error for a database that cannot be read."""
        return DockDamaged(
            f"{self} cannot be read: {_line(error)}",
            remedy="Restore it from a backup; PostgreSQL's log says which part is damaged.",
            code="dock.damaged",
        )

    def _untold(self, error: sa.exc.DBAPIError) -> BeimingwuError | None:
        """Tell of what the server has no code for: it was not reached, or not asked at all."""
        if isinstance(error, sa.exc.OperationalError):
            return self._away(error)
        if isinstance(error, sa.exc.ProgrammingError) and error.statement is None:
            return InvalidInput(
                f"{self} cannot be asked with these parameters: {_line(error)}",
                remedy="After the `?` come parameters of libpq, such as sslmode=verify-full.",
                code="input.database",
            )
        return None

    def _away(self, error: sa.exc.DBAPIError) -> Unavailable:
        return Unavailable(
            f"{self} cannot be used: {_line(error)}",
            remedy="See that it runs and takes this user and password, then try it again.",
            code="dock.unreachable",
        )

    def _begin(self, connection: sa.Connection) -> None:
        if not connection.get_execution_options().get("writes", False):
            return
        # A writer that is stopped in the middle would stop all others; the server ends it then.
        patience = ("lock_timeout", "idle_in_transaction_session_timeout")
        limits = ", ".join(
            f"set_config('{name}', '{self._milliseconds}', true)" for name in patience
        )
        connection.execute(sa.text(f"SELECT {limits}"))
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK})"), {"lock": "writing"})


def _parsed(given: str) -> sa.URL:
    try:
        url = sa.make_url(given)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _DRIVERS:
        # What was given is not shown: there may be a password anywhere in it.
        raise InvalidInput(
            "The database must be given as postgresql://USER:PASSWORD@HOST:PORT/NAME.",
            remedy="Correct BEIMINGWU_DATABASE, or unset it for a catalogue in the dock's folder.",
            code="input.database",
        )
    return url


def _line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
