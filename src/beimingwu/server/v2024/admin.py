"""What admins of 2024 do about accounts and learnwares, and how much there is of either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from beimingwu.accounts import Account, Role
from beimingwu.accounts.people import require_above
from beimingwu.accounts.records import owner_of
from beimingwu.errors import Conflict, Forbidden, NotFound
from beimingwu.server.leaving import delete_account
from beimingwu.server.permissions import Caller
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.auth import new_password
from beimingwu.server.v2024.callers import AnAdmin, ASuperAdmin
from beimingwu.server.v2024.envelope import FAILED, MISSING, Refused, coded, ok
from beimingwu.server.v2024.sent import (
    Sent,
    flag_in,
    number_in,
    page_in,
    text_in,
    text_or_none,
)
from beimingwu.server.v2024.showing import (
    VERIFIED,
    chosen,
    page_of,
    paging,
    rows,
    status_of,
    usernames,
)
from beimingwu.server.v2024.user import delete

router = APIRouter(prefix="/admin")

_FACETS = {"Data": "data", "Task": "task", "Library": "library", "Scenario": "scenario"}


@router.post("/list_user", name="2024 list_user")
def list_user(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Return accounts by their ids, all of them or a page."""
    name, email = (text_or_none(sent, key) or "" for key in ("username", "email"))
    found = [
        account
        for account in service.accounts.people.list()
        if name.casefold() in account.name.casefold() and email.casefold() in account.email
    ]
    if sent.get("limit") is None:
        return ok({"user_list": _users(service, found)})
    limit, page = page_in({"page": 0, **sent}, 51)
    confirmed = flag_in(sent, "is_verified")
    if confirmed is not None:
        found = [one for one in found if (one.state != "unconfirmed") == confirmed]
    shown = _users(service, page_of(found, limit, page))
    return ok({"user_list": shown, **paging(len(found), limit, page)})


@router.post("/delete_user", name="2024 delete_user")
def delete_user(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Delete an account that has no learnwares."""
    id = number_in(sent, "user_id")
    with coded((NotFound, 51), (Forbidden, 52), (Conflict, FAILED)):
        account = _lesser(caller, service, id)
        left = service.dock.standings(owner=account.owner)
        if left:
            listed = {"learnware_list": [{"learnware_id": one.id} for one in left]}
            raise Refused(52, "Learnware list is not empty.", listed)
        delete_account(service, account, caller.actor)
    return ok()


@router.post("/list_learnware", name="2024 admin list_learnware")
def list_learnware(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Return a page of the learnwares of an account, or of all."""
    limit, page = page_in({"limit": 10, "page": 0, **sent})
    owner = None if sent.get("user_id") is None else owner_of(number_in(sent, "user_id"))
    standings = chosen(service.dock.standings(owner=owner), flag_in(sent, "is_verified"))
    on_page = page_of(standings, limit, page)
    names = usernames(service, {one.owner for one in on_page})
    owners = {one.id: one.owner for one in on_page}
    shown = [
        {"username": names[owners[row["learnware_id"]]], **row} for row in rows(service, on_page)
    ]
    return ok({"learnware_list_single": shown, **paging(len(standings), limit, page)})


@router.post("/delete_learnware", name="2024 admin delete_learnware")
def delete_learnware(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Delete any learnware for good."""
    delete(caller, service, text_in(sent, "learnware_id"))
    return ok()


@router.post("/reset_password", name="2024 admin reset_password")
def reset_password(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Give an account of a lesser role a new password, and tell it."""
    id, made = number_in(sent, "id"), new_password()
    with coded((NotFound, 51), (Conflict, FAILED)):
        account = service.accounts.people.get(id)
        if account.id != caller.account.id:
            _lesser(caller, service, id)
        service.accounts.people.set_password(id, made["md5"], caller.actor, "md5")
    return ok(made)


@router.post("/set_user_role", name="2024 set_user_role")
def set_user_role(caller: ASuperAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Give an account another role."""
    id, role = number_in(sent, "user_id"), number_in(sent, "role")
    if role not in list(Role):
        raise Refused(MISSING, "Request parameters error: role is none.")
    with coded((NotFound, 51), (Conflict, FAILED)):
        service.accounts.people.set_role(id, Role(role), caller.actor)
    return ok()


@router.post("/summary", name="2024 summary")
def summary(caller: AnAdmin, service: TheService) -> JSONResponse:
    """Return how much the dock holds, and how much it is used."""
    standings = service.dock.standings()
    states = Counter(one.state for one in standings)
    newest = Counter(one.newest for one in standings)
    people, used = service.accounts.people.counts(), service.accounts.tallies.totals()
    facets = service.dock.facets()
    unusable = states["rejected"] + states["withdrawn"] + states["quarantined"]
    return ok(
        {
            "count_verified_user": people.get("active", 0) + people.get("suspended", 0),
            "count_unverified_user": people.get("unconfirmed", 0),
            "count_verified_learnware": states["published"],
            "count_unverified_learnware": unusable,
            "count_learnware_awaiting_storage": states["uploaded"] + states["verifying"],
            "count_download": used.get("download", 0),
            "count_search": used.get("search", 0),
            "count_queued": newest["verifying"],
            "count_detail": {key: facets[facet] for key, facet in _FACETS.items()},
        }
    )


def _users(service: Service, accounts: Sequence[Account]) -> list[dict[str, Any]]:
    counts: Mapping[tuple[str, bool], int] = Counter(
        (one.owner, status_of(one.newest) == VERIFIED) for one in service.dock.standings()
    )
    return [
        {
            "id": account.id,
            "username": account.name,
            "email": account.email,
            "role": int(account.role),
            "verified_learnware_count": counts.get((account.owner, True), 0),
            "unverified_learnware_count": counts.get((account.owner, False), 0),
        }
        for account in accounts
    ]


def _lesser(caller: Caller, service: Service, id: int) -> Account:
    account = service.accounts.people.get(id)
    require_above(caller.account.role, account)
    return account
