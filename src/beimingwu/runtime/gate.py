"""A gate in the network's wall: lets a command reach the named hosts and no others.

A stand-alone script, standard library only. `gate.py open HOST… -- BWRAP… -- ` starts bubblewrap
with no network but its own loopback, and inside it `gate.py inside FD -- COMMAND…`, which hands the
socket it listens on out through `FD` and becomes the command. What the command asks that socket for
as a proxy is fetched by us, outside, when the host is on the list. Used by `installing.py`.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import suppress

REQUEST_MAX_BYTES = 16 * 1024
CONNECT_SECONDS = 30.0
#: What the gate ends with when the command never came to it: there were no walls to be had.
NO_WALL = 97
IDLE_SECONDS = 300.0
#: "CONNECT host:443 HTTP/1.1", or "GET http://host:80/path HTTP/1.1" for indexes without TLS.
_CONNECT = re.compile(rb"CONNECT ([^\s:/@]+|\[[0-9a-fA-F:]+\]):(\d{1,5}) HTTP/1\.[01]\r\n")
_PLAIN = re.compile(
    rb"(GET|HEAD) http://([^\s:/@]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?(/\S*)? HTTP/1\.[01]\r\n"
)
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")


def main(words: list[str]) -> int:
    """Play the part that the first word names."""
    at = words.index("--")
    if words[0] == "inside":
        inside(int(words[1]), words[at + 1 :])
    return outside(frozenset(words[1:at]), words[at + 1 :])


def outside(hosts: frozenset[str], command: list[str]) -> int:
    """Run the command, answer at the gate while it runs, and return its status."""
    ours, theirs = socket.socketpair()
    came = False
    number = str(theirs.fileno())
    words = [number if word == "{gate}" else word for word in command]
    with subprocess.Popen(words, pass_fds=[theirs.fileno()]) as process:  # noqa: S603 - no shell
        theirs.close()
        with suppress(OSError):  # It ended before it came to the gate.
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
            if descriptors:
                came = True
                listener = socket.socket(fileno=descriptors[0])
                threading.Thread(target=keep, args=(listener, hosts), daemon=True).start()
        status = process.wait()
    if not came and status:
        return NO_WALL
    return 128 - status if status < 0 else status


def inside(channel: int, command: list[str]) -> None:
    """Listen on the loopback of this namespace, hand the socket out, and become the command."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(fileno=channel) as way:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        socket.send_fds(way, [b"g"], [listener.fileno()])
    for name in _PROXIES:
        os.environ[name] = address
    for name in ("NO_PROXY", "no_proxy"):
        os.environ.pop(name, None)
    os.execvp(command[0], command)  # noqa: S606 - no shell


def keep(listener: socket.socket, hosts: frozenset[str]) -> None:
    """Let connections through until the process ends."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=let_through, args=(connection, hosts), daemon=True).start()


def let_through(connection: socket.socket, hosts: frozenset[str]) -> None:
    """Serve one connection: refuse it, or carry bytes both ways."""
    with connection, suppress(OSError, ValueError):
        connection.settimeout(CONNECT_SECONDS)
        asked = read_request(connection)
        wanted = destination(asked)
        if wanted is None or not is_allowed(wanted[0], hosts):
            name = wanted[0] if wanted is not None else "what was asked"
            connection.sendall(refusal(name))
            return
        host, port, first = wanted
        with socket.create_connection((host, port), CONNECT_SECONDS) as other:
            if first:
                other.sendall(first)
            else:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            carry(connection, other)


def read_request(connection: socket.socket) -> bytes:
    """Return the head of a request, to its empty line."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        piece = connection.recv(4096)
        if not piece or len(asked) > REQUEST_MAX_BYTES:
            raise ValueError("no request")
        asked += piece
    return asked


def destination(asked: bytes) -> tuple[str, int, bytes] | None:
    """Return the host and port that a request is for, and what to send on; None for nonsense.

    A request without TLS is sent on as to the server itself, for one answer.
    """
    found = _CONNECT.match(asked)
    if found is not None:
        return found[1].decode().strip("[]").lower(), int(found[2]), b""
    found = _PLAIN.match(asked)
    if found is None:
        return None
    head, _, body = asked[found.end() :].partition(b"\r\n\r\n")
    kept = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"connection:", b"proxy-", b"host:"))
    ]
    place = found[2] + (b":" + found[3] if found[3] else b"")
    lines = [found[1] + b" " + (found[4] or b"/") + b" HTTP/1.1", b"Host: " + place]
    first = b"\r\n".join([*lines, *kept, b"Connection: close", b"", b""]) + body
    return found[2].decode().strip("[]").lower(), int(found[3] or 80), first


def is_allowed(host: str, hosts: frozenset[str]) -> bool:
    """Whether a host is on the list; `.name` on it stands for all beneath `name`."""
    return host in hosts or any(rule[0] == "." and host.endswith(rule) for rule in hosts if rule)


def refusal(host: str) -> bytes:
    """Return the answer to a request for a host that is not on the list."""
    text = (
        f"{host} is no package index of this dock. Its operator may add it: BEIMINGWU_INDEX_HOSTS"
    )
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return (head + text).encode()


def carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side is done, or nothing comes for a long time."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    for end in (one, other):
        end.settimeout(IDLE_SECONDS)
    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
