"""System calls that a learnware may not make, and the kernel's filter program that says so.

The rules are data; `assemble` turns them into the classic BPF program that seccomp takes, for
x86-64 and 64-bit ARM. A refused call fails with an error, as for a user without the right, so that
a library that only tries goes on; a call by another machine's convention ends the process.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: Stands in a program for the process's own number, which is known only when it starts.
OWN_PID = 0x7FFFFFF1
#: Calls numbered from here on are unknown to this table, and so to the filter: there are none.
FIRST_UNKNOWN = 463


@dataclass(frozen=True)
class Only:
    """Refuse only when the low half of an argument does (or does not) stand in a test.

    Parameters
    ----------
    argument
        Its place, from 0.
    test
        "is" one of `values`; "is not" any of them; "has" a bit of the first; "lacks" all its bits.
    values
        Numbers of 32 bits.
    """

    argument: int
    test: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Refusal:
    """One call that fails with `error`, always or under one condition."""

    call: str
    error: int = errno.EPERM
    only: Only | None = None


_NAMESPACES = 0x7E020080
_THREAD = 0x00010000
_PR_SET_PDEATHSIG = 1
_AF_UNIX = 1
_TERMINAL_TRICKS = (0x5412, 0x541C, 0x5423)  # TIOCSTI, TIOCLINUX, TIOCSETD
_SIGNAL_OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
_LARGER_QUEUES = (7, 32)  # SO_SNDBUF, SO_SNDBUFFORCE: what is queued is the kernel's memory.
_HOLDS_ON_FILES = (1024, 1026)  # F_SETLEASE, F_NOTIFY: whoever opens the file waits for the lease.


def _refused(calls: str, error: int = errno.EPERM) -> tuple[Refusal, ...]:
    return tuple(Refusal(call, error) for call in calls.split())


#: Doors into the kernel, other processes and namespaces; network; memory that no limit counts.
DOORS = (
    *_refused("ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp"),
    *_refused("pidfd_open pidfd_getfd pidfd_send_signal move_pages migrate_pages"),
    *_refused("bpf perf_event_open userfaultfd keyctl add_key request_key syslog lookup_dcookie"),
    *_refused("io_uring_setup io_uring_enter io_uring_register io_setup", errno.ENOSYS),
    *_refused("unshare setns mount umount2 pivot_root chroot move_mount open_tree mount_setattr"),
    *_refused("fsopen fsconfig fsmount fspick statmount listmount"),
    *_refused("name_to_handle_at open_by_handle_at fanotify_init fanotify_mark mknod mknodat"),
    *_refused("kexec_load kexec_file_load init_module finit_module delete_module reboot swapon"),
    *_refused("swapoff acct quotactl quotactl_fd sethostname setdomainname vhangup nfsservctl"),
    *_refused("settimeofday clock_settime clock_adjtime adjtimex iopl ioperm modify_ldt uselib"),
    *_refused("ustat sysfs _sysctl personality"),
    *_refused("memfd_create memfd_secret shmget semget msgget mq_open"),
    *_refused("socket"),
    Refusal("socketpair", only=Only(0, "is not", (_AF_UNIX,))),
    Refusal("setsockopt", only=Only(2, "is", _LARGER_QUEUES)),
    Refusal("clone3", errno.ENOSYS),  # Its flags lie where a filter cannot read; clone's do not.
    Refusal("clone", only=Only(0, "has", (_NAMESPACES,))),
    Refusal("prctl", only=Only(0, "is", (_PR_SET_PDEATHSIG,))),
    Refusal("ioctl", only=Only(1, "is", _TERMINAL_TRICKS)),
    Refusal("fcntl", only=Only(1, "is", _HOLDS_ON_FILES)),
    # Watches are counted for the user, and are few: the host and other guests need them too.
    *_refused("inotify_init inotify_init1 inotify_add_watch"),
)
#: Starting another process; threads are none.
FORKING = (*_refused("fork vfork"), Refusal("clone", only=Only(0, "lacks", (_THREAD,))))
#: What reaches neighbours and files where no namespace hides them.
NEIGHBOURS = (
    Refusal("kill", only=Only(0, "is not", (OWN_PID,))),
    Refusal("tgkill", only=Only(0, "is not", (OWN_PID,))),
    Refusal("rt_sigqueueinfo", only=Only(0, "is not", (OWN_PID,))),
    Refusal("rt_tgsigqueueinfo", only=Only(0, "is not", (OWN_PID,))),
    Refusal("prlimit64", only=Only(0, "is not", (0, OWN_PID))),
    Refusal("sched_setaffinity", only=Only(0, "is not", (0, OWN_PID))),
    Refusal("fcntl", only=Only(1, "is", _SIGNAL_OWNERS)),
    *_refused("tkill sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set"),
    *_refused("chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes"),
    *_refused("utimensat futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr"),
    *_refused("fremovexattr"),
)


@dataclass(frozen=True)
class _Machine:
    """A processor: how the kernel names it, and where its calls stand in `_NUMBERS`."""

    audit: int
    column: int


_MACHINES: Mapping[str, _Machine] = MappingProxyType(
    {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}
)


def supports(machine: str | None = None) -> bool:
    """Whether there is a table of calls for a processor, by default this machine's.

    Examples
    --------
    >>> supports("x86_64"), supports("pdp11")
    (True, False)
    """
    return (machine or platform.machine()) in _MACHINES


def number_of(call: str, machine: str | None = None) -> int | None:
    """Return the number of a call of the table, or None where the machine has no such call.

    Examples
    --------
    >>> number_of("ptrace", "x86_64"), number_of("fork", "aarch64")
    (101, None)
    """
    return _NUMBERS[call][_MACHINES[machine or platform.machine()].column]


def names() -> tuple[str, ...]:
    """Return every call that the table knows.

    Examples
    --------
    >>> "ptrace" in names()
    True
    """
    return tuple(_NUMBERS)


def assemble(refusals: Iterable[Refusal], machine: str | None = None) -> bytes:
    """Return the filter program that makes these calls fail and lets all others be.

    Parameters
    ----------
    refusals
        In any order; where several hold for one call, the first.
    machine
        As `platform.machine()` names it; this one by default.

    Examples
    --------
    >>> len(assemble([Refusal("ptrace")], "x86_64")) // 8
    9
    """
    processor = _MACHINES[machine or platform.machine()]
    program = [
        _op(_LOAD, _ARCHITECTURE),
        _op(_EQUAL, processor.audit, yes=1),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
        _op(_AT_LEAST, FIRST_UNKNOWN, no=1),
        _op(_RETURN, _FAIL | errno.ENOSYS),
    ]
    for refusal in refusals:
        number = _NUMBERS[refusal.call][processor.column]
        if number is not None:
            program += _refuse(refusal, number)
    return b"".join([*program, _op(_RETURN, _ALLOW)])


def _refuse(refusal: Refusal, number: int) -> list[bytes]:
    """Return the part for one call; the number of the call is loaded before it and after it."""
    refuse = _op(_RETURN, _FAIL | refusal.error)
    if refusal.only is None:
        return [_op(_EQUAL, number, no=1), refuse]
    part = [*_condition(refusal.only), refuse, _op(_LOAD, _NUMBER)]
    return [_op(_EQUAL, number, no=len(part)), *part]


def _condition(only: Only) -> list[bytes]:
    """Return a part that goes on to the next instruction to refuse, else over it."""
    load, values = _op(_LOAD, _ARGUMENTS + 8 * only.argument), only.values
    if only.test == "has":
        return [load, _op(_ANY_BIT, values[0], no=1)]
    if only.test == "lacks":
        return [load, _op(_ANY_BIT, values[0], yes=1)]
    left = range(len(values) - 1, -1, -1)
    if only.test == "is not":
        return [
            load,
            *(_op(_EQUAL, value, yes=n + 1) for value, n in zip(values, left, strict=True)),
        ]
    *others, last = values
    jumps = [_op(_EQUAL, value, yes=n) for value, n in zip(others, left, strict=False)]
    return [load, *jumps, _op(_EQUAL, last, no=1)]


_LOAD, _RETURN = 0x20, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


def _op(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction: a jump skips `yes` or `no` of those that follow it."""
    return struct.pack("<HBBI", code, yes, no, value)


