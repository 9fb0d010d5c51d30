"""What holds for every route: a permission, problems, protection, bounds."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Depends
from starlette.testclient import TestClient

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
        ("GET", "/nothing", 404, "not_found.path"),
        ("GET", "/v1/nothing", 404, "not_found.path"),
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
    for path in ("/healthz", "/v1/vocabulary", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "strict-transport-security" not in headers
