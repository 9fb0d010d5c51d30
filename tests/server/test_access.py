"""Whose thing it is: every route about somebody's thing, by its owner and by everybody else.

What a role and a scope allow is in `test_permissions`; here every thing is really there. Whoever
may not know of one gets the very answer that they would get of one that is not there, and every
answer there is has the headers of protection and tells how often one may ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from beimingwu.accounts import OPERATOR, Account, Accounts, Role, Scope
from beimingwu.accounts.reports import Reason
from beimingwu.config import Settings
from beimingwu.dock.quarantine import release
from beimingwu.dock.testing import a_learnware, a_semantic
from beimingwu.errors import Conflict, NotFound
from beimingwu.server.app import create_app
from beimingwu.server.permissions import declared_routes
from beimingwu.server.service import Service, open_service

from .test_permissions import NEEDS

URL = "https://dock.example.org"
PASSWORD = "correct horse battery"
#: Nobody in particular; another user; the owner by a token of too small a scope, and by one that
#: allows everything; an admin by a token without the scope of admins; an admin; a super admin.
CALLERS = ("anonymous", "another", "weak", "owner", "plain admin", "admin", "super admin")
#: What each of them is answered: to go ahead, or the status of the refusal.
ANSWERS = {
    "public": "ok  ok  ok  ok  ok  ok  ok",
    "hidden": "404 404 ok  ok  404 ok  ok",
    "heard": "404 404 ok  ok  404 404 404",
    "change": "401 403 403 ok  403 ok  ok",
    "no change": "401 404 403 ok  404 ok  ok",
    "own": "401 404 403 ok  404 404 404",
    "admin": "401 403 403 403 403 ok  ok",
    "super": "401 403 403 403 403 403 ok",
}
#: Each route about a thing: for one that everybody may know of, and for one that is its owner's.
TABLE = """
GET     /v1/learnwares/{id}                                        public  hidden
PATCH   /v1/learnwares/{id}                                        change  no change
DELETE  /v1/learnwares/{id}                                        change  no change
POST    /v1/learnwares/{id}/withdraw                               change  no change
POST    /v1/learnwares/{id}/restore                                change  no change
GET     /v1/learnwares/{id}/events                                 change  no change
GET     /v1/learnwares/{id}/revisions                              public  hidden
GET     /v1/learnwares/{id}/revisions/{number}                     public  hidden
GET     /v1/learnwares/{id}/revisions/{number}/verification        change  no change
GET     /v1/learnwares/{id}/revisions/{number}/verification/events change  no change
GET     /v1/learnwares/{id}/specification                          public  hidden
GET     /v1/learnwares/{id}/archive                                public  hidden
HEAD    /v1/learnwares/{id}/archive                                public  hidden
GET     /v1/downloads                                              public  hidden
POST    /v1/reports                                                public  heard
POST    /v1/admin/learnwares/{id}/quarantine                       admin   admin
POST    /v1/admin/learnwares/{id}/release                          admin   admin
POST    /v1/learnwares                                             -       own
GET     /v1/uploads/{id}                                           -       own
PATCH   /v1/uploads/{id}                                           -       own
POST    /v1/uploads/{id}/complete                                  -       own
DELETE  /v1/uploads/{id}                                           -       own
DELETE  /v1/tokens/{id}                                            -       own
DELETE  /v1/sessions/{id}                                          -       own
GET     /v1/admin/accounts/{id}                                    -       admin
PUT     /v1/admin/accounts/{id}/role                               -       super
POST    /v1/admin/accounts/{id}/suspend                            -       admin
POST    /v1/admin/accounts/{id}/reinstate                          -       admin
POST    /v1/admin/accounts/{id}/delete                             -       admin
GET     /v1/admin/accounts/{id}/tokens                             -       admin
DELETE  /v1/admin/accounts/{id}/tokens/{token}                     -       admin
GET     /v1/admin/reports/{id}                                     -       admin
POST    /v1/admin/reports/{id}/close                               -       admin
"""
#: Routes about nobody's thing, or about the caller's own alone.
ABOUT_NO_THING = """
GET /healthz                     GET /readyz                   GET /metrics
GET /v1/openapi.json             POST /v1/accounts             POST /v1/accounts/confirmations
POST /v1/accounts/confirm        POST /v1/accounts/resets      POST /v1/accounts/reset
POST /v1/sessions                GET /v1/sessions              GET /v1/sessions/current
DELETE /v1/sessions/current      GET /v1/account               PATCH /v1/account
POST /v1/account/password        POST /v1/account/email        GET /v1/account/events
GET /v1/account/export           POST /v1/account/delete       GET /v1/tokens
POST /v1/tokens                  POST /v1/devices              GET /v1/devices
POST /v1/devices/decision        POST /v1/devices/token        GET /v1/vocabulary
POST /v1/uploads                 GET /v1/learnwares            GET /v1/learnwares/count
GET /v1/learnwares/facets        GET /v1/learnwares/suggestions
POST /v1/search                  GET /v1/statistics            GET /v1/admin/reports
GET /v1/admin/statistics         GET /v1/admin/accounts        GET /v1/admin/events
"""
ROWS = [(line[:7].strip(), *line[8:].split(None, 1)) for line in TABLE.strip().splitlines()]
EXPECTED = {(method, path): columns for method, path, columns in ROWS}
CELLS = [
    pytest.param(route, which, pattern, id=f"{' '.join(route)} {which}")
    for route, columns in EXPECTED.items()
    for which, pattern in zip(("public", "private"), columns.split(None, 1), strict=True)
    if pattern != "-"
]
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /v1/learnwares/{id}": {"semantic": a_semantic().to_json()},
    "PUT /v1/admin/accounts/{id}/role": {"role": "user"},
    "POST /v1/admin/accounts/{id}/suspend": {"reason": "A test."},
    "POST /v1/admin/learnwares/{id}/quarantine": {"reason": "A test."},
    "POST /v1/admin/reports/{id}/close": {"outcome": "dismissed"},
    "POST /v1/uploads/{id}/complete": {"sha256": "0" * 64},
}


class People:
    """Everybody who calls, each by a token of their own."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.ada = self.made("ada")
        bob, admin = self.made("bob"), self.made("admin", Role.ADMIN)
        root = self.made("root", Role.SUPER_ADMIN)
        everything, plain = set(Scope), set(Scope) - {Scope.ADMIN}
        self._tokens = {
            "another": self._token(bob, everything),
            "owner": self._token(self.ada, everything),
            "plain admin": self._token(admin, plain),
            "admin": self._token(admin, everything),
            "super admin": self._token(root, everything),
        }
        # Of each scope, one that another route needs.
        self._weak = {
            "read": self._token(self.ada, {Scope.WRITE}),
            "write": self._token(self.ada, {Scope.READ}),
            "account": self._token(self.ada, {Scope.READ, Scope.WRITE}),
        }

    def made(self, name: str, role: Role = Role.USER) -> Account:
        people = self._service.accounts.people
        return people.add(f"{name}@example.org", name, PASSWORD, OPERATOR, role)

    def _token(self, account: Account, scopes: set[Scope]) -> str:
        return self._service.accounts.tokens.create(account, "test", scopes, OPERATOR)[0]

    def headers(self, who: str, need: str) -> dict[str, str]:
        """Return how somebody calls a route that needs something."""
        if who == "anonymous":
            return {}
        weak = self._weak.get(need, self._weak["read"])
        return {"Authorization": f"Bearer {weak if who == 'weak' else self._tokens[who]}"}


