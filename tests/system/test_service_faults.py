"""A service under load loses nothing, whatever happens to it.

Its processes are killed at random moments (as often as BEIMINGWU_TEST_KILLS says, on each
database), its database is kept from it, its disk fills up, its clock jumps. Each time, everything
that it acknowledged ends published or rejected, once and whole. To see it 200 times:

    BEIMINGWU_TEST_KILLS=100 python -m pytest tests/system/test_service_faults.py -k killed -s
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import Conflict

from .service_under_load import Deaths, Load, served

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("BEIMINGWU_TEST_KILLS", "3"))
#: For how long the database is kept from the service; whoever writes waits for 60 at most.
KEPT_SECONDS = float(os.environ.get("BEIMINGWU_TEST_KEPT_SECONDS", "4"))


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache and a file of tokens of this test's own."""
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BEIMINGWU_CREDENTIALS", str(tmp_path / "config" / "credentials.json"))


def test_a_service_that_is_killed_under_load_keeps_what_it_acknowledged(
    tmp_path: Path, database: str
) -> None:
    chance, deaths = random.Random(KILLS), Deaths()
    with served(tmp_path / "dock", database) as service:
        load = Load(service)
        while sum(deaths.counts.values()) < KILLS:
            with load.running():
                # Several in a row also die in what the one before left them to do.
                for _ in range(chance.randint(1, 4)):
                    time.sleep(chance.uniform(0.0, 2.0))
                    deaths.kill(service, chance)
            load.settled()
            print(told(load, deaths), flush=True)
        service.end(signal.SIGTERM)
        load.whole_on_disk()
    assert load.acknowledged
    assert load.searches


def told(load: Load, deaths: Deaths) -> str:
    return (
        f"killed {deaths.counts}; attempted {len(load.attempted)}, "
        f"acknowledged {len(load.acknowledged)}, searches {load.searches}, "
        f"told to come back {load.refusals} times"
    )


def test_a_service_whose_database_is_kept_from_it_says_so_and_goes_on_afterwards(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "dock") as service:
        load = Load(service)
        with load.running(most=4):
            for name in ("catalogue.sqlite", "workflows.sqlite"):
                with kept(tmp_path / "dock" / name):
                    time.sleep(KEPT_SECONDS)
        load.settled()
        service.end(signal.SIGTERM)
        load.whole_on_disk()
    assert load.acknowledged
    assert load.searches


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """Keep an SQLite file to another process, as one that was forgotten in a terminal does."""
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)"
    code += "; c.execute('BEGIN EXCLUSIVE'); print('mine', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "mine\n"
        yield
        other.stdin.close()


def test_a_service_whose_disk_is_full_says_so_and_goes_on_once_there_is_space(
    small_disk: Path,
) -> None:
    # What it would keep free for others is more than there is.
    with served(small_disk, BEIMINGWU_FREE_MIN_BYTES="0") as service:
        load = Load(service, expected=("dock.disk_full",), padding=100_000)
        with load.running():
            time.sleep(1.0)
        load.settled()
        before = load.refusals
        with load.running(most=30), filled(small_disk):
            time.sleep(10.0)
        assert load.refusals > before, "nobody noticed"
        load.settled()
        with load.running():
            time.sleep(1.0)
        load.settled()
        service.end(signal.SIGTERM)
        load.whole_on_disk()
    assert len(load.acknowledged) > 6


def test_a_full_disk_is_told_of_wherever_bytes_are_kept(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_FREE_MIN_BYTES", "0")
    archive = a_learnware(padding=3_000_000)
    with Dock.open(small_disk, workers=0) as dock:
        id = dock.uploads.create("ada", len(archive)).id
        writes: tuple[Callable[[], object], ...] = (
            lambda: dock.uploads.append("ada", id, 0, archive),
            lambda: dock.uploads.put("ada", "a name", 0, archive),
            lambda: dock.submit(archive, owner="ada"),
        )
        with filled(small_disk):
            for write in writes:
                with pytest.raises(Conflict) as told_of:
                    write()
                assert told_of.value.code == "dock.disk_full"
            assert list((small_disk / "incoming").iterdir()) == []
        assert dock.uploads.append("ada", id, 0, archive).received == len(archive)
        dock.uploads.complete("ada", id, hashlib.sha256(archive).hexdigest())
        dock.submit(dock.uploads.archive("ada", id), owner="ada")
        assert dock.list(state=None)[0].sha256 == hashlib.sha256(archive).hexdigest()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of a dock with 64 MiB of its own."""
    place = tmp_path / "dock"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root, where it may mount, can make a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(place: Path) -> Iterator[None]:
    """Fill a disk to its last byte."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    yield
    ballast.unlink()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_service_whose_clock_jumps_loses_nothing(tmp_path: Path, clock: Path, hours: int) -> None:
    faked = {"LD_PRELOAD": str(clock.with_suffix(".so")), "TEST_CLOCK": str(clock)}
    with served(tmp_path / "dock", **faked) as service:
        load = Load(service)
        for offset in (hours * 3600, 0):
            with load.running():
                time.sleep(1.0)
                clock.write_text(str(offset))
                time.sleep(1.0)
            load.settled()
        service.end(signal.SIGTERM)
        load.whole_on_disk()
    assert len(load.acknowledged) >= 6


CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long offset(void) {
    long found = 0;
    FILE *file = fopen(getenv("TEST_CLOCK"), "r");
    if (file) { if (fscanf(file, "%ld", &found) != 1) found = 0; fclose(file); }
    return found;
}
int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(which, now);
    if (!answer && which == CLOCK_REALTIME) now->tv_sec += offset();
    return answer;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
"""


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file that says by how many seconds the clock of a service is wrong."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("without a C compiler there is no other clock")
    source, built = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    (tmp_path / "clock").write_text("0")
    return tmp_path / "clock"
