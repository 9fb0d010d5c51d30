"""A process that writes an index and dies in the middle, or reads one that another writes.

Orders come as one JSON object a line. Each is carried out in a fork, which counts its *moments*:
before and after everything that changes the disk. At the wanted moment, or after the wanted time,
it is killed. The answer is the exit status, and how many moments passed.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beimingwu.search import Index

ON_DISK = ("mkdir", "rmdir", "unlink", "rename", "replace", "fsync")


class Moments:
    """Counts what changes the disk, and kills this process at one of them; never for 0."""

    def __init__(self, last: int) -> None:
        self.count = 0
        for name in ON_DISK:
            setattr(os, name, self._watched(getattr(os, name), last))

    def _watched(self, call: Callable[..., Any], last: int) -> Callable[..., Any]:
        @functools.wraps(call)
        def around(*args: Any, **kwargs: Any) -> Any:
            self._passed(last)
            answer = call(*args, **kwargs)
            self._passed(last)
            return answer

        return around

    def _passed(self, last: int) -> None:
        self.count += 1
        if self.count == last:
            os.kill(os.getpid(), signal.SIGKILL)


def write(folder: Path, since: int, until: int) -> None:
    """Follow the catalogue from one moment to another, writing every third."""
    from conftest import History

    index = History.opened(folder, since)
    for moment in range(since + 1, until + 1):
        History.follow(index, moment - 1, moment)
        if moment % 3 == 0:
            index.keep(History.mark(moment), everything=True)
            index.search(History.spec(1), max_learnwares=1)
            index.settle()


def read(folder: Path, until: int) -> int:
    """Open the index again and again until told to stop; return how often it was another one."""
    from conftest import History

    seen = set()
    while not (folder.parent / "stop").exists():
        index, mark = Index.open(folder)
        assert mark is not None
        seen.add(mark.sequence)
        History.follow(index, mark.sequence, until)
        History.check(index, until)
    return len(seen)


def forked(order: dict[str, Any]) -> list[int]:
    """Carry an order out in a fork, and tell how it ended and how many moments passed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            moments = Moments(order.get("moment", 0))
            write(Path(order["folder"]), order["since"], order["until"])
            os.write(writing, str(moments.count).encode())
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    if "after" in order:
        time.sleep(order["after"])
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as told:
        count = told.read()
    _, status = os.waitpid(child, 0)
    return [os.waitstatus_to_exitcode(status), int(count or 0)]


if __name__ == "__main__":
    # Only a script finds what stands beside it.
    from conftest import make_small

    make_small(setattr)
    if sys.argv[1:]:
        print(read(Path(sys.argv[1]), int(sys.argv[2])))
    else:
        for line in sys.stdin:
            print(json.dumps(forked(json.loads(line))), flush=True)
