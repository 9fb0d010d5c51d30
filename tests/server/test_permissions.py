"""Who may call which route: every route there is, by every kind of caller, with every scope."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from beimingwu.accounts import OPERATOR, Identity, Role, Scope
from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.permissions import declared_routes
from beimingwu.server.service import Service, open_service

#: What each route needs: nothing, or the scope of a token; an admin's needs that role as well.
TABLE = """
GET     /healthz                                    nobody
GET     /readyz                                     nobody
GET     /metrics                                    admin
GET     /v1/openapi.json                            nobody
POST    /v1/accounts                                nobody
POST    /v1/accounts/confirmations                  nobody
POST    /v1/accounts/confirm                        nobody
POST    /v1/accounts/resets                         nobody
POST    /v1/accounts/reset                          nobody
POST    /v1/sessions                                nobody
GET     /v1/sessions                                account
GET     /v1/sessions/current                        read
DELETE  /v1/sessions/current                        read
DELETE  /v1/sessions/{id}                           account
GET     /v1/account                                 read
PATCH   /v1/account                                 account
POST    /v1/account/password                        account
POST    /v1/account/email                           account
GET     /v1/account/events                          account
GET     /v1/account/export                          account
POST    /v1/account/delete                          account
GET     /v1/tokens                                  account
POST    /v1/tokens                                  account
DELETE  /v1/tokens/{id}                             account
POST    /v1/devices                                 nobody
GET     /v1/devices                                 account
POST    /v1/devices/decision                        account
POST    /v1/devices/token                           nobody
GET     /v1/vocabulary                              nobody
POST    /v1/uploads                                 write
GET     /v1/uploads/{id}                            write
PATCH   /v1/uploads/{id}                            write
POST    /v1/uploads/{id}/complete                   write
DELETE  /v1/uploads/{id}                            write
GET     /v1/learnwares                              nobody
GET     /v1/learnwares/count                        nobody
GET     /v1/learnwares/facets                       nobody
GET     /v1/learnwares/suggestions                  nobody
POST    /v1/learnwares                              write
GET     /v1/learnwares/{id}                         nobody
PATCH   /v1/learnwares/{id}                         write
DELETE  /v1/learnwares/{id}                         write
POST    /v1/learnwares/{id}/withdraw                write
POST    /v1/learnwares/{id}/restore                 write
GET     /v1/learnwares/{id}/events                  read
GET     /v1/learnwares/{id}/revisions               nobody
GET     /v1/learnwares/{id}/revisions/{number}      nobody
GET     /v1/learnwares/{id}/revisions/{number}/verification read
GET     /v1/learnwares/{id}/revisions/{number}/verification/events read
GET     /v1/learnwares/{id}/specification           nobody
GET     /v1/learnwares/{id}/archive                 nobody
HEAD    /v1/learnwares/{id}/archive                 nobody
GET     /v1/downloads                               nobody
POST    /v1/search                                  nobody
POST    /v1/reports                                 nobody
GET     /v1/admin/reports                           admin
GET     /v1/admin/reports/{id}                      admin
POST    /v1/admin/reports/{id}/close                admin
GET     /v1/statistics                              nobody
GET     /v1/admin/statistics                        admin
GET     /v1/admin/accounts                          admin
GET     /v1/admin/accounts/{id}                     admin
PUT     /v1/admin/accounts/{id}/role                super_admin
POST    /v1/admin/accounts/{id}/suspend             admin
POST    /v1/admin/accounts/{id}/reinstate           admin
POST    /v1/admin/accounts/{id}/delete              admin
GET     /v1/admin/accounts/{id}/tokens              admin
DELETE  /v1/admin/accounts/{id}/tokens/{token}      admin
GET     /v1/admin/events                            admin
POST    /v1/admin/learnwares/{id}/quarantine        admin
POST    /v1/admin/learnwares/{id}/release           admin
"""
NEEDS = {(line.split()[0], line.split()[1]): line.split()[2] for line in TABLE.strip().splitlines()}
ROLES = {"user": Role.USER, "admin": Role.ADMIN, "super_admin": Role.SUPER_ADMIN}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("permissions") / "dock"
    plenty = {"rate_address": "100000/minute", "rate_account": "100000/minute"}
    with open_service(Settings(dock=str(folder), **plenty), "http://testserver") as opened:
        for role in ROLES.values():
            email = f"{role.word.replace('_', '-')}@example.org"
            opened.accounts.people.add(email, role.word, "correct horse", OPERATOR, role)
        yield opened


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as opened:
        yield opened


def tokens(service: Service, role: str) -> dict[str, str]:
    """Return a token for each scope alone, and one for all together."""
    account = service.accounts.people.of_email(f"{role.replace('_', '-')}@example.org")
    made = {}
    for name, scopes in {**{str(one): {one} for one in Scope}, "all": set(Scope)}.items():
        made[name], _ = service.accounts.tokens.create(account, name, scopes, OPERATOR)
    return made


def call(client: TestClient, method: str, path: str, token: str | None) -> tuple[int, str]:
    """Call a route about things that are not there; return the status and the problem's code."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    about = path.replace("learnwares/{id}", "learnwares/99999999")
    about = about.replace("{id}", "999999").replace("{token}", "999999").replace("{number}", "1")
    # A body that breaks every schema: whoever may call is told so, and nothing is done.
    body = {"json": {"no such field": 1}} if method in ("POST", "PUT", "PATCH") else {}
    answer = client.request(method, about, headers=headers, **body)
    problem = answer.headers["content-type"] == "application/problem+json"
    if method == "HEAD" and problem:
        # It has no body; its GET says the same with one.
        return call(client, "GET", path, token)
    return answer.status_code, answer.json()["code"] if problem else ""


