"""The pages: which paths are pages, what surrounds them, and that nothing else is ever read."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from beimingwu.server.web import Web

SCRIPT = b"console.log('here')"


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b'<meta content="__CSP_NONCE__"><div id="root"></div>')
    (folder / "assets" / "main-1a.js").write_bytes(SCRIPT)
    (folder / "assets" / "main-1a.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "secret.txt").write_text("of the machine")
    return folder


@pytest.fixture
def browser(static: Path) -> TestClient:
    behind = PlainTextResponse("behind", status_code=404)
    return TestClient(Web(behind, static, report="/reports"))


@pytest.mark.parametrize("path", ["/", "/search", "/learnwares/00000042", "/mine", "/no/such"])
def test_a_page_is_one_document(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200
    assert '<div id="root">' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_document_has_a_nonce_of_its_own(browser: TestClient) -> None:
    found = [re.search('content="([^"]+)"', browser.get("/").text) for _ in range(2)]
    first, second = (match[1] for match in found if match)
    assert first != second
    answer = browser.get("/")
    nonce = re.search('content="([^"]+)"', answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert nonce and f"'nonce-{nonce[1]}'" in policy
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert policy.endswith("report-uri /reports")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/no-such",
        "/api/user/login",
        "/healthz",
        "/assets/other.js",
        "/favicon.ico",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/secret.txt",
    ],
)
def test_what_is_no_page_is_not_ours(browser: TestClient, path: str) -> None:
    assert browser.get(path).text == "behind"


def test_only_reading_is_ours(browser: TestClient) -> None:
    assert browser.post("/search").text == "behind"
    assert browser.head("/search").status_code == 200


def test_files_are_kept_for_ever_and_sent_as_the_browser_reads_them(browser: TestClient) -> None:
    packed = browser.get("/assets/main-1a.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "immutable" in packed.headers["Cache-Control"]
    assert packed.headers["Content-Type"].startswith("text/javascript")
    plain = browser.get("/assets/main-1a.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == packed.content == SCRIPT
    again = browser.get("/assets/main-1a.js", headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status_code == 304


def test_only_the_worker_may_compile(static: Path) -> None:
    (static / "assets" / "worker-2b.js").write_bytes(SCRIPT)
    client = TestClient(Web(PlainTextResponse("behind"), static))
    policy = client.get("/assets/worker-2b.js").headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
    assert "wasm" not in client.get("/").headers["Content-Security-Policy"]
    assert "Content-Security-Policy" not in client.get("/assets/main-1a.js").headers


def test_without_pages_the_first_says_how_to_build_them(tmp_path: Path) -> None:
    behind = PlainTextResponse("behind", status_code=404)
    client = TestClient(Web(behind, tmp_path / "nothing"))
    assert "make web" in client.get("/").text
    assert client.get("/search").text == "behind"


def test_a_service_serves_both(served: Callable[..., TestClient]) -> None:
    client = served()
    assert client.get("/v1/vocabulary").headers["Content-Type"] == "application/json"
    assert client.get("/v1/no-such").headers["Content-Type"] == "application/problem+json"
    first = client.get("/", headers={"X-Request-ID": "somebody-asks"})
    assert first.headers["X-Request-ID"] == "somebody-asks"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
