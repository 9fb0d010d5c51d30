"""Frozen views of an account, of what signs it in, and of its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal

AccountState = Literal["unconfirmed", "active", "suspended", "deleted"]


class Role(IntEnum):
    """What an account may do beyond its own things; a greater one may all that a lesser may.

    Examples
    --------
    >>> Role.of("super_admin") > Role.ADMIN
    True
    >>> Role.ADMIN.word
    'admin'
    """

    USER = 0
    ADMIN = 1
    SUPER_ADMIN = 2

    @property
    def word(self) -> str:
        """The role in JSON and on the command line."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """Return the role of a word that `word` gave."""
        return cls[word.upper()]


class Scope(StrEnum):
    """What a token lets its bearer do, of what its account may do."""

    READ = "read"  # see the account and what is its own
    WRITE = "write"  # submit, update, withdraw and delete its own learnwares
    ACCOUNT = "account"  # change the account, its tokens and sessions
    ADMIN = "admin"  # what the role of its account allows


#: What a browser's session lets its bearer do: everything.
EVERYTHING = frozenset(Scope)


@dataclass(frozen=True)
class Account:
    """Somebody who may use the dock.

    Parameters
    ----------
    id
        A number that is never given again.
    email
        In lower case; empty once the account is deleted.
    name
        What others see of it.

    Examples
    --------
    >>> at = datetime(2026, 1, 1)
    >>> Account(7, "ada@example.org", "Ada", Role.USER, "active", at).owner
    'account:7'
    """

    id: int
    email: str
    name: str
    role: Role
    state: AccountState
    created: datetime

    @property
    def owner(self) -> str:
        """What the catalogue calls it: the owner of its learnwares, the actor of its events."""
        return owner_of(self.id)


@dataclass(frozen=True)
class Identity:
    """An account that showed who it is.

    Parameters
    ----------
    scopes
        What it may do with what it showed.
    means, key
        The session or the token that it showed, and the number of that.
    """

    account: Account
    scopes: frozenset[Scope]
    means: Literal["session", "token"]
    key: int


@dataclass(frozen=True)
class Actor:
    """Who does something, for the audit: the name of an account's owner, and the address."""

    name: str
    address: str = ""


#: Whoever runs the commands of the dock on its own machine.
OPERATOR = Actor("operator")


@dataclass(frozen=True)
class Token:
    """An API token; the secret itself was shown once and is kept nowhere."""

    id: int
    account: int
    name: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None
    used: datetime | None


@dataclass(frozen=True)
class Session:
    """A browser that is signed in."""

    id: int
    account: int
    agent: str
    created: datetime
    expires: datetime
    used: datetime


@dataclass(frozen=True)
class AccountEvent:
    """One change of an account, as the audit keeps it.

    Parameters
    ----------
    kind
        `registered`, `confirmed`, `signed_in`, `password_changed`, `token_created`, `suspended` …
    actor
        Who did it: the account itself, an admin's `account:7`, or `operator`.
    detail
        More, such as the name of a token; never a secret.
    """

    id: int
    at: datetime
    account: int
    kind: str
    actor: str
    address: str
    detail: Mapping[str, object]

    def told_to_owner(self) -> AccountEvent:
        """Return it as the account's owner reads it: what an admin did has no name or address."""
        told = actor_told(self.actor, owner_of(self.account))
        return self if told == self.actor else replace(self, actor=told, address="")


def actor_told(actor: str, reader: str) -> str:
    """Return who did something as the account `reader` reads it: any other account is an admin.

    Examples
    --------
    >>> actor_told("account:9", "account:7"), actor_told("account:7", "account:7")
    ('admin', 'account:7')
    >>> actor_told("operator", "account:7")
    'operator'
    """
    return "admin" if actor != reader and id_of_owner(actor) is not None else actor


def owner_of(id: int) -> str:
    """Return what the catalogue calls an account.

    No user of a system has such a name, so what a folder held before it was served stays its own.
    """
    return f"account:{id}"


def id_of_owner(owner: str) -> int | None:
    """Return the id of the account behind an owner in the catalogue, None where it is none.

    Examples
    --------
    >>> id_of_owner("account:7"), id_of_owner("ada")
    (7, None)
    """
    kind, _, number = owner.partition(":")
    return int(number) if kind == "account" and number.isascii() and number.isdigit() else None
