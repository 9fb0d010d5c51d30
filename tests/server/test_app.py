"""What holds for every route: a permission, problems, protection, bounds."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Depends
from starlette.testclient import TestClient

from beimingwu.errors import (
    BeimingwuError,
    Conflict,
    DockDamaged,
    GuestTimedOut,
    TooLarge,
    Unavailable,
    WouldDiscloseRecords,
)
from beimingwu.server.app import create_app
from beimingwu.server.permissions import ANYONE, Anyone, WithRead, require_declared
from beimingwu.server.service import Service


def test_a_route_that_does_not_say_who_may_call_it_keeps_the_service_from_starting(
    service: Service,
) -> None:
    app = create_app(service)

    @app.get("/forgotten")
    def forgotten() -> None: ...

    with pytest.raises(TypeError, match="/forgotten declares 0"):
        require_declared(app)


def test_a_route_with_two_permissions_is_refused(service: Service) -> None:
    app = create_app(service)

    @app.get("/torn", dependencies=[Depends(ANYONE)])
    def torn(caller: WithRead) -> None: ...

    with pytest.raises(TypeError, match="/torn declares 2"):
        require_declared(app)


def test_a_permission_behind_another_dependency_is_none(service: Service) -> None:
    app = create_app(service)

    def hidden(caller: Anyone) -> None: ...

    @app.get("/hidden")
    def behind(x: Annotated[None, Depends(hidden)]) -> None: ...

    with pytest.raises(TypeError, match="/hidden declares 0"):
        require_declared(app)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found.path"),
        ("GET", "/no/such.file", 404, "not_found.path"),
        ("DELETE", "/v1/vocabulary", 405, "request.method"),
    ],
)
def test_what_the_framework_refuses_is_a_problem(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["instance"] == path
    assert problem["remedy"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_every_answer_is_protected(client: TestClient) -> None:
    for path in ("/", "/healthz", "/v1/vocabulary", "/v1/nothing", "/no/such.file"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "strict-transport-security" not in headers


def test_by_https_a_browser_is_told_to_stay_with_it(served) -> None:
    answer = served("https://dock.example.org").get("/healthz")
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_a_request_is_called_by_its_proxys_name_for_it_if_that_is_one(client: TestClient) -> None:
    given = {"X-Request-Id": "from-the-proxy.1"}
    assert client.get("/healthz", headers=given).headers["x-request-id"] == "from-the-proxy.1"
    for bad in ("short", "x" * 65, "a b c d e f g h", "line%0Abreak"):
        answered = client.get("/healthz", headers={"X-Request-Id": bad}).headers["x-request-id"]
        assert answered != bad
        assert len(answered) == 32


def test_a_path_cannot_write_lines_into_the_log(client: TestClient, log) -> None:
    client.get("/x%0Aforged%20line%1B[31m")
    [line] = [line for line in log.lines if "forged" in line]
    assert "\n" not in line and "\x1b" not in line


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_bound_is_refused_as_a_problem(
    client: TestClient, service: Service, announced: bool
) -> None:
    size = service.settings.request_max_bytes + 1

    def pieces():
        for _ in range(0, size, 65536):
            yield b" " * 65536

    body = b" " * size if announced else pieces()
    answer = client.post("/v1/sessions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large.request"


def test_what_nobody_foresaw_is_a_problem_that_tells_nothing(service: Service, log) -> None:
    app = create_app(service)

    @app.get("/v1/broken")
    def broken(caller: Anyone) -> None:
        raise ZeroDivisionError("a secret of ours")

    with TestClient(app) as client:
        answer = client.get("/v1/broken")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "x-content-type-options" in answer.headers
    # Who runs the dock finds it by the id that the person was told.
    assert f"{problem['request_id']} failed" in log.text
    assert "ZeroDivisionError" in log.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("x", code="dock.busy"), 503),
        (Conflict("x", code="dock.disk_full"), 507),
        (DockDamaged("x"), 500),
        (TooLarge("x"), 413),
        (GuestTimedOut("x"), 502),
        (WouldDiscloseRecords("x"), 422),
    ],
)
def test_an_error_of_ours_has_one_status(
    service: Service, error: BeimingwuError, status: int
) -> None:
    app = create_app(service)

    @app.get("/v1/failing")
    def failing(caller: Anyone) -> None:
        raise error

    with TestClient(app) as client:
        answer = client.get("/v1/failing")
    assert (answer.status_code, answer.json()["code"]) == (status, error.code)


def test_everybody_is_told_how_often_they_may_ask(served, service: Service, ada) -> None:
    client = served(rate_address="3/minute", rate_account="5/minute")
    answers = [client.get("/v1/vocabulary") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
    assert left == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[0].headers["ratelimit-policy"] == '"address";q=3;w=60'
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["code"] == "too_many_requests.address"
    # An account is counted by itself, wherever it asks from.
    mine = [client.get("/v1/account", headers=ada.headers) for _ in range(6)]
    assert [answer.status_code for answer in mine] == [200] * 5 + [429]
    assert mine[0].headers["ratelimit-policy"] == '"account";q=5;w=60'
    # Guessing tokens is asking as nobody.
    guess = client.get("/v1/account", headers={"Authorization": "Bearer bmw_token_guess"})
    assert guess.status_code == 429


def test_a_method_that_a_path_does_not_know_is_told_those_that_it_knows(
    client: TestClient, ada
) -> None:
    assert client.put("/v1/tokens").headers["allow"] == "GET, POST"
    assert client.request("TRACE", "/v1/tokens/1").headers["allow"] == "DELETE"
    # A path of its own is not taken for the id of something.
    for method in ("OPTIONS", "PATCH", "DELETE"):
        answer = client.request(method, "/v1/learnwares/count", headers=ada.headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
