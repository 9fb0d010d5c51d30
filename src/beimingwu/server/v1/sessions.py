"""Browsers that are signed in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from beimingwu.accounts import Actor
from beimingwu.accounts.opaque import csrf_of
from beimingwu.server.permissions import CSRF_HEADER, AStranger, Caller, WithAccount, WithRead
from beimingwu.server.problems import documented
from beimingwu.server.service import Service, TheService
from beimingwu.server.v1.views import AccountView, Body, Email, Key, Password, SessionView, View

router = APIRouter(prefix="/sessions", tags=["sessions"])


class Credentials(Body):
    """An e-mail address and its password."""

    email: Email
    password: Password


class SignedIn(View):
    """Who is signed in, and what a page must send beside the cookie."""

    account: AccountView
    csrf: str = Field(
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        description=f"Send it in {CSRF_HEADER} with whatever changes anything.",
    )


@router.post("", status_code=201, operation_id="signIn")
def sign_in(
    caller: AStranger,
    service: TheService,
    request: Request,
    response: Response,
    given: Credentials,
) -> SignedIn:
    """Sign a browser in: it is given a cookie."""
    account = service.accounts.people.sign_in(given.email, given.password, caller.actor)
    actor = Actor(account.owner, caller.address)
    agent = request.headers.get("user-agent", "")
    secret, _ = service.accounts.sessions.open(account, agent, actor)
    response.set_cookie(
        service.cookie,
        secret,
        max_age=service.settings.session_seconds,
        path="/",
        secure=service.https,
        httponly=True,
        samesite="lax",
    )
    response.headers["Cache-Control"] = "no-store"
    return SignedIn(account=AccountView.of(account), csrf=csrf_of(secret))


@router.get("", operation_id="listSessions")
def list_sessions(caller: WithAccount, service: TheService) -> list[SessionView]:
    """Return the sessions of the account, the newest first."""
    current = _current(caller)
    sessions = service.accounts.sessions.of(caller.account.id)
    return [SessionView.of(session, current) for session in sessions]


@router.get("/current", operation_id="getCurrentSession", responses=documented(404))
def current_session(
    caller: WithRead, service: TheService, request: Request, response: Response
) -> SignedIn:
    """Return who is signed in by the cookie, and the value to send beside it."""
    response.headers["Cache-Control"] = "no-store"
    secret = request.cookies.get(service.cookie, "")
    return SignedIn(account=AccountView.of(caller.account), csrf=csrf_of(secret))


@router.delete("/current", status_code=204, operation_id="signOut", responses=documented(404))
def sign_out(caller: WithRead, service: TheService, response: Response) -> None:
    """Sign this browser out."""
    service.accounts.sessions.close(caller.account.id, _current(caller) or 0, caller.actor)
    _forget(service, response)


@router.delete("/{id}", status_code=204, operation_id="endSession", responses=documented(404))
def end_session(caller: WithAccount, service: TheService, id: Key) -> None:
    """Sign another browser out."""
    service.accounts.sessions.close(caller.account.id, id, caller.actor)


def _current(caller: Caller) -> int | None:
    identity = caller.identity
    return identity.key if identity is not None and identity.means == "session" else None


def _forget(service: Service, response: Response) -> None:
    response.delete_cookie(
        service.cookie, path="/", secure=service.https, httponly=True, samesite="lax"
    )
