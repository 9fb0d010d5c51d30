"""Docks of every kind, each new and empty: in a folder, and behind a server that really runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beimingwu.accounts import OPERATOR, Scope
from beimingwu.client import Client
from beimingwu.config import Settings
from beimingwu.server.service import Service, open_service

from ..client.conftest import serving


class Served:
    """A service on a port of this machine, with somebody signed in."""

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.url = f"http://127.0.0.1:{port}"
        account = service.accounts.people.add("ada@example.org", "ada", "correct horse", OPERATOR)
        self.token, _ = service.accounts.tokens.create(account, "test", set(Scope), OPERATOR)

    def client(self) -> Client:
        return Client(self.url, self.token)


@contextmanager
def served(folder: Path, database: str = "") -> Iterator[Served]:
    """Serve a dock over a real socket, from a thread."""
    plenty = {"rate_address": "100000/minute", "rate_account": "100000/minute"}
    settings = Settings(dock=str(folder), database=database, **plenty)
    with open_service(settings) as service, serving(service) as port:
        yield Served(service, port)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BEIMINGWU_CREDENTIALS", str(tmp_path / "config" / "credentials.json"))
    return tmp_path / "cache"


@pytest.fixture
def serve(own_cache: Path) -> Callable[..., object]:
    return served
