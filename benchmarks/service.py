"""How a service bears many people: searches a second, how long each takes, and what downloads cost.

A dock of `--n` learnwares is filled (once for each `--folder`), served by `beimingwu serve` in a
process of its own, and asked over loopback by a second process: by 1, 8 and 32 clients at once,
each of which asks its next search as soon as it has the answer. A search is a requirement of 20
points and 8 features: once for single learnwares alone, once for a mixture of up to five too.
Then an archive of `--megabytes` is
uploaded, and 8 clients download it at once. The server's memory is read all the while. Writes
benchmarks/results/service.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from beimingwu.accounts import OPERATOR, Accounts, Scope
from beimingwu.client import Client
from beimingwu.config import settings
from beimingwu.dock import Dock, Step
from beimingwu.dock.pointset import dumps_pointset
from beimingwu.dock.records import Draft
from beimingwu.dock.testing import a_learnware, a_semantic
from beimingwu.search import Requirement
from beimingwu.search.wire import Query
from beimingwu.specification.rkme import RKME

RESULTS = Path(__file__).parent / "results" / "service.json"
FEATURES, POINTS, FAMILIES = 8, 20, 200
CLIENTS = (1, 8, 32)
#: What is searched for, by the most learnwares in a mixture.
KINDS = {"single learnwares": 1, "and a mixture of up to five": 5}
WARMING = 5.0
#: 99 of 100 searches at 8 clients take at most this, in seconds; downloads at most this memory.
P99_SECONDS, DOWNLOAD_BYTES = 0.25, 64 * 2**20


@dataclass(frozen=True)
class Server:
    """A service that runs, and a token for it."""

    url: str
    token: str
    process: subprocess.Popen[str]

    def memory(self) -> int:
        """Return the bytes that its process holds, and those of it that search."""
        return sum(_held(pid) for pid in (self.process.pid, *self._searchers()))

    def _searchers(self) -> list[int]:
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for task in tasks for pid in task.read_text().split()]
        return [pid for pid in pids if b"spawn_main" in _read(f"/proc/{pid}/cmdline")]


def _held(pid: int) -> int:
    told = _read(f"/proc/{pid}/status").partition(b"RssAnon:")[2].split()
    return int(told[0]) * 1024 if told else 0


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # It has ended since.
        return b""


def main() -> None:
    """Measure, print two tables, write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="learnwares in the dock")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each number asks")
    parser.add_argument("--steady", type=float, default=0.0, help="minutes that memory is watched")
    parser.add_argument("--megabytes", type=int, default=200, help="size of the archive")
    parser.add_argument("--folder", type=Path, help="keep the dock here, to use it again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="beimingwu-benchmark-") as temporary:
        folder = (arguments.folder or Path(temporary)) / f"service-{arguments.n}"
        os.environ["BEIMINGWU_CACHE"] = str(Path(temporary) / "cache")
        token = fill(folder, arguments.n)
        with served(folder, token) as server:
            searches = {
                name: {str(n): searched(server, n, most, arguments.seconds) for n in CLIENTS}
                for name, most in KINDS.items()
            }
            memory = watched(server, arguments.steady)
            downloads = downloaded(server, arguments.megabytes, Path(temporary))
    _print(arguments.n, searches, downloads)
    if memory:
        shown = ", ".join(f"{held / 2**20:.0f}" for held in memory)
        print(f"MiB at each tenth of {arguments.steady:g} minutes, 8 clients searching: {shown}")
    RESULTS.parent.mkdir(exist_ok=True)
    measured = {"n": arguments.n, "searches": searches, "memory": memory, "downloads": downloads}
    RESULTS.write_text(json.dumps(measured, indent=2) + "\n")


def fill(folder: Path, n: int) -> str:
    """Publish learnwares without running any, up to `n`, and return a token for somebody new."""
    generator = np.random.default_rng(0)
    families = generator.normal(0.0, 6.0, (FAMILIES, FEATURES))
    kept = os.fsync
    os.fsync = _no_fsync  # It may be lost: it is made again.
    with Dock.open(folder, workers=0) as dock:
        for number in range(dock.count(state=None), n):
            _publish(dock, number, families[number % FAMILIES])
        os.fsync = kept
        accounts = Accounts(dock.database, settings(), "")
        name = f"benchmark {time.time_ns()}"
        email = f"{time.time_ns()}@example.org"
        account = accounts.people.add(email, name, "correct horse battery", OPERATOR)
        token, _ = accounts.tokens.create(account, "benchmark", set(Scope), OPERATOR)
        accounts.close()
    return token


def _no_fsync(fd: object) -> None:
    """Trust the disk."""


def _publish(dock: Dock, number: int, family: np.ndarray) -> None:
    spec = specification(number, family)
    catalogue, blobs = dock._catalogue, dock._storage.blobs
    draft = Draft(
        archive_sha256=f"{number:064x}",
        size=0,
        specification_sha256=blobs.put(dumps_pointset(spec)),
        semantic=a_semantic(FEATURES, name=f"Sums of kind {number}"),
        kind="table",
        dimension=FEATURES,
        steps=(),
    )
    entered = catalogue.submit("benchmark", draft)
    claimed = catalogue.claim(entered.key, "benchmark", lambda name: False)
    assert claimed is not None
    catalogue.publish(claimed, Step("accommodate", "passed", "Published."))


def specification(seed: int, centre: np.ndarray) -> RKME:
    """Return points around a centre that is a little off its family's."""
    generator = np.random.default_rng(seed)
    where = centre + generator.normal(0.0, 0.7, FEATURES)
    points = generator.normal(where, 1.0, (POINTS, FEATURES)).astype(np.float32)
    return RKME(points, np.full(POINTS, 1 / POINTS), n=1000)


@contextmanager
def served(folder: Path, token: str) -> Iterator[Server]:
    """Serve a dock in a process of its own."""
    plenty = {f"BEIMINGWU_RATE_{name}": "100000000/minute" for name in ("ADDRESS", "ACCOUNT")}
    command = "from beimingwu.cli import main; main()"
    words = ("serve", "--dock", str(folder), "--port", "0", "--format", "json")
    process = subprocess.Popen(
        [sys.executable, "-c", command, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **plenty, "BEIMINGWU_PACKAGES": "current"},
    )
    assert process.stdout is not None
    told = ""
    while not told.rstrip().endswith("}"):
        told += process.stdout.readline()
    try:
        yield Server(json.loads(told)["url"], token, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def searched(server: Server, clients: int, most: int, seconds: float) -> dict[str, float]:
    """Ask by several clients for a while, and return how it went."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as asking:
        # The first search reads the index, and the first that meet start processes: that is once
        # for a service, and not for each search.
        asking.apply(_ask, (server.url, clients, most, WARMING))
        before = server.memory()
        taken, errors, elapsed = asking.apply(_ask, (server.url, clients, most, seconds))
        after = server.memory()
    cut = statistics.quantiles(taken, n=100, method="inclusive")
    return {
        "searches_per_second": len(taken) / elapsed,
        "p50_seconds": cut[49],
        "p95_seconds": cut[94],
        "p99_seconds": cut[98],
        "searches": len(taken),
        "errors": errors,
        "memory_before": before,
        "memory_after": after,
    }


def watched(server: Server, minutes: float) -> list[int]:
    """Search by 8 clients for so long, and return the memory held at each tenth of the time."""
    if not minutes:
        return []
    most, seconds = max(KINDS.values()), 60.0 * minutes
    with multiprocessing.get_context("spawn").Pool(1) as asking:
        asked = asking.apply_async(_ask, (server.url, 8, most, seconds))
        held = []
        for _ in range(10):
            time.sleep(seconds / 10)
            held.append(server.memory())
        _, errors, _ = asked.get()
    assert not errors
    return held


def _ask(url: str, clients: int, most: int, seconds: float) -> tuple[list[float], int, float]:
    """Ask by so many threads, each one search after the other, and return what each took."""
    families = np.random.default_rng(0).normal(0.0, 6.0, (FAMILIES, FEATURES))
    wanted = [
        Requirement(specification(2**32 - 1 - i, family)) for i, family in enumerate(families)
    ]
    bodies = [json.dumps(Query(one, max_learnwares=most).to_json()).encode() for one in wanted]
    place = urlsplit(url)
    started = time.perf_counter()

    def one(number: int) -> tuple[list[float], int]:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
        taken, errors, asked = [], 0, number
        while not asked - number or time.perf_counter() - started < seconds:
            before = time.perf_counter()
            connection.request(
                "POST",
                "/v1/search",
                bodies[asked % len(bodies)],
                {"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            content = answer.read()
            taken.append(time.perf_counter() - before)
            errors += answer.status != 200 or not json.loads(content)["single"]
            asked += 1
        connection.close()
        return taken, errors

    with ThreadPoolExecutor(clients) as pool:
        each = list(pool.map(one, range(clients)))
    elapsed = time.perf_counter() - started
    return [one for taken, _ in each for one in taken], sum(errors for _, errors in each), elapsed


def downloaded(server: Server, megabytes: int, scratch: Path) -> dict[str, float]:
    """Upload an archive, download it by 8 clients at once, and return what it cost."""
    path = scratch / "large.zip"
    path.write_bytes(a_learnware(padding=megabytes * 2**20, seed=int(time.time())))
    with Client(server.url, server.token) as client:
        before, began = server.memory(), time.perf_counter()
        with _watched(server) as uploading:
            submission = client.submit(path)
        uploaded = time.perf_counter() - began
        id = submission.wait().id
        upload_growth = uploading[0] - before
        before, began = server.memory(), time.perf_counter()
        with _watched(server) as downloading, ThreadPoolExecutor(8) as pool:
            sizes = list(pool.map(lambda _: _download(server.url, id), range(8)))
        elapsed = time.perf_counter() - began
        client.delete(id)
    assert sizes == [path.stat().st_size] * 8
    return {
        "bytes": path.stat().st_size,
        "upload_bytes_per_second": path.stat().st_size / uploaded,
        "upload_memory_growth": upload_growth,
        "clients": 8,
        "bytes_per_second": sum(sizes) / elapsed,
        "memory_growth": downloading[0] - before,
    }


@contextmanager
def _watched(server: Server) -> Iterator[list[int]]:
    """Lend the most memory that the server held until the block ended."""
    most, ended = [server.memory()], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            most[0] = max(most[0], server.memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _download(url: str, id: str) -> int:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
    connection.request("GET", f"/v1/learnwares/{id}/archive")
    answer, size = connection.getresponse(), 0
    while chunk := answer.read(2**20):
        size += len(chunk)
    connection.close()
    return size


def _print(
    n: int, searches: dict[str, dict[str, dict[str, float]]], downloads: dict[str, float]
) -> None:
    print(f"searches in a dock of {n:,} learnwares, {os.cpu_count()} processors for both sides")
    print(f"{'clients':>8}{'a second':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'errors':>8}")
    for name, rows in searches.items():
        fast = rows["8"]["p99_seconds"] <= P99_SECONDS
        print(
            f"{name}: p99 at 8 clients {'within' if fast else 'OVER'} {P99_SECONDS * 1000:.0f} ms"
        )
        for clients, row in rows.items():
            shown = (row[f"p{share}_seconds"] * 1000 for share in (50, 95, 99))
            print(f"{clients:>8}{row['searches_per_second']:>10.1f}", end="")
            print("".join(f"{one:>9.1f}" for one in shown), f"{row['errors']:>7}")
    growth = downloads["memory_growth"]
    print(
        f"{downloads['bytes'] / 2**20:.0f} MiB to 8 clients at once: "
        f"{downloads['bytes_per_second'] / 2**20:.0f} MiB/s, the server grew by "
        f"{growth / 2**20:.1f} MiB "
        f"({'within' if growth <= DOWNLOAD_BYTES else 'OVER'} {DOWNLOAD_BYTES / 2**20:.0f}); "
        f"one upload: {downloads['upload_bytes_per_second'] / 2**20:.0f} MiB/s, "
        f"grew by {downloads['upload_memory_growth'] / 2**20:.1f} MiB"
    )


if __name__ == "__main__":
    main()
