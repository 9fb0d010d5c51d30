"""uv, run as a process that is bounded in time, tied to our life, and told everything by us.

No configuration file and no variable reaches it but those that an operator sets for package
indexes: what a learnware brings cannot change where packages come from. Used by `lock.py` and
`environment.py`; the only module that starts installing processes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

from beimingwu.config import MiB, Settings, settings
from beimingwu.errors import EnvironmentFailed, SandboxUnavailable
from beimingwu.runtime.cancellation import Cancellation
from beimingwu.runtime.gate import NO_WALL
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.tree import TreeWatch, written_by
from beimingwu.runtime.trial import mend

OnLine = Callable[[str], None]
#: Puts a command behind walls: given its words and the folders it may write, returns the words.
Confine = Callable[[tuple[str, ...], tuple[Path, ...]], tuple[str, ...]]

#: What an operator may set for uv itself; anything else of UV_* could undo our rules.
_UV_VARIABLES = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INDEX_STRATEGY|"
    r"INDEX_\w+_(USERNAME|PASSWORD)|KEYRING_PROVIDER|TORCH_BACKEND|OFFLINE|HTTP_\w+|"
    r"REQUEST_TIMEOUT|CONCURRENT_\w+|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|EXCLUDE_NEWER|LINK_MODE)"
)
_SYSTEM_VARIABLES = re.compile(
    r"PATH|HOME|LANG|TMPDIR|NETRC|SYSTEMROOT|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)|"
    r"(HTTP|HTTPS|ALL|NO)_PROXY",
    re.IGNORECASE,
)
#: Starts a command that the kernel ends when we die; our thread waits for it, so it outlives
#: neither. In a process of its own, since what runs between fork and exec may lock up a thread.
_TIED = """
import os, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|Request failed|could not be queried|"
    r"dns error|Could not connect|operation timed out|Network connectivity is disabled",
)
_NOT_CACHED = re.compile(
    r"not found in the cache|wasn't found in the cache|network was disabled|"
    r"Network connectivity is disabled"
)
_LOG_LINES = 400
#: What installing may write for each byte that an environment may have: a package is written into
#: the cache, and where links cannot be had into the environment as well.
WRITTEN_PER_BYTE = 2
#: What it may write beside that: what indexes answered, and logs.
WRITTEN_BESIDE = 64 * MiB
_CLEANING_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its status, and what it printed."""

    status: int
    text: str

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was to do."""
        return self.status == 0

    @property
    def has_no_solution(self) -> bool:
        """Whether it failed because no versions fit, and nothing else went wrong."""
        return not self.succeeded and "No solution found" in self.text

    @property
    def is_unreachable(self) -> bool:
        """Whether it failed because an index did not answer."""
        return not self.succeeded and _UNREACHABLE.search(self.text) is not None

    @property
    def is_not_cached(self) -> bool:
        """Whether it failed because it may use no network, and the cache has not got it."""
        return not self.succeeded and _NOT_CACHED.search(self.text) is not None

    @property
    def explanation(self) -> str:
        """The reason it gave, on one line."""
        told = re.split(r"\n\s*hint:", self.text)[0]
        _, found, cause = told.partition("cause:")
        line = " ".join((cause if found else told).split())
        return line if len(line) <= 800 else f"{line[:799]}…"


