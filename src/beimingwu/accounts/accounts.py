"""All that concerns accounts, put together: `accounts.people`, `accounts.tokens` and so on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from beimingwu.accounts.devices import Devices
from beimingwu.accounts.passwords import Passwords
from beimingwu.accounts.people import People
from beimingwu.accounts.post import Post
from beimingwu.accounts.rates import Rates
from beimingwu.accounts.records import Account, AccountEvent, Session, Token
from beimingwu.accounts.registration import Registration
from beimingwu.accounts.reports import Report, Reports
from beimingwu.accounts.sessions import Sessions
from beimingwu.accounts.tallies import Tallies
from beimingwu.accounts.tokens import Tokens
from beimingwu.config import Settings
from beimingwu.dock import schema
from beimingwu.dock.database import Database

#: An account that was not confirmed is forgotten so long after its link has ended.
_GRACE = timedelta(days=7)


class Accounts:
    """The accounts of one dock; `close` sends the mails that wait.

    Parameters
    ----------
    database
        The dock's.
    settings
        Those in force when the server starts.
    url
        What the links in mails begin with.
    passwords
        How passwords are hashed; with all the work that is due where omitted.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from beimingwu.accounts import OPERATOR, Actor
    >>> database = Database(Path(tempfile.mkdtemp()) / "catalogue.sqlite")
    >>> accounts = Accounts(database, Settings(), "http://127.0.0.1:8088")
    >>> _ = accounts.people.add("ada@example.org", "Ada", "correct horse", OPERATOR)
    >>> accounts.people.sign_in("ada@example.org", "correct horse", Actor("")).name
    'Ada'
    >>> accounts.close()
    >>> database.close()
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        url: str = "",
        passwords: Passwords | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self.rates = Rates(settings)
        self.post = Post(settings)
        passwords = passwords or Passwords()
        self.people = People(database, passwords, self.rates)
        self.registration = Registration(database, settings, passwords, self.rates, self.post, url)
        self.tokens = Tokens(database)
        self.sessions = Sessions(database, settings)
        self.devices = Devices(database, settings)
        self.reports = Reports(database)
        self.tallies = Tallies(database)

    def is_ready(self) -> bool:
        """Tell whether the database answers."""
        with self._database.reading() as connection:
            return bool(connection.execute(sa.select(sa.literal(1))).scalar())

    def export(self, id: int) -> dict[str, object]:
        """Return all that is kept about an account, without secrets, as JSON.

        Raises
        ------
        NotFound
            There is no such account.
        """
        return {
            "account": _account(self.people.get(id)),
            "tokens": [_token(token) for token in self.tokens.of(id)],
            "sessions": [_session(session) for session in self.sessions.of(id)],
            "events": [
                _event(event.told_to_owner()) for event in self.people.events(id, limit=None)
            ],
            "reports": [_report(report) for report in self.reports.of(id)],
        }

    def tidy(self) -> None:
        """Forget what has ended: links, codes and sessions, and accounts never confirmed."""
        now = datetime.now(UTC)
        stale = now - timedelta(seconds=self._settings.link_seconds) - _GRACE
        with self._database.writing() as connection:
            for table in (schema.link, schema.device, schema.session):
                connection.execute(table.delete().where(table.c.expires <= now))
            never = sa.select(schema.account.c.id).where(
                schema.account.c.state == "unconfirmed", schema.account.c.created < stale
            )
            for table in (schema.link, schema.account_event):
                connection.execute(table.delete().where(table.c.account.in_(never)))
            connection.execute(schema.account.delete().where(schema.account.c.id.in_(never)))

    def close(self) -> None:
        """Send the mails that wait, and write what was counted."""
        self.post.close()
        self.tallies.flush()


def _account(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "role": account.role.word,
        "state": account.state,
        "created": account.created.isoformat(),
    }


def _token(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created": token.created.isoformat(),
        "expires": token.expires and token.expires.isoformat(),
        "used": token.used and token.used.isoformat(),
    }


def _session(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "agent": session.agent,
        "created": session.created.isoformat(),
        "expires": session.expires.isoformat(),
        "used": session.used.isoformat(),
    }


def _event(event: AccountEvent) -> dict[str, object]:
    return {
        "at": event.at.isoformat(),
        "kind": event.kind,
        "actor": event.actor,
        "address": event.address,
        "detail": dict(event.detail),
    }


def _report(report: Report) -> dict[str, object]:
    return {
        "learnware": report.learnware,
        "reason": str(report.reason),
        "text": report.text,
        "contact": report.contact,
        "state": report.state,
        "created": report.created.isoformat(),
    }
