"""Hostile learnwares that reach out: for files, the network, other processes and the kernel.

Each runs under every profile of walls that this machine offers, and ends with an error of its own;
the host is afterwards as it was and serves others. What a profile does not hide is listed too, so
that nobody has to guess. The same attacks are let loose without walls, where that is harmless:
there they succeed, which is how we know that it is the walls that stop them.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

import numpy as np
import pytest

from beimingwu.errors import GuestCrashed, GuestFailed
from beimingwu.runtime.profiles import Profile


@dataclass(frozen=True)
class Attack:
    """The body of predict; whether it is harmless without walls; and which profiles let it be."""

    body: str
    control: bool = True
    gap: tuple[Profile, ...] = ()


def quiet(body: str) -> Attack:
    """Return one that is not let loose without walls."""
    return Attack(body, control=False)


READING = {
    "a file of the host": Attack("open(T.secret).read()"),
    "a file that every system has": Attack("open('/etc/passwd').read()"),
    "the users' passwords": Attack("open('/etc/shadow').read()", control=os.geteuid() == 0),
    "a list of the host's files": Attack("os.listdir(T.folder)"),
    "that a file of the host exists": Attack("os.stat(T.secret)", gap=(Profile.LANDLOCK,)),
    "a file through a link in its own folder": Attack(
        "open(os.path.join(os.path.dirname(__file__), 'link')).read()"
    ),
    "a file through a link it makes": Attack("os.symlink(T.secret, 'mine'); open('mine').read()"),
    "a file through a hard link it makes": Attack("os.link(T.secret, 'mine'); open('mine').read()"),
    "the host's memory": Attack("open(f'/proc/{T.host}/mem', 'rb').read(0)"),
    "the host's environment": Attack("open(f'/proc/{T.host}/environ').read()"),
    "the host's files by its root in /proc": Attack(
        "open(f'/proc/{T.host}/root{T.secret}').read()"
    ),
    "the first process's root": quiet("open(f'/proc/1/root{T.secret}').read()"),
    "its own root in /proc": Attack("open(f'/proc/self/root{T.secret}').read()"),
    "the folder it was started in": Attack("os.listdir(f'/proc/{T.host}/cwd')"),
    "a token in its own environment, or in any process's": quiet(
        """
        seen = [repr(os.environ)]
        for number in [n for n in range(1, 40)] + [os.getppid(), T.host, T.victim]:
            try: seen.append(open(f'/proc/{number}/environ').read())
            except OSError: pass
        assert any(T.token in text for text in seen), "no token anywhere"
        """
    ),
    "a folder that was left open for it": quiet(
        """
        import stat
        kinds = []
        for number in range(64):
            try: kinds.append(os.fstat(number).st_mode)
            except OSError: pass
        assert any(stat.S_ISDIR(mode) or stat.S_ISREG(mode) for mode in kinds), "only pipes"
        """
    ),
    "the host's connections": Attack(
        "assert f':{T.tcp:04X}' in open('/proc/net/tcp').read(), 'the host is not there'"
    ),
    "the kernel's memory": quiet("os.open('/proc/kcore', os.O_RDONLY)"),
    "the machine's disks": quiet("[os.open(disk, os.O_RDONLY) for disk in T.disks]"),
    "the machine's network cards": Attack("os.listdir('/sys/class/net')"),
    "the way by file handles": quiet(
        "handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0), 136)\n"
        "call(T.calls['name_to_handle_at'], -100, b'/', handle, ctypes.byref(ctypes.c_int()), 0)"
    ),
}
WRITING = {
    "a new file where all may write": Attack("open(T.folder + '/new', 'w')"),
    "more to a file that all may write": Attack("open(T.secret, 'a')"),
    "nothing left in a file": Attack("os.truncate(T.secret, 0)"),
    "a file away": Attack("os.unlink(T.secret)"),
    "a file to another name": Attack("os.rename(T.secret, T.secret + '2')"),
    "other rights on a file": Attack("os.chmod(T.secret, 0o600)"),
    "another owner of a file": Attack("os.chown(T.secret, 12345, 12345)", os.geteuid() == 0),
    "another time on a file": Attack("os.utime(T.secret, (1, 1))"),
    "an attribute on a file": Attack("os.setxattr(T.secret, 'user.note', b'1')", control=False),
    "a pipe among the host's files": Attack("os.mkfifo(T.folder + '/fifo')"),
    "a device": quiet("os.mknod('disk', 0o60666, os.makedev(8, 0)); os.open('disk', os.O_RDONLY)"),
    "into its own folder": Attack("open(os.path.dirname(__file__) + '/new', 'w')"),
    "over its own checked module": Attack("open(__file__, 'a').write('# checked?')"),
    "a swapped module, checked before": Attack(
        """
        here = os.path.dirname(__file__)
        open(here + '/other', 'w').write('SLOPE = 4')
        os.replace(here + '/other', here + '/weights.py')
        """
    ),
    "its folder swapped for a link": Attack(
        """
        here = os.path.dirname(__file__)
        os.rename(here, here + '.old'); os.symlink(T.folder, here)
        os.unlink(here); os.rename(here + '.old', here)
        """
    ),
    "other rights on its own folder": Attack("os.chmod(os.path.dirname(__file__), 0o777)", False),
    "into the environment": quiet("open(T.numpy, 'a')"),
    "a start-up file into the environment": quiet("open(np.__path__[0] + '/../evil.pth', 'x')"),
    "over the guest script": quiet("open(sys.modules['__main__'].__file__, 'a')"),
    "over the interpreter": quiet("open(os.path.realpath(sys.executable), 'r+b')"),
    "at the root": quiet("open('/new', 'w')"),
    "among the devices": quiet("open('/dev/new', 'w')"),
    "into shared memory": quiet("open('/dev/shm/new', 'w')"),
    "to a switch of the kernel": Attack(
        "os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)", os.geteuid() == 0
    ),
    "to the big red button": Attack("os.open('/proc/sysrq-trigger', os.O_WRONLY)", False),
    "over the memory of another process": Attack("open(f'/proc/{T.victim}/mem', 'r+b')"),
    "who is killed first": Attack("open(f'/proc/{T.victim}/oom_score_adj', 'w')"),
    "the file system open again": quiet(
        "call(T.calls['mount'], None, os.path.dirname(__file__).encode(), None, 4096 | 32, None)"
    ),
}
NETWORK = {
    "TCP": Attack("socket.create_connection(('127.0.0.1', T.tcp), 2)"),
    "UDP": Attack(
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', T.udp))"
    ),
    "a name server's question": Attack(
        "question = b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6secret\\4test\\0\\0\\1\\0\\1'\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(question, ('127.0.0.1', T.udp))"
    ),
    "IPv6": Attack("socket.socket(socket.AF_INET6).close()"),
    "an abstract socket": Attack("socket.socket(socket.AF_UNIX).connect(T.abstract)"),
    "a socket among the host's files": Attack("socket.socket(socket.AF_UNIX).connect(T.named)"),
    "a port of its own": Attack("socket.create_server(('127.0.0.1', 0)).close()"),
    "raw packets": Attack("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", os.geteuid() == 0),
    "the kernel's messages": Attack("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)"),
    "the machine around this one": quiet("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    "the call by its number": Attack("os.close(call(T.calls['socket'], 2, 1, 0))"),
    "a socket pair of another kind": quiet("socket.socketpair(socket.AF_INET)"),
    "a program that connects": Attack(
        "subprocess.run([sys.executable, '-c', "
        "f'import socket; socket.create_connection((\"127.0.0.1\", {T.tcp}), 2)'], check=True)"
    ),
}
PROCESSES = {
    "a signal to the host": Attack("os.kill(T.host, 0)"),
    "the end of another process": Attack("os.kill(T.victim, signal.SIGKILL)"),
    "the end of another's group": Attack("os.killpg(T.victim, signal.SIGKILL)"),
    "a signal by a process descriptor": Attack(
        "signal.pidfd_send_signal(os.pidfd_open(T.victim), signal.SIGKILL)"
    ),
    "a signal with a value": Attack(
        "call(T.calls['rt_sigqueueinfo'], T.victim, 9, struct.pack('iii', 9, 0, -1) + bytes(116))",
        control=False,
    ),
    "a signal by a pipe's owner": Attack(
        """
        import fcntl
        reading, writing = os.pipe()
        fcntl.fcntl(reading, fcntl.F_SETOWN, T.victim)
        fcntl.fcntl(reading, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | fcntl.FASYNC)
        os.write(writing, b'x')
        """
    ),
    "the way in by ptrace": Attack("call(T.calls['ptrace'], 0x4206, T.victim, 0, 0)", False),
    "the memory of another": quiet(
        "call(T.calls['process_vm_readv'], T.victim, bytes(16), 1, bytes(16), 1, 0)"
    ),
    "less for another": Attack("import resource; resource.prlimit(T.victim, 7, (9, 9))"),
    "another's processors": Attack("os.sched_setaffinity(T.victim, {0})"),
    "another's turn": Attack("os.setpriority(os.PRIO_PROCESS, T.victim, 19)"),
    "a child": Attack("os.fork() or os._exit(0)"),
    "a shell": Attack("subprocess.run(['/bin/sh', '-c', 'true'], check=True)"),
    "a child by posix_spawn": Attack("os.posix_spawn(sys.executable, ['p', '-V'], {})"),
    "a child by vfork's number": quiet(
        "number = T.calls['vfork']\nassert number is not None, 'no such call here'\ncall(number)"
    ),
    "a daemon": Attack(
        """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.2); open(T.folder + '/daemon', 'w'); os._exit(0)
            os._exit(0)
        """,
        control=False,
    ),
    "a life after the host's": Attack("assert LIBC.prctl(1, 0, 0, 0, 0) == 0, 'refused'"),
    "another user": quiet(
        "try: os.setuid(0)\nexcept OSError: pass\nassert os.getuid() == 0, 'still nobody'"
    ),
    "more than it may have": Attack(
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", os.geteuid() == 0
    ),
    "a namespace where it is root": quiet("call(T.calls['unshare'], 0x10000000)"),
    "a namespace by clone": quiet(
        "call(T.calls['clone'], 0x10000000 | 17, None, None, None, None)"
    ),
    "the host's namespace": quiet(
        "call(T.calls['setns'], os.open(f'/proc/{T.host}/ns/net', os.O_RDONLY), 0)"
    ),
}
#: Names of calls that need no more than their name: each fails before it looks at an argument.
KERNEL = (
    *("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "syslog"),
    *("io_uring_setup", "io_uring_enter", "clone3", "mount", "umount2", "pivot_root", "chroot"),
    *("open_tree", "move_mount", "fsopen", "kexec_load", "init_module", "finit_module"),
    *("delete_module", "swapon", "acct", "quotactl", "memfd_create", "memfd_secret", "shmget"),
    *("semget", "msgget", "mq_open", "personality", "kcmp", "pidfd_getfd", "process_madvise"),
    *("open_by_handle_at", "mknodat", "fanotify_init", "setns", "unshare", "ptrace"),
)
ATTACKS = {
    f"{verb} {name}": attack
    for verb, attacks in (
        ("reads", READING),
        ("writes", WRITING),
        ("connects by", NETWORK),
        ("wants", PROCESSES),
    )
    for name, attack in attacks.items()
}
#: What a wall makes of a call; anything else would be a mistake in the attack.
REFUSED = re.compile(
    r"predict: (PermissionError|FileNotFoundError|ProcessLookupError"
    r"|OSError: \[Errno (1|18|30|38)\]|AssertionError: \w|CalledProcessError"
    r"|ValueError: not allowed to raise)"
)
ONE = np.ones((1, 2))


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.usefixtures("serving")
def test_it_is_stopped_and_nothing_is_changed(name, profile, ground, loaded):
    attack = ATTACKS[name]
    with ground.loose(loaded(attack.body), profile) as model:
        if profile in attack.gap:
            assert model.predict(ONE).tolist() == ["ESCAPED"], "no gap any more: say so"
        else:
            with pytest.raises(GuestFailed) as caught:
                model.predict(ONE)
            assert caught.value.code in {"guest.raised", "guest.forbidden"}, caught.value
            assert REFUSED.search(caught.value.problem), caught.value
    assert ground.changes() == {}


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.control])
def test_without_walls_it_succeeds(name, ground, loaded):
    with ground.loose(loaded(ATTACKS[name].body), Profile.NONE) as model:
        assert model.predict(ONE).tolist() == ["ESCAPED"]


@pytest.mark.usefixtures("serving")
def test_no_door_into_the_kernel_opens(profile, ground, loaded):
    body = f"""
        opened = []
        for name in {KERNEL!r}:
            number = T.calls[name]
            if number is not None and LIBC.syscall(number, 0, 0, 0, 0, 0, 0) != -1:
                opened.append(name)
            elif number is not None and ctypes.get_errno() not in (1, 38):
                opened.append(name + " gives " + os.strerror(ctypes.get_errno()))
        if not opened: raise PermissionError("all are shut")
        return opened * len(X)
    """
    with (
        ground.loose(loaded(body), profile) as model,
        pytest.raises(GuestCrashed, match="all are shut"),
    ):
        model.predict(ONE)
    assert ground.changes() == {}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the machine code is for x86-64")
@pytest.mark.usefixtures("serving")
def test_calls_by_the_old_convention_end_the_process(profile, ground, loaded):
    """`int 0x80` numbers calls as 32-bit programs do: 20 is getpid there, and writev here."""
    body = """
        code = mmap.mmap(-1, 4096, prot=7)
        code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
        place = ctypes.addressof(ctypes.c_char.from_buffer(code))
        ctypes.CFUNCTYPE(ctypes.c_int)(place)()
    """
    with (
        ground.loose(loaded(body), profile) as model,
        pytest.raises(GuestCrashed, match=r"SIGSYS|SIGSEGV"),
    ):
        model.predict(ONE)
