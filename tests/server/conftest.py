"""A service in a new folder, people who use it, and ways to call it in process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from beimingwu.accounts import OPERATOR, Account, Accounts, Role, Scope
from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a token that allows everything."""

    account: Account
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Lines(logging.Handler):
    """Everything that the service logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(dock=str(tmp_path / "dock"), rate_mail="100/hour")


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with open_service(settings, "http://testserver") as opened:
        yield opened


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as opened:
        yield opened


@pytest.fixture
def served(service: Service) -> Iterator[Callable[..., TestClient]]:
    """Return a function that serves the dock with other settings, and returns a client of that."""
    with ExitStack() as stack:

        def serve(url: str = "http://testserver", **changes: Any) -> TestClient:
            changed = replace(service.settings, **changes)
            accounts = Accounts(service.dock.database, changed, url)
            opened = Service(service.dock, accounts, changed, url, service.searchers)
            return stack.enter_context(TestClient(create_app(opened), base_url=url))

        yield serve


def a_person(service: Service, name: str, role: Role = Role.USER) -> Person:
    people = service.accounts.people
    account = people.add(f"{name}@example.org", name, PASSWORD, OPERATOR, role)
    secret, _ = service.accounts.tokens.create(account, "test", set(Scope), OPERATOR)
    return Person(account, secret)


@pytest.fixture
def ada(service: Service) -> Person:
    return a_person(service, "ada")


@pytest.fixture
def bob(service: Service) -> Person:
    return a_person(service, "bob")


@pytest.fixture
def admin(service: Service) -> Person:
    return a_person(service, "admin", Role.ADMIN)


@pytest.fixture
def root(service: Service) -> Person:
    return a_person(service, "root", Role.SUPER_ADMIN)


@pytest.fixture
def log() -> Iterator[Lines]:
    """What is logged by anything of ours while a test runs."""
    lines, logger = Lines(), logging.getLogger("beimingwu")
    level = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(level)
