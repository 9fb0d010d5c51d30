"""Lists of learnwares, asked for page by page."""

from __future__ import annotations

from typing import Any

from beimingwu.client.connection import Connection
from beimingwu.errors import InvalidRequirement
from beimingwu.learnware.record import LearnwareRecord, State
from beimingwu.search.semantic import KEYS, SemanticFilter

_PAGE = 500


def listed(
    connection: Connection, asked: dict[str, Any], limit: int | None, after: str | None
) -> list[LearnwareRecord]:
    """Return the learnwares that are asked for; see `Client.list`."""
    if limit is not None and limit < 1:
        raise InvalidRequirement(
            f"`limit` must be an int in the range [1, inf). Got {limit!r} instead.",
            remedy="Pass limit=1 or more.",
            code="requirement.limit",
        )
    found: list[LearnwareRecord] = []
    while limit is None or len(found) < limit:
        wanted = _PAGE if limit is None else min(_PAGE, limit - len(found))
        cursor = {"limit": wanted, **({} if after is None else {"after": after})}
        page = connection.get("/v1/learnwares", params={**asked, **cursor}).json()
        found += [LearnwareRecord.from_json(shown) for shown in page]
        if len(page) < wanted:
            break
        after = found[-1].id
    return found


def parameters(
    filter: SemanticFilter | None, state: State | None = "published", owner: str | None = None
) -> dict[str, Any]:
    """Return what is asked for as the parameters of a request.

    Examples
    --------
    >>> parameters(SemanticFilter(task="Regression", text="air"), None)
    {'task': ['Regression'], 'text': 'air', 'state': 'any'}
    >>> parameters(SemanticFilter(without={"license": "GPL-3.0"}))
    {'not_license': ['GPL-3.0']}
    """
    wanted = filter or SemanticFilter()
    asked: dict[str, Any] = {
        facet: list(getattr(wanted, facet)) for facet in KEYS if getattr(wanted, facet)
    }
    for facet in KEYS:
        if unwanted := getattr(wanted.without, facet):
            asked[f"not_{facet}"] = list(unwanted)
    if wanted.text:
        asked["text"] = wanted.text
    if state != "published":
        asked["state"] = state or "any"
    if owner is not None:
        asked["owner"] = owner
    return asked
