"""Tokens are kept by the address of their dock, for nobody else to read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from beimingwu.client.credentials import forget_token, keep_token, token_for
from beimingwu.errors import InvalidInput


def test_each_dock_has_its_token() -> None:
    keep_token("https://one.example.org/", "first")
    path = keep_token("https://other.example.org", "second")
    keep_token("https://ONE.example.org", "third")
    assert token_for("https://one.example.org") == "third"
    assert token_for("https://other.example.org/") == "second"
    assert token_for("https://another.example.org") is None
    assert forget_token("https://one.example.org")
    assert not forget_token("https://one.example.org")
    assert token_for("https://one.example.org") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_token_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_token("https://one.example.org/", "first")
    monkeypatch.setenv("BEIMINGWU_TOKEN", "another")
    assert token_for("https://one.example.org/") == "another"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(mode: int) -> None:
    path = keep_token("https://one.example.org/", "first")
    path.chmod(mode)
    with pytest.raises(InvalidInput) as refused:
        token_for("https://one.example.org/")
    assert refused.value.code == "input.credentials"
    assert f"chmod 600 {path}" in refused.value.remedy
    assert "first" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "no JSON"])
def test_a_damaged_file_is_told(content: str) -> None:
    path: Path = keep_token("https://one.example.org/", "first")
    path.write_text(content)
    with pytest.raises(InvalidInput) as refused:
        token_for("https://one.example.org/")
    assert refused.value.code == "input.credentials"
