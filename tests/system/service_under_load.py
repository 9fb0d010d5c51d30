"""A served dock as real processes, real clients that load it, and what has to hold of it then.

The clients submit learnwares whose names say what must become of them, and search meanwhile. What
the service acknowledged is noted, and `Load.settled` sees that each of them came to its end, once,
and whole: as people see it over HTTP, and in the catalogue and the folder.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import sqlalchemy as sa

from beimingwu.accounts import OPERATOR, Accounts, Scope
from beimingwu.client import Client
from beimingwu.config import Settings
from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware, a_specification
from beimingwu.errors import BeimingwuError, Unavailable
from beimingwu.learnware.record import LearnwareRecord

_PLENTY = {
    f"BEIMINGWU_RATE_{name}": "1000000/minute"
    for name in ("ADDRESS", "ACCOUNT", "SIGN_IN", "SIGN_IN_ACCOUNT", "SIGN_IN_ADDRESS")
}
_ENDED = ("published", "rejected")


class Served:
    """A served dock in a folder: `beimingwu serve`, and on PostgreSQL `beimingwu worker` too.

    Parameters
    ----------
    folder
        Of the dock; what processes leave in the temporary folder stays beside it.
    database
        The URL of its database, empty for SQLite.
    environment
        What else its processes are told.
    """

    def __init__(self, folder: Path, database: str = "", **environment: str) -> None:
        self.folder, self.database = folder, database
        scratch = folder.with_name("scratch")
        scratch.mkdir(exist_ok=True)
        self._environment = {
            **os.environ,
            **_PLENTY,
            "TMPDIR": str(scratch),
            "OMP_NUM_THREADS": "1",
            "BEIMINGWU_DATABASE": database,
            "BEIMINGWU_WORKERS": "1",
            **environment,
        }
        self._log = folder.with_name("log")
        self.token = self._token()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._running: dict[str, int] = {}
        self._starts = itertools.count()
        self._commands = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forked_commands.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )

    def _token(self) -> str:
        """Make the dock, and somebody who may submit."""
        with Dock.open(self.folder, database=self.database, workers=0) as dock:
            accounts = Accounts(dock.database, Settings(), "")
            try:
                ada = accounts.people.add("ada@example.org", "ada", "correct horse", OPERATOR)
                return accounts.tokens.create(ada, "test", set(Scope), OPERATOR)[0]
            finally:
                accounts.close()

    @property
    def parts(self) -> tuple[str, ...]:
        """The processes there are."""
        return ("server", "worker") if self.database else ("server",)

    def start(self, *parts: str) -> None:
        """Start processes, all where none is named, and wait until they answer."""
        for part in parts or self.parts:
            self._start(part)

    def _start(self, part: str) -> None:
        assert self._commands.stdin is not None
        assert self._commands.stdout is not None
        words = ["serve", "--port", str(self._port)] if part == "server" else ["worker"]
        output = self.folder.with_name(f"output-{next(self._starts)}")
        output.touch()
        order = {
            "words": [*words, "--dock", str(self.folder), "--quiet"],
            "output": str(output),
            "log": str(self._log),
        }
        self._commands.stdin.write(json.dumps(order) + "\n")
        self._commands.stdin.flush()
        self._running[part] = number = int(self._commands.stdout.readline())
        # It says where it is once it answers.
        until(lambda: output.stat().st_size > 0 or is_gone(number))
        assert not is_gone(number), self.logged()

    def end(self, how: int, *parts: str) -> None:
        """Send processes, all where none is named, a signal that ends them."""
        ended = [self._running.pop(part) for part in parts or tuple(self._running)]
        for number in ended:
            os.kill(number, how)
        until(lambda: all(map(is_gone, ended)))

    def close(self) -> None:
        """End everything."""
        self.end(signal.SIGKILL)
        with self._commands:
            assert self._commands.stdin is not None
            self._commands.stdin.close()

    def client(self, token: str | None = None) -> Client:
        """Open a client, of who may submit where nothing else is said."""
        return Client(self.url, self.token if token is None else token)

    def logged(self) -> str:
        """Return what the processes logged."""
        return self._log.read_text()


@contextmanager
def served(folder: Path, database: str = "", **environment: str) -> Iterator[Served]:
    """Serve a new dock until the block ends."""
    service = Served(folder, database, **environment)
    try:
        service.start()
        yield service
    finally:
        service.close()


def is_gone(number: int) -> bool:
    """Tell whether a process has ended."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@dataclass
