"""Requests are repeated where that is safe, in measure, and failures are errors of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from beimingwu.client import Client, connection
from beimingwu.client.connection import Connection, is_url, normal_url
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import (
    BeimingwuError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)


class Script:
    """A server that answers as it is told: a status, headers and a body each."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                self.rfile.read(size)
                script.asked.append((self.command, self.path, dict(self.headers)))
                status, headers, body = script.answers.pop(0)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def asking(script: Script) -> Iterator[Client]:
    """Somebody who asks that server."""
    with Client(script.url, "a token") as client:
        yield client


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which no test waits for."""
    waited: list[float] = []
    monkeypatch.setattr(connection.time, "sleep", waited.append)
    return waited


def test_what_was_refused_for_now_is_asked_again_after_as_long_as_the_server_says(
    script: Script, asking: Client, waits: list[float]
) -> None:
    script.answers = [
        (503, {}, b""),
        (429, {"Retry-After": "7"}, b""),
        (200, {}, b'{"count": 3}'),
    ]
    assert asking.count() == 3
    assert waits[0] < 1.0
    assert waits[1] == 7.0


def test_waits_grow_and_end(script: Script, asking: Client, waits: list[float]) -> None:
    script.answers = [(503, {}, b"")] * 10
    with pytest.raises(Unavailable) as refused:
        asking.count()
    assert refused.value.code == "http.503"
    assert len(script.asked) == connection.TRIES
    assert waits == sorted(waits)
    assert waits[-1] > 2 * waits[0]


def test_who_is_to_wait_for_long_is_told_so(
    script: Script, asking: Client, waits: list[float]
) -> None:
    script.answers = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(TooManyRequests) as refused:
        asking.count()
    assert refused.value.retry_after == 3600.0
    assert waits == []


def test_what_may_have_been_done_is_not_done_again(script: Script, asking: Client) -> None:
    for call in (
        lambda client: client.withdraw("00000001"),
        lambda client: client.restore("00000001"),
        lambda client: client.delete("00000001"),
    ):
        script.asked.clear()
        script.answers = [(0, {}, b""), (200, {}, b"{}")]
        with pytest.raises(Unavailable) as broken:
            call(asking)
        assert broken.value.code == "transfer.broken"
        assert len(script.asked) == 1


def test_a_question_is_asked_again_when_its_answer_was_lost(script: Script, asking: Client) -> None:
    script.answers = [(0, {}, b""), (502, {}, b""), (200, {}, b'{"count": 3}')]
    assert asking.count() == 3


def test_a_token_goes_nowhere_else(script: Script, asking: Client) -> None:
    script.answers = [(302, {"Location": "http://elsewhere.invalid/"}, b"")]
    with pytest.raises(BeimingwuError) as refused:
        asking.count()
    assert refused.value.code == "http.302"
    [(_, _, headers)] = script.asked
    assert headers["Authorization"] == "Bearer a token"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (418, InvalidInput),
    ],
)
def test_an_answer_that_is_none_of_ours_is_an_error_all_the_same(
    script: Script, asking: Client, status: int, kind: type[BeimingwuError]
) -> None:
    script.answers = [(status, {"Content-Type": "text/html"}, b"<h1>No</h1>")]
    with pytest.raises(kind) as refused:
        asking.count()
    assert refused.value.code == f"http.{status}"
    assert refused.value.remedy


def test_no_answer_can_name_a_class_that_is_no_error_of_ours(
    script: Script, asking: Client
) -> None:
    problem = b'{"kind": "annotations", "code": "x", "detail": "y"}'
    script.answers = [(404, {"Content-Type": "application/problem+json"}, problem)]
    with pytest.raises(NotFound) as refused:
        asking.count()
    assert refused.value.code == "x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dock",
        "ftp://dock.example.org",
        "https://",
        "https://ada:secret@dock.example.org",
        "https://dock.example.org/?a=1",
        "https://dock.example.org:port",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Connection(url, None)
    assert refused.value.code == "input.url"
    assert "secret" not in refused.value.remedy


def test_an_address_has_one_form() -> None:
    assert normal_url("HTTP://[::1]:8088/") == "http://[::1]:8088"
    assert normal_url("https://dock.example.org:443/beside/") == "https://dock.example.org/beside"
    assert not is_url("dock")


def test_errors_are_those_of_a_dock_in_a_folder(client: Client, served: Any) -> None:
    id = client.submit(a_learnware()).wait().id
    with Client(served.url) as stranger, Client(served.url, served.bob) as bob:
        assert stranger.show(id).steps == ()
        for call in (
            lambda: stranger.submit(a_learnware(centre=5.0)),
            lambda: stranger.withdraw(id),
            stranger.whoami,
        ):
            with pytest.raises(Unauthenticated):
                call()
        with pytest.raises(Forbidden) as refused:
            bob.delete(id)
        assert refused.value.code == "forbidden.owner"
    assert client.whoami()["name"] == "ada"
    assert [record.id for record in client.list(owner="me")] == [id]
    with pytest.raises(InvalidInput) as wrong:
        client.submit(a_learnware(), owner="bob")
    assert wrong.value.code == "input.owner"
