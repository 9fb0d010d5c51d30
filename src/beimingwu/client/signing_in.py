"""Signing a terminal in: its person agrees in a browser, and no password comes near it."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from beimingwu.client.connection import Connection
from beimingwu.errors import Unauthenticated


@dataclass(frozen=True)
class Asked:
    """What a person has to do now.

    Parameters
    ----------
    url
        The page to open; it shows the code too.
    code
        What that page must show.
    seconds
        How long there is time for it.
    """

    url: str
    code: str
    seconds: float


def sign_in(
    url: str, ask: Callable[[Asked], None], *, transport: httpx2.BaseTransport | None = None
) -> str:
    """Ask a person to agree in a browser, wait for it, and return the token.

    Parameters
    ----------
    url
        The dock's address.
    ask
        Tells the person.

    Raises
    ------
    Unauthenticated
        Nobody agreed in time.
    BeimingwuError
        They refused, or the dock cannot be reached.
    """
    connection = Connection(url, None, transport)
    try:
        name = f"beimingwu on {platform.node() or 'a terminal'}"[:100]
        begun = connection.send("POST", "/v1/devices", json={"client": name}).json()
        seconds = float(begun["interval"])
        # By this machine's own clock: the server's may be another.
        deadline = time.monotonic() + _MOST
        ask(Asked(begun["verification_uri_complete"], begun["user_code"], _MOST))
        while time.monotonic() < deadline:
            time.sleep(seconds)
            answer = connection.send(
                "POST", "/v1/devices/token", json={"device_code": begun["device_code"]}
            )
            told: dict[str, Any] = answer.json()
            if answer.status_code != 202:
                return str(told["secret"])
            seconds = float(told["interval"])
    finally:
        connection.close()
    raise Unauthenticated(
        "Nobody agreed in time.",
        remedy="Begin again with `beimingwu login`.",
        code="unauthenticated.device",
    )


#: A server lets a code end sooner, and says so.
_MOST = 900.0
