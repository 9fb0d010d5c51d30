"""Requests under a condition: only if it is still as the caller saw it, or only if it changed."""

from __future__ import annotations

import hashlib
import json

from fastapi import Request

from beimingwu.errors import Conflict

#: What a route may answer where it knows these headers.
IF_MATCH = (412, 428)


def etag_of(value: object) -> str:
    """Return the ETag of a JSON value: equal ones have the same.

    Examples
    --------
    >>> etag_of({"a": 1, "b": 2}) == etag_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the caller has this already, and needs only to be told so."""
    given = request.headers.get("if-none-match")
    return given is not None and _among(etag, given)


def require_match(request: Request, etag: str, *, needed: bool) -> None:
    """Refuse a change that was made from something else than what is there now.

    Parameters
    ----------
    needed
        Whether the caller has to say what it changes.

    Raises
    ------
    Conflict
        `precondition.failed`, `precondition.required`.
    """
    given = request.headers.get("if-match")
    if given is None:
        if needed:
            raise Conflict(
                "The header If-Match is missing, so this might undo somebody else's change.",
                remedy="GET it, and send its ETag in If-Match.",
                code="precondition.required",
            )
        return
    if not _among(etag, given):
        raise Conflict(
            "It was changed by somebody else meanwhile.",
            remedy="GET it again, and make your change to that.",
            code="precondition.failed",
        )


def _among(etag: str, given: str) -> bool:
    tags = [tag.strip() for tag in given.split(",")]
    return "*" in tags or any(tag.removeprefix("W/") == etag for tag in tags)
