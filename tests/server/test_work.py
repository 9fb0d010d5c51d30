"""Verification as durable workflows: once each, through every death, and a verdict for each."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import CheckFailed
from beimingwu.server import work
from beimingwu.server.work import Work

SLOW = """
import time


class Model:
    input_shape = (3,)
    output_shape = (1,)

    def predict(self, X):
        time.sleep(0.5)
        return X.sum(axis=1)
"""
PROCESS = """
import sys
from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware
from beimingwu.server.work import Work

dock = Dock.open(sys.argv[1], workers=0)
work = Work(dock, 1)
dock.hand_over(work)
work.start()
"""


@contextmanager
def working(folder: Path, slots: int = 1) -> Iterator[Dock]:
    with Dock.open(folder, workers=0) as dock:
        opened = Work(dock, slots)
        dock.hand_over(opened)
        opened.start()
        yield dock


def kinds(dock: Dock, id: str) -> list[str]:
    return [event.kind for event in dock.events(id)]


def a_process(folder: Path, then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS + then, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def until(holds: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_a_submission_is_verified_and_its_log_grows_step_by_step(tmp_path: Path) -> None:
    with working(tmp_path) as dock:
        submission = dock.submit(a_learnware())
        steps = [step.name for step in submission]
        assert submission.wait().state == "published"
        assert steps[-2:] == ["usability", "accommodate"]
        assert kinds(dock, submission.id) == ["submitted", "verifying", "published"]


def test_a_revision_that_is_asked_for_again_and_again_runs_once(tmp_path: Path) -> None:
    with working(tmp_path) as dock:
        submission = dock.submit(a_learnware())
        (revision,) = dock.verification.unfinished()
        for _ in range(5):
            dock._worker.take(revision)
        submission.wait()
        dock._worker.take(revision)
        submission = dock.submit(a_learnware(centre=3.0)).wait()
        assert kinds(dock, "00000001") == ["submitted", "verifying", "published"]


def test_a_poisonous_learnware_costs_its_own_verdict_and_nothing_else(tmp_path: Path) -> None:
    poison = ["import os; os._exit(3)", "raise RuntimeError('poison')", "class Model: pass"]
    with working(tmp_path, slots=2) as dock:
        good = dock.submit(a_learnware(centre=1.0))
        bad = [dock.submit(a_learnware(centre=2.0 + i, module=m)) for i, m in enumerate(poison)]
        late = dock.submit(a_learnware(centre=9.0))
        for submission in bad:
            with pytest.raises(CheckFailed):
                submission.wait()
        assert good.wait().state == late.wait().state == "published"


def test_what_was_submitted_while_nobody_worked_is_found_and_verified(tmp_path: Path) -> None:
    with Dock.open(tmp_path, workers=0) as dock:
        submissions = [dock.submit(a_learnware(centre=centre)).id for centre in range(3)]
    with working(tmp_path) as dock:
        assert [dock.submission(id).wait().state for id in submissions] == ["published"] * 3


def test_a_verification_goes_on_after_its_process_was_killed(tmp_path: Path) -> None:
    then = f"""
id = dock.submit(a_learnware(module={SLOW!r})).id
while dock.show(id).state != "verifying": pass
print(id, flush=True)
sys.stdin.read()
"""
    process = a_process(tmp_path, then)
    assert process.stdout is not None
    id = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with working(tmp_path) as dock:
        assert dock.submission(id).wait().state == "published"
        assert kinds(dock, id) == [
            "submitted",
            "verifying",
            "interrupted",
            "verifying",
            "published",
        ]
        names = [step.name for step in dock.show(id).steps]
        assert len(names) == len(set(names))


def test_two_processes_share_the_work_and_one_takes_over_from_the_other(tmp_path: Path) -> None:
    with Dock.open(tmp_path, workers=0) as dock:
        ids = [dock.submit(a_learnware(centre=centre, module=SLOW)).id for centre in range(3)]
        one, other = (
            a_process(tmp_path, "sys.stdin.read()"),
            a_process(tmp_path, "sys.stdin.read()"),
        )
        until(lambda: [dock.show(id).state for id in ids].count("verifying") == 2)
        one.send_signal(signal.SIGKILL)
        one.communicate()
        until(lambda: all(dock.show(id).state == "published" for id in ids), seconds=60.0)
        other.terminate()
        other.communicate()
        every = [kinds(dock, id) for id in ids]
        assert sum(history.count("interrupted") for history in every) == 1
        assert all(history.count("published") == 1 for history in every)


def test_what_is_no_fault_of_the_learnware_is_put_off_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_PATIENCE", 0.0)
    monkeypatch.setattr(work, "_ROUND", 0.1)
    with working(tmp_path) as dock:
        with monkeypatch.context() as patched:

            def check(*_: Any) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patched.setattr("beimingwu.dock.verification.check_usability", check)
            submission = dock.submit(a_learnware())
            until(lambda: kinds(dock, submission.id).count("verifying") >= 2)
            assert submission.state in ("uploaded", "verifying")
        assert submission.wait().state == "published"


def test_a_closed_service_leaves_what_runs_to_its_next_start(tmp_path: Path) -> None:
    with working(tmp_path) as dock:
        submission = dock.submit(a_learnware(module=SLOW))
        until(lambda: submission.state == "verifying")
    with Dock.open(tmp_path, workers=0) as dock:
        assert dock.show(submission.id).state == "uploaded"
    with working(tmp_path) as dock:
        assert dock.submission(submission.id).wait().state == "published"


def test_no_port_is_opened_and_nobody_is_called(tmp_path: Path) -> None:
    watch = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        print(event, arguments, flush=True)
sys.addaudithook(watch)
"""
    then = """
dock.submit(a_learnware()).wait()
dock.close()
print("published")
"""
    environment = {**os.environ, "BEIMINGWU_PACKAGES": "current"}
    done = subprocess.run(
        [sys.executable, "-c", watch + PROCESS + then, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stdout == "published\n"
    assert done.stderr == ""
