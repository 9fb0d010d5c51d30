"""The demo over the network: a service on the demo's dock, used as from another machine.

The service is `beimingwu serve` in a process of its own, and whoever submits has an account and a
token, made as `beimingwu admin` makes them.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import httpx2
import numpy as np
from numpy.typing import NDArray

from beimingwu.client import Client
from beimingwu.config import settings
from beimingwu.demo.data import FEATURES, Hours
from beimingwu.dock import Dock
from beimingwu.errors import NotFound, Unavailable
from beimingwu.specification import specify

_NEEDED = (
    "argon2",
    "dbos",
    "fastapi",
    "limits",
    "prometheus_client",
    "python_multipart",
    "uvicorn",
)
#: A service that is told to stop lets what it does come to an end for so many seconds.
_PATIENCE = 30.0
_TOKEN_HOLDS = timedelta(hours=1)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a dock found for a user, and what that predicts.

    Parameters
    ----------
    single, mixture
        Ids of the matches, best first, and of the mixture's members.
    prediction
        By what was found, deployed where the user is.
    """

    single: tuple[str, ...]
    mixture: tuple[str, ...]
    prediction: NDArray[np.floating]

    def found_the_same(self, other: Answer) -> bool:
        """Tell whether the other found the same learnwares, in the same order."""
        return (self.single, self.mixture) == (other.single, other.mixture)

    def difference(self, other: Answer) -> float:
        """Return the largest difference of two predictions of the same records."""
        return float(np.max(np.abs(self.prediction - other.prediction)))


def answer_of(dock: Dock | Client, hours: Hours) -> Answer:
    """Send a dock the specification of `hours`, and predict here with what it names."""
    result = dock.search(specify(hours.features, features=FEATURES))
    mixture = result.mixture
    with result.deploy() as reuser:
        return Answer(
            tuple(match.id for match in result.single),
            () if mixture is None else tuple(member.id for member in mixture.members),
            reuser.predict(hours.features),
        )


def missing_package() -> str | None:
    """Return a package that a service needs and that is not installed; None where all are."""
    return next((name for name in _NEEDED if find_spec(name) is None), None)


@contextmanager
def connected(dock: Dock, station: str) -> Iterator[Client]:
    """Serve the dock while the block lasts, and lend a client that the station is signed in with.

    Raises
    ------
    Unavailable
        The service did not start; says why.
    """
    with (
        _served(dock.folder) as url,
        _token(dock, station) as token,
        # Straight to it, whatever proxy stands before other addresses.
        Client(url, token, transport=httpx2.HTTPTransport()) as client,
    ):
        yield client


@contextmanager
def _token(dock: Dock, station: str) -> Iterator[str]:
    """Lend a token of the station's account, which is made where there is none."""
    from beimingwu.accounts import OPERATOR, Accounts, Scope

    accounts = Accounts(dock.database, settings())
    email = f"{station.lower()}@example.org"
    try:
        try:
            account = accounts.people.of_email(email)
        except NotFound:
            password = secrets.token_urlsafe(18)
            account = accounts.people.add(email, station, password, OPERATOR)
        expires = datetime.now(UTC) + _TOKEN_HOLDS
        scopes = {Scope.READ, Scope.WRITE}
        secret, token = accounts.tokens.create(account, "demo", scopes, OPERATOR, expires=expires)
        try:
            yield secret
        finally:
            accounts.tokens.revoke(account.id, token.id, OPERATOR)
    finally:
        accounts.close()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Run `beimingwu serve` on a dock and lend its address; it is stopped whatever happens."""
    words = ("serve", "--dock", str(folder), "--host", "127.0.0.1", "--port", "0", "--quiet")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "beimingwu", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(),
            text=True,
        )
        assert process.stdout is not None  # noqa: S101
        with process.stdout:
            try:
                url = process.stdout.readline().strip()
                if not url:
                    raise _not_started(log)
                yield url
            finally:
                _stop(process)


def _environment() -> Mapping[str, str]:
    """Return the settings in force here as an environment, but for the place of the dock."""
    # One slot for each processor; the demo's catalogue is in its folder whatever settings name.
    here = replace(settings(), database="", url="", workers=os.cpu_count() or 1)
    given = {f"BEIMINGWU_{one.name.upper()}": str(getattr(here, one.name)) for one in fields(here)}
    return os.environ | given | {"BEIMINGWU_SETTINGS": ""}


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
    finally:
        # Also where one does not wait for the rest: it goes on when the dock is opened again.
        process.kill()
        process.wait()


def _not_started(log: IO[str]) -> Unavailable:
    log.seek(0)
    said = [line.strip() for line in log if line.strip()]
    return Unavailable(
        f"The demo's service did not start: {' '.join(said[-2:]) or 'it said nothing'}",
        remedy="Try it alone: beimingwu serve --port 0",
        code="unavailable.demo_service",
    )
