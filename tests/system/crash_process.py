"""A process whose children use a dock and die in the middle: started by the tests of kills.

Everything is imported once and every order is carried out in a fork, so that a death costs little.
A fork counts its *moments*: before and after everything that changes the disk, before and after
every commit, and around the start of the learnware's process. At the wanted moment it kills itself
with SIGKILL. Orders come as one JSON object a line; the answer is the exit status, and what the
fork had been promised before it died.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg  # noqa: F401 - imported once, here
from sqlalchemy.engine.default import DefaultDialect

import beimingwu.runtime.host  # noqa: F401 - imported once, here
from beimingwu.dock import Dock
from beimingwu.dock import migrations as migrations  # imported once, here
from beimingwu.errors import CheckFailed

ON_DISK = ("mkdir", "rmdir", "unlink", "rename", "replace", "fsync")


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
    DefaultDialect.do_commit = watched(DefaultDialect.do_commit)  # type: ignore[method-assign]
    subprocess.Popen.__init__ = watched(subprocess.Popen.__init__)  # type: ignore[method-assign]


def carry_out(order: dict[str, Any], promise: int) -> None:
    """Do what is ordered, and write each promise the dock makes as it makes it."""

    def promised(what: str) -> None:
        os.write(promise, f"{what}\n".encode())

    with Dock.open(order["folder"], database=order.get("database", "")) as dock:
        verb = order["verb"]
        if verb == "submit":
            submission = dock.submit(Path(order["archive"]))
            promised(f"accepted {submission.id}")
            try:
                promised(f"published {submission.wait().id}")
            except CheckFailed:
                promised(f"rejected {submission.id}")
        elif verb == "update":
            promised(
                f"published {dock.update(order['id'], archive=Path(order['archive'])).wait().id}"
            )
        elif verb == "amend":
            semantic = dict(dock.show(order["id"]).semantic.to_json())
            semantic["Name"] = {"Type": "String", "Values": "Another name"}
            dock.update(order["id"], semantic=semantic)
            promised(f"amended {order['id']}")
        elif verb in ("withdraw", "restore", "delete", "get"):
            getattr(dock, verb)(order["id"])
            promised(f"{verb} {order['id']}")


def forked(order: dict[str, Any]) -> dict[str, Any]:
    """Carry an order out in a fork, and tell how it ended."""
    reading, promise = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            die_at(order.get("moment", 0))
            carry_out(order, promise)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(promise)
    if "after" in order:
        time.sleep(order["after"])
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as promises:
        kept = promises.read().split("\n")[:-1]
    _, status = os.waitpid(child, 0)
    return {"status": os.waitstatus_to_exitcode(status), "promises": kept}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), flush=True)
