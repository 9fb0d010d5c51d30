"""What the pages have words for is what the service tells: no name of theirs is made up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from beimingwu.dock.verification import STEPS
from beimingwu.server.v1.views import NewPassword

ROOT = Path(__file__).parents[2]
TEXTS = json.loads((ROOT / "web" / "src" / "i18n" / "en.json").read_text())
SOURCES = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("name", TEXTS["errors"]["codes"])
def test_every_code_that_is_translated_is_one(name: str) -> None:
    assert re.search(rf"""["']{name.replace("_", "[._]")}["']""", SOURCES)


def test_every_event_of_an_account_has_words() -> None:
    told = set(re.findall(r'note\(connection, [\w.]+, "(\w+)"', SOURCES))
    assert len(told) > 15
    assert told <= TEXTS["event"].keys()


def test_every_step_of_a_verification_has_words() -> None:
    assert {"archive", "manifest", "semantic", "statistical", *STEPS} <= TEXTS["step"].keys()


def test_the_rule_of_passwords_is_the_one_that_holds() -> None:
    shortest = NewPassword.__metadata__[0].metadata[0].min_length
    assert f"At least {shortest} characters" in TEXTS["account"]["passwordRule"]