class Things:
    """Things of Ada's, by the routes about them."""

    def __init__(self, service: Service, people: People) -> None:
        self._service, self._people = service, people
        dock, owner = service.dock, people.ada.owner
        self.public = dock.submit(a_learnware(name="Sums of rain"), owner=owner).wait().id
        hidden = dock.submit(a_learnware(centre=3.0, name="Sums of wind"), owner=owner).wait()
        dock.withdraw(hidden.id)
        self.private, self._upload, self._made = hidden.id, "", 0

    def about(self, path: str, which: str) -> dict[str, str]:
        """Return one that a route may be called about, as what its path or body has to name."""
        accounts, ada = self._service.accounts, self._people.ada
        if "learnwares/{id}" in path or path in ("/v1/downloads", "/v1/reports"):
            return {"id": self.public if which == "public" else self.private}
        if "uploads" in path or path == "/v1/learnwares":
            # Only so many may be open.
            with suppress(NotFound):
                self._service.dock.uploads.drop(ada.owner, self._upload)
            self._upload = self._service.dock.uploads.create(ada.owner, 5).id
            return {"id": self._upload}
        if path.startswith("/v1/tokens"):
            return {"id": str(accounts.tokens.create(ada, "t", {Scope.READ}, OPERATOR)[1].id)}
        if path.startswith("/v1/sessions"):
            return {"id": str(accounts.sessions.open(ada, "", OPERATOR)[1].id)}
        if "reports" in path:
            entered = accounts.reports.enter(
                self.public, Reason.OTHER, "It adds up.", account=None, contact=""
            )
            return {"id": str(entered.id)}
        self._made += 1
        account = self._people.made(f"eve{self._made}")
        token = accounts.tokens.create(account, "t", {Scope.READ}, OPERATOR)[1].id
        return {"id": str(account.id), "token": str(token)}

    def state(self, path: str, about: dict[str, str]) -> object:
        """Return all that a route could have changed."""
        accounts, ada, id = self._service.accounts, self._people.ada, about["id"]
        if "uploads" in path or path == "/v1/learnwares":
            return self._service.dock.uploads.show(ada.owner, id)
        if "accounts" in path:
            account = accounts.people.get(int(id))
            return account, accounts.tokens.of(account.id)
        records = self._service.dock.list(state=None)
        kept = accounts.tokens.of(ada.id), accounts.sessions.of(ada.id)
        reports = accounts.reports.list("open", after=0, limit=1000)
        return records, [[one.id for one in some] for some in (*kept, reports)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("access") / "dock"
    names = ("address", "account", "report", "sign_in", "mail")
    plenty = {f"rate_{name}": "100000/minute" for name in names}
    with open_service(Settings(dock=str(folder), **plenty), URL) as opened:
        yield opened


@pytest.fixture(scope="module")
def people(service: Service) -> People:
    return People(service)


@pytest.fixture(scope="module")
def things(service: Service, people: People) -> Things:
    return Things(service, people)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), base_url=URL) as opened:
        yield opened


