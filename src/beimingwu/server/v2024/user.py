"""The account that calls, and its learnwares: listed, deleted, and the log of their checks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from beimingwu.errors import BeimingwuError, Forbidden, NotFound
from beimingwu.learnware.record import Step
from beimingwu.server.permissions import Caller
from beimingwu.server.seeing import owned
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.auth import change_password, profile_of
from beimingwu.server.v2024.callers import WithAccount, WithRead, WithWrite
from beimingwu.server.v2024.envelope import coded, ok
from beimingwu.server.v2024.sent import Sent, flag_in, page_in, text_in
from beimingwu.server.v2024.showing import chosen, page_of, paging, rows

router = APIRouter(prefix="/user")


@router.post("/profile", name="2024 profile")
def profile(caller: WithRead) -> JSONResponse:
    """Return the account that calls."""
    return ok(profile_of(caller.account))


@router.post("/change_password", name="2024 change_password")
def change(caller: WithAccount, service: TheService, sent: Sent) -> JSONResponse:
    """Change the password; every other login by one ends."""
    change_password(caller, service, text_in(sent, "old_password"), text_in(sent, "new_password"))
    return ok(msg="Update success")


@router.post("/list_learnware", name="2024 list_learnware")
def list_learnware(caller: WithRead, service: TheService, sent: Sent) -> JSONResponse:
    """Return a page of the caller's learnwares; those that failed first, so that one sees them."""
    limit, page = page_in(sent)
    standings = chosen(
        service.dock.standings(owner=caller.account.owner),
        flag_in(sent, "is_verified"),
        sorted_by_status=True,
    )
    shown = rows(service, page_of(standings, limit, page))
    return ok({"learnware_list": shown, **paging(len(standings), limit, page)})


@router.post("/delete_learnware", name="2024 delete_learnware")
def delete_learnware(caller: WithWrite, service: TheService, sent: Sent) -> JSONResponse:
    """Delete a learnware for good; its id is never given again."""
    delete(caller, service, text_in(sent, "learnware_id"))
    return ok(msg="Delete success.")


@router.get("/verify_log", name="2024 verify_log")
def verify_log(
    caller: WithRead, service: TheService, learnware_id: Annotated[str, Query()] = ""
) -> JSONResponse:
    """Return the log of the checks of the newest revision; null to whom it does not belong."""
    try:
        owned(service.dock, caller, learnware_id)
        steps = service.dock.submission(learnware_id).steps
    except (NotFound, Forbidden):
        return JSONResponse({"code": 0, "data": None})
    return ok("\n".join(map(_line, steps)), None)


def delete(caller: Caller, service: Service, id: str) -> None:
    """Delete a learnware of the caller's, or for an admin any.

    Raises
    ------
    Refused
        51, 41, 42: there is none; it is somebody else's; it cannot be.
    """
    with coded((NotFound, 51), (Forbidden, 41), (BeimingwuError, 42)):
        owned(service.dock, caller, id)
        service.dock.delete(id, actor=caller.actor.name)


def _line(step: Step) -> str:
    return f"[{step.state}] {step.name}: {step.message} {step.remedy}".strip()
