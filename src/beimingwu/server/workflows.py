"""Verifications as durable workflows: each survives the death of any process between two steps.

A workflow is named by its revision, so it may be asked for twice and runs once. Its steps are those
of the dock (`dock.verification`), which are told nothing but the revision's row and keep everything
they find in the catalogue; what is kept here is only how far each has come. DBOS runs the workflows
on a file in the dock's folder, or in the dock's PostgreSQL database. It opens no port, and calls
nobody but that database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID

from beimingwu.dock.records import Revision
from beimingwu.dock.verification import STEPS, Verification
from beimingwu.errors import Conflict

_log = logging.getLogger("beimingwu.work")

#: The file of the workflows in the folder of an embedded catalogue.
FILE = "workflows.sqlite"
_QUEUE = "verification"
_WAITING = ("ENQUEUED", "DELAYED", "PENDING")
#: Of workflows of one version, any process may go on with another's. It changes with the steps.
_VERSION = "1"
#: How often a process looks for work, in seconds.
_LOOK_AGAIN = 0.2

#: DBOS is one to a process, and would take a second dock for the first.
_ONE = threading.Lock()

#: What came of a step: the next one follows, there is none, or it has to be tried again later.
Outcome = Literal["goes on", "ends", "later"]


@dataclass(frozen=True)
class Place:
    """Where workflows are kept.

    Parameters
    ----------
    url
        Of an SQLite file or a PostgreSQL database.
    schema
        In PostgreSQL, the schema of the workflows' own tables.
    """

    url: str
    schema: str = "workflows"


class Workflows:
    """The workflows of one dock, in this process; a process has one of these at a time.

    Parameters
    ----------
    verification
        The steps.
    place
        Where the workflows are kept.
    slots
        How many run in this process at a time; with 0 they are only asked for here.
    """

    def __init__(self, verification: Verification, place: Place, slots: int) -> None:
        self._verification = verification
        self._place = place
        self._slots = slots
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._running = 0
        self._launched = False
        self._verify: Callable[[int], str] | None = None

    def launch(self) -> None:
        """Open the place of the workflows, and begin to look for work.

        Raises
        ------
        Conflict
            Another dock's workflows are open in this process.
        """
        if not _ONE.acquire(blocking=False):
            raise Conflict(
                "This process works for another dock already.",
                remedy="Close that one first, or use a process for each.",
                code="conflict.process",
            )
        self._launched = True
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            # Otherwise it would print to the console; so it tells our own logging.
            logger.addHandler(logging.NullHandler())
        DBOS(
            config={
                "name": "beimingwu",
                "system_database_url": self._place.url,
                "dbos_system_schema": self._place.schema,
                "executor_id": self._verification.locks.name,
                "application_version": _VERSION,
                # Revisions are numbers and outcomes words: nothing is ever pickled.
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "enable_otlp": False,
                "log_level": "WARNING",
                "scheduler_polling_interval_sec": 3600.0,
                # Nothing is ever waited for by it; but its thread is, at the end.
                "notification_listener_polling_interval_sec": 0.1,
            }
        )
        self._verify = self._registered()
        DBOS.listen_queues([_QUEUE] if self._slots else [])
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE,
            worker_concurrency=max(self._slots, 1),
            polling_interval_sec=_LOOK_AGAIN,
            on_conflict="always_update",
        )

    def ask_for(self, revision: Revision) -> None:
        """Have a revision verified; asked twice, it is done once."""
        assert self._verify is not None  # noqa: S101
        with SetWorkflowID(name_of(revision)):
            queue = DBOS.retrieve_queue(_QUEUE)
            assert queue is not None  # noqa: S101
            queue.enqueue(self._verify, revision.key)

    def ask_again_for(self, revision: Revision) -> None:
        """Have a revision verified whose workflow came to no end of it."""
        DBOS.delete_workflow(name_of(revision))
        self.ask_for(revision)

    def under_way(self) -> set[str]:
        """Return the names of the workflows that wait or run, anywhere."""
        found = DBOS.list_workflows(
            status=list(_WAITING), queue_name=_QUEUE, load_input=False, load_output=False
        )
        return {status.workflow_id for status in found}

    def standing(self, revision: Revision) -> Literal["none", "under way", "ended"]:
        """Return how the workflow of a revision stands."""
        status = DBOS.get_workflow_status(name_of(revision))
        if status is None:
            return "none"
        return "under way" if status.status in _WAITING else "ended"

    def take_over(self, is_alive: Callable[[str], bool]) -> int:
        """Let the workflows of processes that died go on elsewhere, and return how many.

        Call it while nobody else does.
        """
        running = DBOS.list_workflows(
            status="PENDING", queue_name=_QUEUE, load_input=False, load_output=False
        )
        dead = {name for name in _executors(running) if not is_alive(name)}
        abandoned = [status for status in running if status.executor_id in dead]
        for status in abandoned:
            DBOS.resume_workflow(status.workflow_id, queue_name=_QUEUE)
        return len(abandoned)

    def shut_down(self) -> None:
        """End what runs here, to go on later from the last step, and let go of everything."""
        if not self._launched:
            return
        self._launched = False
        self._stopping.set()
        self._verification.cancel()
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0)
        DBOS.destroy(destroy_registry=True)
        _ONE.release()

    def _registered(self) -> Callable[[int], str]:
        """Tell DBOS our workflow and its steps, and return the workflow."""
        steps = [(name, DBOS.step(name=name)(self._performing(name))) for name in STEPS]

        # A revision that ends every process that verifies it is the dock's to reject.
        @DBOS.workflow(name="verify", max_recovery_attempts=None)
        def verify(key: int) -> str:
            with _Counted(self):
                # No step: whoever goes on with a workflow claims its revision anew.
                if self._stopping.is_set() or not self._verification.begin(key):
                    return "nothing to do"
                for name, step in steps:
                    outcome = "later" if self._stopping.is_set() else step(key)
                    if outcome == "later":
                        self._verification.put_off(key)
                    if outcome != "goes on":
                        return f"{name} {outcome}"
                return "done"

        return verify

    def _performing(self, name: str) -> Callable[[int], str]:
        def perform(key: int) -> str:
            try:
                outcome: Outcome = "goes on" if self._verification.perform(key, name) else "ends"
            except Exception as error:
                # No fault of the learnware, so it waits until ours is mended.
                if not self._stopping.is_set():
                    _log.error("The step %s of revision %s is put off", name, key, exc_info=error)
                outcome = "later"
            return outcome

        return perform


class _Counted:
    """Counts a workflow as running while it is entered."""

    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows

    def __enter__(self) -> None:
        with self._workflows._idle:
            self._workflows._running += 1

    def __exit__(self, *_: object) -> None:
        with self._workflows._idle:
            self._workflows._running -= 1
            self._workflows._idle.notify_all()


def name_of(revision: Revision) -> str:
    """Return the name of the workflow that verifies a revision."""
    return f"{revision.learnware}.{revision.number}"


def _executors(statuses: Iterable[object]) -> set[str]:
    return {name for status in statuses if (name := getattr(status, "executor_id", None))}
