"""Memory of a tree of processes: added up from outside, each shared page once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from beimingwu.runtime.memory import filled_by
from beimingwu.runtime.tree import TreeWatch, can_be_watched, descendants, written_by

MB = 1_000_000
#: Fills some, starts two that share it, and tells when all are there.
FAMILY = """
import os, sys, time
kept = bytearray(b"x") * 60_000_000
ready, told = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        kept.count(b"y")
        os.write(told, b"1")
        time.sleep(600)
for _ in range(2):
    os.read(ready, 1)
print("there", flush=True)
sys.stdin.read()
os.killpg(0, 9)
"""

pytestmark = pytest.mark.skipif(not can_be_watched(), reason="this kernel does not tell children")


@contextmanager
def a_family() -> Iterator[subprocess.Popen[str]]:
    family = subprocess.Popen(
        [sys.executable, "-c", FAMILY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with family:
        assert family.stdout is not None and family.stdout.readline() == "there\n"
        yield family
        os.killpg(family.pid, 9)


def test_all_that_descend_from_a_process_are_found_and_shared_pages_counted_once() -> None:
    with a_family() as family:
        assert len(list(descendants(family.pid))) == 2
        roughly = filled_by(family.pid, at_most=1000 * MB)
        truly = filled_by(family.pid, at_most=100 * MB)
        assert roughly > 180 * MB
        assert 60 * MB < truly < 120 * MB


def test_a_process_that_is_gone_fills_nothing() -> None:
    with a_family() as family:
        os.killpg(family.pid, 9)
        family.wait()
        assert filled_by(family.pid, at_most=0) == 0


def test_the_end_comes_once_and_only_over_the_limit() -> None:
    ends = []
    with a_family() as family:
        within = TreeWatch(family.pid, 150 * MB, filled_by, lambda: ends.append("within"))
        over = threading.Event()
        beyond = TreeWatch(
            family.pid, 30 * MB, filled_by, lambda: (ends.append("over"), over.set())[0]
        )
        assert over.wait(20)
        within.stop()
        beyond.stop()
        assert (within.exceeded, beyond.exceeded) == (False, True)
        assert ends == ["over"]
        assert within.peak > 60 * MB


def test_what_a_tree_has_written_is_added_up() -> None:
    writes = "import os, time; os.write(1, b'x' * 9_999 + b'\\n'); time.sleep(600)"
    shell = ["sh", "-c", f'"{sys.executable}" -c "{writes}"; true']
    with subprocess.Popen(shell, stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout is not None and len(parent.stdout.readline()) == 10_000
        assert written_by(parent.pid) >= 10_000
        os.killpg(parent.pid, 9)
