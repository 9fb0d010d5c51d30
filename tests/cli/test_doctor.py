"""`beimingwu doctor`: what it prints, and the status that a script acts on."""

import json

import pytest

from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.trial import require


def test_it_shows_each_wall_of_each_profile(run):
    try:
        require(Profile.BUBBLEWRAP)
    except SandboxUnavailable as error:
        pytest.skip(error.problem)
    ran = run("doctor", "--format", "json")
    assert ran.status == 0
    found = {diagnosis["profile"]: diagnosis for diagnosis in json.loads(ran.out)}
    assert list(found) == ["bubblewrap", "landlock", "none"]
    assert found["bubblewrap"]["chosen"]
    assert set(found["bubblewrap"]["walls"].values()) == {"stands"}
    assert not found["none"]["sound"]


def test_it_fails_and_says_what_to_install_where_bubblewrap_is_missing(run, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    ran = run("doctor", "--quiet")
    assert ran.status == 15
    assert "bubblewrap" not in ran.lines
    assert "apt-get install bubblewrap" in ran.err


def test_no_walls_by_ones_own_choice_are_no_failure(run, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_SANDBOX", "none")
    monkeypatch.setenv("PATH", "/nonexistent")
    ran = run("doctor")
    assert ran.status == 0
    assert "all your rights" in ran.err
