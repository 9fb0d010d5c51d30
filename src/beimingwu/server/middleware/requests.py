"""One id for each request, one line about it in the log, and an answer whatever happens.

The line holds the method, the path without its query, the status, how long it took, and the number
of the account: no header and no body, so no secret and no data of anybody.
"""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from beimingwu.accounts.rates import Window
from beimingwu.server.metrics import Metrics
from beimingwu.server.problems import unforeseen

_access = logging.getLogger("beimingwu.access")
_log = logging.getLogger("beimingwu.server")
#: What a proxy before us may already call the request.
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Requests:
    """Middleware: names a request, logs it, and tells how often its sender may ask."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)
        began, status = time.perf_counter(), 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_headers(state)]
            await send(message)

        try:
            await self._app(scope, receive, answered)
        except Exception:
            _log.exception("%s failed", state["request_id"])
            if not status:
                response = unforeseen(scope["path"], state["request_id"])
                await response(scope, receive, answered)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.request(_operation(scope), scope["method"], status, seconds)
            _tell(scope, status, seconds)


def _operation(scope: Scope) -> str:
    """Return the name of the route, of which there are few; a path may be anything."""
    route = scope.get("route")
    return str(getattr(route, "operation_id", None) or getattr(route, "name", None) or "-")


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        given = value.decode("latin-1")
        if name == b"x-request-id" and _ID.fullmatch(given):
            return str(given)
    return uuid.uuid4().hex


def _headers(state: dict[str, object]) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-request-id", str(state["request_id"]).encode())]
    window = state.get("window")
    if isinstance(window, Window):
        policy = f'"{window.policy}";q={window.limit};w={window.seconds}'
        left = f'"{window.policy}";r={window.remaining};t={window.reset}'
        headers += [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
    return headers


def _tell(scope: Scope, status: int, seconds: float) -> None:
    state, client = scope["state"], scope.get("client")
    _access.info(
        "%s %s %s %s %.1fms account=%s from=%s",
        state["request_id"],
        scope["method"],
        # A path may hold any character; a line of a log may not.
        scope["path"].encode("unicode_escape").decode(),
        status or "-",
        seconds * 1000,
        state.get("account", "-"),
        client[0] if client else "-",
    )
