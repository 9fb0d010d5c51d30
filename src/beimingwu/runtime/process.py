"""One guest process: its pipes, its scratch folder, what it prints, and its certain end.

The process never outlives its `Process`, and never us: all it started is killed with it, and the
lifeline (a pipe that only we hold open) and the thread that started it, which lasts as long as we
do, end it when we die in any way. Used by `host.py`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import threading
import time
import weakref
from array import array
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from beimingwu.config import settings
from beimingwu.learnware.scratch import Scratch
from beimingwu.runtime.channel import Channel
from beimingwu.runtime.launch import Launch
from beimingwu.runtime.memory import filled_by
from beimingwu.runtime.places import Places
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import opened_to_all
from beimingwu.runtime.tree import TreeWatch

LAST_LINES = 20


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Parameters
    ----------
    status
        As of `subprocess`, minus the signal where one ended it; None where we had to.
    text
        Its last lines, introduced.
    system_out_of_memory
        Whether the system killed some process for want of memory while this one lived.
    over_memory
        Bytes that it and all it started may fill together, where we ended them for filling more.
    """

    status: int | None
    text: str
    system_out_of_memory: bool = False
    over_memory: int | None = None


class Process:
    """One process: its pipe, its scratch folder and the end of what it prints."""

    def __init__(self, launch: Launch, folder: Path) -> None:
        scratch = Scratch("guest")
        self.places = Places(launch, folder, scratch.path)
        self._sandbox = launch.sandbox
        self._memory_kills = _memory_kills()
        hold, lifeline = None, None
        try:
            lifeline, hold = os.pipe()
            if launch.sandbox == Profile.BUBBLEWRAP:
                folder = opened_to_all(folder, scratch.path / "learnware")
            self.popen = _started(
                launch.words(learnware=folder, scratch=scratch.path, lifeline=lifeline),
                launch.variables(scratch=scratch.path),
                scratch.path,
                lifeline,
            )
        except BaseException:
            scratch.remove()
            if hold is not None:
                os.close(hold)
            raise
        finally:
            if lifeline is not None:
                os.close(lifeline)
        to_guest, from_guest, printed = self.popen.stdin, self.popen.stdout, self.popen.stderr
        if to_guest is None or from_guest is None or printed is None:
            raise AssertionError("three pipes were asked for")
        self.channel = Channel(to_guest.fileno(), from_guest.fileno())
        self._watch = (
            TreeWatch(self.popen.pid, launch.tree_memory, filled_by, partial(_kill, self.popen))
            if launch.tree_memory is not None
            else None
        )
        self._capture = _Capture(printed, settings().guest_output_max_bytes)
        self._finalizer = weakref.finalize(self, _clean_up, os.getpid(), self.popen, hold, scratch)

    def end(self, patience: float) -> Ending:
        """Kill the process and all it started, remove its folder, and tell how it ended.

        One that is ending by itself gets `patience` seconds, so that its own status is told.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(patience)
        if self._watch is not None:
            self._watch.stop()
        status = self.popen.poll()
        if status is not None and status > 128 and self._sandbox == Profile.BUBBLEWRAP:
            status = 128 - status  # Bubblewrap tells a signal as shells do.
        self._finalizer()
        self._capture.wait()
        return Ending(
            status,
            self.last_lines(),
            system_out_of_memory=_memory_kills() > self._memory_kills,
            over_memory=self._watch.limit if self._watch and self._watch.exceeded else None,
        )

    def kill(self) -> None:
        """Kill it and all it started; from any thread, while another one waits for its answer."""
        _kill(self.popen)

    @property
    def tree_peak(self) -> int:
        """The most memory that it and all it started filled together; 0 where nobody looked."""
        return self._watch.peak if self._watch is not None else 0

    def output(self) -> str:
        """Return what was printed until now, up to the limit, with no place of this machine."""
        self._capture.settle()
        return self.places.plain(self._capture.text())

    def last_lines(self) -> str:
        """Return the last printed lines, introduced, or nothing."""
        lines = self.output().strip().splitlines()[-LAST_LINES:]
        return "\nIt last printed:\n" + "\n".join(f"    {line}" for line in lines) if lines else ""


def _started(
    words: list[str], variables: dict[str, str], current: Path, lifeline: int
) -> subprocess.Popen[bytes]:
    """Start a process from a thread that lasts as long as the process does.

    Walls set PR_SET_PDEATHSIG, which kills when the *thread* that started the process ends.
    """
    starting: Future[subprocess.Popen[bytes]] = Future()

    def start_and_stay() -> None:
        try:
            popen = subprocess.Popen(  # noqa: S603 - the words are ours, no shell
                words,
                env=variables,
                cwd=current,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=[lifeline],
                start_new_session=True,
            )
        except BaseException as error:
            starting.set_exception(error)
            return
        starting.set_result(popen)
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)

    threading.Thread(target=start_and_stay, daemon=True).start()
    return starting.result()


class _Capture:
    """Reads what the guest prints, on a thread, and keeps the end of it."""

    def __init__(self, printed: IO[bytes], limit: int) -> None:
        self._printed = printed
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._reading = threading.Lock()
        self._thread = threading.Thread(target=self._read_all, daemon=True)
        self._thread.start()

    def _read_all(self) -> None:
        poll = select.poll()
        poll.register(self._printed, select.POLLIN)
        more = True
        while more:
            poll.poll()
            with self._reading:
                more = self._read_some()
        self._printed.close()

    def _read_some(self) -> bool:
        chunk = self._printed.read(8192)
        self._chunks.append(chunk)
        kept = sum(map(len, self._chunks))
        while kept - len(self._chunks[0]) >= self._limit:
            kept -= len(self._chunks.popleft())
        return bool(chunk)

    def settle(self) -> None:
        """Wait until what the guest has written so far is read, within a second."""
        deadline = time.monotonic() + 1.0
        while self._thread.is_alive() and time.monotonic() < deadline:
            with self._reading:
                if not self._printed.closed and not _waiting_bytes(self._printed):
                    return
            time.sleep(0.001)

    def wait(self) -> None:
        """Wait for the end of the pipe, within a second: a grandchild may still hold it."""
        self._thread.join(1.0)

    def text(self) -> str:
        with self._reading:
            return b"".join(self._chunks)[-self._limit :].decode("utf-8", "replace")


def _memory_kills() -> int:
    """Return how many processes the system has killed for want of memory, where it says so."""
    with contextlib.suppress(OSError), Path("/proc/vmstat").open() as counters:
        for line in counters:
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _waiting_bytes(pipe: IO[bytes]) -> int:
    size = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, size, True)
    return size[0]


def _kill(popen: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)


def _clean_up(owner: int, popen: subprocess.Popen[bytes], hold: int, scratch: Scratch) -> None:
    if os.getpid() != owner:
        return  # A forked copy of us lets go of its copy; the guest is not its to end.
    _kill(popen)
    popen.wait()
    os.close(hold)
    for pipe in (popen.stdin, popen.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    scratch.remove()
