"""Where searches run: in the server while they are alone, in processes beside it when they meet."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware, a_specification
from beimingwu.errors import InvalidRequirement
from beimingwu.search import Requirement
from beimingwu.search.wire import Query
from beimingwu.server.searching import Searchers

#: What searches do here; a module of its own, which other processes can find.
WORK = """
import os, time
from beimingwu.errors import InvalidRequirement

def work(dock, seconds):
    time.sleep(seconds)
    return os.getpid(), len(dock)

def refuse(dock):
    raise InvalidRequirement(f"{os.getpid()} cannot", remedy="Ask another.", code="requirement.no")

def die(dock):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "at_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("at_work", None)
    return importlib.import_module("at_work")


@pytest.fixture
def dock(tmp_path: Path) -> Iterator[Dock]:
    with Dock.open(tmp_path / "dock") as opened:
        opened.submit(a_learnware(2)).wait()
        yield opened


async def meeting(searchers: Searchers, work: Any, count: int = 4) -> set[int]:
    """Search several times at once, until processes answer; return whose answers were the last."""
    for _ in range(200):
        answers = await asyncio.gather(*(searchers.run(work, 0.05) for _ in range(count)))
        assert {found for _, found in answers} == {1}
        if os.getpid() not in (who := {pid for pid, _ in answers}):
            return who
    raise AssertionError("all searches ran in the server")


def test_alone_it_runs_in_the_server(dock: Dock, at_work: Any) -> None:
    with closing(Searchers(dock, 2)) as searchers:
        for _ in range(3):
            assert asyncio.run(searchers.run(at_work.work, 0)) == (os.getpid(), 1)


def test_without_processes_all_run_in_the_server(dock: Dock, at_work: Any) -> None:
    async def both() -> set[int]:
        runs = (searchers.run(at_work.work, 0.05) for _ in range(4))
        return {pid for pid, _ in await asyncio.gather(*runs)}

    with closing(Searchers(dock, 0)) as searchers:
        assert asyncio.run(both()) == {os.getpid()}


def test_those_that_meet_run_side_by_side_and_see_what_is_published(
    dock: Dock, at_work: Any
) -> None:
    async def run() -> None:
        assert len(await meeting(searchers, at_work.work)) == 2
        dock.submit(a_learnware(2, seed=2)).wait()
        _, count = await searchers.run(at_work.work, 0)
        assert count == 2

    with closing(Searchers(dock, 2)) as searchers:
        asyncio.run(run())


def test_an_error_comes_back_as_it_was_raised(dock: Dock, at_work: Any) -> None:
    async def run() -> None:
        await meeting(searchers, at_work.work)
        with pytest.raises(InvalidRequirement, match="cannot") as raised:
            await searchers.run(at_work.refuse)
        assert (raised.value.code, raised.value.remedy) == ("requirement.no", "Ask another.")
        assert str(os.getpid()) not in str(raised.value)

    with closing(Searchers(dock, 1)) as searchers:
        asyncio.run(run())


def test_what_a_process_that_died_was_asked_is_answered_and_others_start(
    dock: Dock, at_work: Any
) -> None:
    async def run() -> None:
        first = await meeting(searchers, at_work.work)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        assert await searchers.run(at_work.work, 0) == (os.getpid(), 1)
        assert not first & await meeting(searchers, at_work.work)

    with closing(Searchers(dock, 2)) as searchers:
        asyncio.run(run())


def children(pid: int) -> list[int]:
    """Return the processes of a server that search."""
    told = Path(f"/proc/{pid}/task")
    found = [path.read_text().split() for path in told.glob("*/children")]
    return [
        int(child)
        for several in found
        for child in several
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_they_end_with_the_server_however_it_ends(tmp_path: Path) -> None:
    with Dock.open(tmp_path / "dock") as dock:
        dock.submit(a_learnware(2)).wait()
    told = ("serve", "--dock", str(tmp_path / "dock"), "--port", "0", "--format", "json")
    server = subprocess.Popen(
        [sys.executable, "-c", "from beimingwu.cli import main; main()", *told],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "BEIMINGWU_SEARCHERS": "2"},
    )
    try:
        assert server.stdout is not None
        said = "".join(iter(server.stdout.readline, "}\n")) + "}"
        url = json.loads(said)["url"]
        body = json.dumps(Query(Requirement(a_specification(2)), limit=5).to_json())
        answers = []

        def ask() -> None:
            for _ in range(400):
                answer = httpx.post(f"{url}/v1/search", content=body).json()
                answers.append(answer["single"][0]["id"])
                if len(children(server.pid)) == 2:
                    return

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        started = children(server.pid)
        assert len(started) == 2
        assert set(answers) == {answers[0]}
    finally:
        server.kill()
        server.communicate()
    for _ in range(100):
        with suppress(ProcessLookupError):
            for pid in started:
                os.kill(pid, 0)
            time.sleep(0.1)
            continue
        break
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
