from __future__ import annotations

import pytest

from beimingwu.config import settings
from beimingwu.errors import InvalidInput


def test_a_setting_comes_from_its_environment_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_MEMBERS", "7")
    monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "1.5")
    monkeypatch.setenv("BEIMINGWU_DOCK", "/somewhere")
    assert settings().archive_max_members == 7
    assert settings().guest_call_seconds == 1.5
    assert settings().dock == "/somewhere"


def test_a_setting_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_MEMBERS", "many")
    with pytest.raises(InvalidInput, match=r"BEIMINGWU_ARCHIVE_MAX_MEMBERS.*'many'"):
        settings()


def test_a_variable_that_is_empty_is_as_good_as_unset(monkeypatch: pytest.MonkeyPatch):
    expected = settings()
    for name in ("DOCK", "ARCHIVE_MAX_MEMBERS", "GUEST_CALL_SECONDS", "SANDBOX"):
        monkeypatch.setenv(f"BEIMINGWU_{name}", "")
    assert settings() == expected
