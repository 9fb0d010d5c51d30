"""The gate: which requests it understands, and that it lets through to the named hosts only."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.runtime.gate import destination, is_allowed, let_through


@pytest.mark.parametrize(
    ("asked", "host", "port"),
    [
        (b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: x\r\n\r\n", "pypi.org", 443),
        (b"CONNECT PyPI.org:443 HTTP/1.0\r\n\r\n", "pypi.org", 443),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", "::1", 443),
        (b"GET http://a.example/simple/ HTTP/1.1\r\n\r\n", "a.example", 80),
        (b"HEAD http://a.example:8080 HTTP/1.1\r\n\r\n", "a.example", 8080),
    ],
)
def test_a_request_names_where_it_goes(asked: bytes, host: str, port: int) -> None:
    found = destination(asked)
    assert found is not None
    assert found[:2] == (host, port)


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"CONNECT pypi.org HTTP/1.1\r\n\r\n",
        b"CONNECT user@pypi.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT pypi.org:443:80 HTTP/1.1\r\n\r\n",
        b"GET http://pypi.org@evil.example/ HTTP/1.1\r\n\r\n",
        b"GET https://pypi.org/ HTTP/1.1\r\n\r\n",
        b"POST http://pypi.org/ HTTP/1.1\r\n\r\n",
        b"GET /simple/ HTTP/1.1\r\nHost: pypi.org\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_could_be_read_in_two_ways_is_not_let_through(asked: bytes) -> None:
    assert destination(asked) is None


def test_a_request_without_tls_goes_on_as_to_the_server_itself() -> None:
    """The name that the gate has judged is the only one that the server is told."""
    found = destination(
        b"GET http://a.example:81/simple/?x HTTP/1.1\r\nHost: evil.example\r\nAccept: a\r\n"
        b"Proxy-Authorization: secret\r\nConnection: keep-alive\r\n\r\n"
    )
    assert found is not None
    assert found[2] == (
        b"GET /simple/?x HTTP/1.1\r\nHost: a.example:81\r\nAccept: a\r\nConnection: close\r\n\r\n"
    )


@given(st.binary(max_size=200))
def test_no_bytes_upset_it(asked: bytes) -> None:
    for prefix in (b"", b"CONNECT ", b"GET http://"):
        found = destination(prefix + asked + b"\r\n\r\n")
        assert found is None or found[0]


def test_a_name_with_a_dot_stands_for_all_beneath_it() -> None:
    hosts = frozenset({"pypi.org", ".wheels.example", ""})
    assert is_allowed("pypi.org", hosts)
    assert is_allowed("cpu.wheels.example", hosts)
    for host in ("evilpypi.org", "x.pypi.org", "evilwheels.example", "wheels.example", ""):
        assert is_allowed(host, hosts) == (host == "")


@pytest.fixture
def server() -> Iterator[int]:
    """Run a server that answers everybody with what it was sent, in capitals."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(connection.recv(1000).upper())

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def at_the_gate(asked: bytes, *hosts: str) -> tuple[socket.socket, threading.Thread]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    thread = threading.Thread(target=let_through, args=(theirs, frozenset(hosts)))
    thread.start()
    ours.sendall(asked)
    return ours, thread


def test_a_host_on_the_list_is_reached(server: int) -> None:
    way, thread = at_the_gate(f"CONNECT localhost:{server} HTTP/1.1\r\n\r\n".encode(), "localhost")
    with way:
        assert b" 200 " in way.recv(1000)
        way.sendall(b"hello")
        assert way.recv(1000) == b"HELLO"
    thread.join(5)
    assert not thread.is_alive()


def test_a_host_that_is_not_on_the_list_is_not_reached(server: int) -> None:
    asked = f"CONNECT 127.0.0.1:{server} HTTP/1.1\r\n\r\n".encode()
    way, thread = at_the_gate(asked, "localhost")
    with way:
        answer = way.recv(1000)
    thread.join(5)
    assert b" 403 " in answer
    assert b"127.0.0.1 is no package index" in answer


def test_a_request_that_never_ends_is_cut_off() -> None:
    way, thread = at_the_gate(b"CONNECT " + b"x" * 40_000, "localhost")
    with way, pytest.raises(ConnectionError):
        way.recv(1000)
    thread.join(5)
    assert not thread.is_alive()
