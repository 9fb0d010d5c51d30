"""How an account comes to be, and how its owner proves to have its e-mail address.

No answer tells whether there is an account of some address: what differs goes into the mail. A
link to confirm carries the password that was chosen together with it, so that nobody can choose
one for an address that another confirms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from beimingwu.accounts import post as letters
from beimingwu.accounts.addresses import (
    name_key,
    network_of,
    normal_email,
    normal_name,
    require_allowed,
)
from beimingwu.accounts.links import Used, forget_links, make_link, use_link
from beimingwu.accounts.passwords import Form, Passwords, check_password
from beimingwu.accounts.post import Letter, Post
from beimingwu.accounts.rates import Rates
from beimingwu.accounts.records import Account, Actor, Role
from beimingwu.accounts.rows import account_of, account_where, note, set_account
from beimingwu.accounts.sessions import end_sessions
from beimingwu.config import Settings
from beimingwu.dock.database import Database
from beimingwu.dock.schema import account as _account
from beimingwu.errors import Conflict, Forbidden, TooManyRequests


@dataclass(frozen=True)
class Registered:
    """What came of a registration: only for callers that must not pass it on to strangers.

    Parameters
    ----------
    account
        The account of the address.
    kind
        Whether it is new, was registered but not confirmed, or is somebody's.
    """

    account: int
    kind: Literal["new", "again", "taken"]


class Registration:
    """Registering, confirming, and choosing a new password.

    Parameters
    ----------
    url
        What the links in mails begin with.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        passwords: Passwords,
        rates: Rates,
        post: Post,
        url: str,
    ) -> None:
        self._database = database
        self._settings = settings
        self._passwords = passwords
        self._rates = rates
        self._post = post
        self._url = url

    def register(
        self, email: str, name: str, password: str, actor: Actor, form: Form = "plain"
    ) -> Registered:
        """Ask for an account; a mail lets the owner of the address confirm it.

        Raises
        ------
        InvalidInput
            The address, the name or the password cannot be one.
        Forbidden
            Nobody may register here, or not with this address.
        Conflict
            The name is somebody's.
        TooManyRequests
            From this network, too many were asked for.
        """
        self._require_open()
        email, name = normal_email(email), normal_name(name)
        require_allowed(email, self._settings.email_allow)
        if form == "plain":
            check_password(password)
        self._rates.spend("mail", network_of(actor.address))
        hashed = self._passwords.hash(password, form)
        with self._database.writing() as connection:
            require_name_free(connection, name)
            found = account_where(connection, _account.c.email == email)
            if found is not None and found.state != "unconfirmed":
                registered = Registered(found.id, "taken")
                # Its owner should know; and so this takes as long as where there is no account.
                note(connection, found.id, "registered_again", actor)
                letter = letters.registered_already(email)
            else:
                registered = self._entered(connection, found, email, name, hashed, actor)
                letter = self._confirmation(connection, registered.account, email, hashed)
        self._send(letter)
        return registered

    def ask_confirmation(self, email: str, actor: Actor) -> None:
        """Send the mail to confirm a registration again, where there is one of this address."""
        email = normal_email(email)
        self._rates.spend("mail", network_of(actor.address))

        def written() -> Letter | None:
            with self._database.writing() as connection:
                row = connection.execute(
                    sa.select(_account).where(
                        _account.c.email == email, _account.c.state == "unconfirmed"
                    )
                ).first()
                if row is None or not self._may_mail(email):
                    return None
                return self._confirmation(connection, row.id, email, row.password)

        self._post.send(written)

    def confirm(self, secret: str, actor: Actor) -> Account:
        """Confirm an address with what the link to it holds.

        Raises
        ------
        NotFound
            The link is not good (any more).
        Conflict
            The name, or the address, became somebody else's meanwhile.
        """
        with self._database.writing() as connection:
            used = use_link(connection, secret, "confirm", "email")
            if used.purpose == "email":
                return self._moved(connection, used)
            account = self._activated(connection, used.account, actor)
            set_account(connection, account.id, password=used.detail["password"])
            return account

    def ask_reset(self, email: str, actor: Actor) -> None:
        """Send a mail to choose a new password, where there is an account of this address."""
        email = normal_email(email)
        self._rates.spend("mail", network_of(actor.address))

        def written() -> Letter | None:
            with self._database.writing() as connection:
                found = account_where(connection, _account.c.email == email)
                usable = found is not None and found.state in ("unconfirmed", "active")
                if found is None or not usable or not self._may_mail(email):
                    return None
                secret = make_link(connection, found.id, "reset", self._settings.link_seconds)
                note(connection, found.id, "reset_asked", Actor("", actor.address))
                return letters.reset(email, f"{self._url}/reset#{secret}")

        self._post.send(written)

    def reset(
        self,
        secret: str,
        password: str,
        actor: Actor,
        form: Form = "plain",
        expected: int | None = None,
    ) -> Account:
        """Set a new password with what the link in the mail holds; every browser is signed out.

        Parameters
        ----------
        expected
            The account that the caller takes the link for, where it says so.

        Raises
        ------
        InvalidInput, NotFound
            The password cannot be one; or the link is not good (any more).
        Conflict
            `conflict.link`: it is another account's, and stays good.
        """
        if form == "plain":
            check_password(password)
        hashed = self._passwords.hash(password, form)
        with self._database.writing() as connection:
            used = use_link(connection, secret, "reset")
            if expected not in (None, used.account):
                raise Conflict(
                    f"This link is not for account {expected}.",
                    remedy="Open the link as it stands in the mail.",
                    code="conflict.link",
                )
            account = account_of(connection, used.account)
            # Who reads the mails of an address has shown that it is theirs.
            if account.state == "unconfirmed":
                account = self._activated(connection, account.id, actor)
            set_account(connection, account.id, password=hashed)
            forget_links(connection, account.id, "reset")
            end_sessions(connection, account.id)
            note(connection, account.id, "password_reset", Actor(account.owner, actor.address))
            return account

    def ask_email(self, account: Account, email: str, actor: Actor) -> None:
        """Send a mail to a new address of an account, which becomes it once confirmed.

        Raises
        ------
        InvalidInput, Forbidden
            The address cannot be one, or is not allowed.
        """
        email = normal_email(email)
        require_allowed(email, self._settings.email_allow)
        self._rates.spend("mail", network_of(actor.address))
        with self._database.writing() as connection:
            if account_where(connection, _account.c.email == email) is not None:
                letter = letters.registered_already(email)
            else:
                seconds = self._settings.link_seconds
                secret = make_link(connection, account.id, "email", seconds, {"email": email})
                letter = letters.confirmation(email, f"{self._url}/confirm#{secret}")
            note(connection, account.id, "email_asked", actor)
        self._send(letter)

    def _require_open(self) -> None:
        if not self._settings.registration:
            raise Forbidden(
                "Nobody can register in this dock.",
                remedy="Ask who runs this dock for an account.",
                code="forbidden.registration",
            )

    def _may_mail(self, email: str) -> bool:
        """Count a mail to somebody; False where they had enough: no answer may tell that."""
        try:
            self._rates.spend("mail", email)
        except TooManyRequests:
            return False
        return True

    def _send(self, letter: Letter) -> None:
        self._post.send(lambda: letter if self._may_mail(letter.to) else None)

    def _confirmation(
        self, connection: sa.Connection, account: int, email: str, hashed: str
    ) -> Letter:
        seconds = self._settings.link_seconds
        secret = make_link(connection, account, "confirm", seconds, {"password": hashed})
        return letters.confirmation(email, f"{self._url}/confirm#{secret}")

    def _entered(
        self,
        connection: sa.Connection,
        found: Account | None,
        email: str,
        name: str,
        hashed: str,
        actor: Actor,
    ) -> Registered:
        """Enter an account that is not confirmed yet, or renew what was asked for it."""
        if found is not None:
            set_account(connection, found.id, name=name, password=hashed)
            return Registered(found.id, "again")
        id = insert_account(connection, email, name, Role.USER, "unconfirmed", hashed)
        note(connection, id, "registered", actor)
        return Registered(id, "new")

    def _activated(self, connection: sa.Connection, id: int, actor: Actor) -> Account:
        account = account_of(connection, id)
        require_name_free(connection, account.name)
        set_account(connection, id, state="active", name_key=name_key(account.name))
        forget_links(connection, id, "confirm")
        note(connection, id, "confirmed", Actor(account.owner, actor.address))
        return account_of(connection, id)

    def _moved(self, connection: sa.Connection, used: Used) -> Account:
        account, email = account_of(connection, used.account), used.detail["email"]
        if account_where(connection, _account.c.email == email) is not None:
            raise Conflict(
                "This address belongs to another account meanwhile.",
                remedy="Choose another address.",
                code="conflict.email",
            )
        set_account(connection, account.id, email=email)
        forget_links(connection, account.id, "email", "reset")
        note(connection, account.id, "email_changed", Actor(account.owner))
        self._send(letters.address_changed(account.email))
        return account_of(connection, account.id)


def require_name_free(connection: sa.Connection, name: str, besides: int = 0) -> None:
    """Refuse a name that is somebody's.

    Raises
    ------
    Conflict
        It is; names are public, so this tells nothing.
    """
    taken = account_where(
        connection, (_account.c.name_key == name_key(name)) & (_account.c.id != besides)
    )
    if taken is not None:
        raise Conflict(
            f"The name {name!r} belongs to another account.",
            remedy="Choose another name.",
            code="conflict.name",
        )


def insert_account(
    connection: sa.Connection, email: str, name: str, role: Role, state: str, hashed: str
) -> int:
    """Enter an account and return its id; only a confirmed one has its name for itself."""
    values = {
        "email": email,
        "name": name,
        "name_key": name_key(name) if state == "active" else None,
        "role": int(role),
        "state": state,
        "password": hashed,
        "created": datetime.now(UTC),
    }
    key = connection.execute(_account.insert().values(values)).inserted_primary_key
    [id] = key or (0,)
    return int(id)
