"""Looking after a dock: its accounts, reports and learnwares."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from beimingwu.accounts import OPERATOR

from .conftest import PASSWORD, Visitor

Visit = Callable[..., Visitor]


def test_every_tab_can_be_used_by_other_means(visit: Visit) -> None:
    visitor = visit()
    visitor.sign_in("grace@example.org")
    found = {}
    for tab in ("summary", "accounts", "reports", "events"):
        visitor.go(f"/admin?tab={tab}")
        visitor.page.wait_for_load_state("networkidle")
        found[tab] = visitor.audit()
    assert not {tab: wrong for tab, wrong in found.items() if wrong}


def test_it_is_for_admins(visit: Visit) -> None:
    visitor = visit()
    visitor.sign_in("ada@example.org")
    page = visitor.go("/admin")
    expect(page.get_by_text("This is for the admins")).to_be_visible()
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)


def test_an_account_is_suspended_and_reinstated(visit: Visit) -> None:
    visitor = visit()
    people = visitor.site.service.accounts.people
    people.add("mallory@example.org", "Mallory", PASSWORD, OPERATOR)
    visitor.sign_in("grace@example.org")
    page = visitor.go("/admin?tab=accounts")
    page.get_by_label("Name or address").fill("mallory")
    page.get_by_role("button", name="Suspend Mallory").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    page.get_by_role("button", name="Reinstate").click()
    expect(page.get_by_role("button", name="Suspend Mallory")).to_be_visible()


def test_a_report_is_upheld_and_the_learnware_comes_back(visit: Visit) -> None:
    learnware = visit().site.dock.list()[0]
    somebody = visit()
    page = somebody.go(f"/learnwares/{learnware.id}")
    page.get_by_role("button", name="Report").click()
    page.get_by_label("What should we know?").fill("It is a copy of a model of mine.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you.")).to_be_visible()

    admin = visit()
    admin.sign_in("grace@example.org")
    page = admin.go("/admin?tab=reports")
    page.get_by_role("button", name="Uphold").click()
    expect(page.get_by_text("Nothing is reported.")).to_be_visible()
    page = admin.go(f"/learnwares/{learnware.id}")
    page.get_by_role("button", name="Release from quarantine").click()
    expect(page.get_by_role("button", name="Quarantine")).to_be_visible()
