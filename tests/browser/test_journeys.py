"""What people come for, from the first click to the last."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from beimingwu.accounts import OPERATOR
from beimingwu.dock.testing import a_learnware

from .conftest import PASSWORD, Site, Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


def test_somebody_registers_confirms_and_signs_in(visitor: Visitor, site: Site) -> None:
    page = visitor.go("/register")
    page.get_by_label("E-mail address").fill("new@example.org")
    page.get_by_label(re.compile("^Name")).fill("Somebody new")
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    visitor.go(site.letters.link("/confirm"))
    assert "#" not in page.url, "the secret stays in the address"
    page.get_by_role("button", name="Confirm the address").click()
    expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    visitor.sign_in("new@example.org")
    expect(page.get_by_text("You have shared no learnware yet")).to_be_visible()


def test_a_password_is_forgotten_and_another_chosen(visitor: Visitor, site: Site) -> None:
    site.service.accounts.people.add("lost@example.org", "Lost", "an older password", OPERATOR)
    page = visitor.go("/reset")
    page.get_by_label("E-mail address").fill("lost@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("status")).to_be_visible()
    visitor.go(site.letters.link("/reset"))
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Choose a new password").click()
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    visitor.sign_in("lost@example.org")


def test_a_wrong_password_keeps_what_was_typed(visitor: Visitor) -> None:
    visitor.expected.append("401 POST")
    page = visitor.go("/sign-in")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.locator("input[type=password]").fill("not the password")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_role("textbox", name="E-mail address").input_value() == "ada@example.org"


def test_a_snippet_runs_as_it_stands(visitor: Visitor, site: Site, tmp_path: Path) -> None:
    page = visitor.go("/search?text=sums")
    page.get_by_role("link", name="Sums of columns").click()
    page.get_by_role("heading", name="Use it").wait_for()
    code = page.locator("pre code, pre").first.inner_text()
    script = tmp_path / "snippet.py"
    script.write_text("import numpy as np\nX = np.ones((3, 2))\n" + code + "print(predictions)\n")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert ran.stdout.strip() == "[2. 2. 2.]", ran.stderr


def test_a_learnware_is_submitted_verified_withdrawn_and_deleted(
    visitor: Visitor, tmp_path: Path
) -> None:
    archive = tmp_path / "mine.zip"
    archive.write_bytes(a_learnware(2, centre=20.0, seed=99, name="Tides of a bay"))
    visitor.sign_in("ada@example.org")
    page = visitor.go("/submit")
    page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_text("Its specification has 20 points.")).to_be_visible()
    assert page.get_by_label(re.compile("^Name")).input_value() == "Tides of a bay"
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/learnwares/*")
    expect(page.locator("main").get_by_text("published", exact=True).first).to_be_visible(
        timeout=90_000
    )
    page.get_by_role("link", name="Edit").click()
    page.get_by_label(re.compile("^Name")).fill("Tides of another bay")
    page.get_by_role("button", name="Save as a new revision").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tides of another bay")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Publish again").click()
    page.get_by_role("button", name="Withdraw").wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/mine")
    expect(page.get_by_text("Tides of another bay")).to_have_count(0)


def test_what_is_no_learnware_is_told_before_it_is_sent(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "no.zip"
    path.write_bytes(b"this is no zip")
    visitor.sign_in("ada@example.org")
    page = visitor.go("/submit")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("alert")).to_contain_text("not a zip archive")


def test_a_token_is_shown_once_works_and_is_revoked(visitor: Visitor, site: Site) -> None:
    visitor.sign_in("ada@example.org")
    page = visitor.go("/mine?tab=tokens")
    page.get_by_label(re.compile("^Name")).fill("a test")
    page.get_by_role("button", name="Create a token").click()
    secret = page.get_by_role("status").locator("pre").inner_text()
    assert secret.startswith("bmw_token_")
    page.reload()
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Revoke the token “a test”").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("a test")).to_have_count(0)


def test_a_terminal_is_let_in(visitor: Visitor, site: Site) -> None:
    visitor.sign_in("ada@example.org")
    begun = visitor.page.request.post(
        f"{site.url}/v1/devices", data={"client": "a terminal", "scopes": ["read"]}
    ).json()
    page = visitor.go("/device#" + begun["verification_uri_complete"].split("#")[1])
    expect(page.get_by_text("a terminal, at")).to_be_visible()
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("status")).to_contain_text("signed in")


def test_both_languages_are_remembered(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.get_by_role("banner").get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("不出示数据")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.reload()
    expect(page.get_by_role("link", name="查找").first).to_be_visible()


def test_the_way_to_a_learnware_needs_no_mouse(visitor: Visitor) -> None:
    page = visitor.go("/search")
    page.get_by_label("Words").focus()
    page.keyboard.type("sums")
    expect(page.locator("article")).to_have_count(1)
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Sums of columns":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/learnwares/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sums of columns")
