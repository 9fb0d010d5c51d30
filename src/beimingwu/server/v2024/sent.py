"""What a client of 2024 sent, read with care: JSON objects, forms, numbers and texts.

A text that no database could hold, a number beyond what it counts to, and a body that is not what
it says are refused here, so that the routes see only what they can answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from beimingwu.server.middleware.bodies import allow_body
from beimingwu.server.v2024.envelope import MISSING, Refused

_MOST = 2**31 - 1
#: The most learnwares, or accounts, on one page.
LONGEST_PAGE = 10_000
_FIELDS, _FILES = 20, 2
_DIGITS = re.compile(r"[0-9]{1,16}")


async def _json(request: Request) -> Mapping[str, Any]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise HTTPException(415, "Send the parameters as JSON.")
    try:
        given = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, "The parameters are not JSON.") from None
    if not isinstance(given, dict):
        raise HTTPException(400, "The parameters are not a JSON object.")
    return given


#: The JSON object of a request, as a parameter of a route.
Sent = Annotated[Mapping[str, Any], Depends(_json)]


@asynccontextmanager
async def form_of(request: Request, size: int) -> AsyncIterator[FormData]:
    """Lend the form of a request, urlencoded or multipart, of at most `size` bytes."""
    allow_body(request, size)
    async with request.form(max_files=_FILES, max_fields=_FIELDS) as form:
        yield form


def file_in(form: FormData, name: str) -> UploadFile | None:
    """Return the file of a form; None where there is none, or a text of that name."""
    found = form.get(name)
    return found if isinstance(found, UploadFile) else None


def text_in(given: Mapping[str, Any], name: str, code: int = MISSING) -> str:
    """Return a text that has to be there.

    Raises
    ------
    Refused
        With `code`: it is missing, empty, or could not be kept.
    """
    found = text_or_none(given, name)
    if not found:
        raise Refused(code, f"Request parameters error: {name} is missing.")
    return found


def text_or_none(given: Mapping[str, Any], name: str) -> str | None:
    """Return a text that may be there; None where it is not, or is null.

    Raises
    ------
    Refused
        It is something else, or could not be kept.
    """
    found = given.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or "\x00" in found or _has_half_a_pair(found):
        raise Refused(MISSING, f"Request parameters error: {name} is no text.")
    return found


def number_in(given: Mapping[str, Any], name: str, code: int = MISSING, most: int = _MOST) -> int:
    """Return a whole number that has to be there, or the digits of one.

    Raises
    ------
    Refused
        With `code`: it is missing, or no such number.
    """
    found = given.get(name)
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
        raise Refused(code, f"Request parameters error: {name} is no whole number.")
    return found


def flag_in(given: Mapping[str, Any], name: str) -> bool | None:
    """Return a truth value that may be there; None where it is not, or is null.

    Raises
    ------
    Refused
        It is something else.
    """
    found = given.get(name)
    if found is None or isinstance(found, bool):
        return found
    raise Refused(MISSING, f"Request parameters error: {name} is not true or false.")


def page_in(given: Mapping[str, Any], code: int = MISSING) -> tuple[int, int]:
    """Return `limit` and `page`, the number of a page from 0.

    Raises
    ------
    Refused
        With `code`: the limit is missing or 0, or one of them is no whole number.
    """
    limit = number_in(given, "limit", code)
    if limit == 0:
        raise Refused(code, "Request parameters error: limit is 0.")
    return min(limit, LONGEST_PAGE), number_in(given, "page", code)


def lenient(text: object) -> int | None:
    """Return the number that a field of a form holds, None where it holds none.

    Examples
    --------
    >>> lenient("7"), lenient("seven"), lenient(None)
    (7, None, None)
    """
    if not isinstance(text, str) or len(text) > 10:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def _has_half_a_pair(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
