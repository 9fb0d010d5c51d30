"""The walls: what they cost an honest learnware, and what is refused instead of being weakened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from beimingwu.config import settings
from beimingwu.errors import (
    GuestCrashed,
    GuestOutOfMemory,
    GuestTimedOut,
    InvalidInput,
    SandboxUnavailable,
)
from beimingwu.learnware import Manifest
from beimingwu.runtime import sandbox, start
from beimingwu.runtime.launch import Launch, current_interpreter
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.sandbox import (
    UnconfinedWarning,
    confined,
    interpreter_folders,
    opened_to_all,
)
from beimingwu.runtime.trial import require, run_inside

MODULE = """
import os, sys, time, threading
from pathlib import Path
import numpy as np
from learnware.model import BaseModel

class Model(BaseModel):
    def __init__(self):
        super().__init__(input_shape=(2,), output_shape=(1,))

    def predict(self, X):
        {body}
"""


def offered() -> list[Profile]:
    """Return the profiles with walls that this machine has."""
    found = []
    for profile in (Profile.BUBBLEWRAP, Profile.LANDLOCK):
        try:
            require(profile)
        except SandboxUnavailable:
            continue
        found.append(profile)
    return found


OFFERED = offered()
ONE = np.ones((1, 2))
every_profile = pytest.mark.parametrize("profile", OFFERED)
Folder = Callable[[str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Make the folder of a learnware whose predict has this body."""

    def make(body: str) -> Path:
        place = tmp_path / "learnware"
        place.mkdir(mode=0o700)
        (place / "__init__.py").write_text(MODULE.format(body=body))
        return place

    return make


def walls(profile: Profile, **limits: int | bool) -> Launch:
    given = replace(Limits.from_settings(), **limits)
    return confined(current_interpreter(), profile=profile, limits=given)


def test_this_machine_offers_walls() -> None:
    """Else the tests below, and those of the attacks, would be empty."""
    if sys.platform == "linux":
        assert OFFERED


@every_profile
def test_a_learnware_predicts_behind_walls(profile: Profile, folder: Folder) -> None:
    with start(folder("return X.sum(axis=1)"), Manifest(), launch=walls(profile)) as model:
        assert model.predict(np.ones((3, 2))).tolist() == [2, 2, 2]
        assert model.report.peak_memory > 0


@every_profile
def test_a_folder_that_is_roots_alone_is_not_changed(profile: Profile, folder: Folder) -> None:
    place = folder("return X[:, 0]")
    before = {path: path.stat().st_mode for path in (place, *place.iterdir())}
    with start(place, Manifest(), launch=walls(profile)) as model:
        model.predict(ONE)
    assert {path: path.stat().st_mode for path in (place, *place.iterdir())} == before


@every_profile
def test_a_guest_survives_the_thread_that_started_it(profile: Profile, folder: Folder) -> None:
    place, models = folder("return np.full(len(X), os.getpid())"), []
    thread = threading.Thread(
        target=lambda: models.append(start(place, Manifest(), launch=walls(profile)))
    )
    thread.start()
    thread.join()
    with models[0] as model:
        process = model._process
        time.sleep(0.1)
        model.predict(ONE)
        assert model._process is process


HOST = """
import sys, time, numpy as np
from beimingwu.learnware import Manifest
from beimingwu.runtime import start
from beimingwu.runtime.launch import current_interpreter
from beimingwu.runtime.sandbox import confined
from beimingwu.runtime.profiles import Profile
model = start(sys.argv[1], Manifest(), launch=confined(
    current_interpreter(), profile=Profile(sys.argv[2])))
print(model._process.popen.pid, flush=True)
model.predict(np.ones((1, 2)))
time.sleep(60)
"""
BUSY = {
    "idle": "return X[:, 0]",
    "in native code": "pow(3, 10**6000, 10**6000 + 7)",
    "stopped": "os.kill(os.getpid(), 19)",
}


