"""The same commands, on a dock that a server serves."""

from __future__ import annotations

import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from beimingwu.accounts import OPERATOR, Identity, Scope
from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service over a real socket, and its address."""
    folder = tmp_path_factory.mktemp("served") / "dock"
    settings = Settings(dock=str(folder), rate_address="100000/minute")
    with open_service(settings, "http://dock.example.org") as opened:
        config = uvicorn.Config(create_app(opened), port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        [listening] = server.servers[0].sockets
        yield opened, f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def a_token(service: Service, name: str) -> str:
    account = service.accounts.people.add(
        f"{name}@example.org", name, "correct horse battery", OPERATOR
    )
    return service.accounts.tokens.create(account, "test", set(Scope), OPERATOR)[0]


@pytest.fixture(scope="module")
def token(service: tuple[Service, str]) -> str:
    return a_token(service[0], "ada")


@pytest.fixture(autouse=True)
def places(
    service: tuple[Service, str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any
) -> Path:
    """A cache and a file of tokens of this test's own; the dock is the server's."""
    own: Path = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("BEIMINGWU_CACHE", str(own / "cache"))
    monkeypatch.setenv("BEIMINGWU_CREDENTIALS", str(own / "config" / "credentials.json"))
    monkeypatch.setenv("BEIMINGWU_DOCK", service[1])
    monkeypatch.delenv("BEIMINGWU_TOKEN", raising=False)
    return own


@pytest.fixture
def signed_in(run: Run, token: str) -> None:
    assert run("login", "--token-stdin", input=token).status == 0


@pytest.fixture(scope="module")
def submitted(service: tuple[Service, str], token: str, owner: Any) -> str:
    """The id of the owner's learnware, submitted by Ada."""
    from beimingwu.client import Client

    with Client(service[1], token) as client:
        return client.submit(owner.archive).wait().id


def test_a_token_is_kept_for_its_owner_alone_and_forgotten(
    run: Run, places: Path, service: tuple[Service, str], token: str
) -> None:
    stranger = run("whoami")
    assert stranger.status == 16
    assert stranger.err.count("\n") == 2
    signed_in = run("login", "--token-stdin", "--quiet", input=f"{token}\n")
    assert (signed_in.status, signed_in.out) == (0, "ada\n")
    kept = places / "config" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    who = run("whoami", "--format", "json")
    assert (who.json["name"], who.json["dock"]) == ("ada", service[1])
    assert run("logout", "--format", "json").json["forgotten"] is True
    assert run("logout", "--format", "json").json["forgotten"] is False
    assert run("whoami").status == 16


def test_a_token_that_is_none_is_not_kept(run: Run, places: Path) -> None:
    refused = run("login", "--token-stdin", input="bmw_token_nobodys")
    assert refused.status == 16
    assert "Error: " in refused.err
    assert not (places / "config").exists()
    assert run("login", "--token-stdin", input=" ").status == 2


def test_a_terminal_is_signed_in_by_a_browser(
    process: Any, run: Run, service: tuple[Service, str], token: str
) -> None:
    with process("login", "--quiet") as terminal:
        page = terminal.stderr.readline()
        code = terminal.stderr.readline()
        assert page.startswith("Open http://dock.example.org/device#")
        shown = re.search(r"[A-Z]{4}-[A-Z]{4}", code)
        assert shown is not None
        accounts = service[0].accounts
        account = accounts.people.of_email("ada@example.org")
        browser = Identity(account, frozenset(Scope), "session", 1)
        from beimingwu.accounts import Actor

        accounts.devices.decide(shown[0], browser, True, Actor(account.owner))
        assert terminal.stdout.read() == "ada\n"
    assert run("whoami", "--quiet").out == "ada\n"


def test_a_learnware_goes_its_way_on_a_server(
    run: Run, owner: Any, signed_in: None, tmp_path: Path, submitted: str
) -> None:
    again = run("submit", owner.archive)
    assert (again.status, submitted in again.err) == (9, True)
    listed = run("list", "--format", "json")
    assert [one["id"] for one in listed.json] == [submitted]
    assert [one["id"] for one in run("list", "--mine", "--format", "json").json] == [submitted]
    shown = run("show", submitted, "--format", "json").json
    assert [event["kind"] for event in shown["events"]] == ["submitted", "verifying", "published"]
    assert shown["checks"][0]["name"] == "archive"
    exported = run("export", submitted, tmp_path / "exported.zip", "--format", "json")
    assert exported.json["size"] == (tmp_path / "exported.zip").stat().st_size
    assert run("withdraw", submitted).status == 0
    assert run("list", "--quiet").out == ""
    assert run("restore", submitted).status == 0


def test_a_rejected_submission_tells_its_log_and_its_status(
    run: Run, owner: Any, signed_in: None, write_module: Any, tmp_path: Path
) -> None:
    from .conftest import WORDS

    folder = write_module(tmp_path / "bad", "return X[:1]")
    words = (*WORDS, "--task", "Regression", "--output-names", "price")
    packed = run("pack", folder, "--spec", owner.spec, *words, "-o", tmp_path / "bad.zip")
    assert packed.status == 0, packed.err
    rejected = run("submit", tmp_path / "bad.zip")
    assert rejected.status == 7
    assert "✗ usability" in rejected.err
    assert "is rejected" in rejected.err


def test_a_stranger_searches_and_predicts(run: Run, mine: Path, submitted: str) -> None:
    found = run("search", "--data", mine, "--format", "json")
    assert [match["id"] for match in found.json["single"]] == [submitted]
    predicted = run("predict", "--auto", mine)
    assert predicted.status == 0, predicted.err
    assert predicted.lines[0] == "prediction"
    assert len(predicted.lines) == 201
    shown = run("show", submitted, "--format", "json")
    assert (shown.status, shown.json["events"], shown.json["checks"]) == (0, [], [])
    assert run("submit", mine).status == 16


def test_the_next_command_names_the_dock_again_where_it_was_typed(
    run: Run, service: tuple[Service, str], submitted: str, monkeypatch: Any
) -> None:
    monkeypatch.delenv("BEIMINGWU_DOCK")
    listed = run("list", "--dock", service[1])
    assert listed.next == f"beimingwu show {submitted} --dock {service[1]}"


def test_what_needs_a_folder_says_so(run: Run) -> None:
    for words in (("serve",), ("worker",), ("admin", "verify"), ("admin", "user", "list")):
        refused = run(*words)
        assert refused.status == 2, words
        assert "is an address" in refused.err


def test_a_dock_that_cannot_be_reached_is_two_lines(run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr("beimingwu.client.connection._FIRST_WAIT", 0.0)
    refused = run("list", "--dock", "http://127.0.0.1:9")
    assert refused.status == 19
    assert refused.err.count("\n") == 2
    assert run("list", "--dock", "http://").status == 3


def test_a_worker_refuses_a_dock_on_sqlite_and_says_why(run: Run, tmp_path: Path) -> None:
    refused = run("worker", "--dock", tmp_path / "dock")
    assert refused.status == 3
    assert "A dock on SQLite is one process's" in refused.err
    assert not (tmp_path / "dock").exists()


def test_only_a_server_can_be_signed_in_to(run: Run, tmp_path: Path) -> None:
    for words in (("login",), ("logout",)):
        refused = run(*words, "--dock", tmp_path)
        assert refused.status == 2
    assert run("whoami", "--dock", tmp_path, "--quiet").status == 0
