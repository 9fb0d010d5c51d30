"""Browsers that are signed in: an opaque cookie each, kept as a digest, ending by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from beimingwu.accounts.opaque import digest_of, new_secret
from beimingwu.accounts.records import EVERYTHING, Account, Actor, Identity, Session
from beimingwu.accounts.rows import account_of, note, require_active
from beimingwu.accounts.tokens import USE_NOTED_EVERY
from beimingwu.config import Settings
from beimingwu.dock.database import Database
from beimingwu.dock.schema import session as _session
from beimingwu.errors import NotFound, Unauthenticated

_LONGEST_AGENT = 200


class Sessions:
    """The sessions of all accounts."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._whole = timedelta(seconds=settings.session_seconds)
        self._idle = timedelta(seconds=settings.session_idle_seconds)

    def open(self, account: Account, agent: str, actor: Actor) -> tuple[str, Session]:
        """Sign a browser in, and return the secret of its cookie and what the session is.

        Raises
        ------
        Forbidden
            The account is suspended.
        """
        require_active(account)
        secret, now = new_secret("session"), datetime.now(UTC)
        values = {
            "account": account.id,
            "digest": digest_of(secret),
            "agent": "".join(filter(str.isprintable, agent))[:_LONGEST_AGENT],
            "created": now,
            "expires": now + self._whole,
            "used": now,
        }
        with self._database.writing() as connection:
            key = connection.execute(_session.insert().values(values)).inserted_primary_key
            [id] = key or (0,)
            note(connection, account.id, "signed_in", actor, {"session": id})
            row = connection.execute(sa.select(_session).where(_session.c.id == id)).one()
        return secret, _session_from(row)

    def of(self, account: int) -> tuple[Session, ...]:
        """Return the sessions of an account that have not ended, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_session)
                .where(_session.c.account == account, self._living())
                .order_by(_session.c.id.desc())
            )
            return tuple(_session_from(row) for row in rows)

    def close(self, account: int, id: int, actor: Actor) -> None:
        """End a session.

        Raises
        ------
        NotFound
            The account has no such session.
        """
        with self._database.writing() as connection:
            gone = connection.execute(
                _session.delete().where(_session.c.id == id, _session.c.account == account)
            )
            if not gone.rowcount:
                raise NotFound(
                    f"This account has no session {id}.",
                    remedy="See the list of its sessions.",
                    code="not_found.session",
                )
            note(connection, account, "signed_out", actor, {"session": id})

    def identify(self, secret: str) -> Identity:
        """Return whose session this is.

        Raises
        ------
        Unauthenticated
            Nobody's, or it has ended.
        """
        now = datetime.now(UTC)
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(_session).where(_session.c.digest == digest_of(secret), self._living())
            ).first()
            if row is None:
                raise Unauthenticated(
                    "The session has ended.",
                    remedy="Sign in again.",
                    code="unauthenticated.session",
                )
            account = account_of(connection, row.account)
        if row.used < now - USE_NOTED_EVERY:
            with self._database.writing() as connection:
                connection.execute(
                    _session.update().where(_session.c.id == row.id).values(used=now)
                )
        return Identity(account, EVERYTHING, "session", row.id)

    def _living(self) -> sa.ColumnElement[bool]:
        now = datetime.now(UTC)
        return (_session.c.expires > now) & (_session.c.used > now - self._idle)


def end_sessions(connection: sa.Connection, account: int, besides: int | None = None) -> None:
    """End the sessions of an account within the caller's transaction, all but one."""
    connection.execute(
        _session.delete().where(_session.c.account == account, _session.c.id != (besides or 0))
    )


def _session_from(row: sa.Row[tuple[object, ...]]) -> Session:
    return Session(row.id, row.account, row.agent, row.created, row.expires, row.used)
