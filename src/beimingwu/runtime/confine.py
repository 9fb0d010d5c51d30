"""Puts up the walls around a guest, and becomes the guest: a stand-alone script, run by its path.

Standard library only, and our own interpreter, since what is inside the walls is a stranger's.
`sandbox.py` makes its words: `confine.py PROFILE OPTION… -- COMMAND…`. It turns into the command
itself, or stays beside bubblewrap to end it with us.

Every guest waits for it, so it does without `pathlib`, `dataclasses` and `typing`: importing them
would take three times as long as all that it does.
"""

from __future__ import annotations

import binascii
import ctypes
import os
import resource
import select
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

#: What the process ends with when a wall cannot be put up.
NO_WALL = 97
#: How many words follow each option.
OPTIONS = {"lifeline": 1, "limit": 2, "filter": 1, "bwrap": 1, "see": 2, "link": 2, "scratch": 2}
#: A user of nobody, one for each guest: above the ranges that systemd gives away.
FIRST_USER = 0x70000000
NOBODY = 65534
#: The user inside bubblewrap's namespace.
INSIDE_USER = "1000"
#: Tasks around the guest: those of bubblewrap itself, and the one beside it.
BUBBLEWRAP_TASKS = 4
#: Must be what `seccomp.OWN_PID` is; that module is not within this script's reach.
OWN_PID = 0x7FFFFFF1
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


class Plan:
    """The words of the command line, sorted."""

    def __init__(self) -> None:
        self.lifeline = -1
        self.bwrap = ""
        self.filter = b""
        self.limits: dict[str, int] = {}
        self.see: list[tuple[str, str]] = []
        self.links: list[tuple[str, str]] = []
        self.scratch: list[tuple[str, int]] = []
        self.command: list[str] = []


def main(words: list[str]) -> NoReturn:
    """Put up the walls of a profile and become the command; never returns."""
    try:
        plan = parse(words[1:])
        {"bubblewrap": bubblewrap, "landlock": landlock}[words[0]](plan)
    except OSError as error:
        os.write(2, f"confine: {error}\n".encode())
    os._exit(NO_WALL)


def parse(words: list[str]) -> Plan:
    """Sort the words."""
    plan = Plan()
    at = 0
    while words[at] != "--":
        name = words[at].removeprefix("--")
        given = words[at + 1 : at + 1 + OPTIONS[name]]
        at += 1 + OPTIONS[name]
        if name == "lifeline":
            plan.lifeline = int(given[0])
        elif name == "bwrap":
            plan.bwrap = given[0]
        elif name == "filter":
            plan.filter = binascii.a2b_base64(given[0])
        elif name == "limit":
            plan.limits[given[0]] = int(given[1])
        elif name == "see":
            plan.see.append((given[0], given[1]))
        elif name == "link":
            plan.links.append((given[0], given[1]))
        else:
            plan.scratch.append((given[0], int(given[1])))
    plan.command = words[at + 1 :]
    return plan


# --- bubblewrap


def bubblewrap(plan: Plan) -> None:
    """Start bubblewrap, which makes namespaces of everything, as a user who is not root."""
    others = 0
    if os.geteuid() == 0:
        plan.see = staged(plan.see)
        become(private_user())
    else:
        others = tasks_of(os.getuid())
    words = bubblewrap_words(plan, inherited(plan.filter))
    plan.limits["NPROC"] += others + BUBBLEWRAP_TASKS
    limit(plan.limits)
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    started = os.fork()
    if started:
        stay_beside(started, plan.lifeline)
    end_with_parent(plan.lifeline)
    os.execv(plan.bwrap, words)  # noqa: S606 - no shell, the words are ours


def stay_beside(started: int, lifeline: int) -> NoReturn:
    """Wait for the end of bubblewrap and end like it; kill our whole group when the host is gone.

    For a moment bubblewrap has a process that waits for its maker and does not yet die with it.
    That one is the first of its namespace: only what is sent from outside, as here, ends it.
    """
    # Not every Python has os.pidfd_open; the number is the same on every processor.
    ending = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_OPEN, started, 0)
    checked(ending, "pidfd_open")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):  # The host is to see the guest close them.
        os.dup2(nothing, number)
    poll = select.poll()
    poll.register(ending, select.POLLIN)
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    if ending not in dict(poll.poll()):
        os.killpg(os.getpgrp(), 9)
    _, status = os.waitpid(started, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)  # A signal as bubblewrap tells it.


def bubblewrap_words(plan: Plan, filter_descriptor: int) -> list[str]:
    """Return bubblewrap's command line: nothing is there but what is named."""
    words = [plan.bwrap, "--unshare-all", "--uid", INSIDE_USER, "--gid", INSIDE_USER]
    words += ["--hostname", "guest", "--die-with-parent", "--cap-drop", "ALL"]
    words += ["--seccomp", str(filter_descriptor), "--proc", "/proc", "--dev", "/dev"]
    for place, size in plan.scratch:
        words += ["--size", str(size), "--tmpfs", place]
    for target, place in plan.links:
        words += ["--symlink", target, place]
    for source, place in plan.see:
        words += ["--ro-bind", source, place]
    # Both are memory without a limit; a mount on top of them stays as it is.
    words += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*words, "--chdir", plan.scratch[0][0], "--", *plan.command]


