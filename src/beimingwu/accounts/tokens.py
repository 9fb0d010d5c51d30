"""API tokens: shown once, kept as digests, with a name, scopes and a day on which they end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from beimingwu.accounts.opaque import digest_of, new_secret
from beimingwu.accounts.records import Account, Actor, Identity, Scope, Token
from beimingwu.accounts.rows import account_of, note
from beimingwu.dock.database import Database
from beimingwu.dock.schema import token as _token
from beimingwu.errors import Conflict, InvalidInput, NotFound, Unauthenticated

_LONGEST_NAME = 100
_MOST = 100
#: A use is noted so often at most: a request that reads should not have to write.
USE_NOTED_EVERY = timedelta(minutes=1)


class Tokens:
    """The API tokens of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        account: Account,
        name: str,
        scopes: Collection[Scope],
        actor: Actor,
        *,
        expires: datetime | None = None,
    ) -> tuple[str, Token]:
        """Make a token and return its secret, which nobody can be told again, and what it is.

        Raises
        ------
        InvalidInput
            The name is empty or too long, there are no scopes, or it would have ended already.
        Conflict
            The account has a hundred tokens.
        """
        with self._database.writing() as connection:
            return make_token(connection, account, name, scopes, actor, expires)

    def of(self, account: int) -> tuple[Token, ...]:
        """Return the tokens of an account, the newest first; those that ended are among them."""
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_token).where(_token.c.account == account).order_by(_token.c.id.desc())
            )
            return tuple(_token_from(row) for row in rows)

    def revoke(self, account: int, id: int, actor: Actor) -> None:
        """End a token at once.

        Raises
        ------
        NotFound
            The account has no such token.
        """
        which = (_token.c.id == id) & (_token.c.account == account)
        with self._database.writing() as connection:
            name = connection.execute(sa.select(_token.c.name).where(which)).scalar()
            if name is None:
                raise NotFound(
                    f"This account has no token {id}.",
                    remedy="See the list of its tokens.",
                    code="not_found.token",
                )
            connection.execute(_token.delete().where(which))
            note(connection, account, "token_revoked", actor, {"token": id, "name": name})

    def identify(self, secret: str) -> Identity:
        """Return whose token this is, and what it allows.

        Raises
        ------
        Unauthenticated
            Nobody's, or it has ended.
        """
        digest, now = digest_of(secret), datetime.now(UTC)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(_token).where(_token.c.digest == digest)).first()
            if row is None or (row.expires is not None and row.expires <= now):
                raise Unauthenticated(
                    "The token is not valid: it was revoked, has ended, or never was one.",
                    remedy="Make another token in your account, or sign in again.",
                    code="unauthenticated.token",
                )
            account = account_of(connection, row.account)
        if row.used is None or row.used < now - USE_NOTED_EVERY:
            with self._database.writing() as connection:
                connection.execute(_token.update().where(_token.c.id == row.id).values(used=now))
        return Identity(account, frozenset(map(Scope, row.scopes)), "token", row.id)


def make_token(
    connection: sa.Connection,
    account: Account,
    name: str,
    scopes: Collection[Scope],
    actor: Actor,
    expires: datetime | None,
) -> tuple[str, Token]:
    """Make a token within the caller's transaction (see `Tokens.create`)."""
    _check(name, scopes, expires)
    many = sa.select(sa.func.count()).select_from(_token).where(_token.c.account == account.id)
    if connection.execute(many).scalar_one() >= _MOST:
        raise Conflict(
            f"This account has {_MOST} tokens, which is the most.",
            remedy="Revoke those that are not used any more.",
            code="conflict.tokens",
        )
    secret, now = new_secret("token"), datetime.now(UTC)
    wanted = tuple(sorted(scopes))
    values = {
        "account": account.id,
        "name": name.strip(),
        "digest": digest_of(secret),
        "scopes": [str(scope) for scope in wanted],
        "created": now,
        "expires": expires,
    }
    key = connection.execute(_token.insert().values(values)).inserted_primary_key
    [id] = key or (0,)
    detail = {"token": id, "name": name.strip(), "scopes": values["scopes"]}
    note(connection, account.id, "token_created", actor, detail)
    return secret, Token(id, account.id, name.strip(), wanted, now, expires, None)


def _check(name: str, scopes: Collection[Scope], expires: datetime | None) -> None:
    if not 1 <= len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            f"A token's name has 1 to {_LONGEST_NAME} visible characters.",
            remedy="Name it after what uses it, such as `laptop`.",
            code="input.token_name",
        )
    if not scopes:
        raise InvalidInput(
            "A token without scopes would allow nothing.",
            remedy=f"Give some of {', '.join(Scope)}.",
            code="input.scopes",
        )
    if expires is not None and expires <= datetime.now(UTC):
        raise InvalidInput(
            f"The token would have ended at {expires.isoformat()} already.",
            remedy="Give a moment in the future, or none for a token that does not end.",
            code="input.expires",
        )


def _token_from(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        account=row.account,
        name=row.name,
        scopes=tuple(map(Scope, row.scopes)),
        created=row.created,
        expires=row.expires,
        used=row.used,
    )
