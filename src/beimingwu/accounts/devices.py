"""Signing a terminal in by a browser: RFC 8628's device codes.

The terminal shows a short code and waits with a long one; whoever is signed in types the short one
and agrees; the terminal is given a token, once.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from beimingwu.accounts.opaque import digest_of, new_secret
from beimingwu.accounts.records import Actor, Identity, Scope, Token
from beimingwu.accounts.rows import account_of, note, require_active
from beimingwu.accounts.tokens import make_token
from beimingwu.config import Settings
from beimingwu.dock.database import Database
from beimingwu.dock.schema import device as _device
from beimingwu.errors import Forbidden, InvalidInput, NotFound, TooManyRequests

#: Consonants only, as RFC 8628 advises: nothing to mistake, and no words.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LONGEST_CLIENT = 100
#: How long a terminal waits between two questions, in seconds.
INTERVAL = 5


@dataclass(frozen=True)
class DeviceCode:
    """What a terminal is given: a secret to ask with, and a code to show."""

    secret: str
    user_code: str
    expires: datetime


@dataclass(frozen=True)
class Device:
    """A terminal that asks to be signed in, as it is shown to whoever may agree."""

    user_code: str
    client: str
    scopes: tuple[Scope, ...]
    address: str
    created: datetime
    expires: datetime


class Devices:
    """The terminals that wait to be signed in."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._lifetime = timedelta(seconds=settings.device_seconds)

    def start(self, client: str, scopes: Collection[Scope], actor: Actor) -> DeviceCode:
        """Begin to sign a terminal in.

        Parameters
        ----------
        client
            What it calls itself; its token will have this name.

        Raises
        ------
        InvalidInput
            The name is empty or too long, or there are no scopes.
        """
        client = client.strip()
        if not 1 <= len(client) <= _LONGEST_CLIENT or not client.isprintable() or not scopes:
            raise InvalidInput(
                f"A terminal gives scopes, and a name of 1 to {_LONGEST_CLIENT} characters.",
                remedy="Name the program and the machine, such as `beimingwu on laptop`.",
                code="input.device",
            )
        secret, now = new_secret("device"), datetime.now(UTC)
        letters = [secrets.choice(_LETTERS) for _ in range(8)]
        code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        with self._database.writing() as connection:
            connection.execute(
                _device.insert().values(
                    digest=digest_of(secret),
                    user_code=code,
                    client=client,
                    scopes=sorted(map(str, set(scopes))),
                    address=actor.address[:64],
                    state="waiting",
                    created=now,
                    expires=now + self._lifetime,
                )
            )
        return DeviceCode(secret, code, now + self._lifetime)

    def look(self, user_code: str) -> Device:
        """Return the terminal that shows a code and waits.

        Raises
        ------
        NotFound
            None does.
        """
        with self._database.reading() as connection:
            row = _waiting(connection, user_code)
        return Device(
            user_code=row.user_code,
            client=row.client,
            scopes=tuple(map(Scope, row.scopes)),
            address=row.address,
            created=row.created,
            expires=row.expires,
        )

    def decide(self, user_code: str, identity: Identity, agreed: bool, actor: Actor) -> None:
        """Agree that a terminal acts for an account, or refuse it.

        Raises
        ------
        NotFound
            No terminal shows this code and waits.
        Forbidden
            It asks for more than whoever agrees may do.
        """
        with self._database.writing() as connection:
            row = _waiting(connection, user_code)
            if agreed and not set(map(Scope, row.scopes)) <= identity.scopes:
                raise Forbidden(
                    "The terminal asks for more than you may do with this token.",
                    remedy="Sign in with a browser and agree there.",
                    code="forbidden.scope",
                )
            connection.execute(
                _device.update()
                .where(_device.c.id == row.id)
                .values(state="agreed" if agreed else "refused", account=identity.account.id)
            )
            kind = "device_agreed" if agreed else "device_refused"
            note(connection, identity.account.id, kind, actor, {"client": row.client})

    def collect(self, secret: str, actor: Actor) -> tuple[str, Token] | None:
        """Return the token of a terminal that was agreed to, once; None while it has to wait.

        Raises
        ------
        NotFound
            Its code has ended, was used, or never was one.
        Forbidden
            It was refused.
        TooManyRequests
            It asked too soon again.
        """
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            row = connection.execute(
                sa.select(_device).where(
                    _device.c.digest == digest_of(secret), _device.c.expires > now
                )
            ).first()
            if row is None:
                raise NotFound(
                    "This code has ended.", remedy="Sign in anew.", code="not_found.device_code"
                )
            here = _device.c.id == row.id
            if row.state == "waiting":
                _require_pause(row.asked, now)
                connection.execute(_device.update().where(here).values(asked=now))
                return None
            connection.execute(_device.delete().where(here))
            if row.state == "agreed":
                account = account_of(connection, row.account)
                require_active(account)
                scopes = tuple(map(Scope, row.scopes))
                signed = Actor(account.owner, actor.address)
                return make_token(connection, account, row.client, scopes, signed, None)
        raise Forbidden(
            "Somebody refused to sign this terminal in.",
            remedy="Sign in anew, and compare the code.",
            code="forbidden.device",
        )


def _waiting(connection: sa.Connection, user_code: str) -> sa.Row[tuple[object, ...]]:
    letters = "".join(filter(str.isalpha, user_code.upper()))
    row = connection.execute(
        sa.select(_device).where(
            _device.c.user_code == f"{letters[:4]}-{letters[4:]}",
            _device.c.state == "waiting",
            _device.c.expires > datetime.now(UTC),
        )
    ).first()
    if row is None:
        raise NotFound(
            "No terminal that waits shows this code.",
            remedy="Compare it with what the terminal shows, or begin there anew.",
            code="not_found.device",
        )
    return row


def _require_pause(asked: datetime | None, now: datetime) -> None:
    if asked is not None and now - asked < timedelta(seconds=INTERVAL - 1):
        raise TooManyRequests(
            "The terminal asked again too soon.",
            remedy=f"Wait for {INTERVAL} seconds between two questions.",
            code="too_many_requests.device",
            retry_after=INTERVAL,
        )
