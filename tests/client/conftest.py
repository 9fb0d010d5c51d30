"""A service on a port of this machine, and a way to it that breaks when it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import uvicorn

from beimingwu.accounts import OPERATOR, Scope
from beimingwu.client import Client
from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service


class Served:
    """A service on a port of this machine, with people who may use it."""

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ada, self.bob = self._token("ada"), self._token("bob")

    def _token(self, name: str) -> str:
        people, tokens = self.service.accounts.people, self.service.accounts.tokens
        account = people.add(f"{name}@example.org", name, "correct horse", OPERATOR)
        return tokens.create(account, "test", set(Scope), OPERATOR)[0]


@contextmanager
def serving(service: Service) -> Iterator[int]:
    """Serve over a real socket, from a thread; yield its port."""
    config = uvicorn.Config(create_app(service), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        [listening] = server.servers[0].sockets
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


class Way:
    """A way to a server that carries so many bytes each way, and then breaks.

    Each connection gets the next of `cuts`: after how many bytes from the client it is cut, and
    after how many from the server; without one it holds.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cuts: list[tuple[int | None, int | None]] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for one in (self._listening, *self._open):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                there, back = self.cuts.pop(0) if self.cuts else (None, None)
                server = socket.create_connection(("127.0.0.1", self._port))
                self._open += [client, server]
                for source, target, most in ((client, server, there), (server, client, back)):
                    threading.Thread(
                        target=self._carry, args=(source, target, most), daemon=True
                    ).start()

    def _carry(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        left = most
        with suppress(OSError):
            while content := source.recv(65536 if left is None else min(65536, max(left, 1))):
                if left is not None and left - len(content) < 0:
                    break
                target.sendall(content)
                left = None if left is None else left - len(content)
                if left == 0:
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache and a file of tokens of this test's own."""
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BEIMINGWU_CREDENTIALS", str(tmp_path / "config" / "credentials.json"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    plenty = {"rate_address": "100000/minute", "rate_account": "100000/minute"}
    with (
        open_service(Settings(dock=str(tmp_path / "dock"), **plenty)) as service,
        serving(service) as port,
    ):
        yield Served(service, port)


@pytest.fixture
def way(served: Served) -> Iterator[Way]:
    opened = Way(served.port)
    yield opened
    opened.close()


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url, served.ada) as opened:
        yield opened


@pytest.fixture
def through(served: Served, way: Way) -> Iterator[Callable[..., Client]]:
    """Return a function that opens a client whose way breaks as told."""
    opened: list[Client] = []

    def go(*cuts: tuple[int | None, int | None]) -> Client:
        way.cuts[:] = cuts
        opened.append(Client(way.url, served.ada))
        return opened[-1]

    yield go
    for one in opened:
        one.close()
