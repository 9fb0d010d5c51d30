"""The dock's worker: takes submissions that wait and runs them through their last steps.

A verification is claimed in one transaction, so it runs once at a time whatever number of processes
have the dock open; each step is recorded as it ends. A process that dies leaves a claim whose lock
is free, and the next dock that opens the folder begins that verification again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from beimingwu.dock.blobs import Blobs, Unpacked
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.locks import Locks
from beimingwu.dock.pointset import loads_pointset
from beimingwu.dock.records import Revision, Step
from beimingwu.dock.submission import Bell
from beimingwu.dock.usability import Warned, check_usability
from beimingwu.errors import BeimingwuError, Conflict, SandboxUnavailable
from beimingwu.learnware.archive import open_archive, requirements_of
from beimingwu.learnware.manifest import MANIFEST_NAME, Manifest
from beimingwu.runtime.isolation import gated_environments, open_model, own_packages
from beimingwu.runtime.lock import Lock

#: Of errors that say nothing about a learnware: its verification waits until they are mended.
_OUR_FAULT = (
    "environment.offline",
    "environment.no_uv",
    "input.setting",
    "input.sandbox",
    "dock.disk_full",
)
_REPORT = "Report it with the archive; submit it again to a release that mends it."
_LONGEST_REASON = 300


class Verifier:
    """A few threads that verify submissions of one dock.

    Parameters
    ----------
    catalogue, blobs, unpacked, locks
        The dock's.
    bell
        Rung after every step.
    rejected
        Called with a revision that was rejected, to collect its blobs.
    workers
        Number of threads; with 0 nothing is verified here.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: Blobs,
        unpacked: Unpacked,
        locks: Locks,
        bell: Bell,
        rejected: Callable[[Revision], None],
        workers: int,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._unpacked = unpacked
        self._locks = locks
        self._bell = bell
        self._rejected = rejected
        self._pool = ThreadPoolExecutor(workers, "verify") if workers else None
        self._stopped = False
        self._guard = threading.Lock()
        self._queued: set[int] = set()
        self._failed: dict[int, BaseException] = {}

    @property
    def name(self) -> str | None:
        """What submissions that this process will verify are reserved under."""
        return self._locks.name if self._pool is not None else None

    def resume(self) -> None:
        """Take over what nobody alive will verify, such as what a crash left unfinished."""
        if self._pool is not None:
            for revision in self._catalogue.adopt(self._locks.name, self._locks.is_alive):
                self.take(revision)

    def take(self, revision: Revision) -> None:
        """Queue a revision, unless it is queued here or some living process will verify it."""
        if self._pool is None or self._is_anothers(revision):
            return
        with self._guard:
            if revision.key in self._queued:
                return
            self._queued.add(revision.key)
        self._pool.submit(self._run, revision.key)

    def see_to(self, revision: Revision) -> None:
        """Make sure that somebody verifies a revision that is waited for.

        Raises
        ------
        Conflict
            Nobody does: this dock was opened without workers, or is closed.
        Exception
            What ended the last attempt here, when it was no fault of the learnware (a full disk).
        """
        if revision.key in self._failed:
            raise self._failed.pop(revision.key)
        if not self._is_anothers(revision) and (self._pool is None or self._stopped):
            raise Conflict(
                f"Nobody verifies learnware {revision.learnware}, revision {revision.number}.",
                remedy="Open the dock with workers=1 or more, and wait there.",
                code="conflict.nobody_verifies",
            )
        self.take(revision)

    def _is_anothers(self, revision: Revision) -> bool:
        claimant = revision.claimant
        return claimant not in (None, self._locks.name) and self._locks.is_alive(claimant)

    def close(self) -> None:
        """Finish what is queued, and stop."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self._stopped = True

    def abandon(self) -> None:
        """Finish what runs, leave the rest to the next opening, and stop."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._stopped = True

    def _run(self, key: int) -> None:
        try:
            revision = self._catalogue.claim(key, self._locks.name, self._locks.is_alive)
            if revision is not None:
                self._verify(revision)
        except BaseException as error:
            self._failed[key] = error
            raise
        finally:
            with self._guard:
                self._queued.discard(key)
            self._bell.ring()

    def _verify(self, revision: Revision) -> None:
        try:
            lock = None
            if own_packages():
                step, lock = self._environment(revision)
                if not self._goes_on(revision, step, lock):
                    return
            if self._goes_on(revision, self._usability(revision, lock)):
                self._accommodate(revision)
        except BaseException:
            self._catalogue.release(revision)
            raise

    def _goes_on(
        self, revision: Revision, step: Step, environment: Mapping[str, object] | None = None
    ) -> bool:
        """Record a step; False where it ends the verification, or where the claim is lost."""
        if step.state == "failed":
            if self._catalogue.reject(revision, step):
                self._rejected(revision)
            return False
        recorded = self._catalogue.record(revision, step, environment)
        self._bell.ring()
        return recorded

    def _accommodate(self, revision: Revision) -> None:
        started = time.perf_counter()
        loads_pointset(self._blobs.read(revision.specification_sha256))
        message = f"Published as {revision.learnware}, revision {revision.number}."
        seconds = time.perf_counter() - started
        self._catalogue.publish(revision, Step("accommodate", "passed", message, seconds=seconds))

    def _environment(self, revision: Revision) -> tuple[Step, Mapping[str, object] | None]:
        """Make the environment that the learnware asks for; return the step and its lock."""
        found: list[Lock] = []

        def told(line: str) -> None:
            self._bell.tell(revision.key, line)

        def made() -> str:
            environments = gated_environments()
            lock = environments.lock(requirements_of(self._folder(revision)), on_line=told)
            environments.use(lock, on_line=told).close()
            found.append(lock)
            packages = f"{len(lock.versions)} package{'' if len(lock.versions) == 1 else 's'}"
            return " ".join((f"Python {lock.python} with {packages}.", *lock.notes))

        try:
            step = _step("environment", made)
        finally:
            told("")
        return step, found[0].to_json() if found else None

    def _usability(self, revision: Revision, lock: Mapping[str, object] | None) -> Step:
        """Run the learnware, and return what came of it as a step."""
        found: list[Warned] = []
        step = _step("usability", lambda: self._tried(revision, lock, found))
        if step.state == "failed" or not found:
            return step
        return replace(
            step,
            state="warned",
            message=" ".join((step.message, *(warned.problem for warned in found))),
            code=found[0].code,
            remedy=" ".join(warned.remedy for warned in found),
        )

    def _folder(self, revision: Revision) -> Path:
        with self._locks.writing():
            return self._unpacked.folder(revision.archive_sha256, unpack)

    def _tried(
        self, revision: Revision, lock: Mapping[str, object] | None, found: list[Warned]
    ) -> str:
        """Tell what the learnware was asked; warnings go to `found`."""
        specification = loads_pointset(self._blobs.read(revision.specification_sha256))
        folder = self._folder(revision)
        with open_model(folder, manifest_of(folder), requirements_of(folder), lock=lock) as model:
            tried = check_usability(model, revision.semantic, specification)
            report = model.report
        found += tried.warnings
        return (
            f"Answered {tried.rows} records drawn from its specification, shape "
            f"{tried.answer_shape} each; start {report.start_seconds:.2f} s, "
            f"{tried.row_seconds * 1000:.3g} ms a record, "
            f"{report.peak_memory / 2**20:.0f} MiB at most."
        )