@every_profile
@pytest.mark.parametrize("busy", BUSY)
def test_everything_dies_with_the_host(
    busy: str, profile: Profile, folder: Folder, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", HOST, str(folder(BUSY[busy])), str(profile)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    host = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    with host:
        assert host.stdout is not None
        first = int(host.stdout.readline())
        everyone = [first, *descendants(first)]
        time.sleep(0.1)
        host.kill()
    assert within(5, lambda: not any(is_running(number) for number in everyone))


#: Forks a host that starts a guest, and kills it after a while; over and over.
KILLER = """
import os, signal, sys, time, numpy as np
from dataclasses import replace
from beimingwu.learnware import Manifest
from beimingwu.runtime import start
from beimingwu.runtime.launch import current_interpreter
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import confined
launch = confined(current_interpreter(), profile=Profile(sys.argv[2]))
launch = replace(launch, environment={**launch.environment, sys.argv[3]: "1"})
for number in range(60):
    host = os.fork()
    if host == 0:
        model = start(sys.argv[1], Manifest(), launch=launch)
        while True:
            model.predict(np.ones((1, 2)))
    time.sleep(0.004 * number)
    os.kill(host, signal.SIGKILL)
    os.waitpid(host, 0)
"""


@every_profile
def test_a_host_killed_at_any_moment_leaves_no_process(
    profile: Profile, folder: Folder, tmp_path: Path
) -> None:
    mark = f"KILLED_{os.getpid()}_{profile}"
    command = [sys.executable, "-c", KILLER, str(folder("return X[:, 0]")), str(profile), mark]
    subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, check=True)
    assert within(5, lambda: not marked(mark))


def marked(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
    return found


def test_a_child_of_bubblewrap_that_no_longer_knows_its_maker_dies_with_the_host(
    tmp_path: Path, folder: Folder
) -> None:
    """As bubblewrap's own does for a moment: the first of a namespace, deaf to most signals."""
    # As another user than root, to whom /tmp is another folder.
    programs = Path(tempfile.mkdtemp(prefix="fake-", dir="/var/tmp"))
    programs.chmod(0o755)
    (programs / "bwrap").write_text("#!/bin/sh\nexec unshare --user --pid --fork sleep 60\n")
    (programs / "bwrap").chmod(0o755)
    variables = {"TMPDIR": str(tmp_path), "PATH": f"{programs}:/usr/bin:/bin"}
    command = [sys.executable, "-c", WAITING_HOST, str(folder("return X[:, 0]"))]
    host = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, **variables}, text=True
    )
    with host:
        assert host.stdout is not None
        first = int(host.stdout.readline())
        assert within(10, lambda: "sleep" in map(name_of, descendants(first)))
        everyone = [first, *descendants(first)]
        host.kill()
    shutil.rmtree(programs)
    assert within(5, lambda: not any(is_running(number) for number in everyone))


WAITING_HOST = """
import sys, time
from pathlib import Path
from beimingwu.runtime.launch import current_interpreter
from beimingwu.runtime.process import Process
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import confined
launch = confined(current_interpreter(), profile=Profile.BUBBLEWRAP)
process = Process(launch, Path(sys.argv[1]))
print(process.popen.pid, flush=True)
time.sleep(60)
"""


@every_profile
def test_memory_over_the_limit_is_told_apart(profile: Profile, folder: Folder) -> None:
    place = folder("bytearray(600 << 20); return X[:, 0]")
    with (
        start(place, Manifest(), launch=walls(profile, memory=512 << 20)) as model,
        pytest.raises(GuestOutOfMemory),
    ):
        model.predict(ONE)


