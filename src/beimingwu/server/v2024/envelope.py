"""What every answer of the 2024 protocol is wrapped in: `{code, msg, data}`, 0 for success.

A code means what its route says; the same number is another thing elsewhere. Whatever fails is such
an answer too, so that its clients, which read `code` before anything else, are told what it was.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from beimingwu.errors import BeimingwuError, Forbidden, TooManyRequests, Unauthenticated
from beimingwu.server.problems import status_of, told_to_callers

_log = logging.getLogger("beimingwu.server")

#: Nobody is signed in; who is may not do this; a parameter is missing; what was asked failed.
UNAUTHORIZED, NOT_ALLOWED, MISSING, FAILED = 11, 12, 21, 31
_SUPER_ADMIN = "super_admin"


class Refused(Exception):
    """A request that is answered with a code of its route.

    Parameters
    ----------
    code, msg, data
        Of the answer.
    status
        Its HTTP status: 200 but where clients of 2024 save whatever has that.
    """

    def __init__(self, code: int, msg: str, data: Any = None, status: int = 200) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.data = data
        self.status = status


def ok(data: Any = None, msg: str | None = "success") -> JSONResponse:
    """Return the answer of a success; some have no `data`, and some no `msg`."""
    answer: dict[str, Any] = {"code": 0}
    if msg is not None:
        answer["msg"] = msg
    if data is not None:
        answer["data"] = data
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


@contextmanager
def coded(*codes: tuple[type[BeimingwuError] | str, int], status: int = 200) -> Iterator[None]:
    """Answer with these codes where errors of these kinds, or with these codes of ours, end it.

    The first that applies does; errors that none applies to stay what they are.

    Examples
    --------
    >>> from beimingwu.errors import NotFound
    >>> with coded((NotFound, 51)):
    ...     raise NotFound("There is none.", remedy="Make one.")
    Traceback (most recent call last):
    beimingwu.server.v2024.envelope.Refused: There is none. Make one.
    """
    try:
        yield
    except BeimingwuError as error:
        for which, code in codes:
            if error.code == which if isinstance(which, str) else isinstance(error, which):
                raise Refused(code, told(error), status=status) from None
        raise


def told(error: BeimingwuError) -> str:
    """Return an error in one line, with its remedy."""
    return " ".join(told_to_callers(error)).strip()


def install(app: FastAPI) -> None:
    """Let an application answer every failure in this form."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(BeimingwuError, _ours)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(ClientDisconnect, _unreadable)
    app.add_exception_handler(Exception, _unforeseen)


def _failure(
    code: int, msg: str, status: int = 200, data: Any = None, **headers: str
) -> JSONResponse:
    answer: dict[str, Any] = {"code": code, "msg": msg}
    if data is not None:
        answer["data"] = data
    if status != HTTPStatus.OK:
        # What the framework of 2024 said by itself, it said under this name.
        answer["message"] = msg
    return JSONResponse(answer, status, headers={"Cache-Control": "no-store", **headers})


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101
    return _failure(error.code, error.msg, error.status, error.data)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BeimingwuError)  # noqa: S101
    if isinstance(error, Unauthenticated):
        if error.code == "unauthenticated":
            return _failure(UNAUTHORIZED, "Unauthorized access.")
        return _failure(UNAUTHORIZED, told(error), HTTPStatus.UNAUTHORIZED)
    if isinstance(error, Forbidden):
        return _failure(NOT_ALLOWED, _forbidden(error))
    if isinstance(error, TooManyRequests):
        wait = str(max(1, math.ceil(error.retry_after)))
        return _failure(FAILED, told(error), HTTPStatus.TOO_MANY_REQUESTS, **{"Retry-After": wait})
    status = status_of(error)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failure(FAILED, told(error))
    _log.error("%s %s: %s", request.state.request_id, error.code, error.problem)
    return _failure(FAILED, told(error), status)


def _forbidden(error: Forbidden) -> str:
    if error.code != "forbidden.role":
        return told(error)
    super_admins = _SUPER_ADMIN in error.problem
    return f"{'Super ' if super_admins else ''}Admin account required."


async def _framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = {str(name): str(value) for name, value in (error.headers or {}).items()}
    msg = str(error.detail) or HTTPStatus(error.status_code).phrase
    return _failure(MISSING, msg, error.status_code, **headers)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    return _failure(MISSING, "The request cannot be read.", HTTPStatus.BAD_REQUEST)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    return _failure(FAILED, "Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
