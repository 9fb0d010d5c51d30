"""What admins do about accounts and learnwares; each act is an event that its owner can read.

An admin acts on accounts of a lesser role than their own, and only super admins give roles.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from beimingwu.accounts import Account, Role
from beimingwu.accounts.people import require_above
from beimingwu.dock.quarantine import quarantine, release
from beimingwu.server.leaving import delete_account
from beimingwu.server.paging import LIMIT, Limit, link_next
from beimingwu.server.permissions import AnAdmin, ASuperAdmin, Caller
from beimingwu.server.problems import documented
from beimingwu.server.service import Service, TheService
from beimingwu.server.v1.account import Before
from beimingwu.server.v1.views import AccountView, Body, EventView, Key, RoleWord, TokenView

router = APIRouter(prefix="/admin", tags=["administration"])

After = Annotated[int, Query(ge=0, le=2**31 - 1, description="Only of higher ids than this.")]
LearnwareId = Annotated[str, Field(pattern=r"^[0-9]{8}$", examples=["00000042"])]


class RoleChange(Body):
    """The role to come."""

    role: RoleWord


class Why(Body):
    """Why something is done; its owner can read it."""

    reason: str = Field("", max_length=1000, examples=["It copies learnware 00000007."])


@router.get("/accounts", operation_id="listAccounts")
def list_accounts(
    caller: AnAdmin,
    service: TheService,
    request: Request,
    response: Response,
    text: Annotated[str, Query(max_length=254, description="In the name or the address.")] = "",
    role: RoleWord | None = None,
    state: Literal["unconfirmed", "active", "suspended"] | None = None,
    after: After = 0,
    limit: Limit = LIMIT,
) -> list[AccountView]:
    """Return accounts by their ids."""
    found = service.accounts.people.list(
        text, role=Role.of(role) if role else None, state=state, after=after, limit=limit
    )
    if len(found) == limit:
        link_next(request, response, after=found[-1].id)
    return [AccountView.of(account) for account in found]


@router.get("/accounts/{id}", operation_id="getAnyAccount", responses=documented(404))
def get_any_account(caller: AnAdmin, service: TheService, id: Key) -> AccountView:
    """Return an account."""
    return AccountView.of(service.accounts.people.get(id))


@router.put("/accounts/{id}/role", operation_id="setRole", responses=documented(404, 409))
def set_role(caller: ASuperAdmin, service: TheService, id: Key, change: RoleChange) -> AccountView:
    """Give an account another role."""
    role = Role.of(change.role)
    return AccountView.of(service.accounts.people.set_role(id, role, caller.actor))


@router.post(
    "/accounts/{id}/suspend", operation_id="suspendAccount", responses=documented(404, 409)
)
def suspend_account(caller: AnAdmin, service: TheService, id: Key, why: Why) -> AccountView:
    """Let nobody use an account; its learnwares stay as they are."""
    _lesser(caller, service, id)
    return AccountView.of(service.accounts.people.suspend(id, caller.actor, why.reason))


@router.post(
    "/accounts/{id}/reinstate", operation_id="reinstateAccount", responses=documented(404, 409)
)
def reinstate_account(caller: AnAdmin, service: TheService, id: Key) -> AccountView:
    """Let a suspended account be used again."""
    _lesser(caller, service, id)
    return AccountView.of(service.accounts.people.reinstate(id, caller.actor))


@router.post(
    "/accounts/{id}/delete",
    status_code=204,
    operation_id="deleteAnyAccount",
    responses=documented(404, 409),
)
def delete_any_account(caller: AnAdmin, service: TheService, id: Key) -> None:
    """Delete an account and its learnwares for good."""
    delete_account(service, _lesser(caller, service, id), caller.actor)


@router.get("/accounts/{id}/tokens", operation_id="listAnyTokens", responses=documented(404))
def list_any_tokens(caller: AnAdmin, service: TheService, id: Key) -> list[TokenView]:
    """Return the tokens of an account, without their secrets."""
    account = service.accounts.people.get(id)
    return [TokenView.of(token) for token in service.accounts.tokens.of(account.id)]


@router.delete(
    "/accounts/{id}/tokens/{token}",
    status_code=204,
    operation_id="revokeAnyToken",
    responses=documented(404),
)
def revoke_any_token(caller: AnAdmin, service: TheService, id: Key, token: Key) -> None:
    """End a token of an account at once."""
    account = _lesser(caller, service, id)
    service.accounts.tokens.revoke(account.id, token, caller.actor)


@router.get("/events", operation_id="listEvents")
def list_all_events(
    caller: AnAdmin,
    service: TheService,
    request: Request,
    response: Response,
    account: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only of this.")] = None,
    limit: Limit = LIMIT,
    before: Before = None,
) -> list[EventView]:
    """Return what happened to accounts, the newest first."""
    events = service.accounts.people.events(account, before=before, limit=limit)
    if len(events) == limit:
        link_next(request, response, before=events[-1].id)
    return [EventView.of(event) for event in events]


@router.post(
    "/learnwares/{id}/quarantine",
    status_code=204,
    operation_id="quarantineLearnware",
    responses=documented(404, 409),
)
def quarantine_learnware(caller: AnAdmin, service: TheService, id: LearnwareId, why: Why) -> None:
    """Take a learnware from everybody but its owner and the admins."""
    quarantine(service.dock.database, id, caller.actor.name, why.reason)


@router.post(
    "/learnwares/{id}/release",
    status_code=204,
    operation_id="releaseLearnware",
    responses=documented(404, 409),
)
def release_learnware(caller: AnAdmin, service: TheService, id: LearnwareId) -> None:
    """Let a learnware out of quarantine, to be as it was before."""
    release(service.dock.database, id, caller.actor.name)


def _lesser(caller: Caller, service: Service, id: int) -> Account:
    account = service.accounts.people.get(id)
    require_above(caller.account.role, account)
    return account
