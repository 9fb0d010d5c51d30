"""Who may call a route: declared at the route, checked before it runs, and never forgotten.

Every route has exactly one permission among its parameters (`caller: Anyone`, `caller: WithRead`…)
or its dependencies; an application with a route that has none does not start. Whether a thing
belongs to the caller is asked inside, with `Caller.require_owner`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Mount, compile_path

from beimingwu.accounts import Account, Actor, Identity, Role, Scope
from beimingwu.accounts.addresses import network_of
from beimingwu.accounts.opaque import csrf_of
from beimingwu.accounts.rows import require_active
from beimingwu.errors import BeimingwuError, Forbidden, Unauthenticated
from beimingwu.server.service import Service

CSRF_HEADER = "X-CSRF-Token"
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """Who calls a route.

    Parameters
    ----------
    identity
        None for somebody who did not say who they are.
    address
        The network address of the request.
    """

    identity: Identity | None
    address: str

    @property
    def account(self) -> Account:
        """The account that calls.

        Raises
        ------
        Unauthenticated
            There is none.
        """
        if self.identity is None:
            raise Unauthenticated(
                "This is for those who are signed in.",
                remedy="Send a token in the header Authorization: Bearer …, or sign in.",
            )
        return self.identity.account

    @property
    def is_admin(self) -> bool:
        """Whether an admin calls, with something that lets it act as one."""
        identity = self.identity
        return (
            identity is not None
            and identity.account.role >= Role.ADMIN
            and Scope.ADMIN in identity.scopes
        )

    @property
    def actor(self) -> Actor:
        """The caller for the audit."""
        return Actor(self.identity.account.owner if self.identity else "", self.address)

    def owns(self, owner: str) -> bool:
        """Tell whether something of this owner is the caller's own."""
        return self.identity is not None and self.identity.account.owner == owner

    def require_owner(self, owner: str) -> None:
        """Refuse who neither owns a thing nor is an admin.

        Raises
        ------
        Forbidden
            The caller may see it, but not change it. For what it may not even see, raise the
            NotFound of a thing that is not there.
        """
        if not self.owns(owner) and not self.is_admin:
            raise Forbidden(
                "This belongs to somebody else.",
                remedy="Ask its owner, or who runs this dock.",
                code="forbidden.owner",
            )


@dataclass(frozen=True)
class Permission:
    """Who may call a route, as a dependency of it; its value is the caller.

    Parameters
    ----------
    role
        The least role; None for anybody, signed in or not.
    scope
        What a token must allow.
    asks
        Whether who calls is asked at all. Where people sign in it is not: what a browser still
        holds of a session must not keep anybody from opening another.
    """

    role: Role | None
    scope: Scope | None = None
    asks: bool = True

    def __call__(self, request: Request) -> Caller:
        """Return who calls, or refuse them."""
        service: Service = request.app.state.service
        address = request.client.host if request.client else ""
        try:
            caller = Caller(self._identity(request, service), address)
        except BeimingwuError:
            _spend(request, service, "address", network_of(address))
            raise
        if caller.identity is None:
            _spend(request, service, "address", network_of(address))
        else:
            request.state.account = caller.account.id
            _spend(request, service, "account", str(caller.account.id))
        self._require(caller)
        return caller

    def _identity(self, request: Request, service: Service) -> Identity | None:
        if not self.asks:
            require_same_site(request)
            return None
        try:
            return _identified(request, service)
        except Unauthenticated as error:
            # A browser keeps the cookie of a session that has ended; anybody may look on.
            if self.role is None and error.code == "unauthenticated.session":
                return None
            raise

    def _require(self, caller: Caller) -> None:
        if caller.identity is not None:
            require_active(caller.identity.account)
        if self.role is None:
            return
        if caller.account.role < self.role:
            raise Forbidden(
                f"This is for those whose role is {self.role.word}.",
                remedy="Ask who runs this dock.",
                code="forbidden.role",
            )
        assert caller.identity is not None and self.scope is not None  # noqa: S101
        if self.scope not in caller.identity.scopes:
            raise Forbidden(
                f"This token does not have the scope {self.scope!s}.",
                remedy=f"Make a token with the scope {self.scope!s}, and use that.",
                code="forbidden.scope",
            )


