"""Tokens, sessions and terminals: what they allow, when they end, and whose they are."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from beimingwu.accounts import OPERATOR, Account, Accounts, Actor, Identity, Scope
from beimingwu.accounts.records import EVERYTHING
from beimingwu.dock import schema
from beimingwu.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)

PASSWORD = "correct horse battery"
HERE = Actor("", "192.0.2.7")


@pytest.fixture
def bob(accounts: Accounts) -> Account:
    return accounts.people.add("bob@example.org", "Bob", PASSWORD, OPERATOR)


def signed_in(account: Account) -> Identity:
    return Identity(account, EVERYTHING, "session", 1)


def test_a_token_is_its_accounts_with_its_scopes(accounts, ada) -> None:
    secret, token = accounts.tokens.create(ada, " laptop ", {Scope.WRITE, Scope.READ}, HERE)
    found = accounts.tokens.identify(secret)
    assert (found.account, found.scopes) == (ada, {Scope.READ, Scope.WRITE})
    assert (found.means, found.key) == ("token", token.id)
    [listed] = accounts.tokens.of(ada.id)
    assert (listed.name, listed.scopes) == ("laptop", (Scope.READ, Scope.WRITE))
    assert listed.used is not None, "its use was noted"


@pytest.mark.parametrize("secret", ["", "bmw_token_", "x" * 10_000, "\ud83d", "' OR 1=1 --"])
def test_what_is_no_token_is_refused(accounts, secret) -> None:
    with pytest.raises(Unauthenticated) as refused:
        accounts.tokens.identify(secret)
    assert refused.value.code == "unauthenticated.token"


def test_a_revoked_token_and_one_that_ended_let_nobody_in(accounts, ada) -> None:
    revoked, token = accounts.tokens.create(ada, "laptop", {Scope.READ}, HERE)
    accounts.tokens.revoke(ada.id, token.id, HERE)
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    ended, _ = accounts.tokens.create(ada, "short", {Scope.READ}, HERE, expires=soon)
    assert accounts.tokens.identify(ended).account == ada
    time.sleep(0.3)
    for secret in (revoked, ended):
        with pytest.raises(Unauthenticated):
            accounts.tokens.identify(secret)
    details = [event.detail for event in accounts.people.events(ada.id)]
    assert {"token": token.id, "name": "laptop"} in details


def test_nobody_revokes_the_token_or_ends_the_session_of_another(accounts, ada, bob) -> None:
    secret, token = accounts.tokens.create(ada, "laptop", {Scope.READ}, HERE)
    cookie, session = accounts.sessions.open(ada, "", HERE)
    with pytest.raises(NotFound):
        accounts.tokens.revoke(bob.id, token.id, HERE)
    with pytest.raises(NotFound):
        accounts.sessions.close(bob.id, session.id, HERE)
    assert accounts.tokens.identify(secret).account == ada
    assert accounts.sessions.identify(cookie).account == ada


def test_a_token_without_a_name_scopes_or_future_is_refused(accounts, ada) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for name, scopes, expires, code in (
        (" ", {Scope.READ}, None, "input.token_name"),
        ("x" * 101, {Scope.READ}, None, "input.token_name"),
        ("lap\ntop", {Scope.READ}, None, "input.token_name"),
        ("laptop", set(), None, "input.scopes"),
        ("laptop", {Scope.READ}, past, "input.expires"),
    ):
        with pytest.raises(InvalidInput) as refused:
            accounts.tokens.create(ada, name, scopes, HERE, expires=expires)
        assert refused.value.code == code
    assert accounts.tokens.of(ada.id) == ()


def test_an_account_has_a_hundred_tokens_at_most(accounts, ada) -> None:
    for n in range(100):
        accounts.tokens.create(ada, f"token {n}", {Scope.READ}, HERE)
    with pytest.raises(Conflict):
        accounts.tokens.create(ada, "one more", {Scope.READ}, HERE)


def test_a_session_ends_by_itself_by_its_age_and_by_idleness(opened, accounts, ada) -> None:
    secret, session = accounts.sessions.open(ada, "A browser", HERE)
    assert accounts.sessions.identify(secret).scopes == EVERYTHING
    assert [one.agent for one in accounts.sessions.of(ada.id)] == ["A browser"]
    idle = opened(session_idle_seconds=0)
    with pytest.raises(Unauthenticated):
        idle.sessions.identify(secret)
    old, _ = opened(session_seconds=0).sessions.open(ada, "", HERE)
    with pytest.raises(Unauthenticated):
        accounts.sessions.identify(old)
    accounts.sessions.close(ada.id, session.id, HERE)
    with pytest.raises(Unauthenticated):
        accounts.sessions.identify(secret)


def test_a_session_that_is_used_stays_while_it_is(accounts, catalogue, ada) -> None:
    secret, _ = accounts.sessions.open(ada, "", HERE)
    ago = datetime.now(UTC) - timedelta(days=6)
    with catalogue.writing() as connection:
        connection.execute(sa.update(schema.session).values(used=ago))
    accounts.sessions.identify(secret)
    [found] = accounts.sessions.of(ada.id)
    assert found.used - ago > timedelta(days=5)


def test_what_a_browser_calls_itself_is_cut_and_cleaned(accounts, ada) -> None:
    accounts.sessions.open(ada, "\x1b[31mMozilla" + "x" * 1000, HERE)
    [session] = accounts.sessions.of(ada.id)
    assert session.agent.startswith("[31mMozilla")
    assert len(session.agent) == 200


def test_a_terminal_gets_one_token_once_somebody_agrees(accounts, ada) -> None:
    code = accounts.devices.start("laptop", {Scope.READ, Scope.WRITE}, HERE)
    assert accounts.devices.collect(code.secret, HERE) is None
    shown = accounts.devices.look(code.user_code.lower().replace("-", " "))
    assert (shown.client, shown.address) == ("laptop", "192.0.2.7")
    accounts.devices.decide(code.user_code, signed_in(ada), True, HERE)
    secret, token = accounts.devices.collect(code.secret, HERE)
    assert (token.name, token.scopes) == ("laptop", (Scope.READ, Scope.WRITE))
    assert accounts.tokens.identify(secret).account == ada
    with pytest.raises(NotFound):
        accounts.devices.collect(code.secret, HERE)
    with pytest.raises(NotFound):
        accounts.devices.look(code.user_code)


def test_a_terminal_that_was_refused_is_told_once(accounts, ada) -> None:
    code = accounts.devices.start("laptop", {Scope.READ}, HERE)
    accounts.devices.decide(code.user_code, signed_in(ada), False, HERE)
    with pytest.raises(Forbidden):
        accounts.devices.collect(code.secret, HERE)
    with pytest.raises(NotFound):
        accounts.devices.collect(code.secret, HERE)
    assert accounts.tokens.of(ada.id) == ()


def test_a_code_is_agreed_to_once_and_only_while_it_lasts(opened, accounts, ada, bob) -> None:
    code = accounts.devices.start("laptop", {Scope.READ}, HERE)
    accounts.devices.decide(code.user_code, signed_in(ada), True, HERE)
    with pytest.raises(NotFound):
        accounts.devices.decide(code.user_code, signed_in(bob), True, HERE)
    ended = opened(device_seconds=0).devices.start("laptop", {Scope.READ}, HERE)
    with pytest.raises(NotFound):
        accounts.devices.decide(ended.user_code, signed_in(ada), True, HERE)
    with pytest.raises(NotFound):
        accounts.devices.collect(ended.secret, HERE)


def test_a_terminal_that_asks_too_soon_is_told_to_wait(accounts) -> None:
    code = accounts.devices.start("laptop", {Scope.READ}, HERE)
    assert accounts.devices.collect(code.secret, HERE) is None
    with pytest.raises(TooManyRequests) as refused:
        accounts.devices.collect(code.secret, HERE)
    assert refused.value.retry_after == 5


def test_nobody_agrees_to_more_than_they_may(accounts, ada) -> None:
    code = accounts.devices.start("laptop", {Scope.READ, Scope.ADMIN}, HERE)
    weak = Identity(ada, frozenset({Scope.READ, Scope.ACCOUNT}), "token", 1)
    with pytest.raises(Forbidden):
        accounts.devices.decide(code.user_code, weak, True, HERE)
    assert accounts.devices.collect(code.secret, HERE) is None


def test_a_suspended_account_is_given_no_token(accounts, ada) -> None:
    code = accounts.devices.start("laptop", {Scope.READ}, HERE)
    accounts.devices.decide(code.user_code, signed_in(ada), True, HERE)
    accounts.people.suspend(ada.id, OPERATOR)
    with pytest.raises(Forbidden):
        accounts.devices.collect(code.secret, HERE)
