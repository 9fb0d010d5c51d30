"""Registering, confirming an address, and choosing a new password.

The answers here are the same whether there is an account of an address or not; see the mail.
"""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from beimingwu.server.permissions import AStranger
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.views import AccountView, Body, Code, Email, Name, NewPassword, View

router = APIRouter(prefix="/accounts", tags=["accounts"])


class Registration(Body):
    """What somebody who wants an account says."""

    email: Email
    name: Name
    password: NewPassword


class Address(Body):
    """An e-mail address."""

    email: Email


class Confirmation(Body):
    """What a link to confirm an address holds."""

    code: Code


class Reset(Body):
    """What a link to choose a new password holds, and the password."""

    code: Code
    password: NewPassword


class Mailed(View):
    """That a mail is on its way, if it has where to go."""

    message: str = Field(examples=["If this address can be used, a mail is on its way to it."])


_MAILED = Mailed(message="If this address can be used, a mail is on its way to it.")


@router.post("", status_code=202, operation_id="register", responses=documented(409))
def register(caller: AStranger, service: TheService, wanted: Registration) -> Mailed:
    """Ask for an account; a link in a mail confirms it."""
    service.accounts.registration.register(wanted.email, wanted.name, wanted.password, caller.actor)
    return _MAILED


@router.post("/confirmations", status_code=202, operation_id="askForConfirmation")
def ask_for_confirmation(caller: AStranger, service: TheService, whose: Address) -> Mailed:
    """Ask for another mail to confirm a registration."""
    service.accounts.registration.ask_confirmation(whose.email, caller.actor)
    return _MAILED


@router.post("/confirm", operation_id="confirmAddress", responses=documented(404, 409))
def confirm(caller: AStranger, service: TheService, link: Confirmation) -> AccountView:
    """Confirm an address with the code of a link, which is good once."""
    return AccountView.of(service.accounts.registration.confirm(link.code, caller.actor))


@router.post("/resets", status_code=202, operation_id="askForNewPassword")
def ask_for_new_password(caller: AStranger, service: TheService, whose: Address) -> Mailed:
    """Ask for a mail to choose a new password."""
    service.accounts.registration.ask_reset(whose.email, caller.actor)
    return _MAILED


@router.post(
    "/reset", status_code=204, operation_id="chooseNewPassword", responses=documented(404, 409)
)
def choose_new_password(caller: AStranger, service: TheService, link: Reset) -> None:
    """Choose a new password with the code of a link, which is good once; all sessions end."""
    service.accounts.registration.reset(link.code, link.password, caller.actor)
