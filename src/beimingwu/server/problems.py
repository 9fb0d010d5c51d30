"""Every failure as an RFC 9457 problem: its code, what to do about it, and the request it was in.

An error of ours becomes a problem of the same code; what the framework refuses (a body that breaks
its schema, a path or method that is none) becomes one too, and so does what nobody foresaw.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from beimingwu.errors import (
    BeimingwuError,
    CheckFailed,
    Conflict,
    EnvironmentFailed,
    Forbidden,
    GuestFailed,
    InvalidArchive,
    InvalidInput,
    InvalidRequirement,
    InvalidSpecification,
    NotFound,
    SandboxUnavailable,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from beimingwu.server.permissions import methods_at

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger("beimingwu.server")

#: The status of each kind of error; the first kind that an error is of, so the special ones first.
_STATUS: tuple[tuple[type[BeimingwuError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (TooManyRequests, 429),
    (InvalidInput, 422),
    (InvalidSpecification, 422),
    (InvalidArchive, 422),
    (InvalidRequirement, 422),
    (CheckFailed, 422),
    (GuestFailed, 502),
    (EnvironmentFailed, 503),
    (SandboxUnavailable, 503),
    (Unavailable, 503),
)
#: Codes whose status is not that of their kind.
_STATUS_OF_CODE: Mapping[str, int] = MappingProxyType(
    {
        "dock.disk_full": 507,
        "precondition.failed": 412,
        "precondition.required": 428,
        "range.unsatisfiable": 416,
    }
)

#: What the framework refuses, in our words.
_FRAMEWORK: Mapping[int, tuple[str, str, str]] = MappingProxyType(
    {
        400: (
            "request.malformed",
            "The request cannot be read.",
            "Send it as the schema says: /v1/openapi.json.",
        ),
        404: (
            "not_found.path",
            "There is nothing at this path.",
            "See the paths in /v1/openapi.json.",
        ),
        405: (
            "request.method",
            "This path does not know this method.",
            "See the header Allow for those that it knows.",
        ),
        413: (
            "too_large.request",
            "The body of the request is too large.",
            "Send less at once; archives are sent as uploads, in pieces.",
        ),
        415: (
            "request.media_type",
            "The body is of a media type that this path does not take.",
            "Send it as the schema says: /v1/openapi.json.",
        ),
    }
)


class Flaw(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(
        description="A JSON pointer into the body, or the parameter's place and name."
    )
    problem: str


class Problem(BaseModel):
    """What went wrong, as in RFC 9457."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:beimingwu:problem:not_found.learnware",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no learnware 00000042 in this dock.",
                "instance": "/v1/learnwares/00000042",
                "code": "not_found.learnware",
                "kind": "NotFound",
                "remedy": "Look for it with `list` or `search`; a deleted id is never used again.",
                "request_id": "5f0c6c1d2f9f4a0cb0b9a1d3c1a7e9d2",
            }
        }
    )

    type: str = Field(description="A name for this kind of problem, which ends in the code.")
    title: str
    status: int
    detail: str = Field(description="What is wrong with this very request.")
    instance: str = Field(description="The path of the request.")
    code: str = Field(description="A stable name for programs.")
    kind: str = Field(description="The class of this error in the Python library.")
    remedy: str = Field(description="What to do about it.")
    request_id: str = Field(description="What the log of the server calls this request.")
    errors: list[Flaw] | None = Field(
        None, description="Each thing that is wrong, where the request breaks its schema."
    )


def install(app: FastAPI) -> None:
    """Let an application answer every failure with a problem."""
    app.add_exception_handler(BeimingwuError, _ours)
    app.add_exception_handler(RequestValidationError, _schema_broken)
    app.add_exception_handler(HTTPException, _refused)


def status_of(error: BeimingwuError) -> int:
    """Return the HTTP status of an error of ours.

    Examples
    --------
    >>> status_of(NotFound("No learnware is called '7'."))
    404
    """
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: BeimingwuError, instance: str, request_id: str) -> Response:
    """Return the answer to a request that an error of ours ended."""
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s: %s", request_id, error.code, error.problem)
    detail, remedy = told_to_callers(error)
    headers = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="beimingwu"'
    kind = type(error).__name__
    return answer(status, error.code, detail, remedy, instance, request_id, kind, headers=headers)


def told_to_callers(error: BeimingwuError) -> tuple[str, str]:
    """Return what is wrong and the remedy, as those may read it who only call the service.

    What the folder and the database are at fault of names places on this machine: its operator
    finds that in the log.

    Examples
    --------
    >>> told_to_callers(Unavailable("'/srv/dock' is locked.", code="dock.busy"))[0]
    'The dock cannot use its database or its files just now.'
    """
    status = status_of(error)
    if not error.code.startswith("dock.") or status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return error.problem, error.remedy
    remedy = "Try it again later; if it goes on, tell who runs this dock the request's id."
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return "The disk of the dock is full.", remedy
    return "The dock cannot use its database or its files just now.", remedy


def unforeseen(instance: str, request_id: str) -> Response:
    """Return the answer to a request in which something failed that nobody foresaw."""
    return answer(
        500,
        "internal",
        "This is a defect of the dock, met in this request.",
        "Try it again; if it happens again, tell who runs this dock the request's id.",
        instance,
        request_id,
    )


def answer(
    status: int,
    code: str,
    detail: str,
    remedy: str,
    instance: str,
    request_id: str,
    kind: str = "",
    *,
    errors: Sequence[Flaw] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as a response."""
    problem = Problem(
        type=f"urn:beimingwu:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        code=code,
        kind=kind or _kind_of(status),
        remedy=remedy,
        request_id=request_id,
        errors=list(errors) if errors else None,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _kind_of(status: int) -> str:
    """Return the name of the kind of error that has a status, for what is no error of ours."""
    for kind, of_kind in _STATUS:
        if of_kind == status:
            return kind.__name__
    return "InvalidInput" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Unavailable"


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of the problems that it answers with, for its `responses`.

    Examples
    --------
    >>> documented(404)[404]["description"]
    'Not Found'
    """
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


#: What any route may answer with; a route names what else it does.
COMMON = documented(400, 401, 403, 413, 415, 422, 429, 500, 503, 507)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, BeimingwuError)  # noqa: S101
    return problem_of(error, request.url.path, request.state.request_id)


async def _schema_broken(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if request.method not in methods_at(request.app.routes, request.url.path):
        # It was taken for the id of something, by a route of another method.
        return await _refused(request, HTTPException(HTTPStatus.METHOD_NOT_ALLOWED))
    flaws = [Flaw(where=_where(one["loc"]), problem=str(one["msg"])) for one in error.errors()]
    return answer(
        422,
        "request.schema",
        "; ".join(f"{flaw.where}: {flaw.problem}" for flaw in flaws[:3]) or "It cannot be read.",
        "Send it as the schema says: /v1/openapi.json.",
        request.url.path,
        request.state.request_id,
        errors=flaws,
    )


def _where(location: Sequence[str | int]) -> str:
    place, *inside = location
    if place == "body":
        return "body" + "".join(f"/{part}" for part in inside)
    return f"{place} {'/'.join(map(str, inside))}".strip()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code, detail, remedy = _FRAMEWORK.get(
        error.status_code, ("request.refused", str(error.detail), "See /v1/openapi.json.")
    )
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework knows only of the first route at this path.
        headers["Allow"] = ", ".join(methods_at(request.app.routes, request.url.path))
    return answer(
        error.status_code,
        code,
        detail,
        remedy,
        request.url.path,
        request.state.request_id,
        headers=headers,
    )
