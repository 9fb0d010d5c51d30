"""Rows of the catalogue, read and written one at a time within the caller's transaction.

Used by `catalogue`, which decides what belongs together in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.records import Revision, id_of, no_learnware, number_of
from beimingwu.errors import Conflict
from beimingwu.learnware.record import State, Step

_learnware, _revision, _event = schema.learnware, schema.revision, schema.event


def newest_revision() -> sa.ScalarSelect[int]:
    """Return the newest revision of each learnware, for a statement about learnwares."""
    every = _revision.alias("every")
    return (
        sa.select(sa.func.max(every.c.id))
        .where(every.c.learnware == _learnware.c.id)
        .correlate(_learnware)
        .scalar_subquery()
    )


def revisions_where(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Revision]:
    """Return the revisions that satisfy a condition, oldest first, without deleted ones."""
    rows = connection.execute(
        sa.select(_revision, _learnware.c.owner)
        .join(_learnware, _learnware.c.id == _revision.c.learnware)
        .where(which, _revision.c.state != "deleted")
        .order_by(_revision.c.id)
    ).mappings()
    return [Revision.from_row({**row}, row["owner"]) for row in rows]


def served_revision(connection: sa.Connection, id: str) -> Revision:
    """Return the revision in force; see `Catalogue.current` for what it raises."""
    number = number_of(id)
    state = learnware_state(connection, number)
    row = sa.select(_learnware.c.current_revision).where(_learnware.c.id == number)
    current = connection.execute(row).scalar()
    if current is None:
        raise wrong_state(id, state, "none of its revisions is published")
    return revisions_where(connection, _revision.c.id == current)[0]


def learnware_state(connection: sa.Connection, number: int) -> State:
    """Return the state of a learnware; NotFound where there is none, or none any more."""
    row = sa.select(_learnware.c.state).where(_learnware.c.id == number)
    state: State | None = connection.execute(row).scalar()
    if state is None or state == "deleted":
        raise no_learnware(id_of(number))
    return state


def current_key(connection: sa.Connection, revision: Revision) -> int | None:
    """Return the row of the revision in force of the learnware that `revision` is of, if any."""
    number = number_of(revision.learnware)
    row = sa.select(_learnware.c.current_revision).where(_learnware.c.id == number)
    key: int | None = connection.execute(row).scalar()
    return key


def wrong_state(id: str, state: State, rule: str) -> Conflict:
    """Return the error for a call that the state of a learnware forbids."""
    return Conflict(
        f"Learnware {id} is {state}: {rule}.",
        remedy=f"See how it stands with `show {id}`.",
        code="conflict.state",
    )


def put_step(connection: sa.Connection, revision: Revision, step: Step) -> None:
    """Add a step to the log of a revision, in place of one of its name that was done before."""
    row = sa.select(_revision.c.checks).where(_revision.c.id == revision.key)
    log: Sequence[Mapping[str, object]] = connection.execute(row).scalar() or ()
    others = [had for had in log if had["name"] != step.name]
    set_revision(connection, revision, checks=[*others, step.to_json()])


def set_revision(connection: sa.Connection, revision: Revision, **values: object) -> None:
    """Change columns of a revision."""
    values["changed"] = datetime.now(UTC)
    connection.execute(_revision.update().where(_revision.c.id == revision.key).values(**values))


def set_learnware(connection: sa.Connection, revision: Revision, **values: object) -> None:
    """Change columns of the learnware that `revision` is of."""
    number = number_of(revision.learnware)
    connection.execute(_learnware.update().where(_learnware.c.id == number).values(**values))


def note_event(
    connection: sa.Connection,
    revision: Revision,
    kind: str,
    actor: str,
    detail: dict[str, object] | None = None,
) -> None:
    """Write an event into the audit, with which the change sequence moves on."""
    connection.execute(
        _event.insert().values(
            at=datetime.now(UTC),
            learnware=number_of(revision.learnware),
            revision=revision.number,
            kind=kind,
            actor=actor,
            detail=detail or {},
        )
    )


def insert_row(connection: sa.Connection, table: sa.Table, values: Mapping[str, object]) -> int:
    """Insert a row and return its key."""
    key = connection.execute(table.insert().values(dict(values))).inserted_primary_key
    if key is None:
        raise AssertionError(f"{table.name} has a primary key")
    return int(key[0])
