"""Who may call which route of 2024, by every kind of caller; and the shape of every failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from beimingwu.accounts import OPERATOR, Accounts, Role, Scope
from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.permissions import declared_routes
from beimingwu.server.service import Service, open_service

from .conftest import PASSWORD, Old

#: What each route needs: nothing, or the scope of a token; an admin's needs that role as well.
TABLE = """
GET   /healthz                                   nobody
POST  /auth/register                             nobody
POST  /auth/resend_email_confirm                 nobody
POST  /auth/email_confirm                        nobody
POST  /auth/send_reset_password_email            nobody
POST  /auth/reset_password                       nobody
POST  /auth/login                                nobody
POST  /auth/login_by_token                       nobody
POST  /auth/logout                               read
POST  /auth/get_role                             read
POST  /user/profile                              read
POST  /user/change_password                      account
POST  /user/list_learnware                       read
POST  /user/add_learnware                        write
POST  /user/chunked_upload                       write
POST  /user/add_learnware_uploaded               write
POST  /user/update_learnware                     write
POST  /user/delete_learnware                     write
GET   /user/verify_log                           read
POST  /user/create_token                         account
POST  /user/list_token                           account
POST  /user/delete_token                         account
GET   /engine/semantic_specification             nobody
POST  /engine/search_learnware                   nobody
GET   /engine/download_learnware                 nobody
GET   /engine/learnware_info                     nobody
POST  /engine/generate_download_token            nobody
GET   /engine/download_by_token                  nobody
GET   /engine/download_multi_learnware_by_token  nobody
GET   /engine/download_multi_learnware           nobody
POST  /admin/list_user                           admin
POST  /admin/delete_user                         admin
POST  /admin/list_learnware                      admin
POST  /admin/delete_learnware                    admin
POST  /admin/reset_password                      admin
POST  /admin/set_user_role                       super_admin
POST  /admin/summary                             admin
POST  /datasets/list_datasets                    read
GET   /datasets/download_datasets                nobody
POST  /datasets/delete_datasets                  admin
POST  /datasets/upload_dataset                   admin
POST  /datasets/add_dataset_uploaded             admin
"""
NEEDS = {(line.split()[0], line.split()[1]): line.split()[2] for line in TABLE.strip().splitlines()}
ROLES = {"user": Role.USER, "admin": Role.ADMIN, "super_admin": Role.SUPER_ADMIN}
#: They do not ask who calls: whoever still holds what has ended can log in anew.
STRANGERS = ("/healthz", "/auth/", "_by_token")
UNAUTHORIZED = {"code": 11, "msg": "Unauthorized access."}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, TestClient]]:
    folder = tmp_path_factory.mktemp("permissions") / "dock"
    plenty = {"rate_address": "100000/minute", "rate_account": "100000/minute"}
    with open_service(Settings(dock=str(folder), **plenty), "http://testserver") as service:
        for role in ROLES.values():
            email = f"{role.word.replace('_', '-')}@example.org"
            service.accounts.people.add(email, role.word, PASSWORD, OPERATOR, role)
        with TestClient(create_app(service)) as client:
            yield service, client


def call(client: TestClient, method: str, path: str, token: str = "") -> tuple[int, Any]:
    """Call a route with nothing it could do anything with."""
    who = Old(client, token=token)
    answer = who.post(path, {"no such field": 1}) if method == "POST" else who.get(path)
    if answer.headers["content-type"] != "application/json":
        return answer.status_code, {}
    return answer.status_code, answer.json()


def test_the_table_names_every_route_there_is(people: Any) -> None:
    service, _ = people
    found = {
        (method, path.removeprefix("/api"))
        for path, route in declared_routes(create_app(service).routes)
        if path.startswith("/api/")
        for method in route.methods or ()
    }
    assert found == set(NEEDS), "say in the table who may call a route"


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_who_is_not_logged_in_is_told_so_by_a_code(people: Any, route: tuple[str, str]) -> None:
    status, answer = call(people[1], *route)
    if NEEDS[route] == "nobody":
        assert answer.get("code") not in (11, 12) or route[1].endswith("datasets")
    else:
        assert (status, answer) == (200, UNAUTHORIZED)


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_a_token_that_is_none_is_refused_wherever_it_would_be_looked_at(
    people: Any, route: tuple[str, str]
) -> None:
    for secret in ("bmw_token_nobodys", "bmw_session_nobodys", "e30.e30.e30"):
        status, answer = call(people[1], *route, secret)
        stranger = any(part in route[1] for part in STRANGERS) and NEEDS[route] == "nobody"
        assert (status == 401) != stranger, (status, answer)
        if not stranger:
            assert answer["code"] == 11


@pytest.mark.parametrize("role", ROLES)
def test_an_account_may_call_what_its_role_and_the_scope_of_its_token_allow(
    people: Any, role: str
) -> None:
    service, client = people
    account = service.accounts.people.of_email(f"{role.replace('_', '-')}@example.org")
    for scope in (*Scope, "all"):
        held = set(Scope) if scope == "all" else {scope}
        token, _ = service.accounts.tokens.create(account, str(scope), held, OPERATOR)
        for route, need in NEEDS.items():
            status, answer = call(client, *route, token)
            told = f"{role} with {scope}: {route} {status} {answer}"
            least = ROLES.get(need, Role.USER)
            needed = "admin" if need in ROLES else need
            if need == "nobody":
                assert answer.get("code") != 12, told
            elif ROLES[role] < least or scope not in ("all", needed) or gives_more(route, scope):
                assert (status, answer["code"]) == (200, 12), told
            else:
                assert answer["code"] not in (11, 12) or "dataset" in route[1], told
            assert status < 500, told


def gives_more(route: tuple[str, str], scope: str) -> bool:
    """Tell whether a token would be made that may more than the one it is asked with."""
    return route[1] == "/user/create_token" and scope != "all"


def test_whoever_is_suspended_may_call_nothing_that_looks_who_they_are(people: Any) -> None:
    service, client = people
    eve = service.accounts.people.add("eve@example.org", "eve", PASSWORD, OPERATOR)
    token, _ = service.accounts.tokens.create(eve, "test", set(Scope), OPERATOR)
    service.accounts.people.suspend(eve.id, OPERATOR)
    for route, need in NEEDS.items():
        _, answer = call(client, *route, token)
        if need != "nobody":
            assert answer["code"] == 12, (route, answer)


def test_a_browsers_cookie_says_nothing_here(people: Any) -> None:
    _, client = people
    given = {"email": "user@example.org", "password": PASSWORD}
    assert client.post("/v1/sessions", json=given).status_code == 201
    try:
        assert client.get("/v1/account").status_code == 200
        assert client.post("/api/user/profile").json() == UNAUTHORIZED
    finally:
        client.cookies.clear()


def test_pages_of_other_sites_may_ask(people: Any) -> None:
    _, client = people
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    asks = {**elsewhere, "Access-Control-Request-Method": "POST"}
    asks["Access-Control-Request-Headers"] = "authorization, content-type"
    allowed = client.options("/api/user/profile", headers=asks)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in allowed.headers
    answer = client.post("/api/auth/login", json={}, headers=elsewhere)
    assert answer.json()["code"] == 21
    assert answer.headers["access-control-allow-origin"] == "*"
    # Version 1 is for the dock's own pages.
    assert "access-control-allow-origin" not in client.get("/v1/vocabulary", headers=asks).headers


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/api/nothing", {}, 404),
        ("GET", "/api", {}, 404),
        ("GET", "/api/auth/login", {}, 405),
        ("POST", "/api/auth/login", {}, 415),
        ("POST", "/api/auth/login", {"content": b"{}"}, 415),
        ("POST", "/api/auth/login", {"json": []}, 400),
        ("POST", "/api/auth/login", {"content": b"{", "headers": "json"}, 400),
        ("POST", "/api/auth/login", {"content": b"[" * 200_000, "headers": "json"}, 400),
        ("POST", "/api/auth/login", {"content": b"\xff\xfe{", "headers": "json"}, 400),
        ("POST", "/api/auth/login", {"content": b" " * 2_000_000, "headers": "json"}, 413),
    ],
)
def test_what_the_framework_refuses_has_the_old_shape_too(
    people: Any, method: str, path: str, sent: Any, status: int
) -> None:
    if sent.get("headers") == "json":
        sent = {**sent, "headers": {"Content-Type": "application/json"}}
    answer = people[1].request(method, path, **sent)
    assert answer.status_code == status
    told = answer.json()
    if path != "/api":
        assert (told["code"], told["msg"]) == (21, told["message"])


def test_what_nobody_foresaw_has_the_old_shape_and_tells_nothing(
    people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, client = people

    def broken(*_: object) -> None:
        raise RuntimeError("the password of the database is sesame")

    monkeypatch.setattr(service.dock, "count", broken)
    answer = client.post("/api/engine/search_learnware", data={"semantic_specification": "{}"})
    assert answer.status_code == 500
    assert answer.json() == {
        "code": 31,
        "msg": "Internal Server Error",
        "message": "Internal Server Error",
    }


def test_too_many_requests_are_told_when_to_come_again(people: Any) -> None:
    service, _ = people
    few = replace(service.settings, rate_address="2/minute")
    accounts = Accounts(service.dock.database, few)
    with TestClient(create_app(replace(service, accounts=accounts, settings=few))) as client:
        answers = [client.get("/api/engine/semantic_specification") for _ in range(3)]
    accounts.close()
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == 31
    assert int(answers[2].headers["retry-after"]) >= 1


def test_pieces_are_taken_as_often_as_they_come(people: Any) -> None:
    service, _ = people
    few = replace(service.settings, rate_account="2/minute", rate_address="2/minute")
    accounts = Accounts(service.dock.database, few)
    pia = accounts.people.add("pia@example.org", "pia", PASSWORD, OPERATOR)
    token, _ = accounts.tokens.create(pia, "test", {Scope.WRITE}, OPERATOR)
    with TestClient(create_app(replace(service, accounts=accounts, settings=few))) as client:
        for _ in range(5):
            assert Old(client, pia, token).piece(b"x" * 700, 0)["code"] == 0
        strangers = [Old(client, token="bmw_token_nobodys").post("/user/chunked_upload")] + [
            Old(client).post("/user/chunked_upload") for _ in range(2)
        ]
    accounts.close()
    # Who does not say who they are is counted all the same.
    assert [answer.status_code for answer in strangers] == [401, 200, 429]
