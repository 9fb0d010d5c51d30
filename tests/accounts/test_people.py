"""Signing in, and what is done to accounts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from beimingwu.accounts import OPERATOR, Account, Accounts, Actor, Role, Scope
from beimingwu.accounts.people import require_above
from beimingwu.accounts.reports import Reason
from beimingwu.dock import schema
from beimingwu.errors import (
    BeimingwuError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)

PASSWORD = "correct horse battery"
HERE = Actor("", "192.0.2.7")


def refusal(accounts: Accounts, email: str, password: str) -> BeimingwuError:
    with pytest.raises(Unauthenticated) as refused:
        accounts.people.sign_in(email, password, HERE)
    return refused.value


def test_a_wrong_password_and_no_account_are_told_in_the_same_words(accounts, ada) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    told = {
        (str(error), error.code)
        for error in (
            refusal(accounts, ada.email, "wrong"),
            refusal(accounts, "nobody@example.org", PASSWORD),
            # Registered but not confirmed, with the right password.
            refusal(accounts, "bob@example.org", PASSWORD),
        )
    }
    assert len(told) == 1


def test_an_address_is_signed_in_however_it_is_written(accounts, ada) -> None:
    assert accounts.people.sign_in(" ADA@example.org", PASSWORD, HERE) == ada


def test_a_suspended_account_is_told_so_only_to_who_knows_its_password(accounts, ada) -> None:
    accounts.people.suspend(ada.id, OPERATOR, "spam")
    assert refusal(accounts, ada.email, "wrong").code == "unauthenticated.password"
    with pytest.raises(Forbidden) as refused:
        accounts.people.sign_in(ada.email, PASSWORD, HERE)
    assert refused.value.code == "forbidden.suspended"
    accounts.people.reinstate(ada.id, OPERATOR)
    assert accounts.people.sign_in(ada.email, PASSWORD, HERE).state == "active"


def test_guessing_a_password_ends_whether_there_is_an_account_or_not(opened) -> None:
    accounts = opened(rate_sign_in="3/hour")
    accounts.people.add("ada@example.org", "Ada", PASSWORD, OPERATOR)
    for email in ("ada@example.org", "nobody@example.org"):
        for _ in range(3):
            refusal(accounts, email, "wrong")
        with pytest.raises(TooManyRequests) as refused:
            accounts.people.sign_in(email, PASSWORD, HERE)
        assert refused.value.retry_after > 3000
    # From elsewhere its owner still gets in.
    accounts.people.sign_in("ada@example.org", PASSWORD, Actor("", "198.51.100.1"))


def test_guessing_at_once_gives_no_more_guesses(opened) -> None:
    accounts = opened(rate_sign_in="3/hour")
    accounts.people.add("ada@example.org", "Ada", PASSWORD, OPERATOR)

    def guess(n: int) -> str:
        try:
            accounts.people.sign_in("ada@example.org", f"wrong {n}", HERE)
        except BeimingwuError as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(guess, range(8)))
    assert codes.count("unauthenticated.password") == 3
    assert codes.count("too_many_requests.sign_in") == 5


def test_guessing_from_many_places_and_at_many_accounts_ends_too(opened) -> None:
    accounts = opened(rate_sign_in_account="2/hour", rate_sign_in_address="3/hour")
    codes = []
    for n, email in enumerate(["a@x.org", "a@x.org", "a@x.org", "b@x.org", "c@x.org"]):
        address = f"192.0.2.{n}" if n < 3 else "203.0.113.1"
        with pytest.raises(BeimingwuError) as refused:
            accounts.people.sign_in(email, "wrong", Actor("", address))
        codes.append(refused.value.code)
    assert codes[2] == "too_many_requests.sign_in_account"
    for email in ("d@x.org", "e@x.org"):
        with pytest.raises(BeimingwuError) as refused:
            accounts.people.sign_in(email, "wrong", Actor("", "203.0.113.1"))
    assert refused.value.code == "too_many_requests.sign_in_address"


def test_who_signs_in_is_forgiven_what_they_mistyped(opened) -> None:
    accounts = opened(rate_sign_in="3/hour")
    accounts.people.add("ada@example.org", "Ada", PASSWORD, OPERATOR)
    for _ in range(3):
        refusal(accounts, "ada@example.org", "wrong")
        refusal(accounts, "ada@example.org", "wrong")
        accounts.people.sign_in("ada@example.org", PASSWORD, HERE)


def test_another_password_takes_the_old_one_and_leaves_one_session(accounts, ada) -> None:
    kept, session = accounts.sessions.open(ada, "", HERE)
    ended, _ = accounts.sessions.open(ada, "", HERE)
    with pytest.raises(Unauthenticated):
        accounts.people.change_password(ada, "wrong", "another password", HERE, session.id)
    with pytest.raises(InvalidInput):
        accounts.people.change_password(ada, PASSWORD, "short", HERE, session.id)
    accounts.people.change_password(ada, PASSWORD, "another password", HERE, session.id)
    assert accounts.sessions.identify(kept).account.id == ada.id
    with pytest.raises(Unauthenticated):
        accounts.sessions.identify(ended)
    accounts.people.sign_in(ada.email, "another password", HERE)


def test_the_first_start_makes_one_super_admin_however_many_start(accounts) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: accounts.people.found_super_admin("me@localhost"), range(4)))
    [(email, password)] = [one for one in made if one is not None]
    assert email == "me@localhost"
    assert len(password) >= 24
    assert accounts.people.sign_in(email, password, HERE).role is Role.SUPER_ADMIN
    assert accounts.people.found_super_admin("me@localhost") is None


def test_the_super_admin_has_a_name_also_where_somebody_is_called_admin(accounts) -> None:
    accounts.people.add("ada@example.org", "Admin", PASSWORD, OPERATOR)
    made = accounts.people.found_super_admin("me@localhost")
    assert made is not None
    assert accounts.people.of_email("me@localhost").name.startswith("admin ")


def test_the_last_super_admin_stays(accounts, root, ada) -> None:
    for act in (
        lambda: accounts.people.set_role(root.id, Role.USER, OPERATOR),
        lambda: accounts.people.suspend(root.id, OPERATOR),
        lambda: accounts.people.delete(root.id, OPERATOR),
        lambda: accounts.people.require_deletable(root.id),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "conflict.last_super_admin"
    accounts.people.set_role(ada.id, Role.SUPER_ADMIN, OPERATOR)
    assert accounts.people.set_role(root.id, Role.USER, OPERATOR).role is Role.USER


def test_accounts_are_listed_by_what_they_are(accounts, root, ada) -> None:
    list_ = accounts.people.list
    accounts.registration.register("bob@example.org", "Bob_%", PASSWORD, HERE)
    assert [one.name for one in list_()] == ["root", "Ada", "Bob_%"]
    assert [one.name for one in list_(role=Role.SUPER_ADMIN)] == ["root"]
    assert [one.name for one in list_(state="unconfirmed")] == ["Bob_%"]
    assert [one.name for one in list_("ADA")] == ["Ada"]
    assert [one.name for one in list_("_%")] == ["Bob_%"]
    assert [one.name for one in list_("example.org", after=root.id, limit=1)] == ["Ada"]
    assert accounts.people.counts() == {"active": 2, "unconfirmed": 1}


def test_a_name_and_an_address_are_one_accounts(accounts, ada) -> None:
    with pytest.raises(Conflict) as refused:
        accounts.people.add("bob@example.org", "ADA", PASSWORD, OPERATOR)
    assert refused.value.code == "conflict.name"
    with pytest.raises(Conflict) as refused:
        accounts.people.add("Ada@example.org", "Bob", PASSWORD, OPERATOR)
    assert refused.value.code == "conflict.email"
    bob = accounts.people.add("bob@example.org", "Bob", PASSWORD, OPERATOR)
    with pytest.raises(Conflict):
        accounts.people.rename(bob.id, "ada", HERE)
    assert accounts.people.rename(bob.id, "BOB", HERE).name == "BOB"
    assert accounts.people.rename(ada.id, "Bobby", HERE).name == "Bobby"


def test_nothing_personal_is_left_of_a_deleted_account(accounts, catalogue, ada) -> None:
    secret, _ = accounts.tokens.create(ada, "my laptop", {Scope.READ}, HERE)
    accounts.sessions.open(ada, "A browser", HERE)
    accounts.registration.ask_email(ada, "lovelace@example.org", HERE)
    a_learnware(catalogue)
    accounts.reports.enter(
        "00000001", Reason.OTHER, "It is mine.", account=ada.id, contact="ada@example.org"
    )
    accounts.people.delete(ada.id, Actor(ada.owner, "192.0.2.7"))
    with pytest.raises(Unauthenticated):
        accounts.tokens.identify(secret)
    with pytest.raises(NotFound):
        accounts.people.get(ada.id)
    kept = everything_in(catalogue)
    for personal in ("ada", "lovelace", "192.0.2.7", "my laptop", "browser", "argon2"):
        assert personal not in kept.lower()
    assert accounts.people.events(ada.id)[0].kind == "deleted"
    # Its address and name are free again, and its id is not.
    again = accounts.people.add("ada@example.org", "Ada", PASSWORD, OPERATOR)
    assert again.id > ada.id
    assert accounts.people.names([ada.owner, again.owner, "tester"]) == {
        ada.owner: "somebody who left",
        again.owner: "Ada",
        "tester": "tester",
    }


def test_no_secret_is_in_the_database(accounts, catalogue, mailbox, ada) -> None:
    token, _ = accounts.tokens.create(ada, "laptop", {Scope.READ}, HERE)
    session, _ = accounts.sessions.open(ada, "", HERE)
    device = accounts.devices.start("terminal", {Scope.READ}, HERE).secret
    accounts.registration.ask_reset(ada.email, HERE)
    link = mailbox.code(ada.email, accounts)
    kept = everything_in(catalogue)
    for secret in (token, session, device, link, PASSWORD):
        assert secret not in kept
        assert secret.split("_", 2)[-1] not in kept


def test_what_is_exported_is_all_that_is_kept_and_no_secret(accounts, ada) -> None:
    secret, _ = accounts.tokens.create(ada, "laptop", {Scope.READ}, HERE)
    accounts.sessions.open(ada, "A browser", HERE)
    found = accounts.export(ada.id)
    assert found["account"]["email"] == ada.email
    assert [one["name"] for one in found["tokens"]] == ["laptop"]
    assert [one["agent"] for one in found["sessions"]] == ["A browser"]
    assert [one["kind"] for one in found["events"]] == ["signed_in", "token_created", "added"]
    assert secret not in str(found)
    assert "argon2" not in str(found)


def test_what_was_never_confirmed_or_has_ended_is_tidied_away(
    opened, accounts, catalogue, ada
) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    opened(session_seconds=0).sessions.open(ada, "", HERE)
    kept, _ = accounts.sessions.open(ada, "", HERE)
    accounts.tidy()
    assert accounts.people.of_email("bob@example.org").state == "unconfirmed"
    opened(link_seconds=-8 * 24 * 3600).tidy()
    with pytest.raises(NotFound):
        accounts.people.of_email("bob@example.org")
    assert accounts.sessions.identify(kept).account == ada
    with catalogue.reading() as connection:
        sessions = sa.select(sa.func.count()).select_from(schema.session)
        assert connection.execute(sessions).scalar() == 1


def test_one_acts_on_those_beneath_only(ada: Account, root: Account) -> None:
    require_above(Role.ADMIN, ada)
    for role in (Role.ADMIN, Role.SUPER_ADMIN):
        with pytest.raises(Forbidden):
            require_above(role, root)


def a_learnware(catalogue) -> None:
    from datetime import UTC, datetime

    with catalogue.writing() as connection:
        connection.execute(
            schema.learnware.insert().values(
                owner="", name="Sums", state="published", created=datetime.now(UTC)
            )
        )


def everything_in(catalogue) -> str:
    """Return every value of every table of accounts."""
    with catalogue.reading() as connection:
        return "\n".join(
            str(row)
            for table in schema.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        )
