"""The accounts themselves: added, listed, renamed, promoted, suspended, exported and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Collection

import sqlalchemy as sa

from beimingwu.accounts.addresses import name_key, network_of, normal_email, normal_name
from beimingwu.accounts.passwords import Form, Passwords, check_password
from beimingwu.accounts.rates import Rates
from beimingwu.accounts.records import (
    OPERATOR,
    Account,
    AccountEvent,
    AccountState,
    Actor,
    Role,
    id_of_owner,
)
from beimingwu.accounts.registration import insert_account, require_name_free
from beimingwu.accounts.rows import (
    account_from,
    account_of,
    account_where,
    events_where,
    note,
    require_active,
    set_account,
)
from beimingwu.accounts.sessions import end_sessions
from beimingwu.dock.database import Database
from beimingwu.dock.schema import account as _account
from beimingwu.dock.schema import account_event as _event
from beimingwu.dock.schema import device as _device
from beimingwu.dock.schema import link as _link
from beimingwu.dock.schema import report as _report
from beimingwu.dock.schema import token as _token
from beimingwu.errors import Conflict, Forbidden, NotFound, Unauthenticated


class People:
    """The accounts of a dock, one and all."""

    def __init__(self, database: Database, passwords: Passwords, rates: Rates) -> None:
        self._database = database
        self._passwords = passwords
        self._rates = rates

    # Signing in

    def sign_in(self, email: str, password: str, actor: Actor, form: Form = "plain") -> Account:
        """Return the account that a password opens.

        It takes as long, and the answer is the same, whether there is an account or not.

        Raises
        ------
        Unauthenticated
            There is no such account, it is not confirmed, or this is not its password.
        Forbidden
            It is, but the account is suspended.
        TooManyRequests
            There were too many attempts.
        """
        email, network = normal_email(email), network_of(actor.address)
        self._rates.spend("sign_in_address", network)
        self._rates.spend("sign_in", f"{email} {network}")
        self._rates.spend("sign_in_account", email)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(_account).where(_account.c.email == email)).first()
        # One that is not confirmed is none yet: were it told apart, whoever registers an address
        # and then signs in would know whether there had been an account of it.
        stored = None if row is None or row.state == "unconfirmed" else row.password
        if not self._passwords.verify(stored, password, form) or row is None:
            raise Unauthenticated(
                "There is no account with this e-mail address and this password.",
                remedy="Type them again, ask for a new password, or confirm the address first.",
                code="unauthenticated.password",
            )
        self._rates.forgive("sign_in", f"{email} {network}")
        with self._database.reading() as connection:
            account = account_of(connection, row.id)
        require_active(account)
        renewed = self._passwords.renewed(row.password, password, form)
        if renewed is not None:
            with self._database.writing() as connection:
                set_account(connection, row.id, password=renewed)
        return account

    def change_password(
        self,
        account: Account,
        old: str,
        new: str,
        actor: Actor,
        session: int | None = None,
        form: Form = "plain",
    ) -> None:
        """Change the password of an account; every browser but that of `session` is signed out.

        Raises
        ------
        Unauthenticated
            The old one is not its password.
        InvalidInput
            The new one cannot be one.
        """
        check_password(new)
        self.require_password(account, old, form)
        hashed = self._passwords.hash(new, form)
        with self._database.writing() as connection:
            set_account(connection, account.id, password=hashed)
            end_sessions(connection, account.id, besides=session)
            note(connection, account.id, "password_changed", actor)

    def set_password(self, id: int, password: str, actor: Actor, form: Form = "plain") -> None:
        """Set the password of an account that lost its own; every browser is signed out.

        Raises
        ------
        NotFound, InvalidInput
            No such account; or the password cannot be one.
        """
        if form == "plain":
            check_password(password)
        hashed = self._passwords.hash(password, form)
        with self._database.writing() as connection:
            account_of(connection, id)
            set_account(connection, id, password=hashed)
            end_sessions(connection, id)
            note(connection, id, "password_set", actor)

    def require_password(self, account: Account, password: str, form: Form = "plain") -> None:
        """Refuse a password that is not the account's.

        Raises
        ------
        Unauthenticated, TooManyRequests
            It is not, or there were too many attempts.
        """
        self._rates.spend("sign_in_account", account.email)
        with self._database.reading() as connection:
            stored = connection.execute(
                sa.select(_account.c.password).where(_account.c.id == account.id)
            ).scalar()
        if not self._passwords.verify(stored, password, form):
            raise Unauthenticated(
                "This is not the password of the account.",
                remedy="Type it again.",
                code="unauthenticated.password",
            )

    # Looking up

    def get(self, id: int) -> Account:
        """Return an account.

        Raises
        ------
        NotFound
            There is none of that id, or none any more.
        """
        with self._database.reading() as connection:
            return account_of(connection, id)

    def of_email(self, email: str) -> Account:
        """Return the account of an address; for operators, who may know that there is one.

        Raises
        ------
        NotFound
            There is none.
        """
        with self._database.reading() as connection:
            found = account_where(connection, _account.c.email == normal_email(email))
        if found is None:
            raise NotFound(
                f"There is no account of {email}.",
                remedy="See them with `beimingwu admin user list`.",
                code="not_found.account",
            )
        return found

    def list(
        self,
        text: str = "",
        *,
        role: Role | None = None,
        state: AccountState | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Account]:
        """Return accounts by their ids, those whose name or address holds a text."""
        statement = sa.select(_account).where(_account.c.id > after, _account.c.state != "deleted")
        if text:
            holds = _account.c.email.icontains(text, autoescape=True)
            statement = statement.where(holds | _account.c.name.icontains(text, autoescape=True))
        if role is not None:
            statement = statement.where(_account.c.role == int(role))
        if state is not None:
            statement = statement.where(_account.c.state == state)
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(_account.c.id).limit(limit))
            return [account_from(row) for row in rows.mappings()]

    def names(self, owners: Collection[str]) -> dict[str, str]:
        """Return what owners of learnwares are called; themselves where they are no accounts."""
        ids = {owner: id_of_owner(owner) for owner in owners}
        known = [id for id in ids.values() if id is not None]
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_account.c.id, _account.c.name).where(
                    _account.c.id.in_(known), _account.c.state != "deleted"
                )
            )
            found = {row.id: row.name for row in rows}
        return {
            owner: owner if id is None else found.get(id, "somebody who left")
            for owner, id in ids.items()
        }

    def counts(self) -> dict[str, int]:
        """Return how many accounts are in each state, without deleted ones."""
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_account.c.state, sa.func.count())
                .where(_account.c.state != "deleted")
                .group_by(_account.c.state)
            )
            return {state: int(count) for state, count in rows}

    def events(
        self, account: int | None = None, *, before: int | None = None, limit: int | None = 100
    ) -> tuple[AccountEvent, ...]:
        """Return what happened to an account, or to all, the newest first."""
        which = sa.true() if account is None else _event.c.account == account
        with self._database.reading() as connection:
            return events_where(connection, which, before, limit)

    # Changing

    def add(
        self, email: str, name: str, password: str, actor: Actor, role: Role = Role.USER
    ) -> Account:
        """Make an account that may be used at once, without a mail.

        Raises
        ------
        InvalidInput
            The address, the name or the password cannot be one.
        Conflict
            The address or the name is somebody's.
        """
        email, name = normal_email(email), normal_name(name)
        check_password(password)
        hashed = self._passwords.hash(password)
        with self._database.writing() as connection:
            require_name_free(connection, name)
            _require_email_free(connection, email)
            id = insert_account(connection, email, name, role, "active", hashed)
            note(connection, id, "added", actor, {"role": role.word})
            return account_of(connection, id)

    def found_super_admin(self, email: str) -> tuple[str, str] | None:
        """Make the first super admin where there is none; return its address and password."""
        with self._database.reading() as connection:
            if _super_admins(connection):
                return None
        password = secrets.token_urlsafe(18)
        hashed = self._passwords.hash(password)
        with self._database.writing() as connection:
            # Another server may have been quicker.
            if _super_admins(connection):
                return None
            email = normal_email(email)
            _require_email_free(connection, email)
            taken = account_where(connection, _account.c.name_key == "admin") is not None
            name = f"admin {secrets.token_hex(2)}" if taken else "admin"
            id = insert_account(connection, email, name, Role.SUPER_ADMIN, "active", hashed)
            note(connection, id, "added", OPERATOR, {"role": Role.SUPER_ADMIN.word})
        return email, password

    def rename(self, id: int, name: str, actor: Actor) -> Account:
        """Give an account another name.

        Raises
        ------
        InvalidInput, Conflict
            It cannot be one, or is somebody's.
        """
        name = normal_name(name)
        with self._database.writing() as connection:
            require_name_free(connection, name, besides=id)
            set_account(connection, id, name=name, name_key=name_key(name))
            note(connection, id, "renamed", actor)
            return account_of(connection, id)

    def set_role(self, id: int, role: Role, actor: Actor) -> Account:
        """Give an account another role.

        Raises
        ------
        NotFound, Conflict
            No such account; or it is the last super admin.
        """
        with self._database.writing() as connection:
            account = account_of(connection, id)
            if account.role != role:
                _require_another_super_admin(connection, account)
                set_account(connection, id, role=int(role))
                detail = {"before": account.role.word, "after": role.word}
                note(connection, id, "role_changed", actor, detail)
            return account_of(connection, id)

    def suspend(self, id: int, actor: Actor, reason: str = "") -> Account:
        """Let nobody use an account until `reinstate`; its learnwares stay as they are.

        Raises
        ------
        NotFound, Conflict
            No such account; it is not active; or it is the last super admin.
        """
        with self._database.writing() as connection:
            account = account_of(connection, id)
            _require_state(account, "active")
            _require_another_super_admin(connection, account)
            set_account(connection, id, state="suspended")
            end_sessions(connection, id)
            note(connection, id, "suspended", actor, {"reason": reason} if reason else {})
            return account_of(connection, id)

    def reinstate(self, id: int, actor: Actor) -> Account:
        """Undo `suspend`.

        Raises
        ------
        NotFound, Conflict
            No such account, or it is not suspended.
        """
        with self._database.writing() as connection:
            _require_state(account_of(connection, id), "suspended")
            set_account(connection, id, state="active")
            note(connection, id, "reinstated", actor)
            return account_of(connection, id)

    def require_deletable(self, id: int) -> None:
        """Refuse to delete what `delete` would refuse, before anything is done for it."""
        with self._database.reading() as connection:
            _require_another_super_admin(connection, account_of(connection, id))

    def delete(self, id: int, actor: Actor) -> None:
        """Delete an account with all that is personal; its learnwares are the caller's matter.

        Raises
        ------
        NotFound, Conflict
            No such account; or it is the last super admin.
        """
        with self._database.writing() as connection:
            account = account_of(connection, id)
            _require_another_super_admin(connection, account)
            end_sessions(connection, id)
            for table in (_token, _link, _device):
                connection.execute(table.delete().where(table.c.account == id))
            connection.execute(
                _report.update().where(_report.c.account == id).values(account=None, contact="")
            )
            connection.execute(
                _event.update().where(_event.c.account == id).values(address="", detail={})
            )
            blank = {"email": None, "name": "", "name_key": None, "password": None}
            set_account(connection, id, state="deleted", role=int(Role.USER), **blank)
            note(connection, id, "deleted", Actor(actor.name))


def require_above(role: Role, account: Account) -> None:
    """Refuse who would act on an account of at least their own role.

    Raises
    ------
    Forbidden
        The role does not stand above the account's.
    """
    if account.role >= role:
        raise Forbidden(
            f"The role of account {account.id} is {account.role.word}, which yours is not above.",
            remedy="Ask a super admin.",
            code="forbidden.role",
        )


def _super_admins(connection: sa.Connection) -> int:
    counted = (
        sa.select(sa.func.count())
        .select_from(_account)
        .where(_account.c.role == int(Role.SUPER_ADMIN), _account.c.state == "active")
    )
    return int(connection.execute(counted).scalar_one())


def _require_another_super_admin(connection: sa.Connection, account: Account) -> None:
    last = account.role is Role.SUPER_ADMIN and account.state == "active"
    if last and _super_admins(connection) == 1:
        raise Conflict(
            "This is the last super admin of the dock.",
            remedy="Make somebody else a super admin first.",
            code="conflict.last_super_admin",
        )


def _require_email_free(connection: sa.Connection, email: str) -> None:
    """Refuse an address that has an account; for operators, who may know it."""
    if account_where(connection, _account.c.email == email) is not None:
        raise Conflict(
            f"There is an account of {email} already.",
            remedy="See it with `beimingwu admin user list`.",
            code="conflict.email",
        )


def _require_state(account: Account, state: AccountState) -> None:
    if account.state != state:
        raise Conflict(
            f"Account {account.id} is {account.state}, and not {state}.",
            remedy="See how it stands in the list of accounts.",
            code="conflict.account_state",
        )
