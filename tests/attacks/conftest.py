"""The range on which hostile learnwares are let loose: what they may reach for, and what is hurt.

A hostile learnware is a module whose predict has a given body and ends with the answer "ESCAPED":
whoever stops it makes it raise, or end, before that. All targets are this machine's own and made
here; every attack is bounded, so that it would not hurt even where nothing stopped it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from beimingwu.errors import SandboxUnavailable
from beimingwu.learnware import Manifest
from beimingwu.runtime import GuestModel, seccomp, start
from beimingwu.runtime.launch import GUEST, Launch, current_interpreter
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.sandbox import confined
from beimingwu.runtime.trial import require

MiB = 1024 * 1024
TOKEN = "a-token-of-the-host"
#: In the environment of every hostile learnware, and so of all that it starts.
MARK = f"RANGE_{os.getpid()}"
MODULE = '''
import ctypes, json, mmap, os, signal, socket, struct, subprocess, sys, threading, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from learnware.model import BaseModel

LIBC = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    """Make a system call by its number; raise what it fails with."""
    answer = LIBC.syscall(number, *arguments)
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer

def pipes():
    """Return the descriptors of our pipe to the host, those open for writing."""
    found = []
    for number in range(3, 64):
        try:
            os.write(number, b"")
            found.append(number)
        except OSError:
            pass
    return found

{head}

class Model(BaseModel):
    def __init__(self, target):
        super().__init__(input_shape=(2,), output_shape=(1,))
        global T
        T = SimpleNamespace(**target)

    def predict(self, X):
{body}
        return ["ESCAPED"] * len(X)
'''
LIMITS = replace(
    Limits.from_settings(), memory=512 * MiB, threads=24, file=4 * MiB, scratch=8 * MiB
)


def module(body: str, head: str = "") -> str:
    """Return the source of a hostile learnware."""
    body = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return MODULE.replace("{head}", textwrap.dedent(head)).replace("{body}", body)


def launch_of(profile: Profile, limits: Limits = LIMITS) -> Launch:
    """Return the way into a profile; `none` is without any walls."""
    if profile is Profile.NONE:
        return current_interpreter()
    return confined(current_interpreter(), profile=profile, limits=limits)


@dataclass
class Range:
    """What hostile learnwares reach for; `changes` tells what they did to it."""

    folder: Path
    victim: subprocess.Popen[bytes]
    tcp: socket.socket
    udp: socket.socket
    abstract: socket.socket
    named: socket.socket
    before: dict[str, str] = field(default_factory=dict)

    def target(self) -> dict[str, object]:
        """Return what a learnware is told."""
        return {
            "folder": str(self.folder),
            "secret": str(self.folder / "secret"),
            "host": os.getpid(),
            "victim": self.victim.pid,
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "abstract": self.abstract.getsockname().decode("latin-1"),
            "named": self.named.getsockname(),
            "prefix": sys.prefix,
            "numpy": np.__file__,
            "guest": str(GUEST),
            "token": TOKEN,
            "disks": [str(path) for path in Path("/dev").iterdir() if path.is_block_device()]
            or ["/dev/mem"],
            "calls": {name: seccomp.number_of(name) for name in seccomp.names()},
        }

    def loose(self, source: str, profile: Profile, limits: Limits = LIMITS) -> GuestModel:
        """Start a hostile learnware; whoever started it closes it."""
        folder = Path(tempfile.mkdtemp(prefix="learnware-", dir=self.folder.parent))
        (folder / "__init__.py").write_text(source)
        (folder / "weights.py").write_text("SLOPE = 3\n")
        (folder / "link").symlink_to(self.folder / "secret")
        folder.chmod(0o755)
        self.before = self.state()
        manifest = Manifest(kwargs={"target": self.target()})
        launch = launch_of(profile, limits)
        marked = {**launch.environment, MARK: "1"}
        return start(folder, manifest, launch=replace(launch, environment=marked))

    def state(self) -> dict[str, str]:
        """Return all that must stay as it is, as text."""
        watched = [*sorted(self.folder.parent.rglob("*")), Path(np.__file__), GUEST]
        found = {str(path): _facts(path) for path in watched}
        found["host"] = _facts_of_process(os.getpid())
        found["victim"] = str((self.victim.poll(), _facts_of_process(self.victim.pid)))
        for name in ("tcp", "abstract", "named", "udp"):
            found[name] = str(_knocked(getattr(self, name)))
        return found

    def changes(self) -> dict[str, tuple[str | None, str | None]]:
        """Return what is not as it was when the learnware was let loose."""
        after = self.state()
        names = self.before.keys() | after.keys()
        return {
            name: (self.before.get(name), after.get(name))
            for name in names
            if self.before.get(name) != after.get(name)
        }


def _facts(path: Path) -> str:
    about = path.lstat()
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    times = (about.st_mtime_ns,) if not path.is_dir() else ()
    extra = sorted(os.listxattr(path, follow_symlinks=False))
    digest = hashlib.sha256(content).hexdigest()
    return str((about.st_mode, about.st_uid, about.st_nlink, times, extra, digest))


def _facts_of_process(number: int) -> str:
    limits = Path(f"/proc/{number}/limits").read_text()
    priority = os.getpriority(os.PRIO_PROCESS, number)
    return str((priority, os.sched_getaffinity(number), hashlib.sha256(limits.encode()).digest()))


def _knocked(listener: socket.socket) -> bool:
    """Whether anything came to a listener; it is taken away, for the next attack."""
    listener.settimeout(0)
    with suppress(BlockingIOError):
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(100)
        else:
            listener.accept()[0].close()
        return True
    return False


@pytest.fixture(scope="module")
def everything() -> Iterator[Range]:
    """Put up the targets, once for a file of tests."""
    home = Path(tempfile.mkdtemp(prefix="range-"))
    folder = home / "host"
    for place in (home, folder):
        place.mkdir(exist_ok=True)
        place.chmod(0o777)  # So that only walls keep a learnware out.
    (folder / "secret").write_text("a secret of the host")
    (folder / "secret").chmod(0o666)
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
    ):
        udp.bind(("127.0.0.1", 0))
        abstract.bind(f"\0range-{os.getpid()}")
        named.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        for listener in (abstract, named):
            listener.listen()
        made = Range(folder, a_victim(), tcp, udp, abstract, named)
        yield made
        made.victim.kill()
        made.victim.wait()
    shutil.rmtree(home)


def a_victim() -> subprocess.Popen[bytes]:
    """Start a process that an attack may try to hurt."""
    return subprocess.Popen(["sleep", "600"], start_new_session=True)


@pytest.fixture
def ground(everything: Range, monkeypatch: pytest.MonkeyPatch) -> Iterator[Range]:
    """Return the range, with a secret in our environment, whole again if it was hurt."""
    monkeypatch.setenv("BEIMINGWU_TOKEN", TOKEN)
    monkeypatch.setenv("BEIMINGWU_GUEST_START_SECONDS", "20")
    monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "20")
    if everything.victim.poll() is not None:
        everything.victim = a_victim()
    if not (everything.folder / "secret").exists():
        (everything.folder / "secret").write_text("a secret of the host")
    (everything.folder / "secret").chmod(0o666)
    yield everything
    for folder in everything.folder.parent.glob("learnware-*"):
        shutil.rmtree(folder)


def offered() -> list[Profile]:
    """Return the profiles with walls that this machine has."""
    found = []
    for profile in (Profile.BUBBLEWRAP, Profile.LANDLOCK):
        with suppress(SandboxUnavailable):
            require(profile)
            found.append(profile)
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every attack under every profile that this machine offers."""
    if "profile" in metafunc.fixturenames:
        metafunc.parametrize("profile", offered(), ids=str, scope="module")


