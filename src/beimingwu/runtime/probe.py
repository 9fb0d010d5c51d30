"""Leans on every wall from inside, and prints which gave way: a stand-alone script for the doctor.

It is told what to reach for (a file, a listening port, a process …) and prints a JSON object: for
each wall what got through it, or nothing. Everything it tries is harmless if it succeeds.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

KiB = 1024
READ_ANY_FILE = 1 << 2  # CAP_DAC_READ_SEARCH, which Landlock needs where we are root.
ALLOWED_VARIABLES = {
    *("HOME", "TMPDIR", "LANG", "PATH", "USER", "PWD", "LC_CTYPE", "LD_LIBRARY_PATH"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("JOBLIB_MULTIPROCESSING", "LOKY_MAX_CPU_COUNT"),
}
Target = dict[str, Any]


def files(target: Target) -> str:
    """Read a file of the host, and files that every system has."""
    for path in (target["secret"], "/etc/passwd", f"/proc/{target['host']}/environ"):
        with contextlib.suppress(OSError):
            Path(path).read_bytes()
            return f"{path} can be read"
    return ""


def writing(target: Target) -> str:
    """Write where the host keeps things."""
    for folder in target["folders"]:
        if _in_own_memory(Path(folder)):
            continue
        with contextlib.suppress(OSError):
            place = Path(folder) / "beimingwu-probe"
            place.touch()
            place.unlink()
            return f"{folder} can be written to"
    return ""


def _in_own_memory(folder: Path) -> bool:
    """Tell whether a folder is only a way through the guest's own temporary files.

    A package below the host's /tmp is shown below the guest's, and the folders above it are made
    there; nothing written into them reaches the host.
    """
    scratch = os.environ["TMPDIR"]
    with contextlib.suppress(OSError):
        return os.path.ismount(scratch) and folder.stat().st_dev == Path(scratch).stat().st_dev
    return False


def environment(_: Target) -> str:
    """Look for variables of ours."""
    others = sorted(set(os.environ) - ALLOWED_VARIABLES)
    return f"these variables are seen: {', '.join(others)}" if others else ""


def network(target: Target) -> str:
    """Reach a listener on this machine by TCP and by an abstract socket, and send a datagram."""
    loopback = ("127.0.0.1", target["port"])
    tries = (
        ("TCP", socket.AF_INET, socket.SOCK_STREAM, loopback),
        ("UDP", socket.AF_INET, socket.SOCK_DGRAM, loopback),
        ("an abstract socket", socket.AF_UNIX, socket.SOCK_STREAM, target["abstract"]),
    )
    for name, family, kind, address in tries:
        with contextlib.suppress(OSError), socket.socket(family, kind) as connection:
            connection.settimeout(1)
            connection.connect(address)
            if kind is socket.SOCK_DGRAM:
                connection.send(b"probe")
            return f"{name} reaches the host"
    return ""


def processes(target: Target) -> str:
    """Signal the host (with 0, which does nothing)."""
    with contextlib.suppress(OSError):
        os.kill(target["host"], 0)
        return "the host can be sent signals"
    return ""


def forking(_: Target) -> str:
    """Start a process."""
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        return "processes can be started"
    return ""


def calls(target: Target) -> str:
    """Make the forbidden system calls, with arguments that do nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    made = []
    for name, number in target["calls"].items():
        ctypes.set_errno(0)
        libc.syscall(number, -1, -1, -1, -1, -1)
        if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            made.append(name)
    return f"these calls are let through: {', '.join(made)}" if made else ""


def capabilities(target: Target) -> str:
    """Look for rights beyond those of an ordinary user."""
    status = Path("/proc/self/status").read_text().splitlines()
    (held,) = (int(line.split()[1], 16) for line in status if line.startswith("CapPrm:"))
    held &= ~(READ_ANY_FILE if target["profile"] == "landlock" else 0)
    return f"capabilities {held:x} are held" if held else ""


def memory(target: Target) -> str:
    """Take more memory than the limit."""
    with contextlib.suppress(MemoryError):
        bytearray(target["memory"])
        return "more memory than the limit can be taken"
    return ""


def file_size(target: Target) -> str:
    """Write a file larger than the limit, where a file can be written at all."""
    path = Path(os.environ["TMPDIR"]) / "large"
    with contextlib.suppress(OSError), path.open("wb") as file:
        file.truncate(target["file"] + 1)
        return "a file can be larger than the limit"
    path.unlink(missing_ok=True)
    return ""


def scratch(target: Target) -> str:
    """Fill the temporary folder with files, to twice its limit."""
    piece = bytes(64 * KiB)
    with contextlib.suppress(OSError):
        for number in range(2 * target["scratch"] // len(piece)):
            (Path(os.environ["TMPDIR"]) / f"piece{number}").write_bytes(piece)
        return "the temporary folder has no limit"
    return ""


def open_files(target: Target) -> str:
    """Open more files than the limit."""
    opened: list[int] = []
    try:
        for _ in range(target["open_files"] + 1):
            opened.append(os.dup(2))
    except OSError:
        return ""
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return "more files than the limit can be opened"


def threads(target: Target) -> str:
    """Start more threads than the limit."""
    done = threading.Event()
    try:
        for _ in range(target["threads"] + 1):
            threading.Thread(target=done.wait, daemon=True).start()
    except RuntimeError:
        return ""
    finally:
        done.set()
    return f"{target['threads'] + 1} threads can be started"


def processor(target: Target) -> str:
    """Ask how much processor time there is: the doctor does not wait for its end."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    return "" if 0 <= most <= target["cpu"] + 5 else "processor time has no limit"


#: The name of each wall for a person, and what leans on it; the last ones use things up.
WALLS: dict[str, Callable[[Target], str]] = {
    "host files": files,
    "read-only": writing,
    "environment": environment,
    "network": network,
    "other processes": processes,
    "new processes": forking,
    "system calls": calls,
    "capabilities": capabilities,
    "memory": memory,
    "file size": file_size,
    "temporary folder": scratch,
    "open files": open_files,
    "threads": threads,
    "processor time": processor,
}


def main(target: Target) -> None:
    """Print what got through each wall."""
    print(json.dumps({name: lean(target) for name, lean in WALLS.items()}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
