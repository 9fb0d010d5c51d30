"""Accounts of 2024: registering, logging in by a password or a token, and lost passwords.

Passwords come as the MD5 that pages make of them, and are kept like any other. No answer tells
whether there is an account of some address: what the old service said by a code, a mail says.
"""

from __future__ import annotations

import secrets
import string
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from beimingwu.accounts import Account, Actor
from beimingwu.accounts.addresses import normal_email
from beimingwu.accounts.passwords import check_password, md5_of
from beimingwu.errors import (
    BeimingwuError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthenticated,
)
from beimingwu.server.permissions import Caller
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.callers import AStranger, WithRead
from beimingwu.server.v2024.envelope import FAILED, MISSING, coded, ok
from beimingwu.server.v2024.sent import Sent, number_in, text_in

router = APIRouter(prefix="/auth")

_LETTERS = string.ascii_letters + string.digits
_NEW_PASSWORD = 16
_BAD_EMAIL = ("input.email", 41)


@router.post("/register", name="2024 register")
def register(caller: AStranger, service: TheService, sent: Sent) -> JSONResponse:
    """Ask for an account; a link in a mail confirms it, whatever `confirm_email` says."""
    name, password, email = (text_in(sent, key) for key in ("username", "password", "email"))
    with coded(("conflict.name", 51), (Forbidden, 41), _BAD_EMAIL, (InvalidInput, MISSING)):
        check_password(password)
        service.accounts.registration.register(email, name, password, caller.actor, "md5")
    # Its number would tell whether the account is new.
    return ok({"user_id": 0})


@router.post("/resend_email_confirm", name="2024 resend_email_confirm")
def resend_email_confirm(caller: AStranger, service: TheService, sent: Sent) -> JSONResponse:
    """Ask for another mail to confirm a registration."""
    with coded((InvalidInput, MISSING)):
        service.accounts.registration.ask_confirmation(text_in(sent, "email"), caller.actor)
    return ok({})


@router.post("/email_confirm", name="2024 email_confirm")
def email_confirm(
    caller: AStranger, service: TheService, code: Annotated[str, Query()] = ""
) -> JSONResponse:
    """Confirm an address with the code of a link, which is good once."""
    with coded(("not_found.link", 55), (NotFound, 51), (Conflict, 51)):
        service.accounts.registration.confirm(code, caller.actor)
    return ok(msg="Email confirm success.")


@router.post("/send_reset_password_email", name="2024 send_reset_password_email")
def send_reset_password_email(caller: AStranger, service: TheService, sent: Sent) -> JSONResponse:
    """Ask for a mail to choose a new password."""
    with coded((InvalidInput, MISSING)):
        service.accounts.registration.ask_reset(text_in(sent, "email"), caller.actor)
    return ok({})


@router.post("/reset_password", name="2024 reset_password")
def reset_password(caller: AStranger, service: TheService, sent: Sent) -> JSONResponse:
    """Make a new password with the code of a link, and tell it."""
    code, user_id = text_in(sent, "code"), number_in(sent, "user_id")
    made = new_password()
    with coded(("conflict.link", 56), ("not_found.link", 55), (NotFound, 51), (Conflict, FAILED)):
        service.accounts.registration.reset(
            code, made["md5"], caller.actor, "md5", expected=user_id
        )
    return ok(made)


@router.post("/login", name="2024 login")
def login(caller: AStranger, service: TheService, request: Request, sent: Sent) -> JSONResponse:
    """Log in by a password; the token is good until a logout, as long as a browser's session."""
    email, password = text_in(sent, "email"), text_in(sent, "password")
    with coded((InvalidInput, 52), (Unauthenticated, 52), (Forbidden, FAILED)):
        account = service.accounts.people.sign_in(email, password, caller.actor, "md5")
    actor = Actor(account.owner, caller.address)
    agent = request.headers.get("user-agent", "")
    secret, _ = service.accounts.sessions.open(account, agent, actor)
    return ok({"token": secret}, "Login success.")


@router.post("/login_by_token", name="2024 login_by_token")
def login_by_token(caller: AStranger, service: TheService, sent: Sent) -> JSONResponse:
    """Log in by an API token of an account, which is its own key to all else."""
    email, token = text_in(sent, "email", 53), text_in(sent, "token", 53)
    with coded((BeimingwuError, 53)):
        account = service.accounts.tokens.identify(token.strip()).account
        if normal_email(email) != account.email or account.state != "active":
            raise Unauthenticated(
                "The token is not one of this e-mail address.",
                remedy="Give the address of the account that it was made in.",
            )
    return ok({"token": token.strip()}, "Login success.")


@router.post("/logout", name="2024 logout")
def logout(caller: WithRead, service: TheService) -> JSONResponse:
    """End a login by a password; a token stays good."""
    identity = caller.identity
    if identity is not None and identity.means == "session":
        with suppress(NotFound):
            service.accounts.sessions.close(caller.account.id, identity.key, caller.actor)
    return ok(msg="Logout success.")


@router.post("/get_role", name="2024 get_role")
def get_role(caller: WithRead) -> JSONResponse:
    """Return the role of the account that calls: 0 of users, 1 of admins, 2 of super admins."""
    return ok({"role": int(caller.account.role)})


def new_password() -> dict[str, str]:
    """Return a new password, and the MD5 that pages make of it."""
    password = "".join(secrets.choice(_LETTERS) for _ in range(_NEW_PASSWORD))
    return {"password": password, "md5": md5_of(password)}


def profile_of(account: Account) -> dict[str, Any]:
    """Show an account to itself."""
    return {
        "user_id": account.id,
        "username": account.name,
        "email": account.email,
        "role": int(account.role),
    }


def change_password(caller: Caller, service: Service, old: str, new: str) -> None:
    """Change the password of the account that calls, from one MD5 to another.

    Raises
    ------
    Refused
        52: the old one is not its password.
    """
    identity = caller.identity
    session = identity.key if identity is not None and identity.means == "session" else None
    with coded((Unauthenticated, 52), (NotFound, 51), (InvalidInput, MISSING)):
        service.accounts.people.change_password(
            caller.account, old, new, caller.actor, session, "md5"
        )