@pytest.fixture
def loaded() -> Callable[..., str]:
    """Return what makes the source of a hostile learnware from the body of its predict."""
    return module


@pytest.fixture(scope="module")
def good(profile: Profile) -> Iterator[GuestModel]:
    """Return an honest learnware under the same profile, that was there before the attack."""
    with tempfile.TemporaryDirectory(prefix="good-") as folder:
        source = module("return X.sum(axis=1)").replace("(self, target)", "(self)")
        source = source.replace("T = SimpleNamespace(**target)", "T = None")
        (Path(folder) / "__init__.py").write_text(source)
        with start(folder, Manifest(), launch=launch_of(profile)) as model:
            yield model


@pytest.fixture
def serving(good: GuestModel) -> Iterator[None]:
    """After the attack, see that honest learnwares are still served, by the process there was."""
    process = good._process
    yield
    assert good.predict(np.ones((3, 2))).tolist() == [2, 2, 2]
    assert process is None or good._process is process


@pytest.fixture(autouse=True)
def leaves_nothing() -> Iterator[None]:
    """See that no process of an attack is left."""
    yield
    assert within(5, lambda: not _marked())


def _marked() -> list[str]:
    """Return the processes that a hostile learnware has started, and its own."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and MARK.encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
    return found


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.01)
    return False
