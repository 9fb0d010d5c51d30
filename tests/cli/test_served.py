"""A dock that `beimingwu serve` shares, from another shell: in, through it, and when it is down."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from .conftest import invoked

Run = Callable[..., Any]
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Shared:
    """A running service, its dock's folder, and the user's own files on another machine."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    own: Path
    token: str


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder, own = tmp_path_factory.mktemp("shared") / "dock", tmp_path_factory.mktemp("own")
    words = ("serve", "--dock", str(folder), "--port", "0", "--quiet")
    with (own / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "beimingwu", *words],
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | {"BEIMINGWU_RATE_ADDRESS": "100000/minute"},
            text=True,
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        # Beside the running service, as its operator does it.
        user = ("ada@example.org", "--name", "Ada", "--password-stdin", "--dock", folder)
        assert invoked("admin", "user", "add", *user, input=f"{PASSWORD}\n").status == 0
        words = ("ada@example.org", "--name", "laptop", "--quiet", "--dock", str(folder))
        [token] = invoked("admin", "token", "add", *words).lines
        yield Shared(process, url, folder, own, token)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def elsewhere(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on another machine, which knows the dock by its address."""
    monkeypatch.setenv("BEIMINGWU_DOCK", shared.url)
    monkeypatch.setenv("BEIMINGWU_CACHE", str(shared.own / "cache"))
    monkeypatch.setenv("BEIMINGWU_CREDENTIALS", str(shared.own / "credentials.json"))
    monkeypatch.delenv("BEIMINGWU_TOKEN", raising=False)


def decided(shared: Shared, code: str, agreed: bool) -> None:
    """Send what the page of a terminal's code sends from a browser."""
    with httpx2.Client(base_url=shared.url) as browser:
        credentials = {"email": "ada@example.org", "password": PASSWORD}
        csrf = browser.post("/v1/sessions", json=credentials).raise_for_status().json()["csrf"]
        waiting = browser.get("/v1/devices", params={"user_code": code}).json()
        assert waiting["user_code"] == code
        decision = {"user_code": code, "agreed": agreed}
        headers = {"X-CSRF-Token": csrf}
        browser.post("/v1/devices/decision", json=decision, headers=headers).raise_for_status()


def code_shown_by(terminal: subprocess.Popen[str]) -> str:
    assert terminal.stderr is not None
    said = terminal.stderr.readline() + terminal.stderr.readline()
    shown = re.search(r"[A-Z]{4}-[A-Z]{4}", said)
    assert shown is not None, said
    return shown[0]


def test_a_browser_lets_a_terminal_in_or_refuses_it(shared: Shared, process: Any, run: Run) -> None:
    with process("login", "--quiet") as terminal:
        decided(shared, code_shown_by(terminal), agreed=False)
        assert "Error: " in terminal.stderr.read()
    assert terminal.returncode == 17
    assert run("whoami").status == 16
    with process("login", "--quiet") as terminal:
        decided(shared, code_shown_by(terminal), agreed=True)
        assert terminal.stdout.read() == "Ada\n"
    assert terminal.returncode == 0
    assert run("whoami", "--quiet").out == "Ada\n"
    assert run("logout").status == 0


def test_a_learnware_is_submitted_found_used_and_withdrawn(
    shared: Shared,
    run: Run,
    owner: Any,
    mine: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("submit", owner.archive).status == 16
    assert run("login", "--token-stdin", input=shared.token).status == 0
    submitted = run("submit", owner.archive, "--format", "json")
    assert submitted.status == 0, submitted.err
    id = submitted.json["id"]
    assert run("list", "--mine", "--quiet").lines == [id]
    # Somebody else, who has no account.
    assert run("logout").status == 0
    assert run("list", "--text", "flat", "--quiet").lines == [id]
    found = run("search", "--data", mine, "--format", "json").json
    assert [match["id"] for match in found["single"]] == [id]
    predicted = run("predict", "--learnware", id, mine, "-o", tmp_path / "out.csv")
    assert predicted.status == 0, predicted.err
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 201
    assert run("withdraw", id).status == 16
    # And its owner, by a token in the environment.
    with monkeypatch.context() as signed_in:
        signed_in.setenv("BEIMINGWU_TOKEN", shared.token)
        assert run("withdraw", id).status == 0
    assert run("show", id).status == 8
    assert run("search", "--data", mine, "--format", "json").json["single"] == []
    # The same on the dock's own machine: it is one dock.
    assert run("restore", id, "--dock", shared.folder).status == 0
    assert run("list", "--quiet").lines == [id]


def test_when_it_is_down_every_command_says_so_in_two_lines_and_what_was_fetched_still_predicts(
    shared: Shared, run: Run, owner: Any, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id] = run("list", "--quiet").lines
    assert run("predict", "--learnware", id, mine).status == 0
    shared.process.terminate()
    assert shared.process.wait(60) == 0
    assert "Traceback" not in (shared.own / "log").read_text()
    monkeypatch.setattr("beimingwu.client.connection._FIRST_WAIT", 0.0)
    for words in (
        ("list",),
        ("show", id),
        ("search", "--data", mine),
        ("submit", owner.archive),
        ("predict", "--auto", mine),
        ("withdraw", id),
        ("login",),
    ):
        refused = run(*words)
        assert (refused.status, refused.out) == (19, ""), words
        what, remedy = refused.err.splitlines()[-2:]
        assert what.startswith(f"Error: The dock at {shared.url} cannot be reached"), words
        assert "that the dock is running" in remedy
    assert run("predict", "--learnware", id, mine).status == 0
    # Nothing of it needs the service: the folder is the dock.
    assert run("list", "--quiet", "--dock", shared.folder).lines == [id]
