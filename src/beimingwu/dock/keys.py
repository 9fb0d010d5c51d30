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
#: What stands before an MD5; no key that a client chooses begins so.
_MD5 = "md5:"


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


def note_md5(database: Database, owner: str, md5: str, revision: Revision) -> None:
    """Remember that the archive of a revision has an MD5; as long as a key is remembered."""
    values = {
        "fingerprint": revision.archive_sha256,
        "revision": revision.key,
        "created": datetime.now(UTC),
    }
    mine = _of_md5(owner, md5)
    with database.writing() as connection:
        if not connection.execute(_key.update().where(mine).values(values)).rowcount:
            connection.execute(_key.insert().values(owner=owner, key=f"{_MD5}{md5}", **values))


def of_md5(database: Database, owner: str, md5: str) -> str | None:
    """Return the learnware that an owner has of the archive of an MD5, None where none is known."""
    with database.reading() as connection:
        key = connection.execute(sa.select(_key.c.revision).where(_of_md5(owner, md5))).scalar()
        found = revisions_where(connection, schema.revision.c.id == key) if key else []
    kept = [revision for revision in found if revision.state in schema.KEPT]
    return kept[0].learnware if kept else None


def _of_md5(owner: str, md5: str) -> sa.ColumnElement[bool]:
    return (_key.c.owner == owner) & (_key.c.key == f"{_MD5}{md5}")


def forget_keys(database: Database) -> int:
    """Forget the keys that are too old to be used again, and return how many."""
    with database.writing() as connection:
        old = _key.c.created < datetime.now(UTC) - KEPT_FOR
        return connection.execute(_key.delete().where(old)).rowcount
