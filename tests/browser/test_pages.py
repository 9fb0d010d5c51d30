"""Every page opens, loads nothing from elsewhere, and can be used by other means than a mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Visitor

Visit = Callable[..., Visitor]
OPEN = (
    "/",
    "/search",
    "/search?text=rain",
    "/sign-in",
    "/register",
    "/reset",
    "/confirm",
    "/device",
)
OWN = (
    "/submit",
    "/mine",
    *(f"/mine?tab={tab}" for tab in ("tokens", "sessions", "events", "account")),
)
PHONE = {"width": 360, "height": 740}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_for_all(visit: Visit, scheme: str) -> None:
    visitor = visit(color_scheme=scheme)
    found = {}
    first = visitor.site.dock.list()[0].id
    for path in (*OPEN, f"/learnwares/{first}", "/no/such/page"):
        visitor.go(path)
        visitor.page.wait_for_load_state("networkidle")
        found[path] = visitor.audit()
    assert not {path: wrong for path, wrong in found.items() if wrong}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_somebody(visit: Visit, scheme: str) -> None:
    visitor = visit(color_scheme=scheme)
    visitor.sign_in("ada@example.org")
    found = {}
    for path in OWN:
        visitor.go(path)
        visitor.page.wait_for_load_state("networkidle")
        found[path] = visitor.audit()
    assert not {path: wrong for path, wrong in found.items() if wrong}


def test_no_page_is_wider_than_a_phone(visit: Visit) -> None:
    visitor = visit(viewport=PHONE)
    first = visitor.site.dock.list()[0].id
    for path in (*OPEN, f"/learnwares/{first}"):
        page = visitor.go(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
