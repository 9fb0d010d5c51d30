"""Searches side by side: in processes of their own, once one has to wait for another.

A search computes, and holds the interpreter nearly all the while: two in one process take as long
as one after the other, and whatever else is asked waits for both. So the first search that meets
another starts a few processes that search and do nothing else; until they are there, and for a dock
that few people search, searches run in the server itself. A process that dies is replaced, and what
it was asked is asked again here.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

from beimingwu.dock import Dock

P = ParamSpec("P")
T = TypeVar("T")

#: An index that is being made may take minutes more; who stops a service does not wait for it.
_PATIENCE = 5.0

_log = logging.getLogger("beimingwu.search")


class Searchers:
    """Where the searches of one service run.

    Parameters
    ----------
    dock
        What is searched.
    most
        Processes; with 0 all searches run in the server.
    """

    def __init__(self, dock: Dock, most: int) -> None:
        self._dock, self._most = dock, most
        # More would only wait for each other, and keep the threads that all else is answered by.
        self._here = CapacityLimiter(os.cpu_count() or 1)
        self._under_way = 0
        self._guard = threading.Lock()
        self._starting: threading.Thread | None = None
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False

    async def run(
        self, work: Callable[Concatenate[Dock, P], T], *asked: P.args, **further: P.kwargs
    ) -> T:
        """Return `work(dock, …)`, with this dock or, in another process, with the same one.

        Parameters
        ----------
        work
            A function of a module, that only looks; what it is given and returns is pickled.
        """
        self._under_way += 1
        try:
            if self._under_way > 1:
                self._start()
            if pool := self._pool:
                with suppress(BrokenProcessPool):
                    return await asyncio.wrap_future(pool.submit(_run, work, asked, further))
                self._forget(pool)
            here = partial(work, self._dock, *asked, **further)
            return await to_thread.run_sync(here, limiter=self._here)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """End the processes."""
        with self._guard:
            self._closed = True
            pool, self._pool = self._pool, None
        if self._starting is not None:
            self._starting.join(_PATIENCE)
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _start(self) -> None:
        with self._guard:
            if self._starting is None and self._most and not self._closed:
                self._starting = threading.Thread(
                    target=self._started, name="searchers", daemon=True
                )
                self._starting.start()

    def _started(self) -> None:
        """Start the processes; each would make an index of its own if there were none."""
        try:
            self._dock.settle()
            context = multiprocessing.get_context("spawn")
            where = self._dock.database.where
            place = self._dock.folder, where if isinstance(where, str) else ""
            pool = ProcessPoolExecutor(self._most, context, _open, place)
            list(pool.map(_present, range(self._most)))
        except Exception:
            _log.exception("No process could be started that searches; the server does")
            return
        with self._guard:
            if not self._closed:
                self._pool = pool
                return
        pool.shutdown()

    def _forget(self, pool: ProcessPoolExecutor) -> None:
        """Let go of processes of which one has died; others start when searches meet."""
        with self._guard:
            if self._pool is pool:
                _log.warning("A process that searches has died; others will be started")
                self._pool = self._starting = None
        pool.shutdown(wait=False)


# What follows runs in the processes.

_dock: Dock | None = None


def _open(folder: Path, database: str) -> None:
    global _dock
    # What is told to a terminal is told to all of its processes: the server says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    _dock = Dock.open(folder, database=database, workers=0)


def _end_with_the_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(1)


def _present(number: int) -> int:
    return number


def _run(work: Callable[..., T], asked: tuple[Any, ...], further: dict[str, Any]) -> T:
    assert _dock is not None  # noqa: S101
    return work(_dock, *asked, **further)
