"""API tokens of the account that calls."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from beimingwu.accounts import Scope
from beimingwu.errors import Forbidden
from beimingwu.server.permissions import Caller, WithAccount
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.views import Body, Key, NewTokenView, TokenView

router = APIRouter(prefix="/tokens", tags=["tokens"])


class NewToken(Body):
    """What a token is for, what it allows, and when it ends."""

    name: str = Field(min_length=1, max_length=100, examples=["laptop"])
    scopes: list[Scope] = Field(min_length=1, max_length=20, examples=[["read", "write"]])
    expires: AwareDatetime | None = Field(
        None, examples=["2099-12-31T00:00:00Z"], description="It does not end where omitted."
    )


@router.get("", operation_id="listTokens")
def list_tokens(caller: WithAccount, service: TheService) -> list[TokenView]:
    """Return the tokens of the account, the newest first, without their secrets."""
    return [TokenView.of(token) for token in service.accounts.tokens.of(caller.account.id)]


@router.post("", status_code=201, operation_id="createToken", responses=documented(409))
def create_token(
    caller: WithAccount, service: TheService, response: Response, wanted: NewToken
) -> NewTokenView:
    """Make a token; its secret is in this answer and nowhere else."""
    require_scopes(caller, wanted.scopes)
    secret, token = service.accounts.tokens.create(
        caller.account, wanted.name, set(wanted.scopes), caller.actor, expires=wanted.expires
    )
    response.headers["Cache-Control"] = "no-store"
    return NewTokenView(secret=secret, token=TokenView.of(token))


@router.delete("/{id}", status_code=204, operation_id="revokeToken", responses=documented(404))
def revoke_token(caller: WithAccount, service: TheService, id: Key) -> None:
    """End a token at once."""
    service.accounts.tokens.revoke(caller.account.id, id, caller.actor)


def require_scopes(caller: Caller, scopes: list[Scope]) -> None:
    """Refuse who would give away more than they were given.

    Raises
    ------
    Forbidden
        Some scope is not the caller's.
    """
    held = caller.identity.scopes if caller.identity else frozenset()
    beyond = sorted(set(scopes) - held)
    if beyond:
        raise Forbidden(
            f"You act with a token that does not have the scope {beyond[0]!s} itself.",
            remedy="Sign in with a browser, and make the token there.",
            code="forbidden.scope",
        )
