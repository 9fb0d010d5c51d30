"""Registering, confirming and choosing a new password, with nothing told to strangers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from beimingwu.accounts import Account, Accounts, Actor
from beimingwu.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unauthenticated

HERE = Actor("", "192.0.2.7")
OTHER = "another long password"
PASSWORD = "correct horse battery"


def signs_in(accounts: Accounts, email: str, password: str) -> bool:
    try:
        accounts.people.sign_in(email, password, Actor("", "198.51.100.1"))
    except Unauthenticated:
        return False
    return True


def test_a_registration_is_an_account_once_its_link_was_opened(accounts, mailbox) -> None:
    accounts.registration.register("Bob@Example.org", "Bob", PASSWORD, HERE)
    assert not signs_in(accounts, "bob@example.org", PASSWORD)
    confirmed = accounts.registration.confirm(mailbox.code("bob@example.org", accounts), HERE)
    assert (confirmed.name, confirmed.state, confirmed.role.word) == ("Bob", "active", "user")
    assert signs_in(accounts, "bob@example.org", PASSWORD)
    kinds = [event.kind for event in accounts.people.events(confirmed.id)]
    assert kinds == ["confirmed", "registered"]


def test_a_link_is_good_once(accounts, mailbox) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    code = mailbox.code("bob@example.org", accounts)
    accounts.registration.confirm(code, HERE)
    with pytest.raises(NotFound) as refused:
        accounts.registration.confirm(code, HERE)
    assert refused.value.code == "not_found.link"


def test_a_link_is_good_for_one_purpose(accounts, mailbox, ada) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    accounts.registration.ask_reset(ada.email, HERE)
    confirm, reset = (mailbox.code(to, accounts) for to in ("bob@example.org", ada.email))
    with pytest.raises(NotFound):
        accounts.registration.reset(confirm, OTHER, HERE)
    with pytest.raises(NotFound):
        accounts.registration.confirm(reset, HERE)
    # Neither was used up by being tried on the wrong door.
    accounts.registration.confirm(confirm, HERE)
    accounts.registration.reset(reset, OTHER, HERE)


def test_a_link_ends(opened, mailbox) -> None:
    accounts = opened(link_seconds=0)
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    with pytest.raises(NotFound):
        accounts.registration.confirm(mailbox.code("bob@example.org", accounts), HERE)


def test_a_link_confirms_the_password_that_it_was_asked_for_with(accounts, mailbox) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    mine = mailbox.code("bob@example.org", accounts)
    accounts.registration.register("bob@example.org", "Bobby", OTHER, HERE)
    theirs = mailbox.code("bob@example.org", accounts)
    accounts.registration.confirm(mine, HERE)
    assert signs_in(accounts, "bob@example.org", PASSWORD)
    assert not signs_in(accounts, "bob@example.org", OTHER)
    with pytest.raises(NotFound):
        accounts.registration.confirm(theirs, HERE)


def test_who_registers_an_address_with_an_account_changes_nothing_of_it(
    accounts, mailbox, ada
) -> None:
    found = accounts.registration.register(ada.email, "Somebody else", OTHER, HERE)
    assert found.kind == "taken"
    assert accounts.people.get(ada.id) == ada
    assert signs_in(accounts, ada.email, PASSWORD)
    [letter] = mailbox.to(ada.email, accounts)
    assert "#" not in letter, "the owner is told, and given no link"


def test_another_mail_to_confirm_goes_only_to_who_registered(accounts, mailbox, ada) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    for email in ("bob@example.org", ada.email, "nobody@example.org"):
        accounts.registration.ask_confirmation(email, HERE)
    assert len(mailbox.to("bob@example.org", accounts)) == 2
    assert mailbox.to(ada.email, accounts) == []
    assert mailbox.to("nobody@example.org", accounts) == []
    accounts.registration.confirm(mailbox.code("bob@example.org", accounts), HERE)
    assert signs_in(accounts, "bob@example.org", PASSWORD)


def test_a_name_is_told_to_be_taken_only_where_it_is_public(accounts, mailbox, ada) -> None:
    with pytest.raises(Conflict) as refused:
        accounts.registration.register("bob@example.org", "ＡＤＡ", PASSWORD, HERE)
    assert refused.value.code == "conflict.name"
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    accounts.registration.register("eve@example.org", "Bob", PASSWORD, HERE)
    bob, eve = (mailbox.code(f"{who}@example.org", accounts) for who in ("bob", "eve"))
    accounts.registration.confirm(bob, HERE)
    with pytest.raises(Conflict):
        accounts.registration.confirm(eve, HERE)
    # The link was not used up: it is good once another name is asked for.
    accounts.registration.register("eve@example.org", "Eve", PASSWORD, HERE)
    assert accounts.registration.confirm(eve, HERE).name == "Eve"


def test_a_new_password_ends_every_session_and_every_link_for_one(accounts, mailbox, ada) -> None:
    secret, _ = accounts.sessions.open(ada, "", HERE)
    accounts.registration.ask_reset(ada.email, HERE)
    first = mailbox.code(ada.email, accounts)
    accounts.registration.ask_reset(ada.email, HERE)
    accounts.registration.reset(mailbox.code(ada.email, accounts), OTHER, HERE)
    assert signs_in(accounts, ada.email, OTHER)
    assert not signs_in(accounts, ada.email, PASSWORD)
    with pytest.raises(Unauthenticated):
        accounts.sessions.identify(secret)
    with pytest.raises(NotFound):
        accounts.registration.reset(first, PASSWORD, HERE)


def test_who_reads_the_mails_of_an_address_confirms_it_by_a_new_password(accounts, mailbox) -> None:
    accounts.registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    confirm = mailbox.code("bob@example.org", accounts)
    accounts.registration.ask_reset("bob@example.org", HERE)
    accounts.registration.reset(mailbox.code("bob@example.org", accounts), OTHER, HERE)
    assert signs_in(accounts, "bob@example.org", OTHER)
    with pytest.raises(NotFound):
        accounts.registration.confirm(confirm, HERE)


def test_nobody_is_sent_a_link_to_an_account_that_is_suspended_or_none(
    accounts, mailbox, ada
) -> None:
    accounts.people.suspend(ada.id, HERE)
    for email in (ada.email, "nobody@example.org"):
        accounts.registration.ask_reset(email, HERE)
        assert mailbox.to(email, accounts) == []


def test_a_new_address_is_the_accounts_once_confirmed_and_the_old_one_is_told(
    accounts, mailbox, ada
) -> None:
    accounts.registration.ask_email(ada, "lovelace@example.org", HERE)
    assert accounts.people.get(ada.id).email == "ada@example.org"
    moved = accounts.registration.confirm(mailbox.code("lovelace@example.org", accounts), HERE)
    assert moved.email == "lovelace@example.org"
    assert signs_in(accounts, "lovelace@example.org", PASSWORD)
    assert not signs_in(accounts, "ada@example.org", PASSWORD)
    assert len(mailbox.to("ada@example.org", accounts)) == 1


def test_an_address_that_is_somebodys_cannot_be_taken_over(accounts, mailbox, ada, root) -> None:
    accounts.registration.ask_email(ada, root.email, HERE)
    [letter] = mailbox.to(root.email, accounts)
    assert "#" not in letter
    accounts.registration.ask_email(ada, "new@example.org", HERE)
    code = mailbox.code("new@example.org", accounts)
    accounts.registration.ask_email(root, "new@example.org", HERE)
    accounts.registration.confirm(mailbox.code("new@example.org", accounts), HERE)
    with pytest.raises(Conflict) as refused:
        accounts.registration.confirm(code, HERE)
    assert refused.value.code == "conflict.email"


def test_where_registration_is_closed_nobody_registers(opened) -> None:
    with pytest.raises(Forbidden) as refused:
        opened(registration=0).registration.register("bob@example.org", "Bob", PASSWORD, HERE)
    assert refused.value.code == "forbidden.registration"


def test_an_address_outside_the_allow_list_cannot_register_nor_be_moved_to(
    opened: Callable[..., Accounts], ada: Account
) -> None:
    accounts = opened(email_allow="example.org")
    with pytest.raises(Forbidden):
        accounts.registration.register("bob@evil.net", "Bob", PASSWORD, HERE)
    with pytest.raises(Forbidden):
        accounts.registration.ask_email(ada, "ada@evil.net", HERE)


def test_one_network_asks_for_so_many_mails_and_one_person_gets_so_many(
    opened: Callable[..., Accounts], mailbox
) -> None:
    accounts = opened(rate_mail="2/hour")
    accounts.people.add("ada@example.org", "Ada", PASSWORD, HERE)
    for n in range(4):
        accounts.registration.ask_reset("ada@example.org", Actor("", f"192.0.2.{n}"))
    # Nobody is told that the third and the fourth were not sent.
    assert len(mailbox.to("ada@example.org", accounts)) == 2
    accounts.registration.ask_reset("ada@example.org", Actor("", "192.0.2.0"))
    with pytest.raises(TooManyRequests):
        accounts.registration.ask_reset("ada@example.org", Actor("", "192.0.2.0"))
