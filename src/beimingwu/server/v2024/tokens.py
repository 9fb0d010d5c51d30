"""API tokens of the account that calls, for the client of 2024.

A token is shown once, when it is made; lists hold a handle of each, by which it can be deleted.
"""

from __future__ import annotations

import re
from contextlib import suppress

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from beimingwu.accounts import Scope
from beimingwu.accounts.records import Token
from beimingwu.errors import Conflict, NotFound, Unauthenticated
from beimingwu.server.service import TheService
from beimingwu.server.v1.tokens import require_scopes
from beimingwu.server.v2024.callers import WithAccount
from beimingwu.server.v2024.envelope import FAILED, coded, ok
from beimingwu.server.v2024.sent import Sent, text_in

router = APIRouter(prefix="/user")

_NAME = "learnware client"
#: All that the client does.
_SCOPES = [Scope.READ, Scope.WRITE]
_HANDLE = re.compile(r"#([0-9]{1,9}) .*")


@router.post("/create_token", name="2024 create_token")
def create_token(caller: WithAccount, service: TheService) -> JSONResponse:
    """Make a token that may read and submit; it is in this answer and nowhere else."""
    require_scopes(caller, _SCOPES)
    with coded((Conflict, FAILED)):
        secret, _ = service.accounts.tokens.create(
            caller.account, _NAME, set(_SCOPES), caller.actor
        )
    return ok({"token": secret}, None)


@router.post("/list_token", name="2024 list_token")
def list_token(caller: WithAccount, service: TheService) -> JSONResponse:
    """Return a handle of each token of the account, the newest first."""
    tokens = service.accounts.tokens.of(caller.account.id)
    return ok({"token_list": [_handle(token) for token in tokens]}, None)


@router.post("/delete_token", name="2024 delete_token")
def delete_token(caller: WithAccount, service: TheService, sent: Sent) -> JSONResponse:
    """End a token at once, named by its handle or by itself; one that is none has ended already."""
    given = text_in(sent, "token").strip()
    found = _HANDLE.fullmatch(given)
    tokens = service.accounts.tokens
    with suppress(NotFound, Unauthenticated):
        key = int(found[1]) if found else tokens.identify(given).key
        tokens.revoke(caller.account.id, key, caller.actor)
    return ok()


def _handle(token: Token) -> str:
    return f"#{token.id} {token.name}"
