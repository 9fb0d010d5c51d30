"""What a stranger wrote of a learnware, a file or a feature does nothing, wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from beimingwu.accounts import OPERATOR, Scope
from beimingwu.client import Client
from beimingwu.dock.testing import a_learnware
from beimingwu.specification.semantic import Dimensions

from .conftest import PASSWORD, Site, Visitor

Visit = Callable[..., Visitor]
HOSTILE = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "\"'><svg onload=window.hit=1>",
    "[click](javascript:window.hit=1)",
    "![a](https://elsewhere.example/a.png)",
    "{{constructor.constructor('window.hit=1')()}}",
    "</title><style>body{display:none}</style>",
)


@pytest.fixture(scope="module")
def hostile(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A learnware whose every text is an attack; it is gone when the tests are over."""
    owner = site.service.accounts.people.add(
        "eve@example.org", "Eve <img src=x onerror=window.hit=1>", PASSWORD, OPERATOR
    )
    token, _ = site.service.accounts.tokens.create(owner, "test", set(Scope), OPERATOR)
    path = tmp_path_factory.mktemp("hostile") / "hostile.zip"
    told = {
        "name": HOSTILE[1],
        "description": "\n\n".join(HOSTILE),
        "input": Dimensions.of([HOSTILE[0], HOSTILE[2]]),
    }
    path.write_bytes(a_learnware(2, centre=40.0, seed=77, **told))

    def submitted() -> str:
        with Client(site.url, token) as client:
            return client.submit(path).wait().id

    def deleted(id: str) -> None:
        with Client(site.url, token) as client:
            client.delete(id)

    # Beside the browser's event loop, which the client must not meet.
    with ThreadPoolExecutor(1) as beside:
        id = beside.submit(submitted).result()
        yield id
        beside.submit(deleted, id).result()


@pytest.mark.parametrize("path", ["/", "/search", "/search?text=onerror", "/learnwares/{id}"])
def test_texts_of_a_learnware_are_texts(visit: Visit, hostile: str, path: str) -> None:
    visitor = visit()
    page = visitor.go(path.format(id=hostile))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hit") is None
    assert page.locator("body").is_visible()
    assert page.locator("main img, main script, main iframe").count() == 0


def test_an_admin_is_shown_texts_too(visit: Visit, hostile: str) -> None:
    visitor = visit()
    visitor.sign_in("grace@example.org")
    for tab in ("accounts", "events"):
        page = visitor.go(f"/admin?tab={tab}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None


def test_names_in_a_file_are_texts(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=window.hit=1>.csv"
    header = ",".join(f'"{attack.replace(chr(34), chr(34) * 2)}"' for attack in HOSTILE[:2])
    rows = "\n".join(f"{i},{i * i}" for i in range(40))
    path.write_text(f"{header}\n{rows}\n")
    visitor = visit()
    page = visitor.go("/search")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Describe 2 columns").click()
    page.get_by_role("button", name="Search with these points").click(timeout=60_000)
    page.get_by_role("status").first.wait_for()
    assert page.evaluate("window.hit") is None


def test_an_address_is_only_read(visit: Visit) -> None:
    visitor = visit()
    page = visitor.go("/sign-in?next=//elsewhere.example/")
    page.locator("input[type=email]").fill("ada@example.org")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.get_by_role("button", name="Ada").wait_for()
    assert page.url.startswith(visitor.site.url)
    # No facet has such a value: the service says so.
    visitor.expected.append("422 GET")
    visitor.go("/search?text=%3Cimg%20src%3Dx%20onerror%3Dwindow.hit%3D1%3E&task=%3Cscript%3E")
    assert page.evaluate("window.hit") is None
