"""Installing behind walls: uv reaches the named index and nothing else, and writes its cache."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beimingwu.config import Settings
from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime.installer import Installer
from beimingwu.runtime.installing import behind_gate, index_hosts
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import bubblewrap
from beimingwu.runtime.trial import require


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(shop) -> Iterator[str]:
    """Serve the shop at an address of this machine."""
    handler = functools.partial(Quiet, directory=str(shop.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def behind(tmp_path: Path, index: str) -> Installer:
    """Return an installer that knows the served shop, behind a gate to it."""
    try:
        require(Profile.BUBBLEWRAP)
    except SandboxUnavailable as error:
        pytest.skip(error.problem)
    confine = behind_gate(Profile.BUBBLEWRAP, frozenset({"localhost"}))
    places = ("--no-index", "--find-links", index)
    return Installer(tmp_path / "cache", indexes=places, link_mode="copy", confine=confine)


def install(installer: Installer, place: Path) -> tuple[int, str]:
    words = ["pip", "install", *installer.indexes, "--python", sys.executable]
    done = installer.uv(
        [*words, "--target", str(place), "paint"], seconds=30, writable=[place.parent]
    )
    return done.status, done.text


def test_packages_come_through_the_gate(behind: Installer, tmp_path: Path) -> None:
    place = tmp_path / "environments" / "one"
    status, text = install(behind, place)
    assert status == 0, text
    assert (place / "paint.py").exists()


def test_another_host_is_not_reached(behind: Installer, tmp_path: Path) -> None:
    elsewhere = replace(behind, confine=behind_gate(Profile.BUBBLEWRAP, frozenset({"pypi.org"})))
    status, text = install(elsewhere, tmp_path / "environments" / "one")
    assert status != 0
    assert "403" in text


def test_only_the_cache_and_the_environment_can_be_written(
    behind: Installer, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    words = ["sh", "-c", f"touch {tmp_path}/cache/in && touch {tmp_path}/out"]
    done = behind.run(words, seconds=20, writable=[tmp_path / "cache"])
    assert (tmp_path / "cache" / "in").exists()
    assert not (tmp_path / "out").exists()
    assert "Read-only" in done.text


def test_files_can_be_linked_within_our_cache(
    tmp_path: Path, behind: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path))
    for name in ("uv", "environments"):
        (tmp_path / name).mkdir()
    words = ["sh", "-c", f"touch {tmp_path}/uv/a && ln {tmp_path}/uv/a {tmp_path}/environments/a"]
    done = behind.run(words, seconds=20, writable=[tmp_path / "uv", tmp_path / "environments"])
    assert done.succeeded, done.text


def test_what_it_ended_with_is_told(behind: Installer) -> None:
    assert behind.run(["sh", "-c", "exit 5"], seconds=20, writable=[]).status == 5


def test_the_hosts_are_those_of_the_indexes() -> None:
    given = Settings(
        extra_index_url="https://one.example/simple http://two.example:8080/x",
        find_links="https://three.example/wheels /a/folder",
        index_hosts="Files.example .beneath.example",
    )
    named = {"one.example", "two.example", "three.example", "files.example", ".beneath.example"}
    assert index_hosts(given, {}) == named | {"pypi.org", "files.pythonhosted.org"}
    assert index_hosts(replace(given, no_index=1), {}) == named
    assert index_hosts(replace(given, offline=1), {}) == frozenset()


def test_uvs_own_variables_name_hosts_too() -> None:
    variables = {"UV_DEFAULT_INDEX": "own=https://u:p@four.example/simple", "HOME": "http://no/"}
    assert index_hosts(Settings(), variables) == {"four.example"}


def test_without_bubblewrap_it_says_so_or_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert bubblewrap() is None
    with pytest.raises(SandboxUnavailable) as caught:
        behind_gate(Profile.BUBBLEWRAP)
    assert caught.value.code == "sandbox.no_bubblewrap"
    assert behind_gate(Profile.LANDLOCK)(("uv",), ()) == ("uv",)


def test_walls_that_the_machine_refuses_are_no_fault_of_what_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "bwrap").write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    (programs / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    refused = Installer(tmp_path / "cache", confine=behind_gate(Profile.BUBBLEWRAP))
    with pytest.raises(SandboxUnavailable, match="No permissions to create") as caught:
        refused.uv(("pip", "list"), seconds=20)
    assert caught.value.code == "sandbox.refused"
    assert caught.value.remedy