def test_the_table_names_every_route_there_is(service: Service) -> None:
    found = {
        (method, path)
        for path, route in declared_routes(create_app(service).routes)
        for method in route.methods or ()
        # The protocol of 2024 has a table of its own, and another shape of refusals.
        if not path.startswith("/api/")
    }
    assert found == set(NEEDS), "say in the table who may call a route"


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_a_stranger_may_call_only_what_needs_nothing(
    client: TestClient, route: tuple[str, str]
) -> None:
    status, code = call(client, *route, None)
    if NEEDS[route] == "nobody":
        assert status not in (401, 403), code
    else:
        assert (status, code) == (401, "unauthenticated")


@pytest.mark.parametrize("role", ROLES)
def test_an_account_may_call_what_its_role_and_the_scope_of_its_token_allow(
    service: Service, client: TestClient, role: str
) -> None:
    held = tokens(service, role)
    for route, need in NEEDS.items():
        scope = {"super_admin": "admin"}.get(need, need)
        least = ROLES[need] if need in ("admin", "super_admin") else Role.USER
        for name, token in held.items():
            status, code = call(client, *route, token)
            told = f"{role} with {name}: {route} {status} {code}"
            if need == "nobody":
                assert status not in (401, 403), told
            elif ROLES[role] < least:
                assert code == "forbidden.role", told
            elif name not in ("all", scope):
                assert code == "forbidden.scope", told
            else:
                assert status not in (401, 403), told


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_a_token_that_is_none_is_refused_wherever_it_would_be_looked_at(
    client: TestClient, route: tuple[str, str]
) -> None:
    status, code = call(client, *route, "bmw_token_nobodys")
    looks = route[1] in ("/v1/reports", "/v1/search")
    signs_in = route[0] == "POST" and NEEDS[route] == "nobody" and not looks
    if signs_in:
        assert status not in (401, 403), code
    else:
        assert (status, code) == (401, "unauthenticated.token")


def test_whoever_is_suspended_may_call_nothing_that_looks_who_they_are(
    service: Service, client: TestClient
) -> None:
    people = service.accounts.people
    account = people.add("eve@example.org", "eve", "correct horse", OPERATOR)
    token, _ = service.accounts.tokens.create(account, "test", set(Scope), OPERATOR)
    people.suspend(account.id, OPERATOR)
    for route in NEEDS:
        _, code = call(client, *route, token)
        if NEEDS[route] != "nobody" or route[0] == "GET":
            assert code in ("forbidden.suspended",), route


def test_a_caller_knows_what_is_its_own(service: Service) -> None:
    from beimingwu.errors import Forbidden
    from beimingwu.server.permissions import Caller

    people = service.accounts.people
    user, admin = (people.of_email(f"{who}@example.org") for who in ("user", "admin"))
    anonymous = Caller(None, "")
    mine = Caller(Identity(user, frozenset(Scope), "token", 1), "")
    boss = Caller(Identity(admin, frozenset(Scope), "token", 1), "")
    weak = Caller(Identity(admin, frozenset({Scope.READ}), "token", 1), "")
    mine.require_owner(user.owner)
    boss.require_owner(user.owner)
    for caller in (anonymous, weak):
        with pytest.raises(Forbidden):
            caller.require_owner(user.owner)
    with pytest.raises(Forbidden):
        mine.require_owner(admin.owner)
    # What an anonymous submission of an embedded dock is owned by is nobody's here.
    assert not anonymous.owns("")
