"""/auth: registering, logging in by a password or a token, lost passwords."""

from __future__ import annotations

import re
import time
from typing import Any

from beimingwu.accounts import OPERATOR
from beimingwu.accounts.passwords import md5_of
from beimingwu.server.v2024.envelope import FAILED

from .conftest import PASSWORD, Old

SECRET = md5_of("a secret of mine")


def wanted(name: str = "Eve", **changes: Any) -> dict[str, Any]:
    email = f"{name.lower()}@example.org"
    return {"username": name, "email": email, "password": SECRET, "confirm_email": False, **changes}


def link_in(letters: Any, word: str, after: str = "") -> str:
    """Return the secret of the newest link of a kind; wait for it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = re.findall(rf"/{word}#(\S+)", letters.text)
        if found and found[-1] != after:
            return str(found[-1])
        time.sleep(0.02)
    raise AssertionError(f"no link to {word} in the mails")


def test_an_account_is_registered_confirmed_and_logged_in(nobody: Old, letters: Any) -> None:
    assert nobody.says("/auth/register", wanted()) == {
        "code": 0,
        "msg": "success",
        "data": {"user_id": 0},
    }
    credentials = {"email": "eve@example.org", "password": SECRET}
    # Whatever `confirm_email` said, nobody has an account before the mail is answered.
    assert nobody.code("/auth/login", credentials) == 52
    first = link_in(letters, "confirm")
    sent_again = nobody.says("/auth/resend_email_confirm", {"email": "eve@example.org"})
    assert sent_again == {"code": 0, "msg": "success", "data": {}}
    link_in(letters, "confirm", first)
    confirmed = nobody.says(f"/auth/email_confirm?code={first}")
    assert confirmed == {"code": 0, "msg": "Email confirm success."}
    assert nobody.code(f"/auth/email_confirm?code={first}") == 55
    logged_in = nobody.says("/auth/login", credentials)
    assert (logged_in["code"], logged_in["msg"]) == (0, "Login success.")
    eve = Old(nobody.client, token=logged_in["data"]["token"])
    assert eve.says("/auth/get_role") == {"code": 0, "msg": "success", "data": {"role": 0}}
    assert eve.says("/auth/logout") == {"code": 0, "msg": "Logout success."}
    # A login that has ended lets nobody in any more.
    answer = eve.post("/auth/get_role")
    assert (answer.status_code, answer.json()["code"]) == (401, 11)


def test_registering_tells_nobody_whether_there_is_an_account(nobody: Old, ada: Old) -> None:
    taken = wanted("Other", email="ada@example.org")
    fresh = wanted("Fresh")
    told = [nobody.says("/auth/register", one) for one in (taken, fresh, fresh)]
    assert told[0] == told[1] == told[2]
    whose = [{"email": "ada@example.org"}, {"email": "nobody@example.org"}]
    for path in ("/auth/resend_email_confirm", "/auth/send_reset_password_email"):
        assert [nobody.says(path, one) for one in whose] == [
            {"code": 0, "msg": "success", "data": {}}
        ] * 2
    attempts = [{**one, "password": SECRET} for one in whose]
    first, second = (nobody.says("/auth/login", one) for one in attempts)
    assert first == second
    assert first["code"] == 52


def test_what_cannot_be_registered(nobody: Old, ada: Old) -> None:
    for change, code in (
        ({"username": None}, 21),
        ({"email": None}, 21),
        ({"password": None}, 21),
        ({"password": 7}, 21),
        ({"password": "short"}, 21),
        ({"username": "\ud800\ud800"}, 21),
        ({"username": "x"}, 21),
        ({"email": "no address"}, 41),
        ({"username": "ADA"}, 51),
    ):
        assert nobody.code("/auth/register", wanted(**change)) == code, change


def test_a_lost_password_is_made_anew_once_by_the_link_in_the_mail(
    nobody: Old, ada: Old, letters: Any, service: Any
) -> None:
    assert ada.account is not None
    ada.chooses_password(service)
    nobody.says("/auth/send_reset_password_email", {"email": ada.account.email})
    secret = link_in(letters, "reset")
    right = {"code": secret, "user_id": ada.account.id}
    assert nobody.code("/auth/reset_password", {**right, "user_id": 999}) == 56
    assert nobody.code("/auth/reset_password", {**right, "code": "another"}) == 55
    assert nobody.code("/auth/reset_password", {"code": secret}) == 21
    assert nobody.code("/auth/reset_password", {"user_id": 1}) == 21
    made = nobody.says("/auth/reset_password", {**right, "user_id": str(ada.account.id)})["data"]
    assert made["md5"] == md5_of(made["password"])
    assert re.fullmatch("[0-9A-Za-z]{16}", made["password"])
    assert nobody.code("/auth/reset_password", right) == 55
    login = {"email": ada.account.email, "password": made["md5"]}
    assert nobody.code("/auth/login", login) == 0
    assert nobody.code("/auth/login", {**login, "password": md5_of(PASSWORD)}) == 52


def test_a_token_of_an_account_logs_in_with_its_address_only(
    nobody: Old, ada: Old, bob: Old, service: Any
) -> None:
    assert ada.account is not None
    right = {"email": "Ada@example.org", "token": ada.token}
    told = nobody.says("/auth/login_by_token", right)
    assert told["code"] == 0
    assert Old(nobody.client, token=told["data"]["token"]).code("/user/profile") == 0
    for wrong in (
        {"email": "bob@example.org"},
        {"email": "nobody@example.org"},
        {"token": "0" * 32},
        {"token": bob.token},
        {"email": None},
        {"token": None},
    ):
        assert nobody.code("/auth/login_by_token", {**right, **wrong}) == 53, wrong
    # How the client asks whether a dock is there.
    assert nobody.post("/auth/login_by_token").status_code not in (404, 500)
    ada.chooses_password(service)
    service.accounts.people.suspend(ada.account.id, OPERATOR)
    assert nobody.code("/auth/login_by_token", right) == 53
    login = {"email": ada.account.email, "password": md5_of(PASSWORD)}
    assert nobody.code("/auth/login", login) == FAILED


def test_a_token_stays_good_after_a_logout_and_what_is_missing_is_told(ada: Old) -> None:
    assert ada.code("/auth/logout") == 0
    assert ada.code("/user/profile") == 0
    for path in (
        "/auth/register",
        "/auth/resend_email_confirm",
        "/auth/send_reset_password_email",
        "/auth/reset_password",
        "/auth/login",
    ):
        assert ada.code(path, {}) == 21