def protected(answer: Any) -> Any:
    """Return an answer that has what every answer must have."""
    headers, told = answer.headers, answer.request.url
    assert "default-src 'none'" in headers["content-security-policy"], told
    assert headers["strict-transport-security"].startswith("max-age="), told
    assert headers["x-content-type-options"] == "nosniff", told
    assert headers["x-frame-options"] == "DENY", told
    assert headers["x-request-id"], told
    if answer.status_code >= 400:
        assert headers["content-type"] == "application/problem+json", answer.text
        if answer.request.method != "HEAD":
            assert answer.json()["code"] and answer.json()["remedy"]
    return answer


def call(
    client: TestClient, route: tuple[str, str], about: dict[str, str], headers: dict[str, str]
) -> Any:
    """Call a route about a thing so that whoever may is refused nothing, or by its state alone."""
    method, path = route
    sent: dict[str, Any] = {"headers": dict(headers)}
    if method in ("POST", "PUT", "PATCH"):
        sent["json"] = BODIES.get(" ".join(route), {})
    if path == "/v1/learnwares":
        sent["json"] = {"upload": about["id"]}
    elif path == "/v1/reports":
        text = "It adds up too much."
        sent["json"] = {"learnware": about["id"], "reason": "other", "text": text}
    elif path == "/v1/downloads":
        sent["params"] = {"id": about["id"]}
    elif route == ("PATCH", "/v1/uploads/{id}"):
        del sent["json"]
        sent["content"] = b"x"
        sent["headers"] |= {"Content-Type": "application/octet-stream", "Upload-Offset": "3"}
    elif path.startswith("/v1/learnwares/{id}") and method in ("POST", "DELETE"):
        # Whoever may do it learns only that the thing has changed, so that it stays for the next.
        sent["headers"]["If-Match"] = '"long ago"'
    where = path.format(**{"number": 1, **about})
    return protected(client.request(method, where, **sent))


