"""Temporary folders that end with their process: removed in time, or by the next that comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from beimingwu.learnware.scratch import Scratch

#: Makes a folder with something in it, tells its name, and stays.
HOST = """
import sys, time
from beimingwu.learnware.scratch import Scratch
scratch = Scratch(sys.argv[1])
(scratch.path / "large").write_bytes(bytes(1000))
print(scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the system's temporary folder be a test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def a_host(kind: str = "test") -> Iterator[tuple[subprocess.Popen[str], Path]]:
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with host:
        assert host.stdout is not None
        yield host, Path(host.stdout.readline().strip())
        host.kill()


def test_a_folder_is_private_and_empty_and_goes_with_all_that_is_in_it(temporary: Path) -> None:
    scratch = Scratch("test")
    assert scratch.path.parent == temporary
    assert scratch.path.stat().st_mode & 0o777 == 0o700
    assert list(scratch.path.iterdir()) == []
    (scratch.path / "deep").mkdir()
    (scratch.path / "deep" / "file").touch()
    scratch.remove()
    scratch.remove()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_when_the_next_of_its_kind_comes(temporary: Path) -> None:
    with a_host() as (host, left):
        host.send_signal(signal.SIGKILL)
        host.wait()
        assert (left / "large").exists()
        with Scratch("other"):
            assert left.exists()
        with Scratch("test") as mine:
            assert list(temporary.iterdir()) == [mine]


def test_what_belongs_to_a_living_process_stays(temporary: Path) -> None:
    mine = Scratch("test")
    with a_host() as (_, theirs), Scratch("test") as another:
        assert {mine.path, theirs, another} == set(temporary.iterdir())
        assert (theirs / "large").exists()
    mine.remove()


def test_what_only_bears_such_a_name_stays(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (temporary / "beimingwu-test-link").symlink_to(elsewhere)
    (temporary / "beimingwu-test-file").touch()
    with Scratch("test"):
        pass
    assert elsewhere.is_dir()
    assert (temporary / "beimingwu-test-file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_is_another_users_stays(temporary: Path) -> None:
    theirs = temporary / "beimingwu-test-theirs"
    theirs.mkdir()
    os.chown(theirs, 1234, 1234)
    with Scratch("test"):
        assert theirs.exists()


def test_a_forked_copy_of_the_owner_leaves_the_folder() -> None:
    with Scratch("test") as folder:
        program = "import os; from beimingwu.learnware.scratch import Scratch\n"
        program += "scratch = Scratch('fork')\n"
        program += "child = os.fork()\n"
        program += "if child == 0: scratch.remove(); os._exit(0)\n"
        program += "os.waitpid(child, 0); print(scratch.path.exists())"
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert told.stdout == "True\n"
        assert folder.exists()


def test_many_that_come_at_once_take_nothing_from_each_other(temporary: Path) -> None:
    def use(_: int) -> bool:
        with Scratch("test") as folder:
            (folder / "mine").touch()
            return [path.name for path in Path(folder).iterdir()] == ["mine"]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))
    assert list(temporary.iterdir()) == []
