"""A service, and clients of 2024 that call it: anonymous, or with the token of somebody."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from beimingwu.accounts import OPERATOR, Account, Role, Scope
from beimingwu.accounts.passwords import md5_of
from beimingwu.config import Settings
from beimingwu.dock.testing import a_learnware, a_semantic
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service

PASSWORD = "correct horse battery"
MIB = 1024 * 1024


@dataclass(frozen=True)
class Old:
    """Somebody who speaks the protocol of 2024."""

    client: TestClient
    account: Account | None = None
    token: str = ""

    def chooses_password(self, service: Service) -> None:
        """Let the password be as if it had been chosen on a page of 2024."""
        assert self.account is not None
        service.accounts.people.set_password(self.account.id, md5_of(PASSWORD), OPERATOR, "md5")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def post(self, path: str, given: Any = None, **more: Any) -> Any:
        """Send JSON, or whatever else is named; return the answer."""
        headers = dict(self.headers)
        if given is not None:
            headers["Content-Type"] = "application/json"
            more["content"] = json.dumps(given)
        return self.client.post(f"/api{path}", headers=headers, **more)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api{path}", headers=self.headers, params=query)

    def says(self, path: str, given: Any = None, **more: Any) -> Any:
        """Return the JSON of an answer with status 200."""
        answer = self.post(path, given, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def code(self, path: str, given: Any = None, **more: Any) -> int:
        return int(self.says(path, given, **more)["code"])

    def piece(self, archive: bytes, begin: int, size: int = 700, md5: str = "") -> Any:
        """Send a piece as the public client does: without a type, named by its field."""
        data = {"file_hash": md5 or md5_hex(archive), "chunk_begin": str(begin)}
        files = {"chunk_file": ("chunk_file", archive[begin : begin + size])}
        return self.says("/user/chunked_upload", data=data, files=files)

    def sends(self, archive: bytes, size: int = 700) -> str:
        """Send an archive in pieces, and return its MD5."""
        for begin in range(0, len(archive), size):
            assert self.piece(archive, begin, size) == {"code": 0, "msg": "success"}
        return md5_hex(archive)

    def adds(self, **learnware: Any) -> str:
        """Submit a learnware in one form, and return its id."""
        semantic = a_semantic(**of_semantic(learnware))
        answer = self.says(
            "/user/add_learnware",
            data={"semantic_specification": semantic.dumps()},
            files={"learnware_file": ("learnware.zip", a_learnware(**learnware))},
        )
        assert answer["code"] == 0, answer
        return str(answer["data"]["learnware_id"])

    def publishes(self, **learnware: Any) -> str:
        id = self.adds(**learnware)
        assert self.ended(id) == "SUCCESS", self.get("/user/verify_log", learnware_id=id).text
        return id

    def ended(self, id: str) -> str:
        """Poll as clients do, and return the status that a verification ended in."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            page = self.says("/user/list_learnware", {"limit": 10_000, "page": 0})
            status = {
                one["learnware_id"]: one["verify_status"] for one in page["data"]["learnware_list"]
            }[id]
            if status in ("SUCCESS", "FAIL"):
                return str(status)
            time.sleep(0.05)
        raise AssertionError("the verification does not end")


def of_semantic(learnware: dict[str, Any]) -> dict[str, Any]:
    """Return what of a learnware is its semantic specification's."""
    not_its = ("centre", "seed", "answer", "module", "padding")
    return {key: value for key, value in learnware.items() if key not in not_its}


def md5_hex(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def semantic_text(**changes: Any) -> str:
    return a_semantic(**changes).dumps()


def without(semantic: dict[str, Any], *keys: str) -> str:
    return json.dumps({key: value for key, value in semantic.items() if key not in keys})


def members(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        return sorted(opened.namelist())


@contextmanager
def a_service(folder: Path, **changes: Any) -> Iterator[tuple[Service, TestClient]]:
    """Open a service in a folder, and a client of it."""
    plenty = dict.fromkeys(("rate_address", "rate_account"), "100000/minute")
    settings = Settings(dock=str(folder / "dock"), **{"rate_mail": "100/hour", **plenty, **changes})
    with (
        open_service(settings, "http://testserver") as service,
        TestClient(create_app(service)) as client,
    ):
        yield service, client


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Service, TestClient]]:
    with a_service(tmp_path) as opened:
        yield opened


@pytest.fixture
def service(opened: tuple[Service, TestClient]) -> Service:
    return opened[0]


@pytest.fixture
def client(opened: tuple[Service, TestClient]) -> TestClient:
    return opened[1]


@pytest.fixture
def nobody(client: TestClient) -> Old:
    return Old(client)


@pytest.fixture
def somebody(service: Service, client: TestClient) -> Callable[..., Old]:
    """Return a function that makes an account, with a token of some scopes."""

    def make(name: str, role: Role = Role.USER, scopes: frozenset[Scope] = frozenset(Scope)) -> Old:
        people = service.accounts.people
        account = people.add(f"{name}@example.org", name, PASSWORD, OPERATOR, role)
        token, _ = service.accounts.tokens.create(account, "test", scopes, OPERATOR)
        return Old(client, account, token)

    return make


@pytest.fixture
def ada(somebody: Callable[..., Old]) -> Old:
    return somebody("ada")


@pytest.fixture
def bob(somebody: Callable[..., Old]) -> Old:
    return somebody("bob")


@pytest.fixture
def admin(somebody: Callable[..., Old]) -> Old:
    return somebody("admin", Role.ADMIN)


@pytest.fixture
def root(somebody: Callable[..., Old]) -> Old:
    return somebody("root", Role.SUPER_ADMIN)


class Letters(logging.Handler):
    """The mails, which a service in development prints to its log."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += record.getMessage() + "\n"


@pytest.fixture
def letters() -> Iterator[Letters]:
    found, logger = Letters(), logging.getLogger("beimingwu")
    level = logger.level
    logger.addHandler(found)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(found)
    logger.setLevel(level)
