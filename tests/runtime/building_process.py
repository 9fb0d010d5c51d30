"""A process whose children make environments and die in the middle: started by `test_killed.py`.

Everything is imported once and every order is carried out in a fork. A fork counts its *moments*:
before and after each change of the disk and each start of a process, and before each lock is let
go. At the wanted moment it kills itself with SIGKILL. Orders come as one JSON object a line; the
answer is the exit status of the fork.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from beimingwu.runtime.environment import Environments
from beimingwu.runtime.installer import Installer
from beimingwu.runtime.interpreters import find_interpreters
from beimingwu.runtime.lock import Lock

PYTHONS = find_interpreters([pathlib.Path(sys.executable)])
#: `Path.chmod` is left out but for folders: every file of an environment has one.
ON_DISK = ("mkdir", "rmdir", "rename", "replace", "fsync", "close")


def die_at(moment: int) -> None:
    """Kill this process at the given moment of those that follow, counted from 1; never for 0."""
    moments = itertools.count(1)

    def pass_moment() -> None:
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def around(*args: Any, **kwargs: Any) -> Any:
            pass_moment()
            answer = call(*args, **kwargs)
            pass_moment()
            return answer

        return around

    for name in ON_DISK:
        setattr(os, name, watched(getattr(os, name)))
    for name in ("__init__", "wait"):
        setattr(subprocess.Popen, name, watched(getattr(subprocess.Popen, name)))
    chmod = pathlib.Path.chmod

    def chmod_of_folders(path: pathlib.Path, mode: int) -> None:
        (watched(chmod) if path.is_dir() else chmod)(path, mode)

    pathlib.Path.chmod = chmod_of_folders  # type: ignore[method-assign,assignment]


def carry_out(order: dict[str, Any]) -> None:
    environments = Environments(
        order["folder"],
        installer=Installer(pathlib.Path(order["cache"]), indexes=tuple(order["indexes"])),
        interpreters=PYTHONS,
    )
    with environments.use(Lock.from_json(order["lock"])):
        if order.get("then") == "prune":
            return
    if order["verb"] == "remove":
        environments.prune(0)


def forked(order: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            die_at(order.get("moment", 0))
            carry_out(order)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    if "after" in order:
        time.sleep(order["after"])
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), flush=True)