#: The number of each call on x86-64 and on 64-bit ARM; None where the machine has no such call.
_NUMBERS: Mapping[str, tuple[int | None, int | None]] = MappingProxyType(
    {
        "_sysctl": (156, None),
        "acct": (163, 89),
        "add_key": (248, 217),
        "adjtimex": (159, 171),
        "bpf": (321, 280),
        "chmod": (90, None),
        "chown": (92, None),
        "chroot": (161, 51),
        "clock_adjtime": (305, 266),
        "clock_settime": (227, 112),
        "clone": (56, 220),
        "clone3": (435, 435),
        "delete_module": (176, 106),
        "fanotify_init": (300, 262),
        "fanotify_mark": (301, 263),
        "fchmod": (91, 52),
        "fchmodat": (268, 53),
        "fchmodat2": (452, 452),
        "fchown": (93, 55),
        "fchownat": (260, 54),
        "fcntl": (72, 25),
        "finit_module": (313, 273),
        "fork": (57, None),
        "fremovexattr": (199, 16),
        "fsconfig": (431, 431),
        "fsetxattr": (190, 7),
        "fsmount": (432, 432),
        "fsopen": (430, 430),
        "fspick": (433, 433),
        "futimesat": (261, None),
        "init_module": (175, 105),
        "inotify_add_watch": (254, 27),
        "inotify_init": (253, None),
        "inotify_init1": (294, 26),
        "io_setup": (206, 0),
        "io_uring_enter": (426, 426),
        "io_uring_register": (427, 427),
        "io_uring_setup": (425, 425),
        "ioctl": (16, 29),
        "ioperm": (173, None),
        "iopl": (172, None),
        "ioprio_set": (251, 30),
        "kcmp": (312, 272),
        "kexec_file_load": (320, 294),
        "kexec_load": (246, 104),
        "keyctl": (250, 219),
        "kill": (62, 129),
        "lchown": (94, None),
        "listmount": (458, 458),
        "lookup_dcookie": (212, 18),
        "lremovexattr": (198, 15),
        "lsetxattr": (189, 6),
        "memfd_create": (319, 279),
        "memfd_secret": (447, 447),
        "migrate_pages": (256, 238),
        "mknod": (133, None),
        "mknodat": (259, 33),
        "modify_ldt": (154, None),
        "mount": (165, 40),
        "mount_setattr": (442, 442),
        "move_mount": (429, 429),
        "move_pages": (279, 239),
        "mq_open": (240, 180),
        "msgget": (68, 186),
        "name_to_handle_at": (303, 264),
        "nfsservctl": (180, 42),
        "open_by_handle_at": (304, 265),
        "open_tree": (428, 428),
        "perf_event_open": (298, 241),
        "personality": (135, 92),
        "pidfd_getfd": (438, 438),
        "pidfd_open": (434, 434),
        "pidfd_send_signal": (424, 424),
        "pivot_root": (155, 41),
        "prctl": (157, 167),
        "prlimit64": (302, 261),
        "process_madvise": (440, 440),
        "process_mrelease": (448, 448),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "ptrace": (101, 117),
        "quotactl": (179, 60),
        "quotactl_fd": (443, 443),
        "reboot": (169, 142),
        "removexattr": (197, 14),
        "request_key": (249, 218),
        "rt_sigqueueinfo": (129, 138),
        "rt_tgsigqueueinfo": (297, 240),
        "sched_setaffinity": (203, 122),
        "sched_setattr": (314, 274),
        "sched_setparam": (142, 118),
        "sched_setscheduler": (144, 119),
        "semget": (64, 190),
        "setdomainname": (171, 162),
        "sethostname": (170, 161),
        "setns": (308, 268),
        "setpriority": (141, 140),
        "setsockopt": (54, 208),
        "settimeofday": (164, 170),
        "setxattr": (188, 5),
        "shmget": (29, 194),
        "socket": (41, 198),
        "socketpair": (53, 199),
        "statmount": (457, 457),
        "swapoff": (168, 225),
        "swapon": (167, 224),
        "sysfs": (139, None),
        "syslog": (103, 116),
        "tgkill": (234, 131),
        "tkill": (200, 130),
        "umount2": (166, 39),
        "unshare": (272, 97),
        "uselib": (134, None),
        "userfaultfd": (323, 282),
        "ustat": (136, None),
        "utime": (132, None),
        "utimensat": (280, 88),
        "utimes": (235, None),
        "vfork": (58, None),
        "vhangup": (153, 58),
    }
)
