"""Who calls a route of the 2024 protocol: whoever the token in the header Authorization is of.

A browser's cookie says nothing here, so that pages of any site may ask: what they send is the
token of whoever gave it to them, or nobody's.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from beimingwu.accounts import Identity, Role, Scope
from beimingwu.accounts.opaque import is_secret
from beimingwu.errors import BeimingwuError, Unauthenticated
from beimingwu.server.permissions import Caller, Permission
from beimingwu.server.service import Service


class Bearer(Permission):
    """Who may call a route, known by the header alone."""

    def _identity(self, request: Request, service: Service) -> Identity | None:
        header = request.headers.get("authorization")
        if not self.asks or header is None:
            return None
        kind, _, secret = header.partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise Unauthenticated(
                "The header Authorization is not of the form `Bearer TOKEN`.",
                remedy="Log in again.",
                code="unauthenticated.header",
            )
        secret = secret.strip()
        # A login is a session like any other; it ends by a logout, and by itself.
        if is_secret(secret, "session"):
            return service.accounts.sessions.identify(secret)
        return service.accounts.tokens.identify(secret)


class Sender(Bearer):
    """Who may send pieces of an archive: as often as it takes.

    A client of 2024 sends a gigabyte in a thousand requests, one after another, and gives up where
    it is told to wait. What an account may keep bounds what it sends.
    """

    def __call__(self, request: Request) -> Caller:
        """Return who calls, or refuse them."""
        service: Service = request.app.state.service
        try:
            identity = self._identity(request, service)
        except BeimingwuError:
            identity = None
        if identity is None:
            return super().__call__(request)
        caller = Caller(identity, request.client.host if request.client else "")
        request.state.account = caller.account.id
        self._require(caller)
        return caller


#: The caller as a parameter of a route, with what the caller must be.
Anyone = Annotated[Caller, Depends(Bearer(None))]
AStranger = Annotated[Caller, Depends(Bearer(None, asks=False))]
WithRead = Annotated[Caller, Depends(Bearer(Role.USER, Scope.READ))]
WithWrite = Annotated[Caller, Depends(Bearer(Role.USER, Scope.WRITE))]
ToSend = Annotated[Caller, Depends(Sender(Role.USER, Scope.WRITE))]
WithAccount = Annotated[Caller, Depends(Bearer(Role.USER, Scope.ACCOUNT))]
AnAdmin = Annotated[Caller, Depends(Bearer(Role.ADMIN, Scope.ADMIN))]
ASuperAdmin = Annotated[Caller, Depends(Bearer(Role.SUPER_ADMIN, Scope.ADMIN))]
