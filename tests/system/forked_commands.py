"""A process whose children are `beimingwu` commands: started by the tests that kill them.

Everything is imported once and every command runs in a fork, so that what is killed hundreds of
times is started as often without waiting for imports. An order comes as one JSON object a line: the
words of the command, and the files that its output and its log go to; the answer is its process.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

# What the commands import when they need it, imported once and here.
import psycopg  # noqa: F401
import uvloop  # noqa: F401

import beimingwu.accounts
import beimingwu.dock.migrations
import beimingwu.runtime.host
import beimingwu.server.running
import beimingwu.server.worker  # noqa: F401
from beimingwu.cli import main

_PR_SET_PDEATHSIG = 1


def run(order: dict[str, Any]) -> int:
    """Run a command in a fork, and return the number of its process."""
    child = os.fork()
    if child:
        return child
    # Whoever holds on to the last of these processes ends all of them with it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor, name in ((1, "output"), (2, "log")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    sys.argv = ["beimingwu", *order["words"]]
    status = 1
    try:
        main()
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        os._exit(status)


def carry_out() -> None:
    """Carry out orders until there are none any more."""
    # Nobody asks how a command ended; the system forgets it at once.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        print(run(json.loads(line)), flush=True)


if __name__ == "__main__":
    carry_out()