@every_profile
def test_processor_time_over_the_limit_is_told_apart(
    profile: Profile, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_GUEST_CPU_SECONDS", "1")
    with (
        start(folder("while True: pass"), Manifest(), launch=walls(profile)) as model,
        pytest.raises(GuestTimedOut, match="processor") as caught,
    ):
        model.predict(ONE)
    assert caught.value.code == "guest.cpu"


@every_profile
def test_a_guest_that_worked_long_is_replaced_before_its_time_is_up(
    profile: Profile, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "end = time.process_time() + 0.3\n        while time.process_time() < end: pass\n"
    place = folder(f"{body}        return X[:, 0]")
    monkeypatch.setenv("BEIMINGWU_GUEST_CPU_SECONDS", "1")
    with start(place, Manifest(), launch=walls(profile)) as model:
        for _ in range(4):  # More than the limit, all together.
            assert model.predict(ONE).tolist() == [1]


ENDINGS = {
    "SIGSEGV": "import ctypes; ctypes.string_at(0)",
    "SIGABRT": "os.abort()",
    "SIGKILL": "os.kill(os.getpid(), 9)",
}


@every_profile
@pytest.mark.parametrize("name", ENDINGS)
def test_a_signal_keeps_its_name(name: str, profile: Profile, folder: Folder) -> None:
    with (
        start(folder(ENDINGS[name]), Manifest(), launch=walls(profile)) as model,
        pytest.raises(GuestCrashed, match=name),
    ):
        model.predict(ONE)


@every_profile
def test_a_refused_call_says_what_a_learnware_may_not_do(profile: Profile, folder: Folder) -> None:
    with (
        start(folder("import socket; socket.socket()"), Manifest(), launch=walls(profile)) as model,
        pytest.raises(GuestCrashed) as caught,
    ):
        model.predict(ONE)
    assert caught.value.code == "guest.forbidden"
    assert "connections" in caught.value.remedy


def test_processes_may_be_allowed_and_are_then_counted(folder: Folder) -> None:
    if Profile.BUBBLEWRAP not in OFFERED:
        pytest.skip("bubblewrap is not to be had here")
    body = """import subprocess
        started = []
        try:
            for _ in range(40):
                started.append(subprocess.Popen([sys.executable, "-S", "-c", "input()"],
                                                stdin=subprocess.PIPE))
        except OSError:
            pass
        return np.full(len(X), len(started))"""
    launch = walls(Profile.BUBBLEWRAP, fork=True, threads=12)
    with start(folder(body), Manifest(), launch=launch) as model:
        (count,) = model.predict(ONE).tolist()
        everyone = descendants(model._process.popen.pid)
        assert 1 <= count <= 12
        assert len(everyone) > count
    assert within(5, lambda: not any(is_running(number) for number in everyone))


@every_profile
def test_the_interpreters_own_libraries_are_seen_and_other_files_are_not(
    profile: Profile, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    program = "import sys, zlib, ctypes, pathlib; print(pathlib.Path(sys.argv[1]).exists())"
    seen = run_inside(("-c", program, str(secret)), profile, readable=[secret])
    assert (seen.output, seen.complaint) == ("True\n", "")
    read = run_inside(("-c", f"print(open({str(secret)!r}).read())"), profile)
    assert "secret" not in read.output
    assert read.status == 1


def test_links_on_the_way_to_an_interpreter_are_followed_one_by_one(tmp_path: Path) -> None:
    real, link, environment = (tmp_path / name for name in ("python-3.12.7", "python-3.12", "env"))
    (real / "bin").mkdir(parents=True)
    (real / "bin" / "python3.12").touch()
    link.symlink_to(real.name)
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(link / "bin" / "python3.12")
    (environment / "pyvenv.cfg").write_text(f"home = {link / 'bin'}\n")
    found = interpreter_folders(environment / "bin" / "python")
    assert set(found) == {environment, link}
    views = {place: source for source, place in sandbox._views([*found, environment / "lib"])}
    assert views == {environment: environment, link: real, real: real}


def test_the_systems_own_interpreter_does_not_open_all_of_usr() -> None:
    program = Path("/usr/bin/env")
    assert set(interpreter_folders(program)) <= {program, Path("/usr/lib"), Path("/usr/lib64")}


def test_a_folder_for_all_is_used_as_it_is_and_another_is_copied(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "inner").mkdir(parents=True)
    for file, mode in (("open", 0o644), ("inner/closed", 0o600)):
        (place / file).write_text(file)
        (place / file).chmod(mode)
    copy = opened_to_all(place, tmp_path / "copy")
    if os.geteuid() != 0:
        assert copy == place
        return
    assert copy == tmp_path / "copy"
    assert (copy / "open").read_text() == "open"
    assert (copy / "inner/closed").read_text() == "inner/closed"
    assert (copy / "inner/closed").stat().st_mode & 0o777 == 0o644
    assert opened_to_all(copy, tmp_path / "again") == copy


def test_no_walls_are_loud() -> None:
    with pytest.warns(UnconfinedWarning, match="all your rights"):
        assert confined(current_interpreter(), profile=Profile.NONE) == current_interpreter()


def test_the_profile_of_the_settings_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().sandbox == "bubblewrap"
    monkeypatch.setenv("BEIMINGWU_SANDBOX", "none")
    with pytest.warns(UnconfinedWarning):
        confined(current_interpreter())
    monkeypatch.setenv("BEIMINGWU_SANDBOX", "cardboard")
    with pytest.raises(InvalidInput, match="cardboard"):
        confined(current_interpreter())


def test_a_machine_without_bubblewrap_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxUnavailable, match="bwrap") as caught:
        confined(current_interpreter(), profile=Profile.BUBBLEWRAP)
    assert caught.value.code == "sandbox.no_bubblewrap"
    assert "apt-get install bubblewrap" in caught.value.remedy


def test_landlock_refuses_a_learnware_that_may_start_processes() -> None:
    if Profile.LANDLOCK not in OFFERED:
        pytest.skip("Landlock is not in this kernel")
    with pytest.raises(SandboxUnavailable) as caught:
        walls(Profile.LANDLOCK, fork=True)
    assert caught.value.code == "sandbox.fork"


def test_a_guest_that_no_wall_can_be_put_around_is_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Folder
) -> None:
    """The machine's fault is told from the learnware's, and nothing of the learnware runs."""
    ran = tmp_path / "ran"
    place = folder("return X[:, 0]")
    (place / "__init__.py").write_text(f"open({str(ran)!r}, 'w')")
    (tmp_path / "bwrap").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="status 1") as caught:
        start(place, Manifest(), launch=walls(Profile.BUBBLEWRAP))
    assert caught.value.code == "sandbox.refused"
    assert caught.value.remedy
    assert not ran.exists()


