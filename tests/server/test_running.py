"""A service as a process: started, announced, asked, told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest


class Served:
    """A running `beimingwu serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        # It says where it is once it answers; it ends the JSON with a bracket on its own line.
        lines = iter(process.stdout.readline, "")
        said = []
        for line in lines:
            said.append(line)
            if line == "}\n":
                break
        self.said: dict[str, Any] = json.loads("".join(said) or "{}")
        self.url = str(self.said.get("url", ""))

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        """Tell it to stop; return its exit status and what it logged."""
        self.process.send_signal(how)
        _, logged = self.process.communicate(timeout=60)
        return self.process.returncode, logged


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    running: list[Served] = []

    def start(*words: str, **environment: str) -> Served:
        program = "from beimingwu.cli import main; main()"
        told = ("serve", "--dock", str(tmp_path / "dock"), "--port", "0", "--format", "json")
        process = subprocess.Popen(
            [sys.executable, "-c", program, *told, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        running.append(Served(process))
        return running[-1]

    yield start
    for served in running:
        served.process.kill()
        served.process.communicate()


def test_a_new_folder_is_served_and_its_super_admin_told_once(serve, tmp_path) -> None:
    first = serve()
    assert httpx.get(f"{first.url}/healthz").text == "OK"
    assert httpx.get(f"{first.url}/readyz").text == "OK"
    admin = {"email": first.said["admin"], "password": first.said["password"]}
    signed_in = httpx.post(f"{first.url}/v1/sessions", json=admin)
    assert signed_in.json()["account"]["role"] == "super_admin"
    assert "server" not in signed_in.headers
    status, logged = first.stop()
    assert status == 0
    assert "POST /v1/sessions 201" in logged
    assert admin["password"] not in logged
    assert "Traceback" not in logged

    second = serve()
    assert "password" not in second.said
    assert httpx.post(f"{second.url}/v1/sessions", json=admin).status_code == 201
    # A service that one stops at its terminal ends as well as it does for its supervisor.
    assert second.stop(signal.SIGINT)[0] == 0


def test_who_asks_is_whom_a_named_proxy_says_and_nobody_elses_word(serve) -> None:
    claim = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    believed = serve(BEIMINGWU_TRUSTED_PROXIES="127.0.0.1")
    answer = httpx.get(f"{believed.url}/healthz", headers=claim)
    assert "max-age" in answer.headers["strict-transport-security"]
    assert "from=203.0.113.9" in believed.stop()[1]
    alone = serve()
    answer = httpx.get(f"{alone.url}/healthz", headers=claim)
    assert "strict-transport-security" not in answer.headers
    assert "from=127.0.0.1" in alone.stop()[1]


def test_a_file_of_settings_is_read_and_the_command_line_goes_before_it(serve, tmp_path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('url = "https://dock.example.org"\nport = 1\nrate_address = "2/minute"\n')
    served = serve("--settings", str(file))
    answers = [httpx.get(f"{served.url}/healthz") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "max-age" in answers[0].headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 'many'", "port must be of the type int"),
        ("prot = 80", "there is no setting 'prot'"),
        ("port = ", "is not usable"),
        ("registration = true", "registration must be of the type int"),
    ],
)
def test_a_file_of_settings_that_is_wrong_is_told_in_two_lines(serve, tmp_path, text, told) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    served = serve("--settings", str(file))
    _, err = served.process.communicate(timeout=60)
    assert served.process.returncode == 3
    assert told in err.splitlines()[0]
    assert len(err.splitlines()) == 2


def test_a_port_that_is_taken_is_told_in_two_lines(serve) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        served = serve("--port", str(taken.getsockname()[1]))
        _, err = served.process.communicate(timeout=60)
    assert served.process.returncode == 3
    assert "cannot listen on 127.0.0.1" in err.splitlines()[0]
    assert "--port" in err.splitlines()[1]


def test_a_request_that_runs_when_the_service_stops_is_answered(serve) -> None:
    served = serve()
    host, port = served.url.removeprefix("http://").split(":")
    body = b'{"email": "nobody@example.org", "password": "correct horse battery"}'
    with closing(socket.create_connection((host, int(port)))) as connection:
        head = f"POST /v1/sessions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        httpx.get(f"{served.url}/healthz")  # By now the first one has begun.
        served.process.send_signal(signal.SIGTERM)
        connection.sendall(body[10:])
        assert connection.recv(4096).startswith(b"HTTP/1.1 401")
    assert served.process.wait(timeout=60) == 0