class Load:
    """Clients that submit and search, and what they were told.

    Attributes
    ----------
    attempted
        The SHA-256 of each archive that was sent, by the name of its learnware.
    acknowledged
        The id of each learnware that the service took, by its name.
    refusals
        How often something was not to be had for now.
    surprises
        What no client may ever be told.
    """

    service: Served
    attempted: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    searches: int = 0
    refusals: int = 0
    surprises: list[BaseException] = field(default_factory=list)
    #: Errors that are answers, such as 507 where the disk is full.
    expected: tuple[str, ...] = ()
    padding: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._checked: set[str] = set()

    @contextmanager
    def running(self, submitting: int = 2, searching: int = 1, most: int = 3) -> Iterator[None]:
        """Let so many clients submit, `most` learnwares each, and so many search."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._guarded, args=(self._submit, stop, most))
            for _ in range(submitting)
        ] + [
            threading.Thread(target=self._guarded, args=(self._search, stop, most))
            for _ in range(searching)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _guarded(
        self, work: Callable[[threading.Event, int], None], stop: threading.Event, most: int
    ) -> None:
        try:
            work(stop, most)
        except BaseException as error:
            self.surprises.append(error)

    def _submit(self, stop: threading.Event, most: int) -> None:
        with self.service.client() as client:
            for number in itertools.islice(self._numbers, most):
                if stop.is_set():
                    return
                bad = number % 5 == 0
                name = f"{'Bad' if bad else 'Good'} sums {number}"
                archive = a_learnware(
                    seed=number,
                    name=name,
                    answer="X / 0" if bad else "X.sum(axis=1)",
                    padding=self.padding,
                )
                self.attempted[name] = hashlib.sha256(archive).hexdigest()
                self._submitted(client, name, archive, stop, again=not bad)

    def _submitted(
        self, client: Client, name: str, archive: bytes, stop: threading.Event, again: bool
    ) -> None:
        """Submit until it is taken; what may be there already rejected is not submitted again."""
        while True:
            try:
                self.acknowledged[name] = client.submit(archive).id
                return
            except Unavailable:
                self.refusals += 1
            except BeimingwuError as error:
                # It was taken by a process that died before it could say so.
                if error.code == "conflict.duplicate":
                    self.acknowledged[name] = ""
                    return
                if error.code not in self.expected:
                    raise
                self.refusals += 1
            if stop.is_set() or not again:
                return
            time.sleep(0.1)

    def _search(self, stop: threading.Event, most: int) -> None:
        with self.service.client("") as stranger:
            while not stop.is_set():
                try:
                    for match in stranger.search(a_specification(seed=1)):
                        record = stranger.show(match.id)
                        assert record.state == "published"
                        assert record.name.startswith("Good")
                        assert self.attempted[record.name] == record.sha256
                    self.searches += 1
                except Unavailable:
                    self.refusals += 1
                time.sleep(0.02)

    # What holds afterwards

    def settled(self, seconds: float = 120.0) -> None:
        """See that everything came to its end, and is there once and whole."""
        assert not self.surprises, self.surprises
        deadline = time.monotonic() + seconds
        with self.service.client() as client, self.service.client("") as stranger:
            while True:
                records = client.list(state=None, limit=None)
                waiting = [(one.id, one.state) for one in records if one.state not in _ENDED]
                if not waiting:
                    break
                assert time.monotonic() < deadline, (waiting, self.service.logged()[-3000:])
                time.sleep(0.1)
            self._nothing_lost_or_doubled({one.name: one for one in records}, len(records))
            published = [one for one in records if one.state == "published"]
            self._whole_to_strangers(stranger, published)
        self._whole_in_the_catalogue(len(published), len(records))

    def _nothing_lost_or_doubled(self, by_name: dict[str, LearnwareRecord], count: int) -> None:
        assert len(by_name) == count, "something is there twice"
        assert set(self.acknowledged) <= set(by_name), "something is lost"
        assert set(by_name) <= set(self.attempted)
        for name, record in by_name.items():
            assert self.acknowledged.get(name) in (record.id, "", None)
            state = "published" if name.startswith("Good") else "rejected"
            assert record.state == state, record
            assert record.sha256 == self.attempted[name]

    def _whole_to_strangers(self, stranger: Client, published: list[LearnwareRecord]) -> None:
        ids = {one.id for one in published}
        assert {one.id for one in stranger.list(limit=None)} == ids
        assert stranger.count() == len(ids)
        assert sum(stranger.facets()["license"].values()) == len(ids)
        for record in published:
            name = record.name
            if name in self._checked:
                continue
            self._checked.add(name)
            best = stranger.search(a_specification(seed=int(name.split()[-1]))).best
            assert best is not None
            assert best.id == record.id
            path = f"/v1/learnwares/{record.id}/archive"
            archive = httpx2.get(f"{self.service.url}{path}").content
            assert hashlib.sha256(archive).hexdigest() == self.attempted[name]

    def _whole_in_the_catalogue(self, published: int, all_: int) -> None:
        with catalogue_of(self.service) as connection:

            def all_of(query: str) -> list[object]:
                return list(connection.execute(sa.text(query)).scalars())

            if not self.service.database:
                assert all_of("PRAGMA integrity_check") == ["ok"]
                assert all_of("PRAGMA foreign_key_check") == []
            states = all_of("SELECT DISTINCT state FROM revision")
            assert set(states) <= set(_ENDED)
            for kind, count in (("submitted", all_), ("published", published)):
                told = all_of(f"SELECT learnware FROM event WHERE kind = '{kind}'")
                assert len(told) == len(set(told)) == count, kind
            shown = all_of("SELECT id FROM learnware ORDER BY id")
            assert all_of("SELECT DISTINCT learnware FROM facet ORDER BY learnware") == shown
            rows = "rowid" if not self.service.database else "learnware"
            assert all_of(f"SELECT {rows} FROM learnware_text ORDER BY {rows}") == shown
            live = "state = 'published'"
            digests = {
                *all_of(f"SELECT archive_sha256 FROM revision WHERE {live}"),
                *all_of(f"SELECT specification_sha256 FROM revision WHERE {live}"),
            }
            uploads = set(all_of("SELECT id FROM upload"))
        folder = self.service.folder
        assert digests <= {path.name for path in (folder / "blobs").glob("*/*")}
        assert uploads <= {path.name for path in (folder / "uploads").iterdir()}

    def whole_on_disk(self) -> None:
        """See that a dock that nobody serves any more has on disk what it needs, and no more."""
        logged = self.service.logged()
        assert self.service.token not in logged
        assert not re.findall(r".* 5(?:00|02) [0-9.]+ms.*", logged), "an answer that nobody foresaw"
        folder = self.service.folder
        with Dock.open(folder, database=self.service.database, workers=0) as dock:
            records = dock.list(state=None, limit=None)
            assert len(dock) == len([one for one in records if one.state == "published"])
        with catalogue_of(self.service) as connection:
            live = "WHERE state = 'published'"
            found = connection.execute(
                sa.text(
                    f"SELECT archive_sha256 FROM revision {live} UNION "
                    f"SELECT specification_sha256 FROM revision {live}"
                )
            )
            digests = set(found.scalars())
        blobs = list((folder / "blobs").glob("*/*"))
        assert {path.name for path in blobs} == digests
        for path in blobs:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        assert list((folder / "incoming").iterdir()) == []


@contextmanager
def catalogue_of(service: Served) -> Iterator[sa.Connection]:
    """Lend a connection of our own to the catalogue of a service."""
    url = service.database or f"sqlite:///{service.folder / 'catalogue.sqlite'}"
    made = sa.make_url(url)
    if service.database:
        made = made.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(made, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@dataclass
class Deaths:
    """How many processes were killed, of each kind."""

    counts: dict[str, int] = field(default_factory=dict)

    def kill(self, service: Served, chance: random.Random) -> None:
        """Kill some processes of a service at once, and start them again."""
        parts = chance.choice([(part,) for part in service.parts] + [service.parts])
        service.end(signal.SIGKILL, *parts)
        for part in parts:
            self.counts[part] = self.counts.get(part, 0) + 1
        time.sleep(chance.choice((0.0, 0.3)))
        service.start(*parts)