def told(answer: Any, about: dict[str, str]) -> tuple[int, list[str], Any]:
    """Return all that can be learned from an answer, but for the ids that were sent."""
    text = answer.text.replace(answer.headers["x-request-id"], "")
    for id in about.values():
        text = re.sub(rf"\b{id}\b", "ID", text)
    return answer.status_code, sorted(answer.headers), text


def nothing_like(about: dict[str, str]) -> dict[str, str]:
    """Return what names a thing that is not there."""
    return {
        name: {8: "99999999", 32: "f" * 32}.get(len(id), "999999") for name, id in about.items()
    }


def test_every_route_is_in_the_table_or_about_no_thing(service: Service) -> None:
    found = {
        (method, path)
        for path, route in declared_routes(create_app(service).routes)
        for method in route.methods or ()
        # The protocol of 2024 has a table of its own, and another shape of refusals.
        if not path.startswith("/api/")
    }
    words = ABOUT_NO_THING.split()
    no_thing = set(zip(words[::2], words[1::2], strict=True))
    assert not no_thing & set(EXPECTED)
    assert not [path for _, path in no_thing if "{" in path]
    assert found == no_thing | set(EXPECTED), "say in the table whose thing a route is about"


@pytest.mark.parametrize(("route", "which", "pattern"), CELLS)
def test_a_thing_is_seen_and_changed_by_whom_it_concerns_and_is_nothing_to_others(
    client: TestClient,
    service: Service,
    people: People,
    things: Things,
    route: tuple[str, str],
    which: str,
    pattern: str,
) -> None:
    for who, expected in zip(CALLERS, ANSWERS[pattern].split(), strict=True):
        about, headers = things.about(route[1], which), people.headers(who, NEEDS[route])
        before = things.state(route[1], about)
        answer = call(client, route, about, headers)
        if expected == "ok":
            # What it is refused for, if it is, is the state that the thing is in.
            assert answer.status_code < 400 or answer.status_code in (409, 412, 428), answer.text
        else:
            assert (who, answer.status_code) == (who, int(expected)), answer.text
            assert things.state(route[1], about) == before
            if which == "private":
                none = nothing_like(about)
                nothing = told(call(client, route, none, headers), none)
                assert told(answer, about) == nothing, "it tells that there is such a thing"
        if "quarantine" in route[1]:
            with suppress(Conflict):
                release(service.dock.database, about["id"], "a test")


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_every_answer_is_protected_and_counted_against_who_asks(
    client: TestClient, people: People, route: tuple[str, str]
) -> None:
    about = {"id": "99999999", "token": "1"}
    for who, policy in (("anonymous", "address"), ("another", "account")):
        answer = call(client, route, about, people.headers(who, NEEDS[route]))
        # Where people sign in, it does not matter who they say they are.
        by = answer.headers["ratelimit-policy"].split(";")[0].strip('"')
        assert by == policy or (NEEDS[route] == "nobody" and route[0] == "POST" and by == "address")


def test_whoever_asked_too_often_is_answered_by_no_route(service: Service, people: People) -> None:
    strict = replace(service.settings, rate_address="1/hour", rate_account="1/hour")
    with closing(Accounts(service.dock.database, strict, URL)) as accounts:
        app = create_app(Service(service.dock, accounts, strict, URL, service.searchers))
        with TestClient(app, base_url=URL) as client:
            for who in ("anonymous", "another"):
                headers = people.headers(who, "read")
                assert client.get("/v1/vocabulary", headers=headers).status_code == 200
                for route in NEEDS:
                    answer = call(client, route, {"id": "99999999", "token": "1"}, headers)
                    assert answer.status_code == 429, (who, route)
                    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/v1/nothing", {}, 404),
        ("TRACE", "/v1/tokens", {}, 405),
        ("POST", "/v1/sessions", {"content": b"{", "headers": {"Content-Type": "x/y"}}, 422),
        ("POST", "/v1/search", {"content": b"{}", "headers": {"Content-Type": "x/y"}}, 415),
        ("GET", "/v1/account", {"headers": {"Authorization": "Basic eDp5"}}, 401),
        ("OPTIONS", "/v1/search", {}, 405),
        ("POST", "/v1/sessions", {"content": b" " * 2**21}, 413),
    ],
)
def test_refusals_before_any_route_are_protected_too(
    client: TestClient, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    assert protected(client.request(method, path, **sent)).status_code == status
