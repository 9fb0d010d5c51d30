"""Accounts over HTTP: registering, signing in, tokens, terminals, and what an owner may do."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from beimingwu.accounts import OPERATOR, Scope
from beimingwu.dock.testing import a_learnware

PASSWORD = "correct horse battery"
OTHER = "another long password"


def signed_in(client: TestClient, email: str, password: str = PASSWORD) -> str:
    """Sign the client in by a cookie, and return what it must send beside it."""
    answer = client.post("/v1/sessions", json={"email": email, "password": password})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["csrf"])


def link_in(log, word: str) -> str:
    """Return what the newest link of a kind in the log of mails holds; wait for it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = re.findall(rf"http://testserver/{word}#(\S+)", log.text)
        if found:
            return str(found[-1])
        time.sleep(0.01)
    raise AssertionError(f"no link to {word} in the log")


def seen(answer: Any) -> tuple[int, Any]:
    """Return what a stranger can tell two answers apart by."""
    body = answer.json() if answer.content else None
    for varying in ("request_id",):
        if isinstance(body, dict):
            body.pop(varying, None)
    names = sorted(set(answer.headers) - {"ratelimit", "retry-after"})
    return answer.status_code, (body, names)


def test_from_registering_to_a_token(client, log) -> None:
    wanted = {"email": "Eve@example.org", "name": "Eve", "password": PASSWORD}
    assert client.post("/v1/accounts", json=wanted).status_code == 202
    credentials = {"email": "eve@example.org", "password": PASSWORD}
    assert client.post("/v1/sessions", json=credentials).status_code == 401
    code = link_in(log, "confirm")
    assert client.post("/v1/accounts/confirm", json={"code": code}).json()["state"] == "active"
    again = client.post("/v1/accounts/confirm", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (404, "not_found.link")

    csrf = {"X-CSRF-Token": signed_in(client, "eve@example.org")}
    asked = {"name": "laptop", "scopes": ["read"]}
    made = client.post("/v1/tokens", json=asked, headers=csrf)
    assert made.status_code == 201
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert client.get("/v1/account", headers=bearer).json()["email"] == "eve@example.org"
    assert client.get("/v1/tokens", headers=bearer).json()["code"] == "forbidden.scope"


def test_a_new_password_by_mail(client, log, ada) -> None:
    email = ada.account.email
    assert client.post("/v1/accounts/resets", json={"email": email}).status_code == 202
    code = link_in(log, "reset")
    chosen = {"code": code, "password": OTHER}
    assert client.post("/v1/accounts/reset", json=chosen).status_code == 204
    assert client.post("/v1/accounts/reset", json=chosen).json()["code"] == "not_found.link"
    signed_in(client, email, OTHER)


def test_no_answer_tells_whether_there_is_an_account(client, service, ada) -> None:
    service.accounts.registration.register("waiting@example.org", "Waiting", PASSWORD, OPERATOR)
    addresses = (ada.account.email, "waiting@example.org", "nobody@example.org")
    for path, body in (
        ("/v1/accounts", {"name": "Somebody", "password": PASSWORD}),
        ("/v1/accounts/confirmations", {}),
        ("/v1/accounts/resets", {}),
        ("/v1/sessions", {"password": OTHER}),
    ):
        told = [seen(client.post(path, json={"email": email, **body})) for email in addresses]
        assert told[0] == told[1] == told[2], path
    # Not even in two steps: who registers an address and then signs in with that password.
    told = [
        seen(client.post("/v1/sessions", json={"email": email, "password": PASSWORD}))
        for email in ("waiting@example.org", "nobody@example.org")
    ]
    assert told[0] == told[1]


def test_no_id_tells_whether_there_is_anothers_thing(client, service, ada, bob) -> None:
    _, token = service.accounts.tokens.create(bob.account, "bobs", {Scope.READ}, OPERATOR)
    _, session = service.accounts.sessions.open(bob.account, "", OPERATOR)
    for kind, theirs in (("tokens", token.id), ("sessions", session.id)):
        told = [
            client.delete(f"/v1/{kind}/{id}", headers=ada.headers).json()
            for id in (theirs, 999_999)
        ]
        assert [problem["status"] for problem in told] == [404, 404]
        assert told[0]["detail"].replace(str(theirs), "") == told[1]["detail"].replace("999999", "")


def test_a_cookie_is_for_this_site_alone_and_for_no_script(client, served, ada) -> None:
    credentials = {"email": ada.account.email, "password": PASSWORD}
    cookie = client.post("/v1/sessions", json=credentials).headers["set-cookie"]
    assert cookie.startswith("beimingwu_session=bmw_session_")
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie and "Domain" not in cookie
    by_https = served("https://dock.example.org")
    cookie = by_https.post("/v1/sessions", json=credentials).headers["set-cookie"]
    assert cookie.startswith("__Host-beimingwu_session=") and "Secure" in cookie


def test_what_changes_anything_needs_more_than_the_cookie(client, ada) -> None:
    csrf = signed_in(client, ada.account.email)
    change = {"json": {"name": "Lovelace"}}
    for headers, code in (
        ({}, "forbidden.csrf"),
        ({"X-CSRF-Token": "0" * 64}, "forbidden.csrf"),
        ({"X-CSRF-Token": "é"}, "forbidden.csrf"),
        ({"X-CSRF-Token": csrf, "Origin": "https://evil.net"}, "forbidden.cross_site"),
        ({"X-CSRF-Token": csrf, "Origin": "null"}, "forbidden.cross_site"),
        ({"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}, "forbidden.cross_site"),
        ({"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-site"}, "forbidden.cross_site"),
    ):
        encoded = {name: value.encode() for name, value in headers.items()}
        answer = client.patch("/v1/account", headers=encoded, **change)
        assert (answer.status_code, answer.json()["code"]) == (403, code), headers
    assert client.get("/v1/account").json()["name"] == "ada"
    same = {"X-CSRF-Token": csrf, "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.patch("/v1/account", headers=same, **change).json()["name"] == "Lovelace"


def test_no_other_site_signs_a_browser_in_or_registers_by_it(client, ada) -> None:
    credentials = {"email": ada.account.email, "password": PASSWORD}
    for path, body in (("/v1/sessions", credentials), ("/v1/accounts/resets", {"email": "a@b.c"})):
        answer = client.post(path, json=body, headers={"Origin": "https://evil.net"})
        assert answer.json()["code"] == "forbidden.cross_site"
        # A form of another site can send plain text without asking; it is not taken for JSON.
        text = client.post(path, content=json.dumps(body), headers={"Content-Type": "text/plain"})
        assert text.status_code in (415, 422)


def test_a_browser_with_the_cookie_of_a_session_that_ended_can_look_on_and_sign_in(
    client, ada
) -> None:
    csrf = {"X-CSRF-Token": signed_in(client, ada.account.email)}
    stale = dict(client.cookies)
    assert client.delete("/v1/sessions/current", headers=csrf).status_code == 204
    assert not client.cookies
    client.cookies.update(stale)
    assert client.get("/v1/vocabulary").status_code == 200
    assert client.get("/v1/account").json()["code"] == "unauthenticated.session"
    signed_in(client, ada.account.email)


def test_sessions_are_seen_and_ended_from_another_one(client, service, ada) -> None:
    other = TestClient(client.app, headers={"User-Agent": "another browser"})
    csrf = {"X-CSRF-Token": signed_in(client, ada.account.email)}
    signed_in(other, ada.account.email)
    found = client.get("/v1/sessions").json()
    assert [(one["agent"], one["current"]) for one in found] == [
        ("another browser", False),
        ("testclient", True),
    ]
    current = client.get("/v1/sessions/current").json()
    assert current["csrf"] == csrf["X-CSRF-Token"]
    assert client.delete(f"/v1/sessions/{found[0]['id']}", headers=csrf).status_code == 204
    assert other.get("/v1/account").status_code == 401
    assert client.get("/v1/account").status_code == 200


def test_a_password_and_an_address_are_changed_with_the_password(client, log, ada) -> None:
    wrong = {"old": "wrong", "new": OTHER}
    answer = client.post("/v1/account/password", json=wrong, headers=ada.headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated.password")
    change = {"old": PASSWORD, "new": OTHER}
    changed = client.post("/v1/account/password", json=change, headers=ada.headers)
    assert changed.status_code == 204
    moved = {"email": "lovelace@example.org", "password": OTHER}
    assert client.post("/v1/account/email", json=moved, headers=ada.headers).status_code == 202
    client.post("/v1/accounts/confirm", json={"code": link_in(log, "confirm")})
    signed_in(client, "lovelace@example.org", OTHER)


def test_a_token_makes_no_token_that_may_more_than_itself(client, service, ada) -> None:
    secret, _ = service.accounts.tokens.create(
        ada.account, "weak", {Scope.READ, Scope.ACCOUNT}, OPERATOR
    )
    weak = {"Authorization": f"Bearer {secret}"}
    for scopes, status in ((["read"], 201), (["read", "write"], 403), (["admin"], 403)):
        asked = {"name": "next", "scopes": scopes}
        assert client.post("/v1/tokens", json=asked, headers=weak).status_code == status
    started = client.post("/v1/devices", json={"client": "x", "scopes": ["write"]}).json()
    agreed = {"user_code": started["user_code"], "agreed": True}
    answer = client.post("/v1/devices/decision", json=agreed, headers=weak)
    assert answer.json()["code"] == "forbidden.scope"


def test_a_terminal_is_signed_in_by_a_browser(client, ada) -> None:
    started = client.post("/v1/devices", json={"client": "beimingwu on laptop"}).json()
    assert started["verification_uri"] == "http://testserver/device"
    waiting = {"device_code": started["device_code"]}
    not_yet = client.post("/v1/devices/token", json=waiting)
    assert (not_yet.status_code, not_yet.json()) == (202, {"interval": 5})
    soon = client.post("/v1/devices/token", json=waiting)
    assert (soon.status_code, soon.headers["retry-after"]) == (429, "5")
    code = {"user_code": started["user_code"]}
    shown = client.get("/v1/devices", params=code, headers=ada.headers).json()
    assert (shown["client"], shown["scopes"]) == ("beimingwu on laptop", ["read", "write"])
    agreed = client.post("/v1/devices/decision", json={**code, "agreed": True}, headers=ada.headers)
    assert agreed.status_code == 204
    collected = client.post("/v1/devices/token", json=waiting)
    assert collected.status_code == 200
    bearer = {"Authorization": f"Bearer {collected.json()['secret']}"}
    assert client.get("/v1/account", headers=bearer).json()["id"] == ada.account.id
    assert client.post("/v1/devices/token", json=waiting).json()["code"] == "not_found.device_code"


def test_what_happened_to_an_account_is_read_in_pages(client, service, ada) -> None:
    for n in range(5):
        service.accounts.tokens.create(ada.account, f"t{n}", {Scope.READ}, OPERATOR)
    path, names = "/v1/account/events?limit=3", []
    while path:
        answer = client.get(path, headers=ada.headers)
        names += [event["detail"].get("name", event["kind"]) for event in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert names == ["t4", "t3", "t2", "t1", "t0", "test", "added"]


def test_an_owner_takes_everything_along_and_leaves(client, service, ada, bob) -> None:
    submission = service.dock.submit(a_learnware(), owner=ada.account.owner)
    others = service.dock.submit(a_learnware(seed=1), owner=bob.account.owner)
    answer = client.get("/v1/account/export", headers=ada.headers)
    assert "attachment" in answer.headers["content-disposition"]
    assert [one["id"] for one in answer.json()["learnwares"]] == [submission.id]
    assert ada.token not in answer.text

    wrong = client.post("/v1/account/delete", json={"password": "wrong"}, headers=ada.headers)
    assert wrong.status_code == 401
    gone = client.post("/v1/account/delete", json={"password": PASSWORD}, headers=ada.headers)
    assert gone.status_code == 204
    assert client.get("/v1/account", headers=ada.headers).status_code == 401
    listed = service.dock.list(state=None)
    assert [record.id for record in listed] == [others.id]


def test_nothing_secret_is_logged(client, service, log, ada) -> None:
    csrf = signed_in(client, ada.account.email)
    cookie = client.cookies["beimingwu_session"]
    made = client.post(
        "/v1/tokens",
        json={"name": "laptop", "scopes": ["read"]},
        headers={"X-CSRF-Token": csrf},
    ).json()["secret"]
    device = client.post("/v1/devices", json={"client": "laptop"}).json()
    shown = {"user_code": device["user_code"]}
    client.get("/v1/devices", params=shown, headers=ada.headers)
    client.post("/v1/devices/token", json={"device_code": device["device_code"]})
    client.get(f"/v1/account?token={made}", headers={"Authorization": f"Bearer {made}"})
    client.get("/v1/account", headers={"Authorization": "Bearer bmw_token_mistyped"})
    client.post("/v1/sessions", json={"email": ada.account.email, "password": OTHER})
    client.post("/v1/accounts/reset", json={"code": "bmw_link_guess", "password": OTHER})
    client.post("/v1/account/password", json={"old": PASSWORD}, headers=ada.headers)
    assert "GET /v1/account 200" in log.text, "it was logged at all"
    secrets = (cookie, csrf, made, ada.token, PASSWORD, OTHER, "bmw_token", "bmw_link_guess")
    for secret in (*secrets, device["device_code"], device["user_code"]):
        assert secret not in log.text


def test_nothing_secret_is_logged_where_the_database_fails(client, service, log, ada) -> None:
    with service.dock.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE account_event RENAME TO away")
    asked = {
        "/v1/accounts": {"email": "eve@example.org", "name": "Eve", "password": OTHER},
        "/v1/account/password": {"old": PASSWORD, "new": OTHER},
        "/v1/tokens": {"name": "laptop", "scopes": ["read"]},
        "/v1/sessions": {"email": ada.account.email, "password": PASSWORD},
    }
    answers = [client.post(path, json=body, headers=ada.headers) for path, body in asked.items()]
    assert [answer.json()["code"] for answer in answers if answer.status_code == 500]
    assert "account_event" in log.text, "it was logged what failed"
    for secret in (PASSWORD, OTHER, ada.token, "argon2", "bmw_", "eve@example.org"):
        assert secret not in log.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"email": 1, "password": []}',
        b'{"email": "a@b.c"}',
        b'{"email": "a@b.c", "password": "x", "role": "super_admin"}',
        b'{"email": "\\u0000", "password": "\\ud83d"}',
        b"\xff\xfe",
        b"{" * 100_000,
    ],
)
def test_a_body_that_breaks_its_schema_is_a_problem(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/sessions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]


def test_nobody_makes_themselves_an_admin(client, service, ada) -> None:
    for path, body in (
        ("/v1/account", {"name": "Ada L", "role": "admin"}),
        ("/v1/account", {"name": "Ada L", "state": "active"}),
    ):
        assert client.patch(path, json=body, headers=ada.headers).status_code == 422
    assert service.accounts.people.get(ada.account.id).role.word == "user"
