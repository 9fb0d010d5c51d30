"""The schema of version 1, OpenAPI 3.1: what the routes say, and who may call each."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import RouteContext

from beimingwu.server.permissions import (
    CSRF_HEADER,
    Anyone,
    declared_routes,
    permissions_of,
)
from beimingwu.server.problems import Problem

_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API token; each route names the scope that it must have.",
}
_SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "description": f"A browser's session; what changes anything needs {CSRF_HEADER} beside it.",
}


def describe(app: FastAPI) -> None:
    """Let an application serve its schema at /v1/openapi.json."""

    @app.get("/v1/openapi.json", include_in_schema=False)
    def schema(caller: Anyone, request: Request) -> JSONResponse:
        return JSONResponse(app.openapi(), headers={"Cache-Control": "public, max-age=300"})

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        summary=app.summary,
        version=app.version,
        routes=app.routes,
        description=(
            "Share trained models as learnwares, and find those that solve a task. Failures are "
            "problems as in RFC 9457, with a stable `code` and a `remedy`."
        ),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = schema.setdefault("components", {})
    cookie = app.state.service.cookie
    components["securitySchemes"] = {"token": _TOKEN, "session": {**_SESSION, "name": cookie}}
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for path, route in declared_routes(app.routes):
        _secure(schema["paths"].get(path, {}), route)
    return schema


def _secure(operations: dict[str, Any], route: RouteContext) -> None:
    [permission] = permissions_of(route)
    signed: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
    for method in route.methods or ():
        operation = operations.get(method.lower(), {})
        operation["security"] = signed if permission.role is not None else [{}, *signed]
        if permission.role is not None:
            operation["x-permission"] = {
                "role": permission.role.word,
                "scope": str(permission.scope),
            }
