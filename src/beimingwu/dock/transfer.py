"""A whole catalogue copied into another database: from a file to a server, and back.

Rows are copied as they are, with their ids; the full text is made anew, since every database keeps
it in its own way. Uploads are left out: their pieces lie outside the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.database import Database
from beimingwu.dock.fulltext import full_text
from beimingwu.dock.rows import newest_revision
from beimingwu.errors import Conflict
from beimingwu.specification.semantic import SemanticSpecification

_learnware, _revision = schema.learnware, schema.revision
_BATCH = 500


def copy_catalogue(source: Database, target: Database) -> None:
    """Copy a catalogue, as it is at one moment, into one that is empty.

    Raises
    ------
    Conflict
        The other holds learnwares or accounts.
    """
    with source.reading() as read, target.writing() as write:
        _require_nothing(write)
        for table in schema.metadata.sorted_tables:
            if table is not schema.upload:
                _copy_rows(read, write, table)
        _index_text(write)


def _require_nothing(connection: sa.Connection) -> None:
    for table in (_learnware, schema.account):
        if connection.execute(sa.select(sa.exists().select_from(table))).scalar():
            raise Conflict(
                f"The database to restore into is not empty: it has a {table.name}.",
                remedy="Make a new database, and name that.",
                code="conflict.database_not_empty",
            )


def _copy_rows(read: sa.Connection, write: sa.Connection, table: sa.Table) -> None:
    rows = read.execution_options(yield_per=_BATCH).execute(sa.select(table)).mappings()
    for batch in rows.partitions(_BATCH):
        write.execute(table.insert(), [dict(row) for row in batch])
    if write.dialect.name == "postgresql" and table.autoincrement_column is not None:
        # Ids go on after the highest; a server's sequence does not see those that are given to it.
        column = table.autoincrement_column
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        highest = sa.select(sa.func.max(column)).scalar_subquery()
        began = highest.is_not(None)
        write.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(highest, 1), began)))


def _index_text(connection: sa.Connection) -> None:
    text = full_text(connection.dialect.name)
    for number, semantic in _shown(connection):
        text.put(connection, number, SemanticSpecification.from_json(semantic))


def _shown(connection: sa.Connection) -> Iterator[tuple[int, dict[str, object]]]:
    """Return the semantic specification that each learnware shows, a batch at a time."""
    newest = newest_revision()
    shown = sa.func.coalesce(_learnware.c.current_revision, newest)
    statement = (
        sa.select(_learnware.c.id, _revision.c.semantic)
        .select_from(_learnware)
        .join(_revision, _revision.c.id == shown)
        .where(_learnware.c.state != "deleted")
        .order_by(_learnware.c.id)
        .limit(_BATCH)
    )
    after = 0
    while batch := connection.execute(statement.where(_learnware.c.id > after)).all():
        yield from ((row.id, row.semantic) for row in batch)
        after = batch[-1].id
