"""Submissions that were made under a key, so that asking for one again makes no second one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.database import Database
from beimingwu.dock.records import Once, Revision
from beimingwu.dock.rows import revisions_where
from beimingwu.errors import Conflict

_key = schema.submission_key
#: How long a key is remembered.
KEPT_FOR = timedelta(days=2)


def asked_before(connection: sa.Connection, owner: str, once: Once | None) -> Revision | None:
    """Return the revision that was made under a key of an owner, None for none.

    Raises
    ------
    Conflict
        Something else was asked for under it, or what was made is deleted.
    """
    if once is None:
        return None
    mine = (_key.c.owner == owner) & (_key.c.key == once.key)
    row = connection.execute(sa.select(_key.c.fingerprint, _key.c.revision).where(mine)).first()
    if row is None:
        return None
    found = revisions_where(connection, schema.revision.c.id == row.revision)
    if row.fingerprint != once.fingerprint or not found:
        raise Conflict(
            "This key was used for another submission.",
            remedy="Use a new key for each submission, and the same one only to repeat it.",
            code="conflict.key",
        )
    return found[0]


def note_key(connection: sa.Connection, revision: Revision, once: Once | None) -> None:
    """Remember that a revision was made under a key."""
    if once is None:
        return
    connection.execute(
        _key.insert().values(
            owner=revision.owner,
            key=once.key,
            fingerprint=once.fingerprint,
            revision=revision.key,
            created=datetime.now(UTC),
        )
    )


def forget_keys(database: Database) -> int:
    """Forget the keys that are too old to be used again, and return how many."""
    with database.writing() as connection:
        old = _key.c.created < datetime.now(UTC) - KEPT_FOR
        return connection.execute(_key.delete().where(old)).rowcount
