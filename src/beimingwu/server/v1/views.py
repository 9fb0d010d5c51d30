"""What several resources take and show: bodies, keys, accounts, tokens, sessions and events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from beimingwu.accounts.addresses import EMAIL, LONGEST_NAME, SHORTEST_NAME
from beimingwu.accounts.records import Account, AccountEvent, Scope, Session, Token

RoleWord = Literal["user", "admin", "super_admin"]
#: The number of something in a path.
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]
#: What is no address, or no name, is told in our own words; the schema tells the rules.
Email = Annotated[
    str,
    Field(
        max_length=254,
        examples=["ada@example.org"],
        json_schema_extra={"format": "email", "pattern": EMAIL},
    ),
]
Name = Annotated[
    str,
    Field(
        max_length=200,
        examples=["Ada Lovelace"],
        json_schema_extra={"minLength": SHORTEST_NAME, "maxLength": LONGEST_NAME},
    ),
]
Password = Annotated[str, Field(max_length=1000, examples=["correct horse battery staple"])]
NewPassword = Annotated[
    str, Field(min_length=10, max_length=256, examples=["correct horse battery staple"])
]
#: What stands behind the `#` of a link in a mail.
Code = Annotated[
    str,
    Field(max_length=200, examples=["bmw_link_bXM0Yy1leGFtcGxlLW9mLWEtc2VjcmV0LW9mLTMyLWJ5dGVz"]),
]


class Body(BaseModel):
    """The body of a request: a field that is not known is refused, and not passed over."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """Something that is shown."""

    model_config = ConfigDict(frozen=True)


class AccountView(View):
    """An account, as its owner and the admins see it."""

    id: int = Field(examples=[7])
    email: str = Field(examples=["ada@example.org"])
    name: str = Field(examples=["Ada Lovelace"])
    role: RoleWord = Field(examples=["user"])
    state: Literal["unconfirmed", "active", "suspended", "deleted"] = Field(examples=["active"])
    created: datetime = Field(examples=["2026-11-23T21:55:43Z"])

    @classmethod
    def of(cls, account: Account) -> AccountView:
        """Show an account."""
        return cls.model_validate(
            {
                "id": account.id,
                "email": account.email,
                "name": account.name,
                "role": account.role.word,
                "state": account.state,
                "created": account.created,
            }
        )


class TokenView(View):
    """An API token without its secret."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["laptop"])
    scopes: list[Scope] = Field(examples=[["read", "write"]])
    created: datetime = Field(examples=["2026-11-23T21:55:43Z"])
    expires: datetime | None = Field(examples=["2027-11-23T21:55:43Z"])
    used: datetime | None = Field(
        examples=["2026-11-24T08:00:00Z"], description="When it was used last, to the minute."
    )

    @classmethod
    def of(cls, token: Token) -> TokenView:
        """Show a token."""
        return cls(
            id=token.id,
            name=token.name,
            scopes=list(token.scopes),
            created=token.created,
            expires=token.expires,
            used=token.used,
        )


class NewTokenView(View):
    """An API token with its secret, which is shown this once."""

    secret: str = Field(examples=["bmw_token_bXM0Yy1leGFtcGxlLW9mLWEtc2VjcmV0LW9mLTMyLWJ5dGVz"])
    token: TokenView


class SessionView(View):
    """A browser that is signed in."""

    id: int = Field(examples=[12])
    agent: str = Field(
        examples=["Mozilla/5.0 (X11; Linux x86_64)"], description="What the browser calls itself."
    )
    created: datetime = Field(examples=["2026-11-23T21:55:43Z"])
    expires: datetime = Field(examples=["2026-12-23T21:55:43Z"])
    used: datetime = Field(examples=["2026-11-24T08:00:00Z"])
    current: bool = Field(examples=[True], description="Whether it is the one that asks.")

    @classmethod
    def of(cls, session: Session, current: int | None) -> SessionView:
        """Show a session."""
        return cls(
            id=session.id,
            agent=session.agent,
            created=session.created,
            expires=session.expires,
            used=session.used,
            current=session.id == current,
        )


class EventView(View):
    """Something that happened to an account."""

    id: int = Field(examples=[104])
    at: datetime = Field(examples=["2026-11-23T21:55:43Z"])
    account: int = Field(examples=[7])
    kind: str = Field(examples=["token_created"])
    actor: str = Field(
        examples=["account:7"],
        description="This account, `admin` or `operator`; which admin, admins are told.",
    )
    address: str = Field(examples=["192.0.2.7"])
    detail: dict[str, object] = Field(examples=[{"token": 3, "name": "laptop"}])

    @classmethod
    def of(cls, event: AccountEvent) -> EventView:
        """Show an event."""
        return cls(
            id=event.id,
            at=event.at,
            account=event.account,
            kind=event.kind,
            actor=event.actor,
            address=event.address,
            detail=dict(event.detail),
        )
