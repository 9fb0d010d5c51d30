"""The account that calls: seen, changed, exported, and deleted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from beimingwu.server.leaving import delete_account, everything_about
from beimingwu.server.paging import LIMIT, Limit, link_next
from beimingwu.server.permissions import WithAccount, WithRead
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.accounts import Mailed
from beimingwu.server.v1.views import (
    AccountView,
    Body,
    Email,
    EventView,
    Name,
    NewPassword,
    Password,
)

router = APIRouter(prefix="/account", tags=["account"])

#: The id of the last event of the page before.
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only older ones than this.")]


class Change(Body):
    """What of an account is to change."""

    name: Name


class PasswordChange(Body):
    """The password, and the one to take its place."""

    old: Password
    new: NewPassword


class EmailChange(Body):
    """The address to come, and the password of the account."""

    email: Email
    password: Password


class Deletion(Body):
    """The password, since this cannot be undone."""

    password: Password


class Everything(Body):
    """All that the dock keeps about an account, without secrets."""

    account: dict[str, Any]
    tokens: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    learnwares: list[dict[str, Any]] = Field(
        description="Each with its semantic specification and its history."
    )


@router.get("", operation_id="getAccount")
def get_account(caller: WithRead) -> AccountView:
    """Return the account that calls."""
    return AccountView.of(caller.account)


@router.patch("", operation_id="renameAccount", responses=documented(409))
def rename_account(caller: WithAccount, service: TheService, change: Change) -> AccountView:
    """Give the account another name."""
    renamed = service.accounts.people.rename(caller.account.id, change.name, caller.actor)
    return AccountView.of(renamed)


@router.post("/password", status_code=204, operation_id="changePassword")
def change_password(caller: WithAccount, service: TheService, change: PasswordChange) -> None:
    """Change the password; every other session ends."""
    identity = caller.identity
    session = identity.key if identity is not None and identity.means == "session" else None
    service.accounts.people.change_password(
        caller.account, change.old, change.new, caller.actor, session
    )


@router.post("/email", status_code=202, operation_id="changeEmail")
def change_email(caller: WithAccount, service: TheService, change: EmailChange) -> Mailed:
    """Ask for another e-mail address; a link in a mail to it confirms it."""
    service.accounts.people.require_password(caller.account, change.password)
    service.accounts.registration.ask_email(caller.account, change.email, caller.actor)
    return Mailed(message="If this address can be used, a mail is on its way to it.")


@router.get("/events", operation_id="listAccountEvents")
def list_events(
    caller: WithAccount,
    service: TheService,
    request: Request,
    response: Response,
    limit: Limit = LIMIT,
    before: Before = None,
) -> list[EventView]:
    """Return what happened to the account, the newest first."""
    events = service.accounts.people.events(caller.account.id, before=before, limit=limit)
    if len(events) == limit:
        link_next(request, response, before=events[-1].id)
    # What an admin did stands there as an admin's; which one, admins can see.
    return [EventView.of(event.told_to_owner()) for event in events]


@router.get("/export", operation_id="exportAccount")
def export_account(caller: WithAccount, service: TheService, response: Response) -> Everything:
    """Return all that the dock keeps about the account, to be saved."""
    response.headers["Content-Disposition"] = 'attachment; filename="beimingwu-account.json"'
    response.headers["Cache-Control"] = "no-store"
    return Everything.model_validate(everything_about(service, caller.account))


@router.post("/delete", status_code=204, operation_id="deleteAccount", responses=documented(409))
def delete_own_account(caller: WithAccount, service: TheService, given: Deletion) -> None:
    """Delete the account and its learnwares for good."""
    service.accounts.people.require_password(caller.account, given.password)
    delete_account(service, caller.account, caller.actor)
