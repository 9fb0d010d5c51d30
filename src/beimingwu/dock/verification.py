"""The steps of a verification that run behind a submission, each recorded as it ends.

A verification is claimed in one transaction, so it runs once at a time whatever number of processes
have the dock open. Who takes one over from a process that died goes on after the last step in its
log: every step is done once, or begun again where its end was not recorded. Who goes through the
steps, and when, is said elsewhere: the threads of `worker`, or the workflows of a service.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from beimingwu.dock.blobs import Blobs, Unpacked
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.locks import Locks
from beimingwu.dock.pointset import loads_pointset
from beimingwu.dock.records import Revision
from beimingwu.dock.submission import Bell
from beimingwu.dock.usability import Warned, check_usability
from beimingwu.errors import BeimingwuError, SandboxUnavailable, Unavailable
from beimingwu.learnware.archive import open_archive, requirements_of
from beimingwu.learnware.manifest import MANIFEST_NAME, Manifest
from beimingwu.learnware.record import Step
from beimingwu.runtime.cancellation import Cancellation
from beimingwu.runtime.isolation import gated_environments, open_model, own_packages
from beimingwu.runtime.lock import Lock

#: The steps in their order.
STEPS = ("environment", "usability", "accommodate")
#: Of errors that say nothing about a learnware: its verification waits until they are mended.
_OUR_FAULT = (
    "environment.offline",
    "environment.no_uv",
    "environment.cancelled",
    "guest.cancelled",
    "input.setting",
    "input.sandbox",
    "dock.disk_full",
    "dock.busy",
)
#: What names in an archive or a package can cause, and a machine that is short of things cannot.
_OF_NAMES = frozenset(
    {
        *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP),
        *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ),
    }
)
#: Processes that may die over one verification; the next takes it for the learnware's doing.
_DEATHS = 20
_REPORT = "Report it with the archive; submit it again to a release that mends it."
_LONGEST_REASON = 300


class Verification:
    """The steps of verifying a revision of one dock; the same for whoever goes through them.

    Parameters
    ----------
    catalogue, blobs, unpacked, locks
        The dock's.
    bell
        Rung after every step.
    rejected
        Called with a revision that was rejected, to collect its blobs.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: Blobs,
        unpacked: Unpacked,
        locks: Locks,
        bell: Bell,
        rejected: Callable[[Revision], None],
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._unpacked = unpacked
        self.locks = locks
        self._bell = bell
        self._rejected = rejected
        self._cancellation = Cancellation()

    def begin(self, key: int) -> bool:
        """Claim the revision of a row, or go on with the claim this process has.

        Returns
        -------
        bool
            False where there is nothing to do here: it is finished, or gone, or somebody alive is
            at it.
        """
        if self._claimed(key) is not None:
            return True
        revision = self._catalogue.claim(key, self.locks.name, self.locks.is_alive)
        if revision is None:
            return False
        self._bell.ring()
        if self._catalogue.interruptions(revision) > _DEATHS:
            problem = f"{_DEATHS} processes of the dock ended while they verified this learnware."
            self._end(revision, Step("usability", "failed", problem, "usability.fatal", 0, _REPORT))
            return False
        return True

    def perform(self, key: int, name: str) -> bool:
        """Do a step of a revision that `begin` claimed, unless its log says it is done.

        Returns
        -------
        bool
            Whether the verification goes on: False after the last step and after one that failed,
            and where the claim is lost.

        Raises
        ------
        Exception
            What stands in the way is no fault of the learnware (a full disk); call `put_off`.
        """
        revision = self._claimed(key)
        if revision is None:
            return False
        if name in (step.name for step in revision.steps):
            return True
        match name:
            case "environment":
                if not own_packages():
                    return True
                return self._goes_on(revision, *self._environment(revision))
            case "usability":
                return self._goes_on(revision, self._usability(revision))
            case _:
                self._accommodate(revision)
                return False

    def put_off(self, key: int) -> None:
        """Give a claim back undone, for whoever comes next."""
        revision = self._claimed(key)
        if revision is not None:
            self._catalogue.release(revision)
            self._bell.ring()

    def cancel(self) -> None:
        """Call off the step that is under way; it is begun again by whoever claims it next."""
        self._cancellation.cancel()

    def unfinished(self) -> list[Revision]:
        """Return the revisions that wait for their verification or are in it, oldest first."""
        return self._catalogue.unfinished()

    def _claimed(self, key: int) -> Revision | None:
        revision = self._catalogue.revision(key)
        if revision is None or revision.state != "verifying":
            return None
        return revision if revision.claimant == self.locks.name else None

    def _goes_on(
        self, revision: Revision, step: Step, environment: Mapping[str, object] | None = None
    ) -> bool:
        """Record a step; False where it ends the verification, or where the claim is lost."""
        if step.state == "failed":
            self._end(revision, step)
            return False
        recorded = self._catalogue.record(revision, step, environment)
        self._bell.ring()
        return recorded

    def _end(self, revision: Revision, step: Step) -> None:
        if self._catalogue.reject(revision, step):
            self._rejected(revision)
        self._bell.ring()

    def _accommodate(self, revision: Revision) -> None:
        started = time.perf_counter()
        loads_pointset(self._blobs.read(revision.specification_sha256))
        message = f"Published as {revision.learnware}, revision {revision.number}."
        seconds = time.perf_counter() - started
        self._catalogue.publish(revision, Step("accommodate", "passed", message, seconds=seconds))
        self._bell.ring()

    def _environment(self, revision: Revision) -> tuple[Step, Mapping[str, object] | None]:
        """Make the environment that the learnware asks for; return the step and its lock."""
        found: list[Lock] = []

        def told(line: str) -> None:
            self._bell.tell(revision.key, line)

        def made() -> str:
            environments = gated_environments(self._cancellation)
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

    def _usability(self, revision: Revision) -> Step:
        """Run the learnware, and return what came of it as a step."""
        found: list[Warned] = []
        step = _step("usability", lambda: self._tried(revision, found))
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
        with self.locks.writing():
            return self._unpacked.folder(revision.archive_sha256, unpack)

    def _tried(self, revision: Revision, found: list[Warned]) -> str:
        """Tell what the learnware was asked; warnings go to `found`."""
        specification = loads_pointset(self._blobs.read(revision.specification_sha256))
        folder = self._folder(revision)
        opened = open_model(
            folder,
            manifest_of(folder),
            requirements_of(folder),
            lock=revision.environment,
            cancellation=self._cancellation,
        )
        with opened as model:
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
        if isinstance(error, (SandboxUnavailable, Unavailable)) or error.code in _OUR_FAULT:
            raise
        seconds = time.perf_counter() - started
        return Step(name, "failed", error.problem, error.code, seconds, error.remedy)
    except (MemoryError, sa.exc.OperationalError):
        raise  # A busy machine: it passes, and the learnware did nothing.
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in _OF_NAMES:
            raise  # A full disk, and the like.
        seconds = time.perf_counter() - started
        # What the system says without the path, which is nobody's to know.
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problem = f"This is a defect of the dock, met in this check: {type(error).__name__}: "
        problem += f"{reason}"[:_LONGEST_REASON]
        return Step(name, "failed", problem, f"{name}.internal", seconds, _REPORT)
    return Step(name, "passed", message, seconds=time.perf_counter() - started)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive of the dock into a folder that is not there yet."""
    with open_archive(archive) as opened:
        opened.extract(folder)


def manifest_of(folder: Path) -> Manifest:
    """Return the manifest of an unpacked learnware."""
    return Manifest.parse((folder / MANIFEST_NAME).read_bytes())
