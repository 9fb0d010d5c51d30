"""How learnwares are shown to clients of 2024: their states, moments, owners and pages."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from beimingwu.accounts.records import id_of_owner
from beimingwu.dock.listing import Standing
from beimingwu.learnware.record import LearnwareRecord, State
from beimingwu.server.service import Service

T = TypeVar("T")

#: What the old dock called each state; what nobody may use any more had failed there.
_STATUS: Mapping[State, str] = MappingProxyType(
    {
        "uploaded": "WAITING",
        "verifying": "PROCESSING",
        "published": "SUCCESS",
        "rejected": "FAIL",
        "withdrawn": "FAIL",
        "quarantined": "FAIL",
    }
)
_ORDER = ("FAIL", "WAITING", "PROCESSING", "QUEUE", "SUCCESS")
VERIFIED = "SUCCESS"


def status_of(state: State) -> str:
    """Return the old word for a state.

    Examples
    --------
    >>> status_of("published")
    'SUCCESS'
    """
    return _STATUS[state]


def moment(at: datetime) -> str:
    """Return a moment as the old service wrote it.

    Examples
    --------
    >>> moment(datetime(2026, 11, 23, 21, 55, 43, 457394, UTC))
    '2026-11-23 21:55:43.457394 UTC'
    """
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"


def user_id_of(owner: str) -> int:
    """Return the number of an owner, 0 for one who has no account."""
    return id_of_owner(owner) or 0


def usernames(service: Service, owners: Collection[str]) -> dict[str, str]:
    """Return what owners are called."""
    names = service.accounts.people.names(set(owners))
    return {owner: name or "Unknown" for owner, name in names.items()}


def chosen(
    standings: Iterable[Standing], verified: bool | None, *, sorted_by_status: bool = False
) -> list[Standing]:
    """Return those that are verified, that are not, or for None all."""
    found = [
        one
        for one in standings
        if verified is None or (status_of(one.newest) == VERIFIED) == verified
    ]
    if sorted_by_status and verified is None:
        found.sort(key=lambda one: _ORDER.index(status_of(one.newest)))
    return found


def page_of(everything: Sequence[T], limit: int, page: int) -> Sequence[T]:
    """Return a page, counted from 0; nothing beyond the last."""
    return everything[page * limit : (page + 1) * limit]


def paging(count: int, limit: int, page: int) -> dict[str, int]:
    """Return what is said of pages beside one."""
    return {"page": page, "limit": limit, "total_pages": math.ceil(count / limit)}


def rows(service: Service, standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Show learnwares to those who own or look after them, with the state of the newest revision.

    One that was deleted meanwhile is left out.
    """
    newest = {one.id: one.newest for one in standings}
    return [
        {
            "learnware_id": record.id,
            "last_modify": moment(record.changed),
            "verify_status": status_of(newest[record.id]),
            "semantic_specification": record.semantic.to_json(),
        }
        for record in service.dock.records(newest)
    ]


def item(record: LearnwareRecord, username: str, matching: float) -> dict[str, Any]:
    """Show a learnware that a search found."""
    return {
        "learnware_id": record.id,
        "semantic_specification": record.semantic.to_json(),
        "matching": matching,
        "last_modify": moment(record.changed),
        "username": username,
    }