def _step(name: str, attempt: Callable[[], str]) -> Step:
    """Return what came of an attempt as a step; what is our fault, not the learnware's, rises.

    An exception that nobody foresaw fails the step. It might be ours, but it came with this
    learnware: were its verification begun again, every opening of the dock would meet it.
    """
    started = time.perf_counter()
    try:
        message = attempt()
    except BeimingwuError as error:
        if isinstance(error, SandboxUnavailable) or error.code in _OUR_FAULT:
            raise
        seconds = time.perf_counter() - started
        return Step(name, "failed", error.problem, error.code, seconds, error.remedy)
    except (OSError, MemoryError, sa.exc.OperationalError):
        raise  # A full disk, a busy machine: it passes, and the learnware did nothing.
    except Exception as error:
        seconds = time.perf_counter() - started
        problem = f"This is a defect of the dock, met in this check: {type(error).__name__}: "
        problem += f"{error}"[:_LONGEST_REASON]
        return Step(name, "failed", problem, f"{name}.internal", seconds, _REPORT)
    return Step(name, "passed", message, seconds=time.perf_counter() - started)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive of the dock into a folder that is not there yet."""
    with open_archive(archive) as opened:
        opened.extract(folder)


def manifest_of(folder: Path) -> Manifest:
    """Return the manifest of an unpacked learnware."""
    return Manifest.parse((folder / MANIFEST_NAME).read_bytes())
