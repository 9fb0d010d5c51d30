"""Rows of accounts and their events, read and written one at a time within a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from beimingwu.accounts.records import Account, AccountEvent, Actor, Role
from beimingwu.dock.schema import account as _account
from beimingwu.dock.schema import account_event as _event
from beimingwu.errors import Forbidden, NotFound


def account_where(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Account | None:
    """Return the one account that satisfies a condition, deleted or not."""
    row = connection.execute(sa.select(_account).where(which)).mappings().one_or_none()
    return None if row is None else account_from(row)


def account_of(connection: sa.Connection, id: int) -> Account:
    """Return an account.

    Raises
    ------
    NotFound
        There is none of that id, or none any more.
    """
    found = account_where(connection, _account.c.id == id)
    if found is None or found.state == "deleted":
        raise no_account(id)
    return found


def account_from(row: Mapping[Any, Any]) -> Account:
    """Return the account of a row."""
    return Account(
        id=row["id"],
        email=row["email"] or "",
        name=row["name"],
        role=Role(row["role"]),
        state=row["state"],
        created=row["created"],
    )


def set_account(connection: sa.Connection, id: int, **values: object) -> None:
    """Change columns of an account."""
    connection.execute(_account.update().where(_account.c.id == id).values(**values))


def note(
    connection: sa.Connection,
    account: int,
    kind: str,
    actor: Actor,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write an event of an account into the audit."""
    connection.execute(
        _event.insert().values(
            at=datetime.now(UTC),
            account=account,
            kind=kind,
            actor=actor.name,
            address=actor.address[:64],
            detail=dict(detail or {}),
        )
    )


def events_where(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    before: int | None = None,
    limit: int | None = 100,
) -> tuple[AccountEvent, ...]:
    """Return events that satisfy a condition, the newest first, those before an id."""
    statement = sa.select(_event).where(which).order_by(_event.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_event.c.id < before)
    rows = connection.execute(statement)
    return tuple(
        AccountEvent(row.id, row.at, row.account, row.kind, row.actor, row.address, row.detail)
        for row in rows
    )


def no_account(id: int) -> NotFound:
    """Return the error for an id that no account has, or that was deleted."""
    return NotFound(
        f"There is no account {id}.",
        remedy="Look for it in the list of accounts; a deleted id is never used again.",
        code="not_found.account",
    )


def require_active(account: Account) -> None:
    """Refuse an account that may not be used, to somebody who showed that it is theirs.

    Raises
    ------
    Forbidden
        It is suspended.
    """
    if account.state != "active":
        raise Forbidden(
            "This account is suspended.",
            remedy="Ask who runs this dock.",
            code="forbidden.suspended",
        )
