"""Walls around a guest: what is added to the way it is started, and what it then can see.

`confined` turns a `Launch` into one that puts up the walls of a profile first. The walls are put up
by `confine.py`; `seccomp.py` says which system calls are refused. Nothing here ever falls back to
weaker walls: what this machine cannot give is an error.

bubblewrap
    Namespaces of its own for files, processes, users, network and the rest: there is nothing but
    the environment, the learnware (read-only), system libraries and a small temporary folder in
    memory. Needs the program `bwrap`.
landlock
    No program is needed. It reads the same folders where they are, and can write nowhere at all.
    That other files and processes exist is not hidden.
none
    None: a learnware may do whatever we may. For learnwares that you wrote yourself.
"""

from __future__ import annotations

import base64
import ctypes
import os
import shutil
import stat
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime import seccomp
from beimingwu.runtime.launch import Launch
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.tree import can_be_watched

CONFINE = Path(__file__).with_name("confine.py")
#: Where a learnware finds itself, the guest script and its temporary folder in bubblewrap.
INSIDE = MappingProxyType(
    {"{learnware}": "/learnware", "{guest}": "/guest.py", "{scratch}": "/tmp"}  # noqa: S108
)
#: Where the dynamic linker looks; often links to each other.
LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache")
#: Facts about the processor that numerical libraries read, and a process's own numbers.
FACTS = (
    "/sys/devices/system/cpu",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self/status",
    "/proc/self/statm",
)
#: So that joblib, and what is built on it, does in turn what it would do in processes.
_ALONE = MappingProxyType({"JOBLIB_MULTIPROCESSING": "0", "LOKY_MAX_CPU_COUNT": "1"})
#: For the locks of `multiprocessing`, where a learnware may start processes.
SHARED_MEMORY_BYTES = 16 * 1024 * 1024
#: Signals that wait, and timers: the kernel counts them for the user, who may be the host's.
PENDING_SIGNALS = 256
#: Landlock of this version closes every way to write (Linux 6.2).
LANDLOCK_VERSION = 3


class UnconfinedWarning(UserWarning):
    """A stranger's code is about to run with all our rights."""


def confined(
    launch: Launch,
    *,
    readable: Sequence[Path] = (),
    profile: Profile | None = None,
    limits: Limits | None = None,
) -> Launch:
    """Return a launch that puts up walls, then does what `launch` does inside them.

    Parameters
    ----------
    launch
        Its command begins with the path of an interpreter, which may lie in an environment.
    readable
        Files and folders that the guest sees and cannot change, beside the learnware, the
        interpreter with its environment, and the system's libraries.
    profile, limits
        As the settings say where None.

    Raises
    ------
    SandboxUnavailable
        This machine lacks something that the profile needs; the remedy says what.

    Examples
    --------
    >>> from beimingwu.runtime.launch import current_interpreter
    >>> with warnings.catch_warnings(action="ignore"):
    ...     confined(current_interpreter(), profile=Profile.NONE) == current_interpreter()
    True
    """
    profile, limits = profile or Profile.from_settings(), limits or Limits.from_settings()
    if profile is Profile.NONE:
        warnings.warn(
            "The sandbox profile is 'none': a learnware's code runs with all your rights.",
            UnconfinedWarning,
            stacklevel=2,
        )
        return launch
    require_parts(profile, limits)
    folders = [*interpreter_folders(Path(launch.command[0])), *readable]
    words: tuple[str, ...] = (sys.executable, "-I", "-S", "-B", str(CONFINE), str(profile))
    words += ("--lifeline", "{lifeline}", *_limit_words(limits), *_filter_words(profile, limits))
    if profile is Profile.BUBBLEWRAP:
        words += _bubblewrap_words(folders, limits)
        command = tuple(_inside(word) for word in launch.command)
        variables = {name: _inside(value) for name, value in launch.environment.items()}
    else:
        words += _landlock_words(folders)
        command, variables = launch.command, dict(launch.environment)
    variables |= {"PATH": "/usr/bin:/bin", "USER": "guest"}
    variables |= {} if limits.fork else _ALONE
    return replace(
        launch,
        command=(*words, "--", *command),
        environment=MappingProxyType(variables),
        sandbox=str(profile),
        tree_memory=limits.memory if limits.fork else None,
    )


