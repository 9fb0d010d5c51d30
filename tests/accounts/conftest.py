"""Accounts on both databases, and a mailbox that holds what was sent."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from beimingwu.accounts import OPERATOR, Account, Accounts, Role
from beimingwu.accounts.passwords import Passwords
from beimingwu.accounts.post import Letter
from beimingwu.config import Settings
from beimingwu.dock.database import Database

PASSWORD = "correct horse battery"
URL = "https://dock.example.org"
#: With next to no work for a hash; `test_passwords` is about what is due.
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Mailbox(logging.Handler):
    """What is printed to the log instead of being mailed."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.letters.append(record.getMessage())

    def to(self, address: str, accounts: Accounts) -> list[str]:
        """Return the letters to an address, once all that was to be sent is sent."""
        mark = f"mark{time.monotonic_ns()}@example.org"
        accounts.post.send(lambda: Letter(mark, "", ""))
        while not any(mark in letter for letter in self.letters):
            time.sleep(0.005)
        return [letter for letter in self.letters if f"To: {address}\n" in letter]

    def code(self, address: str, accounts: Accounts) -> str:
        """Return what the link in the last letter to an address holds."""
        [*_, letter] = self.to(address, accounts)
        found = re.search(rf"{URL}/(?:confirm|reset)#(\S+)", letter)
        assert found is not None
        return found[1]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box, logger = Mailbox(), logging.getLogger("beimingwu.mail")
    logger.addHandler(box)
    yield box
    logger.removeHandler(box)


@pytest.fixture
def catalogue(database: str, tmp_path: Path) -> Iterator[Database]:
    opened = Database(database or tmp_path / "catalogue.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def opened(catalogue: Database) -> Iterator[Callable[..., Accounts]]:
    """Return a function that opens the accounts with some settings."""
    with ExitStack() as stack:

        def with_settings(**settings: Any) -> Accounts:
            accounts = Accounts(catalogue, Settings(**settings), URL, QUICK)
            stack.callback(accounts.close)
            return accounts

        yield with_settings


@pytest.fixture
def accounts(opened: Callable[..., Accounts]) -> Accounts:
    return opened()


@pytest.fixture
def ada(accounts: Accounts) -> Account:
    return accounts.people.add("ada@example.org", "Ada", PASSWORD, OPERATOR)


@pytest.fixture
def root(accounts: Accounts) -> Account:
    return accounts.people.add("root@example.org", "root", PASSWORD, OPERATOR, Role.SUPER_ADMIN)
