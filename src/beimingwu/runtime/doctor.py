"""Tries every wall of a sandbox profile on this machine, by a probe that really leans on it.

`examine` runs `probe.py` inside the walls with a file, a port and a process of ours to reach for,
and then checks from outside whom it ran as and that it dies with us. Used by `beimingwu doctor`.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime import seccomp
from beimingwu.runtime.installing import behind_gate
from beimingwu.runtime.probe import WALLS
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.trial import require, run_inside

PROBE = Path(__file__).with_name("probe.py")
MiB = 1024 * 1024
#: The limits of the settings are too large to run into; the walls that hold these hold those.
_SMALL = Limits(
    memory=512 * MiB,
    threads=16,
    file=1 * MiB,
    open_files=64,
    cpu=30,
    scratch=2 * MiB,
)
#: Calls that do nothing with arguments of -1, one of each kind that the filter refuses.
_CALLS = (
    *("ptrace", "bpf", "keyctl", "io_uring_setup", "unshare", "setns", "mount", "userfaultfd"),
    *("perf_event_open", "process_vm_readv", "open_by_handle_at", "memfd_create", "shmget"),
    *("kexec_load", "init_module", "pidfd_open", "socket"),
)


@dataclass(frozen=True)
class Wall:
    """One wall of a profile: its name, and what got through it; nothing where it stands."""

    name: str
    breach: str

    @property
    def stands(self) -> bool:
        """Whether nothing got through."""
        return not self.breach


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found of one profile.

    Parameters
    ----------
    profile
        Its name.
    walls
        As tried; empty where none could be put up.
    problem, remedy
        Why it cannot be put up, and what to change; empty where it can.
    """

    profile: str
    walls: tuple[Wall, ...] = ()
    problem: str = ""
    remedy: str = ""

    @property
    def sound(self) -> bool:
        """Whether the profile can be put up and every wall stands."""
        return bool(self.walls) and all(wall.stands for wall in self.walls)


def examine(profile: Profile) -> Diagnosis:
    """Try every wall of a profile on this machine.

    Examples
    --------
    >>> examine(Profile.NONE).sound
    False
    """
    if profile is Profile.NONE:
        return Diagnosis(
            str(profile),
            problem="It has no walls: a learnware's code runs with all your rights.",
            remedy="Use it for learnwares that you wrote yourself only.",
        )
    try:
        require(profile)
    except SandboxUnavailable as error:
        return Diagnosis(str(profile), problem=error.problem, remedy=error.remedy)
    walls = [*_probed(profile), _unprivileged(profile), _mortal(profile)]
    walls += [_gated()] if profile is Profile.BUBBLEWRAP else []
    return Diagnosis(str(profile), tuple(walls))


def _probed(profile: Profile) -> Iterator[Wall]:
    with _targets() as target:
        target |= {"profile": str(profile), "calls": _numbers()}
        target |= {name: getattr(_SMALL, name) for name in vars(_SMALL)}
        arguments = (str(PROBE), json.dumps(target))
        trial = run_inside(arguments, profile, _SMALL, readable=[PROBE])
    try:
        breaches = json.loads(trial.output)
    except ValueError:
        said = (trial.complaint.strip().splitlines() or [f"it ended with {trial.status}"])[-1]
        yield Wall("probe", said)
        return
    for name in WALLS:
        yield Wall(name, str(breaches[name]))


#: Asks at the gate for a host that is on the list and one that is not, and writes where it may not.
_ASKER = """
import os, sys
from urllib.parse import urlsplit
import socket
gate = urlsplit(os.environ["HTTPS_PROXY"])
def ask(host):
    with socket.create_connection((gate.hostname, gate.port), 5) as way:
        way.sendall(f"CONNECT {host}:{sys.argv[1]} HTTP/1.1\\r\\n\\r\\n".encode())
        return way.recv(100).split()[1].decode()
def fails(what):
    try: what()
    except OSError: return True
    return False
print(ask("localhost"), ask("127.0.0.1"),
      fails(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)),
      fails(lambda: open(sys.argv[2] + "/new", "w")))
"""


