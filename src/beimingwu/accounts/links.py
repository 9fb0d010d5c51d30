"""Links in mails: each for one purpose, good once, and only for some time.

The secret stands behind the `#` of a link, which no browser sends to any server: it is in no log
and in no Referer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from beimingwu.accounts.opaque import digest_of, new_secret
from beimingwu.dock.schema import link as _link
from beimingwu.errors import NotFound

#: To confirm the address of a new account, to choose a new password, to confirm a new address.
Purpose = Literal["confirm", "reset", "email"]


@dataclass(frozen=True)
class Used:
    """A link that was good, and is no more."""

    account: int
    purpose: Purpose
    detail: Mapping[str, str]


def make_link(
    connection: sa.Connection,
    account: int,
    purpose: Purpose,
    seconds: int,
    detail: Mapping[str, str] | None = None,
) -> str:
    """Make a link within the caller's transaction, and return its secret."""
    secret, now = new_secret("link"), datetime.now(UTC)
    connection.execute(
        _link.insert().values(
            account=account,
            purpose=purpose,
            digest=digest_of(secret),
            detail=dict(detail or {}),
            created=now,
            expires=now + timedelta(seconds=seconds),
        )
    )
    return secret


def use_link(connection: sa.Connection, secret: str, *purposes: Purpose) -> Used:
    """Use a link up within the caller's transaction.

    Raises
    ------
    NotFound
        It was used, has ended, is for something else, or never was one.
    """
    which = (
        (_link.c.digest == digest_of(secret))
        & _link.c.purpose.in_(purposes)
        & (_link.c.expires > datetime.now(UTC))
    )
    row = connection.execute(sa.select(_link).where(which)).first()
    # Whoever deletes the row has it, also where two come at once.
    if row is None or not connection.execute(_link.delete().where(which)).rowcount:
        raise NotFound(
            "This link was used already, or has ended.",
            remedy="Ask for a new one.",
            code="not_found.link",
        )
    return Used(row.account, row.purpose, row.detail)


def forget_links(connection: sa.Connection, account: int, *purposes: Purpose) -> None:
    """End the links of an account that are for some purposes."""
    connection.execute(
        _link.delete().where(_link.c.account == account, _link.c.purpose.in_(purposes))
    )