def unconfined(command: tuple[str, ...], writable: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the command as it is: wheels are unpacked, and nothing of theirs is run."""
    return command


@dataclass(frozen=True)
class Installer:
    """How packages are looked up and installed.

    Parameters
    ----------
    cache
        The folder of uv's cache.
    indexes
        The words that tell uv where packages come from.
    offline
        Whether only what is in the cache is used.
    link_mode
        How files come from the cache into an environment.
    confine
        Puts every command behind walls.
    cancellation
        Ends what runs from another thread.

    Examples
    --------
    >>> from beimingwu.config import Settings
    >>> configured(Settings(find_links="/wheels", no_index=1)).indexes
    ('--no-index', '--find-links', '/wheels')
    """

    cache: Path
    indexes: tuple[str, ...] = ()
    offline: bool = False
    link_mode: str = "hardlink"
    confine: Confine = field(default=unconfined, compare=False)
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """All that decides where packages come from, the operator's variables included."""
        variables = sorted(_variables().items())
        return (*self.indexes, *(f"{k}={v}" for k, v in variables if k.startswith("UV_")))

    @property
    def bytecode(self) -> Path:
        """Where modules that were compiled are kept: beside uv's own, since links need one disk."""
        return self.cache / "beimingwu-bytecode"

    def forget(self, packages: Sequence[str] = ()) -> None:
        """Remove packages from the cache; all where none is named.

        What is in an environment stays there. Another process that installs is waited for.

        Raises
        ------
        EnvironmentFailed
            As `uv`.
        """
        self.uv(("cache", "clean", "--quiet", *packages), seconds=_CLEANING_SECONDS)

    def uv(
        self,
        words: Sequence[str],
        *,
        seconds: float,
        writable: Sequence[Path] = (),
        offline: bool | None = None,
        keep: Sequence[int] = (),
        on_line: OnLine | None = None,
    ) -> Outcome:
        """Run uv and return how it ended.

        Parameters
        ----------
        words
            What follows `uv`.
        writable
            The folders that it writes beside its cache.
        offline
            Whether it may use no network; as configured where None.
        keep
            Descriptors that stay open in it, so that a lock lasts until it has ended.

        Raises
        ------
        EnvironmentFailed
            It took longer than `seconds`, was called off, or there is no uv
            (`environment.timed_out`, `.cancelled`, `.no_uv`).
        SandboxUnavailable
            This machine refuses the walls that installing is behind.
        """
        shut = self.offline if offline is None else offline
        self.cache.mkdir(parents=True, exist_ok=True)
        command = (
            *(_uv(), *words, "--no-config", "--no-progress", "--color", "never"),
            *("--cache-dir", str(self.cache), "--no-python-downloads"),
            *(("--offline",) if shut else ()),
        )
        try:
            return self.run(
                command,
                seconds=seconds,
                writable=(self.cache, *writable),
                keep=keep,
                on_line=on_line,
            )
        except EnvironmentFailed:
            # Ended before its time: what it was unpacking would stay in the cache for ever.
            if words[0] != "cache":
                with suppress(EnvironmentFailed, SandboxUnavailable):
                    self.uv(("cache", "prune", "--quiet"), seconds=_CLEANING_SECONDS)
            raise

    def run(
        self,
        command: Sequence[str],
        *,
        seconds: float,
        writable: Sequence[Path],
        keep: Sequence[int] = (),
        on_line: OnLine | None = None,
    ) -> Outcome:
        """Run a command behind the walls, tied to our life, and return how it ended.

        Raises
        ------
        EnvironmentFailed, SandboxUnavailable
            As `uv`.
        """
        words = self.confine(tuple(command), tuple(writable))
        tied = (sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *words)
        lines: deque[str] = deque(maxlen=_LOG_LINES)
        most = WRITTEN_PER_BYTE * settings().environment_max_bytes + WRITTEN_BESIDE
        with (
            _started(tied, keep) as process,
            _ended_after(process, seconds) as late,
            _ended_beyond(process, most) as written,
            self.cancellation.ending(partial(_kill, process)),
        ):
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            for raw in process.stdout:
                lines.append(line := raw.rstrip()[:2000])
                if on_line is not None and line:
                    on_line(line)
            status = process.wait()
        if self.cancellation.cancelled:
            raise EnvironmentFailed(
                "Installing was called off.", remedy="Try again.", code="environment.cancelled"
            )
        if late.is_set():
            raise EnvironmentFailed(
                f"Installing took longer than {seconds:.0f} s and was ended.",
                remedy="Try again; if it stays so, ask for fewer packages, or let the operator "
                "raise BEIMINGWU_ENVIRONMENT_BUILD_SECONDS.",
                code="environment.timed_out",
            )
        if written.exceeded:
            raise EnvironmentFailed(
                f"Installing wrote {written.peak // MiB:,} MiB and was ended; {most // MiB:,} MiB "
                "are allowed.",
                remedy="Ask for fewer or smaller packages, or let the operator raise "
                "BEIMINGWU_ENVIRONMENT_MAX_BYTES.",
                code="environment.too_large",
            )
        if status == NO_WALL:
            _refuse_walls(lines[-1] if lines else "it said nothing")
        return Outcome(status, "\n".join(lines))


def configured(given: Settings | None = None, *, confine: Confine = unconfined) -> Installer:
    """Return the installer that the settings describe.

    Examples
    --------
    >>> configured().link_mode
    'hardlink'
    """
    current = given or settings()
    index = ("--default-index", current.index_url) if current.index_url else ()
    extra = (word for url in current.extra_index_url.split() for word in ("--index", url))
    links = (word for place in _places(current.find_links) for word in ("--find-links", place))
    own = Path(current.cache) / "uv"
    return Installer(
        cache=Path(current.uv_cache or os.environ.get("UV_CACHE_DIR") or own).absolute(),
        indexes=(*(("--no-index",) if current.no_index else ()), *index, *extra, *links),
        offline=bool(current.offline),
        link_mode=os.environ.get("UV_LINK_MODE", "hardlink"),
        confine=confine,
    )


def _places(text: str) -> Iterator[str]:
    """Yield folders and addresses; folders made absolute, since uv runs in another one."""
    for place in text.split():
        yield place if "://" in place else str(Path(place).expanduser().absolute())


def _uv() -> str:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        raise EnvironmentFailed(
            "There is no uv beside beimingwu, which makes the environments of learnwares.",
            remedy="Install it into the same environment: pip install uv.",
            code="environment.no_uv",
        ) from None


def _refuse_walls(said: str) -> NoReturn:
    """The machine lacks something, whatever a learnware asks for."""
    raise SandboxUnavailable(
        f"Packages are installed inside bubblewrap, which this machine refuses: {said}",
        remedy=mend(Profile.BUBBLEWRAP, said),
        code="sandbox.refused",
    )


def _variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if _UV_VARIABLES.fullmatch(name) or _SYSTEM_VARIABLES.fullmatch(name)
    }


@contextmanager
def _started(words: Sequence[str], keep: Sequence[int]) -> Iterator[subprocess.Popen[str]]:
    """Start a process; kill it and all that it started on the way out."""
    process = subprocess.Popen(  # noqa: S603 - our words, no shell
        words,
        cwd="/",  # No project of anybody's lies here or above.
        env=_variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        pass_fds=tuple(keep),
    )
    try:
        yield process
    finally:
        _kill(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def _ended_after(process: subprocess.Popen[str], seconds: float) -> Iterator[threading.Event]:
    """Kill the process after `seconds`; the event tells whether that was so."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


@contextmanager
def _ended_beyond(process: subprocess.Popen[str], most: int) -> Iterator[TreeWatch]:
    """Kill the process when it has written more: a small package may unpack to a full disk."""
    watch = TreeWatch(process.pid, most, written_by, partial(_kill, process))
    try:
        yield watch
    finally:
        watch.stop()


def _kill(process: subprocess.Popen[str]) -> None:
    """End the process group, while its number is still ours."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
