"""Ctrl-C while a learnware's code runs: the command ends at once, and nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from beimingwu.dock import Dock
from beimingwu.learnware import pack
from beimingwu.specification import RKME

#: What the guest calls itself once it is where the test waits for it; seen from outside.
HERE = "interrupt-me"
MODULE = """
import ctypes, os, time
import numpy as np

def here():
    ctypes.CDLL(None).prctl(15, b"interrupt-me", 0, 0, 0)

{head}

class Model:
    input_shape = (2,)
    output_shape = (1,)

    def predict(self, X):
        {body}
        return X[:, 0]
"""
CALLS = {
    "in Python": ("", "here()\n        while True: pass"),
    "asleep": ("", "here(); time.sleep(600)"),
    # One call of C that holds the interpreter for minutes.
    "in native code": ("", "here(); pow(3, 10**6000, 10**6000 + 7)"),
    "at import": ("here(); time.sleep(600)", ""),
    "with children and a daemon": (
        "",
        "if os.fork() == 0: time.sleep(600)\n"
        "        if os.fork() == 0: os.setsid(); os.fork(); here(); time.sleep(600)\n"
        "        here(); time.sleep(600)",
    ),
}


def an_archive(folder: Path, head: str, body: str) -> Path:
    (folder / "model").mkdir()
    (folder / "model" / "__init__.py").write_text(MODULE.format(head=head, body=body))
    (folder / "model" / "requirements.txt").write_text("numpy\n")
    points = np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)
    spec = RKME(points, np.full(10, 0.1), n=200)
    return pack(
        folder / "model",
        spec,
        path=folder / "learnware.zip",
        class_name="Model",
        name="One that takes long",
        description="Never answers.",
        scenarios="Education",
        license="MIT",
        task="Regression",
        outputs=["x"],
    )


@contextmanager
def commanded(temporary: Path, *words: object, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process of its own, with a temporary folder of its own."""
    temporary.mkdir()
    temporary.chmod(0o755)
    program = "from beimingwu.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        env={**os.environ, "TMPDIR": str(temporary), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        try:
            yield command
        finally:
            command.kill()


def interrupted(command: subprocess.Popen[str]) -> tuple[int, str, set[int]]:
    """Interrupt a command once the learnware is where it should be; return how it ended.

    Returns
    -------
    status, what it said, and the processes below it that are still there.
    """
    assert within(60, lambda: HERE in map(name_of, below(command.pid))), command.poll()
    tree = below(command.pid)
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=30)  # No learnware here ends in ten minutes.
    within(5, lambda: not any(map(name_of, tree)))
    return command.returncode, said, {number for number in tree if name_of(number)}


@pytest.mark.parametrize("doing", CALLS)
def test_an_interrupted_prediction_leaves_nothing(doing: str, tmp_path: Path) -> None:
    archive = an_archive(tmp_path, *CALLS[doing])
    table = tmp_path / "mine.csv"
    table.write_text("a,b\n1,2\n")
    words = ("predict", "--learnware", archive, table)
    with commanded(tmp_path / "tmp", *words, BEIMINGWU_GUEST_FORK="1") as command:
        status, said, left = interrupted(command)
    assert (status, left) == (130, set()), said
    assert "Traceback" not in said
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("doing", ["asleep", "in native code", "at import"])
def test_an_interrupted_check_leaves_nothing(doing: str, tmp_path: Path) -> None:
    archive = an_archive(tmp_path, *CALLS[doing])
    with commanded(tmp_path / "tmp", "check", archive) as command:
        status, said, left = interrupted(command)
    assert (status, left) == (130, set()), said
    assert "Traceback" not in said
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("doing", ["asleep", "at import", "at an edge"])
def test_an_interrupted_submission_is_verified_when_it_is_looked_at_again(
    doing: str, tmp_path: Path
) -> None:
    # The check of edge inputs takes failures for warnings; an interruption is neither.
    edge = ("", "if X.dtype == np.float64: here(); time.sleep(600)")
    archive = an_archive(tmp_path, *(CALLS | {"at an edge": edge})[doing])
    with commanded(tmp_path / "tmp", "submit", archive, "--dock", tmp_path / "dock") as command:
        status, said, left = interrupted(command)
    assert (status, left) == (130, set()), said
    assert "00000001 is submitted; its checks go on when it is looked at." in said
    with Dock.open(tmp_path / "dock", workers=0) as dock:
        record = dock.show("00000001")
        assert record.state in ("uploaded", "verifying")
        assert "usability" not in [step.name for step in record.steps]


def below(number: int) -> set[int]:
    """Return all processes that descend from one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)] = int(status[1])
    found = {number}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {number}


def name_of(number: int) -> str:
    """Return what a process calls itself; nothing where it has ended."""
    with suppress(OSError):
        words = Path(f"/proc/{number}/stat").read_text().rpartition(")")
        state = words[2].split()[0]
        return "" if state == "Z" else words[0].partition("(")[2]
    return ""


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.01)
    return False