def require_parts(profile: Profile, limits: Limits) -> None:
    """Refuse a profile whose parts this machine lacks; `doctor.require` also tries them.

    Raises
    ------
    SandboxUnavailable
    """
    if sys.platform != "linux" or not seccomp.supports():
        _refuse(
            profile,
            "needs Linux on x86-64 or 64-bit ARM",
            "Run the dock on such a machine.",
            "sandbox.system",
        )
    if profile is Profile.BUBBLEWRAP and bubblewrap() is None:
        _refuse(
            profile,
            "needs the program bwrap, which is not on PATH",
            "Install it: apt-get install bubblewrap, or dnf install bubblewrap.",
            "sandbox.no_bubblewrap",
        )
    if profile is Profile.LANDLOCK and landlock_version() < LANDLOCK_VERSION:
        _refuse(
            profile,
            f"needs Landlock {LANDLOCK_VERSION}; this kernel has {landlock_version() or 'none'}",
            "Use Linux 6.2 or newer with lsm=landlock among its boot options, or bubblewrap.",
            "sandbox.no_landlock",
        )
    if profile is Profile.LANDLOCK and limits.fork:
        _refuse(
            profile,
            "cannot end processes that a learnware starts",
            "Unset BEIMINGWU_GUEST_FORK, or use bubblewrap.",
            "sandbox.fork",
        )
    if limits.fork and not can_be_watched():
        _refuse(
            profile,
            "cannot limit the memory of processes that a learnware starts: this kernel does not "
            "say which they are",
            "Unset BEIMINGWU_GUEST_FORK, or use a kernel with CONFIG_PROC_CHILDREN.",
            "sandbox.fork",
        )


def bubblewrap() -> str | None:
    """Return the path of bubblewrap's program, links followed, or None."""
    found = shutil.which("bwrap")
    return str(Path(found).resolve()) if found is not None else None


def landlock_version() -> int:
    """Return the version of Landlock in this kernel; 0 where there is none.

    Examples
    --------
    >>> landlock_version() >= 0
    True
    """
    if sys.platform != "linux":
        return 0
    return max(int(ctypes.CDLL(None).syscall(444, None, 0, 1)), 0)


def interpreter_folders(python: Path) -> tuple[Path, ...]:
    """Return what an interpreter needs to be seen: its environment and its standard library.

    Parameters
    ----------
    python
        The program; links are followed one by one, since each has to exist inside the walls.

    Examples
    --------
    >>> Path(sys.prefix) in interpreter_folders(Path(sys.executable))
    True
    """
    found: dict[Path, None] = {}
    program = Path(os.path.abspath(python))  # noqa: PTH100 - resolve() would follow the links
    while True:
        found |= dict.fromkeys(_installation(program))
        if not program.is_symlink():
            return tuple(found)
        program = Path(os.path.normpath(program.parent / program.readlink()))


def opened_to_all(folder: Path, into: Path) -> Path:
    """Return a folder of the same content that every user may read: itself, where that is so.

    Root's guests run as users who own nothing, and a learnware's folder may be root's alone.

    Parameters
    ----------
    folder
        A learnware's.
    into
        Where a copy is made, if one is; files that all may read are linked rather than copied.
    """
    if os.geteuid() != 0 or _open_to_all(folder):
        return folder
    into.mkdir()
    into.chmod(0o755)
    for entry in sorted(folder.rglob("*")):
        target = into / entry.relative_to(folder)
        if entry.is_symlink():
            target.symlink_to(entry.readlink())
        elif entry.is_dir():
            target.mkdir()
            target.chmod(0o755)
        elif entry.is_file():
            _link_or_copy(entry, target)
    return into


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        if source.stat().st_mode & stat.S_IROTH:
            target.hardlink_to(source)
            return
    except OSError:
        pass  # Another file system.
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _open_to_all(folder: Path) -> bool:
    everything = [folder, *(entry for entry in folder.rglob("*") if not entry.is_symlink())]
    wanted = {True: stat.S_IROTH | stat.S_IXOTH, False: stat.S_IROTH}
    return all(
        entry.stat().st_mode & wanted[entry.is_dir()] == wanted[entry.is_dir()]
        for entry in everything
    )


