"""A bound on the body of every request, wherever it is read; a route that streams moves its own."""

from __future__ import annotations

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def allow_body(request: Request, size: int) -> None:
    """Let the body of this request be as large as this; call it before any of it is read."""
    request.state.body_limit = size


class Bodies:
    """Middleware: ends the reading of a body with 413 where it grows over its bound."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["body_limit"] = self._limit
        declared, size = _declared(scope), 0

        async def bounded() -> Message:
            nonlocal size
            if declared > state["body_limit"]:
                raise HTTPException(413)
            message = await receive()
            size += len(message.get("body", b""))
            if size > state["body_limit"]:
                raise HTTPException(413)
            return message

        await self._app(scope, bounded, send)


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
