"""A service with a small dock, and a browser to look at it with.

Every page that a test opens is watched: an error on its console, what the policy of our pages
refused, and a request to anywhere but the service fail the test.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

from beimingwu.accounts import OPERATOR, Role
from beimingwu.config import Settings
from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware
from beimingwu.server.service import Service, open_service
from beimingwu.server.web import STATIC

from ..client.conftest import serving

PASSWORD = "correct horse battery"
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PLENTY = {
    "rate_address": "100000/minute",
    "rate_account": "100000/minute",
    "rate_mail": "1000/hour",
}


class Letters(logging.Handler):
    """The letters that a service without a mail server prints to its log."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def link(self, path: str) -> str:
        """Return the path, with its secret, of the newest link to a page; it may be on its way."""
        for _ in range(100):
            for text in reversed(self.texts):
                if found := re.search(rf"({path}#\S+)", text):
                    return found[1]
            time.sleep(0.05)
        raise AssertionError(f"no letter has a link to {path}")


@dataclass
class Site:
    """A service that a browser can reach, and the letters that it sends."""

    service: Service
    url: str
    letters: Letters
    folder: Path

    @property
    def dock(self) -> Dock:
        return self.service.dock


_LEARNWARES = (
    ("Sums of columns", 0.0, ("Education",)),
    ("Rainfall in spring", 4.0, ("Nature",)),
    ("Wheat from weeds", -4.0, ("Agriculture",)),
    ("Rents in the north", 8.0, ("Business",)),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with a few learnwares, an admin, and somebody who owns what is there."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    letters = Letters()
    log = logging.getLogger("beimingwu.mail")
    log.addHandler(letters)
    log.setLevel(logging.INFO)
    settings = Settings(dock=str(tmp_path_factory.mktemp("dock")), **_PLENTY)
    with open_service(settings) as service, serving(service) as port:
        folder = tmp_path_factory.mktemp("archives")
        site = Site(service, f"http://127.0.0.1:{port}", letters, folder)
        people = service.accounts.people
        ada = people.add("ada@example.org", "Ada", PASSWORD, OPERATOR)
        grace = people.add("grace@example.org", "Grace", PASSWORD, OPERATOR)
        people.set_role(grace.id, Role.ADMIN, OPERATOR)
        submissions = []
        for number, (name, centre, scenarios) in enumerate(_LEARNWARES):
            path = folder / f"{number}.zip"
            told = {"name": name, "scenarios": scenarios}
            path.write_bytes(a_learnware(2, centre=centre, seed=number, **told))
            submissions.append(site.dock.submit(path, owner=ada.owner))
        for submission in submissions:
            submission.wait()
        yield site
    log.removeHandler(letters)


@pytest.fixture(scope="module")
def chromium(site: Site) -> Iterator[Browser]:
    """A browser without a screen.

    Its event loop runs in this thread until it is closed, and no service can start meanwhile; and
    a process has one service at a time. So every file has both of its own, the service first.
    """
    if _CHROMIUM is None:
        pytest.skip("there is no chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_QUIET))
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at the site; what went wrong, and every request, is written down."""

    page: Page
    site: Site
    requests: list[Request] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    #: What a test means to go wrong: parts of messages. Who is signed in is asked of everybody.
    expected: list[str] = field(default_factory=lambda: ["/v1/sessions/current"])

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def go(self, path: str) -> Page:
        """Open a page, and wait until it shows its title."""
        self.page.goto(self.site.url + path)
        self.page.locator("h1").wait_for()
        return self.page

    def sign_in(self, email: str) -> None:
        """Sign in by the page for it."""
        self.go("/sign-in")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.locator("input[type=password]").fill(PASSWORD)
        self.page.locator("main").get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/mine")

    def audit(self) -> list[str]:
        """Return what axe finds wrong for people who use the page by other means."""
        self.page.evaluate(AXE.read_text() + "; undefined")
        found = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:160]} {node['failureSummary'][-200:]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def _said(self, message: ConsoleMessage) -> None:
        # What was asked in vain is told by its address, below.
        if message.type in ("error", "warning") and "Failed to load" not in message.text:
            self.wrong.append(message.text)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            asked = response.request
            self.wrong.append(f"{response.status} {asked.method} {response.url}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.wrong.append(f"asked elsewhere: {request.url}")

    def check(self) -> None:
        """Fail where anything went wrong that was not meant to."""
        wrong = [one for one in self.wrong if not any(part in one for part in self.expected)]
        assert not wrong, wrong


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Let visitors come, each with a browser of its own; nothing may have gone wrong for any."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def come(**options: object) -> Visitor:
        context = chromium.new_context(**{"locale": "en-GB", **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        visitors.append(Visitor(context.new_page(), site))
        return visitors[-1]

    yield come
    for context in contexts:
        context.close()
    for visitor in visitors:
        visitor.check()
