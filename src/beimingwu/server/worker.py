"""A process that only verifies, beside the servers of a dock that many machines share."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from beimingwu.config import Settings
from beimingwu.dock import Dock
from beimingwu.errors import InvalidInput
from beimingwu.server.running import logging_to_stderr
from beimingwu.server.work import Work


def work_until_stopped(settings: Settings, announce: Callable[[], None]) -> None:
    """Verify what is submitted until this process is told to stop (SIGTERM, SIGINT).

    Parameters
    ----------
    announce
        Called once it works.

    Raises
    ------
    InvalidInput
        The dock's catalogue is an SQLite file.
    SandboxUnavailable
        This machine cannot put up the walls that the settings ask for.
    """
    if not settings.database:
        raise InvalidInput(
            "A dock on SQLite is one process's: its server verifies what is submitted.",
            remedy="Raise BEIMINGWU_WORKERS of that server, or set BEIMINGWU_DATABASE.",
            code="input.worker_database",
        )
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with (
            logging_to_stderr(),
            Dock.open(settings.dock, database=settings.database, workers=0) as dock,
        ):
            work = Work(dock, settings.workers)
            dock.hand_over(work)
            work.start()
            announce()
            sys.stdout.flush()
            stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
