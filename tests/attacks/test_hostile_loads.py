"""Hostile learnwares that use things up, or do not end: each is ended within its limit.

Memory, processes, disk, log, processor and wall clock; and those that want to stay. Every bomb is
bounded, so that it would not hurt a machine that did not stop it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from beimingwu.config import settings
from beimingwu.errors import GuestCrashed, GuestFailed, GuestOutOfMemory, GuestTimedOut
from beimingwu.runtime.profiles import Limits, Profile

ONE = np.ones((1, 2))


@dataclass(frozen=True)
class Bomb:
    """The body of predict, and what its end is called."""

    body: str
    ends: type[GuestFailed] | tuple[type[GuestFailed], ...] = GuestCrashed
    saying: str = "."
    seconds: str = "20"


BOMBS = {
    "forks": Bomb(
        """
        for _ in range(200):
            if os.fork() == 0:
                time.sleep(3); os._exit(0)
        """,
        saying="PermissionError",
    ),
    "forks without Python": Bomb(
        """
        for _ in range(200):
            child = LIBC.fork()
            if child == 0:
                time.sleep(3); os._exit(0)
            if child < 0:
                raise PermissionError("fork")
        """,
        saying="PermissionError",
    ),
    "threads": Bomb(
        """
        done = threading.Event()
        for _ in range(500):
            threading.Thread(target=done.wait, args=(5,), daemon=True).start()
        """,
        saying="can't start new thread",
    ),
    "memory at once": Bomb("bytearray(2 << 30)", GuestOutOfMemory),
    "memory bit by bit": Bomb(
        "kept = []\nfor _ in range(200): kept.append(bytearray(10 << 20))", GuestOutOfMemory
    ),
    "memory in an array": Bomb("np.ones(1 << 28)", GuestOutOfMemory),
    "memory that is shared": Bomb(
        "kept = [mmap.mmap(-1, 64 << 20) for _ in range(30)]\nfor m in kept: m.write(b'x')",
        (GuestCrashed, GuestOutOfMemory),
        saying="Cannot allocate memory|MemoryError",
    ),
    "memory in C": Bomb(
        """
        LIBC.malloc.restype = ctypes.c_void_p
        for _ in range(200):
            place = LIBC.malloc(ctypes.c_size_t(10 << 20))
            if not place: raise MemoryError("malloc")
            ctypes.memset(place, 1, 10 << 20)
        """,
        GuestOutOfMemory,
    ),
    "memory in nameless files": Bomb(
        "for n in range(40): os.truncate(os.memfd_create(str(n)), 4 << 20)",
        saying="PermissionError",
    ),
    "the disk, in one file": Bomb(
        "open('large', 'wb').write(bytes(32 << 20))", saying="OSError|PermissionError"
    ),
    "the disk, in many files": Bomb(
        "for n in range(64): open(f'part{n}', 'wb').write(bytes(1 << 20))",
        saying="No space left|Permission denied",
    ),
    "the disk, in a file with holes": Bomb(
        "open('holes', 'wb').truncate(1 << 40)", saying="File too large|Permission denied"
    ),
    "open files": Bomb("kept = [os.dup(2) for _ in range(5000)]", saying="Too many open files"),
    "the log": Bomb(
        "end = time.time() + 5\nwhile time.time() < end: print('x' * 100_000)",
        GuestTimedOut,
        seconds="0.7",
    ),
    "the log, by its descriptor": Bomb(
        "end = time.time() + 5\nwhile time.time() < end: os.write(2, b'x' * 65536)",
        GuestTimedOut,
        seconds="0.7",
    ),
    "the stack": Bomb(
        "sys.setrecursionlimit(10**8)\nf = lambda f: f(f)\nf(f)",
        (GuestCrashed, GuestOutOfMemory, GuestTimedOut),
        seconds="1",
    ),
}
STAYING = {
    "loops": "while True: pass",
    "sleeps": "time.sleep(60)",
    "ignores a polite end": (
        "for n in range(1, 65):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "time.sleep(60)"
    ),
    "blocks every signal": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(60)"
    ),
    "stops itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "catches every error": (
        "end = time.time() + 60\n"
        "while time.time() < end:\n"
        "    try: time.sleep(1)\n"
        "    except BaseException: pass"
    ),
    "holds the interpreter in C": "pow(3, 10**6000, 10**6000 + 7)",
    "waits for a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "leads a group of its own": (
        "try: os.setpgid(0, 0)\nexcept OSError: pass\n"
        "try: os.setsid()\nexcept OSError: pass\ntime.sleep(60)"
    ),
}
LINGERING = {
    "a thread that never ends": (
        "threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start(); return X[:, 0]"
    ),
    "a farewell that never ends": (
        "import atexit; atexit.register(time.sleep, 60)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start(); return X[:, 0]"
    ),
}
STARTS = {
    "hangs at import": ("time.sleep(60)", GuestTimedOut, "took longer"),
    "loops at import": ("while True: pass", GuestTimedOut, "took longer"),
    "leaves at import": ("sys.exit(0)", GuestCrashed, "SystemExit"),
    "ends at import": ("os._exit(0)", GuestCrashed, "status 0"),
    "dies at import": ("ctypes.string_at(0)", GuestCrashed, "SIGSEGV"),
    "aborts at import": ("os.abort()", GuestCrashed, "SIGABRT"),
    "bursts at import": ("bytearray(2 << 30)", GuestOutOfMemory, "memory"),
    "interrupts at import": ("raise KeyboardInterrupt", GuestCrashed, "KeyboardInterrupt"),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.usefixtures("serving")
def test_a_bomb_goes_off_behind_its_walls(name, profile, ground, loaded, monkeypatch):
    bomb = BOMBS[name]
    with ground.loose(loaded(bomb.body), profile) as model:
        monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", bomb.seconds)
        with pytest.raises(bomb.ends, match=bomb.saying) as caught:
            model.predict(ONE)
        assert len(model.report.output) <= settings().guest_output_max_bytes
        assert len(str(caught.value)) < 3 * settings().guest_output_max_bytes
    assert ground.changes() == {}


@pytest.mark.parametrize("name", STAYING)
@pytest.mark.usefixtures("serving")
def test_one_that_does_not_answer_is_ended(name, profile, ground, loaded, monkeypatch):
    with ground.loose(loaded(STAYING[name]), profile) as model:
        monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "0.4")
        began = time.monotonic()
        with pytest.raises(GuestTimedOut, match=r"0\.4 seconds"):
            model.predict(ONE)
    assert time.monotonic() - began < 20  # None sleeps this short.
    assert ground.changes() == {}


@pytest.mark.parametrize("name", LINGERING)
@pytest.mark.usefixtures("serving")
def test_one_that_answers_and_stays_ends_with_us(name, profile, ground, loaded):
    with ground.loose(loaded(LINGERING[name]), profile) as model:
        assert model.predict(ONE).tolist() == [1]
    assert ground.changes() == {}


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.usefixtures("serving")
def test_one_that_does_not_start_says_why(name, profile, ground, monkeypatch):
    head, kind, saying = STARTS[name]
    if kind is GuestTimedOut:
        monkeypatch.setenv("BEIMINGWU_GUEST_START_SECONDS", "0.7")
    source = f"import ctypes, os, sys, time\n{head}"
    with pytest.raises(kind, match=saying):
        ground.loose(source, profile)
    assert ground.changes() == {}


@pytest.mark.usefixtures("serving")
def test_a_fork_bomb_where_processes_are_allowed_is_counted(profile, ground, loaded):
    if profile is not Profile.BUBBLEWRAP:
        pytest.skip("Landlock allows no processes")
    body = """
        for depth in range(10):  # 1,024 of them, and each stays for a while.
            os.fork()
        time.sleep(5); os._exit(0)
    """
    limits = replace(Limits.from_settings(), fork=True, threads=24)
    with (
        ground.loose(loaded(body), profile, limits) as model,
        pytest.raises(GuestCrashed, match="Resource temporarily unavailable"),
    ):
        model.predict(ONE)
    assert ground.changes() == {}


FAMILIES = {
    "children": "if os.fork() == 0: fill(); time.sleep(20); os._exit(0)",
    "grandchildren": (
        "if os.fork() == 0:\n"
        "        if os.fork() == 0: fill(); time.sleep(20); os._exit(0)\n"
        "        time.sleep(20); os._exit(0)"
    ),
    "daemons": (
        "if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0: fill(); time.sleep(20); os._exit(0)\n"
        "        os._exit(0)"
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.usefixtures("serving")
def test_many_that_are_each_within_the_memory_are_not_together(family, profile, ground, loaded):
    if profile is not Profile.BUBBLEWRAP:
        pytest.skip("Landlock allows no processes")
    body = (
        "def fill():\n    global kept\n    kept = np.ones(20_000_000)\n"
        f"for _ in range(6):\n    {FAMILIES[family]}\ntime.sleep(15)"
    )
    limits = replace(Limits.from_settings(), fork=True, memory=512 << 20)
    with ground.loose(loaded(body), profile, limits) as model:
        with pytest.raises(GuestOutOfMemory, match="together filled more than 512 MiB") as caught:
            model.predict(ONE)
        assert caught.value.remedy
    assert ground.changes() == {}


@pytest.mark.usefixtures("serving")
def test_memory_that_processes_share_is_counted_once(profile, ground, loaded):
    if profile is not Profile.BUBBLEWRAP:
        pytest.skip("Landlock allows no processes")
    body = """
        kept = np.ones(30_000_000)  # 240 MB, of which all five have a view.
        children = []
        for _ in range(4):
            child = os.fork()
            if child == 0:
                kept.sum(); time.sleep(1.5); os._exit(0)
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        return X[:, 0]
    """
    limits = replace(Limits.from_settings(), fork=True, memory=512 << 20)
    with ground.loose(loaded(body), profile, limits) as model:
        assert model.predict(ONE).tolist() == [1]
        assert model.report.peak_memory > 240_000_000


@pytest.mark.usefixtures("serving")
def test_a_daemon_where_processes_are_allowed_ends_with_its_learnware(profile, ground, loaded):
    if profile is not Profile.BUBBLEWRAP:
        pytest.skip("Landlock allows no processes")
    body = """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)
        return X[:, 0]
    """
    limits = replace(Limits.from_settings(), fork=True)
    with ground.loose(loaded(body), profile, limits) as model:
        assert model.predict(ONE).tolist() == [1]