def _gated() -> Wall:
    """Try the gate through which packages are installed: one host, and no other."""
    confine = behind_gate(Profile.BUBBLEWRAP, frozenset({"localhost"}))
    with _targets() as target, tempfile.TemporaryDirectory() as folder:
        words = (sys.executable, "-c", _ASKER, str(target["port"]), str(Path(folder).parent))
        asked = subprocess.run(  # noqa: S603 - our own interpreter and script
            confine(words, (Path(folder),)), capture_output=True, text=True, check=False
        )
    good = asked.stdout.split() == ["200", "403", "True", "True"]
    said = (asked.stderr.strip().splitlines() or [asked.stdout.strip()])[-1]
    return Wall("installing", "" if good else f"the gate to the package index: {said}")


@contextmanager
def _targets() -> Iterator[dict[str, object]]:
    """Put up what the probe is to reach for: a file all may read, and listeners on this machine."""
    with (
        tempfile.TemporaryDirectory(prefix="beimingwu-doctor-") as name,
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        folder = Path(name)
        folder.chmod(0o777)  # So that only the walls keep the probe out.
        secret = folder / "secret"
        secret.write_text("secret")
        address = f"\0beimingwu-doctor-{os.getpid()}"
        abstract.bind(address)
        abstract.listen()
        yield {
            "secret": str(secret),
            "folders": [name, sys.prefix, str(PROBE.parent), "/", "/dev", "/learnware", "/usr/lib"],
            "port": listener.getsockname()[1],
            "abstract": address,
            "host": os.getpid(),
        }


def _numbers() -> dict[str, int]:
    numbers = {name: seccomp.number_of(name, platform.machine()) for name in _CALLS}
    return {name: number for name, number in numbers.items() if number is not None}


#: Starts a sleeper inside the walls, prints its number and stays until it is killed itself.
_HOST = """
import os, subprocess, sys, time
from dataclasses import replace
from pathlib import Path
from beimingwu.runtime.launch import current_interpreter
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import confined
bare = current_interpreter()
sleep = "import sys, time; print('inside', flush=True); time.sleep(60)"
launch = confined(
    replace(bare, command=(bare.command[0], "-I", "-S", "-c", sleep)), profile=Profile(sys.argv[1])
)
here = Path(sys.argv[2])
lifeline, hold = os.pipe()
words = launch.words(learnware=here, scratch=here, lifeline=lifeline)
variables = launch.variables(scratch=here)
inside = subprocess.Popen(
    words, env=variables, cwd=here, pass_fds=[lifeline], start_new_session=True,
    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
)
inside.stdout.readline()
print(inside.pid, flush=True)
time.sleep(60)
"""


@contextmanager
def _sleeper(profile: Profile) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a host that keeps a sleeper inside the walls; yield it, and the sleeper's number."""
    with tempfile.TemporaryDirectory(prefix="beimingwu-doctor-") as folder:
        Path(folder).chmod(0o755)
        host = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-c", _HOST, str(profile), folder], stdout=subprocess.PIPE, text=True
        )
        with host:
            try:
                line = host.stdout.readline() if host.stdout is not None else ""
                yield host, int(line or 0)
            finally:
                host.kill()


def _unprivileged(profile: Profile) -> Wall:
    with _sleeper(profile) as (_, number):
        user = Path(f"/proc/{number}").stat().st_uid if number else 0
    return Wall("not root outside", "" if user else "it runs as root, or does not start")


def _mortal(profile: Profile) -> Wall:
    with _sleeper(profile) as (host, number):
        host.kill()
        host.wait()
        deadline = time.monotonic() + 5
        while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        gone = number and not Path(f"/proc/{number}").exists()
    return Wall("dies with us", "" if gone else "it outlives the process that started it")