ANYONE = Permission(None)
A_STRANGER = Permission(None, asks=False)
#: The caller as a parameter of a route, with what the caller must be.
Anyone = Annotated[Caller, Depends(ANYONE)]
AStranger = Annotated[Caller, Depends(A_STRANGER)]
WithRead = Annotated[Caller, Depends(Permission(Role.USER, Scope.READ))]
WithWrite = Annotated[Caller, Depends(Permission(Role.USER, Scope.WRITE))]
WithAccount = Annotated[Caller, Depends(Permission(Role.USER, Scope.ACCOUNT))]
AnAdmin = Annotated[Caller, Depends(Permission(Role.ADMIN, Scope.ADMIN))]
ASuperAdmin = Annotated[Caller, Depends(Permission(Role.SUPER_ADMIN, Scope.ADMIN))]


def require_declared(app: FastAPI) -> None:
    """Refuse an application in which some route does not say who may call it.

    Raises
    ------
    TypeError
        It has one with no permission, or with several.
    """
    for path, route in declared_routes(app.routes):
        found = permissions_of(route)
        if len(found) != 1:
            raise TypeError(
                f"The route {path} declares {len(found)} permissions, and must declare one."
            )


def declared_routes(
    routes: Iterable[BaseRoute], prefix: str = ""
) -> Iterator[tuple[str, RouteContext]]:
    """Return every route with its path, also those of applications mounted within."""
    for context in iter_route_contexts(list(routes)):
        original = context.original_route
        if isinstance(original, Mount) and original.routes:
            yield from declared_routes(original.routes, prefix + original.path)
        else:
            yield f"{prefix}{context.path}", context


def methods_at(routes: Iterable[BaseRoute], path: str) -> list[str]:
    """Return the methods that some route answers at a path, in their order.

    A path that a route names as it is, such as /v1/learnwares/count, is no other route's thing.
    """
    there = [one for one in declared_routes(routes) if compile_path(one[0])[0].match(path)]
    named = [one for one in there if one[0] == path] or there
    return sorted({method for _, route in named for method in route.methods or ()})


def permissions_of(route: RouteContext) -> list[Permission]:
    """Return the permissions that a route declares."""
    dependant: Any = getattr(route, "dependant", None)
    if not isinstance(route.original_route, APIRoute) or dependant is None:
        return []
    return [one.call for one in dependant.dependencies if isinstance(one.call, Permission)]


def _spend(request: Request, service: Service, policy: str, key: str) -> None:
    request.state.window = service.accounts.rates.window(policy, key)
    request.state.window = service.accounts.rates.spend(policy, key)


def _identified(request: Request, service: Service) -> Identity | None:
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, secret = header.partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise Unauthenticated(
                "The header Authorization is not of the form `Bearer TOKEN`.",
                remedy="Send `Authorization: Bearer ` and a token.",
                code="unauthenticated.header",
            )
        return service.accounts.tokens.identify(secret.strip())
    secret = request.cookies.get(service.cookie, "")
    if not secret:
        return None
    identity = service.accounts.sessions.identify(secret)
    require_same_site(request)
    _require_csrf(request, secret)
    return identity


def require_same_site(request: Request) -> None:
    """Refuse a request that a page of another site made a browser send.

    Raises
    ------
    Forbidden
        The browser says so. What is no browser says nothing, and has no cookies to abuse.
    """
    if request.method in _HARMLESS:
        return
    fetched_from = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if fetched_from not in ("same-origin", "none") or foreign:
        raise Forbidden(
            "This request was sent by a page of another site.",
            remedy="Use the pages of this dock, or a token.",
            code="forbidden.cross_site",
        )


def _require_csrf(request: Request, secret: str) -> None:
    if request.method in _HARMLESS:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_of(secret).encode()):
        raise Forbidden(
            f"The header {CSRF_HEADER} is missing, or is not that of this session.",
            remedy="Repeat the `csrf` that the session was opened with, or GET it again.",
            code="forbidden.csrf",
        )
