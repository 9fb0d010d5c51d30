"""Signing a terminal in by a browser (RFC 8628)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from beimingwu.accounts import Scope
from beimingwu.accounts.addresses import network_of
from beimingwu.accounts.devices import INTERVAL
from beimingwu.server.permissions import AStranger, WithAccount
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.views import Body, NewTokenView, TokenView, View

router = APIRouter(prefix="/devices", tags=["devices"])

UserCode = Annotated[str, Field(max_length=20, examples=["BCDF-GHJK"])]
DeviceSecret = Annotated[
    str,
    Field(max_length=200, examples=["bmw_device_bXM0Yy1leGFtcGxlLW9mLWEtc2VjcmV0LW9mLTMyLWJ5dGVz"]),
]


class NewDevice(Body):
    """What a terminal calls itself, and what it wants to be allowed."""

    client: str = Field(min_length=1, max_length=100, examples=["beimingwu on laptop"])
    scopes: list[Scope] = Field(
        default=[Scope.READ, Scope.WRITE], min_length=1, max_length=20, examples=[["read", "write"]]
    )


class DeviceCodeView(View):
    """What a terminal shows, and what it waits with."""

    device_code: DeviceSecret
    user_code: UserCode
    verification_uri: str = Field(examples=["https://dock.example.org/device"])
    verification_uri_complete: str = Field(examples=["https://dock.example.org/device#BCDF-GHJK"])
    expires: datetime = Field(examples=["2026-11-23T22:05:43Z"])
    interval: int = Field(examples=[5], description="Seconds to wait between two questions.")


class DeviceView(View):
    """A terminal that waits, for whoever may agree: compare the code."""

    user_code: UserCode
    client: str = Field(examples=["beimingwu on laptop"])
    scopes: list[Scope] = Field(examples=[["read", "write"]])
    address: str = Field(examples=["192.0.2.7"], description="Where it asked from.")
    created: datetime = Field(examples=["2026-11-23T21:55:43Z"])
    expires: datetime = Field(examples=["2026-11-23T22:05:43Z"])


class Decision(Body):
    """Whether a terminal may act for the account."""

    user_code: UserCode
    agreed: bool


class Waiting(Body):
    """What a terminal waits with."""

    device_code: DeviceSecret


class NotYet(View):
    """Nobody agreed yet."""

    interval: int = Field(examples=[5], description="Seconds to wait before the next question.")


@router.post("", status_code=201, operation_id="startDevice")
def start_device(
    caller: AStranger, service: TheService, response: Response, wanted: NewDevice
) -> DeviceCodeView:
    """Begin to sign a terminal in."""
    service.accounts.rates.spend("sign_in_address", network_of(caller.address))
    code = service.accounts.devices.start(wanted.client, set(wanted.scopes), caller.actor)
    response.headers["Cache-Control"] = "no-store"
    return DeviceCodeView(
        device_code=code.secret,
        user_code=code.user_code,
        verification_uri=f"{service.url}/device",
        verification_uri_complete=f"{service.url}/device#{code.user_code}",
        expires=code.expires,
        interval=INTERVAL,
    )


@router.get("", operation_id="lookAtDevice", responses=documented(404))
def look_at_device(
    caller: WithAccount,
    service: TheService,
    user_code: Annotated[str, Query(max_length=20, examples=["BCDF-GHJK"])],
) -> DeviceView:
    """Return the terminal that shows a code and waits."""
    device = service.accounts.devices.look(user_code)
    return DeviceView(
        user_code=device.user_code,
        client=device.client,
        scopes=list(device.scopes),
        address=device.address,
        created=device.created,
        expires=device.expires,
    )


@router.post("/decision", status_code=204, operation_id="decideOnDevice", responses=documented(404))
def decide_on_device(caller: WithAccount, service: TheService, decision: Decision) -> None:
    """Agree that a terminal acts for the account, or refuse it."""
    assert caller.identity is not None  # noqa: S101
    service.accounts.devices.decide(
        decision.user_code, caller.identity, decision.agreed, caller.actor
    )


@router.post(
    "/token",
    operation_id="collectDeviceToken",
    responses={202: {"model": NotYet, "description": "Nobody agreed yet."}, **documented(404, 409)},
)
def collect_device_token(
    caller: AStranger, service: TheService, response: Response, waiting: Waiting
) -> NewTokenView | NotYet:
    """Return the token of a terminal that was agreed to; 202 while it has to wait."""
    collected = service.accounts.devices.collect(waiting.device_code, caller.actor)
    response.headers["Cache-Control"] = "no-store"
    if collected is None:
        response.status_code = 202
        return NotYet(interval=INTERVAL)
    secret, token = collected
    return NewTokenView(secret=secret, token=TokenView.of(token))
