"""Locks hold between processes and threads, and die with their process."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from beimingwu.dock.locks import Locks

HOLD = """
import sys
from pathlib import Path
from beimingwu.dock.locks import Locks
locks = Locks(Path(sys.argv[1]))
with locks.writing():
    print(locks.name, flush=True)
    sys.stdin.read()
"""


def another_process(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_nobody_collects_while_another_process_writes(tmp_path: Path) -> None:
    here = Locks(tmp_path)
    process, name = another_process(tmp_path)
    with process:
        with here.collecting() as alone:
            assert not alone
        with here.writing():
            assert here.is_alive(name)
        process.kill()
        process.wait()
        with here.collecting() as alone:
            assert alone
        assert not here.is_alive(name)
    here.leave()


def test_nobody_collects_while_another_thread_writes(tmp_path: Path) -> None:
    here = Locks(tmp_path)
    with here.writing(), here.collecting() as alone:
        assert not alone
    with here.collecting() as alone:
        assert alone
    here.leave()


def test_writing_waits_for_a_collection(tmp_path: Path) -> None:
    here, order = Locks(tmp_path), []

    def write() -> None:
        with here.writing():
            order.append("write")

    with here.collecting():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(0.1)
        order.append("collect")
    thread.join()
    assert order == ["collect", "write"]
    here.leave()


def test_a_sweep_forgets_the_dead_and_keeps_the_living(tmp_path: Path) -> None:
    here = Locks(tmp_path)
    process, name = another_process(tmp_path)
    with process:
        process.kill()
        process.wait()
        assert (tmp_path / "locks" / f"{name}.alive").exists()
    with here.opening():
        here.sweep()
    assert [path.stem for path in (tmp_path / "locks").glob("*.alive")] == [here.name]
    here.leave()
    assert not list((tmp_path / "locks").glob("*.alive"))