def descendants(number: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{number}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def name_of(number: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{number}/comm").read_text().strip()
    return ""


def is_running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.01)
    return False


@every_profile
def test_a_guest_does_not_use_up_the_signals_and_timers_of_a_user(profile: Profile) -> None:
    program = (
        "import ctypes, errno; libc = ctypes.CDLL(None, use_errno=True)\n"
        "timer = ctypes.byref(ctypes.c_void_p())\n"
        "made = [libc.timer_create(1, None, timer) for _ in range(2000)]\n"
        "print(made.count(0), errno.errorcode[ctypes.get_errno()])"
    )
    made, error = run_inside(("-c", program), profile).output.split()
    assert 0 < int(made) <= sandbox.PENDING_SIGNALS
    assert error == "EAGAIN"


@every_profile
def test_what_waits_in_a_guests_sockets_stays_small(profile: Profile) -> None:
    program = (
        "import socket; one, other = socket.socketpair()\n"
        "for option in (socket.SO_SNDBUF, 32):\n"
        "    try: one.setsockopt(socket.SOL_SOCKET, option, 1 << 20)\n"
        "    except PermissionError as error: print('refused')\n"
        "one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); one.send(b'x')\n"
        "print(other.recv(1))"
    )
    assert run_inside(("-c", program), profile).output.split() == ["refused", "refused", "b'x'"]
