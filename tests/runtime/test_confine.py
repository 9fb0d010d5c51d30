"""The script that puts up the walls: how it reads its words, and that it opens when it cannot."""

from __future__ import annotations

import base64
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from beimingwu.runtime import confine, seccomp
from beimingwu.runtime.sandbox import CONFINE

WORDS = ["--lifeline", "0", "--limit", "NPROC", "9", "--limit", "CORE", "0"]


def confined(*words: str) -> subprocess.CompletedProcess[str]:
    reading, writing = os.pipe()  # The lifeline: we hold its other end until it is over.
    try:
        return subprocess.run(
            [sys.executable, "-I", "-S", str(CONFINE), *words],
            stdin=reading,
            capture_output=True,
            text=True,
        )
    finally:
        os.close(reading)
        os.close(writing)


def test_options_are_sorted_and_the_command_is_what_follows() -> None:
    program = base64.b64encode(b"12345678").decode()
    plan = confine.parse(
        [
            *(*WORDS, "--see", "/a b", "/c", "--link", "x", "/y", "--scratch", "/tmp", "5"),
            *("--filter", program, "--bwrap", "/bin/bwrap", "--", "python", "--see", "--"),
        ]
    )
    assert plan.limits == {"NPROC": 9, "CORE": 0}
    assert (plan.see, plan.links, plan.scratch) == (
        [("/a b", "/c")],
        [("x", "/y")],
        [("/tmp", 5)],
    )
    assert (plan.filter, plan.bwrap) == (b"12345678", "/bin/bwrap")
    assert plan.command == ["python", "--see", "--"]


def test_the_place_for_its_own_number_is_the_one_that_the_filter_has() -> None:
    assert confine.OWN_PID == seccomp.OWN_PID


def test_its_own_number_is_put_into_the_filter() -> None:
    program = seccomp.assemble(seccomp.NEIGHBOURS)
    values = [value for *_, value in struct.iter_unpack("<HBBI", confine.with_own_pid(program))]
    before = [value for *_, value in struct.iter_unpack("<HBBI", program)]
    assert seccomp.OWN_PID in before
    assert values == [os.getpid() if value == seccomp.OWN_PID else value for value in before]


@pytest.mark.parametrize("profile", ["bubblewrap", "landlock"])
def test_nothing_runs_when_a_wall_cannot_be_put_up(profile: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    command = [sys.executable, "-c", f"open({str(ran)!r}, 'w')"]
    words = [*WORDS, "--bwrap", "/no/such/bwrap", "--scratch", "/tmp", "5"]
    words += ["--see", "/no/such/folder", "/x", "--", *command]
    done = confined(profile, *words)
    assert done.returncode == confine.NO_WALL
    assert "No such file" in done.stderr
    assert not ran.exists()


def test_nothing_runs_when_the_host_is_gone_already(tmp_path: Path) -> None:
    """Standard input is the lifeline here, and its other end is closed."""
    ran = tmp_path / "ran"
    command = [sys.executable, "-c", f"open({str(ran)!r}, 'w')"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(CONFINE), "landlock", *WORDS, "--", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert not ran.exists()
    assert done.stdout == b""