def _limit_words(limits: Limits) -> tuple[str, ...]:
    named = {
        "AS": limits.memory,
        "NPROC": limits.threads,
        "FSIZE": limits.file,
        "NOFILE": limits.open_files,
        "CPU": limits.cpu,
        "CORE": 0,
        "SIGPENDING": PENDING_SIGNALS,
    }
    return tuple(word for name, most in named.items() for word in ("--limit", name, str(most)))


def _filter_words(profile: Profile, limits: Limits) -> tuple[str, ...]:
    refusals = [*seccomp.DOORS]
    refusals += [] if limits.fork else seccomp.FORKING
    refusals += seccomp.NEIGHBOURS if profile is Profile.LANDLOCK else ()
    return ("--filter", base64.b64encode(seccomp.assemble(refusals)).decode())


def _bubblewrap_words(folders: Iterable[Path], limits: Limits) -> tuple[str, ...]:
    program = bubblewrap() or ""
    words: tuple[str, ...] = (
        "--bwrap",
        program,
        "--scratch",
        INSIDE["{scratch}"],
        str(limits.scratch),
    )
    if limits.fork:
        words += ("--scratch", "/dev/shm", str(SHARED_MEMORY_BYTES))  # noqa: S108 - inside
    for library in map(Path, LIBRARIES):
        if library.is_symlink():
            words += ("--link", str(library.readlink()), str(library))
        elif library.exists():
            words += ("--see", str(library), str(library))
    for source, place in _views(folders):
        _require_open(source)
        words += ("--see", str(source), str(place))
    for name in ("{learnware}", "{guest}"):
        words += ("--see", name, INSIDE[name])
    return words


def _landlock_words(folders: Iterable[Path]) -> tuple[str, ...]:
    seen = [*(source for source, _ in _views(folders)), *map(Path, (*LIBRARIES, *FACTS))]
    sources = [*(str(path) for path in seen if path.exists()), "{learnware}", "{guest}"]
    return tuple(word for source in sources for word in ("--see", source, source))


def _views(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield what to show and where, outer folders first: a link and what it leads to."""
    wanted: dict[Path, Path] = {}
    for path in paths:
        wanted |= {Path(os.path.abspath(path)): path.resolve(), path.resolve(): path.resolve()}  # noqa: PTH100
    for place in sorted(wanted, key=lambda path: len(path.parts)):
        source = wanted[place]
        if source == place and any(parent in wanted for parent in place.parents):
            continue  # It is seen with its folder.
        if source == place and any(str(parent) in LIBRARIES for parent in place.parents):
            continue
        yield source, place


def _installation(program: Path) -> Iterator[Path]:
    """Yield the folders of the installation that a program lies in."""
    prefix = program.parent.parent
    settings = prefix / "pyvenv.cfg"
    if settings.is_file():
        yield prefix
        for line in settings.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                yield from _installation(Path(value.strip()) / "python3")
    elif prefix in (Path("/"), Path("/usr"), Path("/usr/local")):
        # The system's own: its libraries and the one program, not every program and all of /usr.
        yield from (path for path in (program, prefix / "lib", prefix / "lib64") if path.exists())
    else:
        yield prefix


def _require_open(path: Path) -> None:
    """Refuse a folder that root's guests, who run as users of their own, could not read."""
    wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    if os.geteuid() == 0 and path.stat().st_mode & wanted != wanted:
        raise SandboxUnavailable(
            f"{str(path)!r} can be read by its owner only, and a guest runs as another user.",
            remedy=f"Open it: chmod -R o+rX {path}",
            code="sandbox.unreadable",
        )


def _inside(word: str) -> str:
    for place, path in INSIDE.items():
        word = word.replace(place, path)
    return word


def _refuse(profile: Profile, problem: str, remedy: str, code: str) -> None:
    raise SandboxUnavailable(
        f"The sandbox profile {str(profile)!r} {problem}.", remedy=remedy, code=code
    )