def staged(see: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """As root, mount what the guest may see where a user may go: its folders may be root's alone.

    The mounts are in a namespace of this process, so that nobody else ever sees them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.unshare(_CLONE_NEWNS), "making a mount namespace")
    checked(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount namespace")
    opened = [(os.open(source, os.O_PATH), os.path.isdir(source)) for source, _ in see]
    checked(
        libc.mount(b"tmpfs", b"/tmp", b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=755,size=1m"),
        "mounting a tmpfs",
    )
    sources = []
    for number, (descriptor, is_folder) in enumerate(opened):
        place = f"/tmp/{number}"  # noqa: S108 - the tmpfs above
        os.mkdir(place) if is_folder else os.mknod(place)
        source = f"/proc/self/fd/{descriptor}".encode()
        bound = libc.mount(source, place.encode(), None, _MS_BIND | _MS_REC, None)
        checked(bound, f"mounting {see[number][0]}")
        os.close(descriptor)
        sources.append(place)
    return [(source, place) for source, (_, place) in zip(sources, see, strict=True)]


def inherited(content: bytes) -> int:
    """Return a descriptor to read `content` from, which the next program inherits."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    os.set_inheritable(reading, True)
    return reading


def tasks_of(user: int) -> int:
    """Return how many threads a user has now: where the kernel counts them with the guest's."""
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(f"{entry.path}/task"))
        except OSError:
            continue  # It has ended meanwhile.
    return count


# --- Landlock


def landlock(plan: Plan) -> None:
    """Give up everything but reading what is named, then become the command."""
    libc = ctypes.CDLL(None, use_errno=True)
    ruleset = landlock_ruleset(libc, [source for source, _ in plan.see])
    if os.geteuid() == 0:
        become(private_user(), keep_reading=libc)
    else:
        plan.limits["NPROC"] += tasks_of(os.getuid())
    limit(plan.limits)
    end_with_parent(plan.lifeline)
    checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    checked(libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)
    program = with_own_pid(plan.filter)
    instructions = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    checked(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0), "seccomp")
    os.execve(plan.command[0], plan.command, dict(os.environ))  # noqa: S606 - as above


def landlock_ruleset(libc: ctypes.CDLL, readable: list[str]) -> int:
    """Return the descriptor of rules that allow reading these paths and writing nothing."""
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 3:
        raise OSError(f"Landlock 3 is needed (Linux 6.2); this kernel has {max(version, 0)}")
    files = _ACCESS_3 | (_ACCESS_5 if version >= 5 else 0)
    network = _NET_4 if version >= 4 else 0
    scope = _SCOPE_6 if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("QQQ", files, network, scope)[:size]
    ruleset: int = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    checked(ruleset, "landlock_create_ruleset")
    for path in readable:
        allow(libc, ruleset, path, _READ_FOLDER if os.path.isdir(path) else _READ_FILE)
    for path in DEVICES:
        allow(libc, ruleset, path, _DEVICE & files)
    return ruleset


def allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> None:
    """Allow these accesses beneath a path."""
    descriptor = os.open(path, os.O_PATH)
    rule = struct.pack("=Qi", access, descriptor)
    checked(libc.syscall(_ADD_RULE, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
    os.close(descriptor)


def with_own_pid(program: bytes) -> bytes:
    """Put this process's number where the program has a place for it."""
    instructions = struct.iter_unpack("<HBBI", program)
    return b"".join(
        struct.pack("<HBBI", code, yes, no, os.getpid() if value == OWN_PID else value)
        for code, yes, no, value in instructions
    )


# --- what both do


def private_user() -> int:
    """Return a user that nobody is: this process's number makes it unique among the living.

    In a container whose users are few, it is `nobody`.
    """
    wanted = FIRST_USER + os.getpid()
    with open("/proc/self/uid_map") as users:
        for line in users:
            first, _, count = map(int, line.split())
            if first <= wanted < first + count:
                return wanted
    return NOBODY


def become(user: int, *, keep_reading: ctypes.CDLL | None = None) -> None:
    """Stop being root.

    With Landlock, the right to read files whoever owns them is kept, since the rules already say
    which those are.
    """
    libc = keep_reading
    if libc is not None:
        checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "keeping a capability")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if libc is not None:
        header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
        only = struct.pack("IIIIII", *(3 * [1 << _CAP_DAC_READ_SEARCH]), 0, 0, 0)
        checked(libc.capset(header, only), "capset")
        ambient = libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
        checked(ambient, "keeping a capability")


def limit(limits: dict[str, int]) -> None:
    """Set resource limits by their names, so that they cannot be raised again."""
    for name, most in limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(number)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # A moment between the two, so that the end by CPU time has a signal of its own.
        resource.setrlimit(number, (most, most + 5 if name == "CPU" and most != hard else most))


def end_with_parent(lifeline: int) -> None:
    """Be killed when the thread that started us ends; end now if it already has."""
    checked(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "PR_SET_PDEATHSIG")
    poll = select.poll()
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    if poll.poll(0):
        os._exit(0)


def checked(returned: int, doing: str) -> None:
    """Raise what the last call of the C library says went wrong."""
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)} ({doing})")


_CLONE_NEWNS = 0x00020000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 0x1000, 0x4000, 0x40000
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 1, 8, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION_3, _CAP_DAC_READ_SEARCH = 0x20080522, 2
#: The same numbers on every processor.
_PIDFD_OPEN = 434
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
#: Landlock's rights over files: all of version 3, and of version 5 the control of devices.
_ACCESS_3, _ACCESS_5 = 0x7FFF, 0x8000
_NET_4, _SCOPE_6 = 0x3, 0x3
_READ_FILE, _READ_FOLDER = 0b0101, 0b1101
_DEVICE = 0b0110 | _ACCESS_5


if __name__ == "__main__":
    main(sys.argv[1:])
