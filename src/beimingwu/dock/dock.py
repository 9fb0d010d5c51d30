"""The dock in a folder: submit, get, list, search, update, withdraw, delete, export.

The catalogue and the blobs are the truth; the index and the unpacked learnwares are made from them.
Several processes may have one folder open at once. Nothing of a learnware runs in this process.
"""

from __future__ import annotations

import html
import os
from pathlib import Path
from types import TracebackType

from beimingwu.config import settings
from beimingwu.dock.belonging import catalogue_of, made_folder, opened_catalogue
from beimingwu.dock.blobs import Received, Source
from beimingwu.dock.checks import Semantic, read_semantic
from beimingwu.dock.display import dock_html
from beimingwu.dock.finding import Finding
from beimingwu.dock.identification import Identification
from beimingwu.dock.listing import Listing
from beimingwu.dock.locks import locks_of
from beimingwu.dock.pointset import loads_pointset
from beimingwu.dock.records import Once, Revision, no_learnware, no_revision, updated
from beimingwu.dock.revising import revise
from beimingwu.dock.storage import Storage
from beimingwu.dock.submission import Bell, Submission
from beimingwu.dock.uploads import Uploads
from beimingwu.dock.verification import Verification, manifest_of, unpack
from beimingwu.dock.worker import Threads, Worker
from beimingwu.errors import InvalidInput
from beimingwu.learnware.model import Learnware
from beimingwu.learnware.record import Event, LearnwareRecord
from beimingwu.learnware.serving import write_served
from beimingwu.runtime.standing import require_standing
from beimingwu.specification.rkme import RKME


class Dock(Finding):
    """A dock of learnwares in a folder. Open it with `Dock.open`; close it, or use `with`.

    Examples
    --------
    >>> import tempfile
    >>> with Dock.open(tempfile.mkdtemp()) as dock:
    ...     len(dock)
    0
    """

    def __init__(self, folder: Path, database: str, workers: int) -> None:
        self.folder = folder
        self._closed = False
        if workers:
            require_standing()
        where = catalogue_of(folder, database)
        self._locks = locks_of(folder, where)
        try:
            with self._locks.opening():
                self._catalogue = opened_catalogue(folder, where)
                self.database = self._catalogue.database
                self._storage = Storage(folder, self._catalogue, self._locks)
                self._storage.collect_everything()
                self.uploads = Uploads(folder, self.database)
        except BaseException:
            self._locks.leave()
            raise
        self._listing = Listing(self._catalogue)
        self._blobs, self._unpacked = self._storage.blobs, self._storage.unpacked
        self._identification = Identification(
            self._listing, self._blobs, self.get, folder / "index"
        )
        self._bell = Bell()
        self.verification = Verification(
            self._catalogue,
            self._blobs,
            self._unpacked,
            self._locks,
            self._bell,
            self._storage.collect,
        )
        threads = Threads(self.verification, self._catalogue, self._locks, self._bell, workers)
        self._worker: Worker = threads
        threads.resume()

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str] | None = None,
        *,
        database: str | None = None,
        workers: int = 1,
    ) -> Dock:
        """Open the dock in a folder, and make it when there is none.

        What a crash left half done is cleared away or goes on.

        Parameters
        ----------
        folder
            The dock's folder; BEIMINGWU_DOCK, or this user's own, where omitted.
        database
            The PostgreSQL database of its catalogue, `postgresql://…`; BEIMINGWU_DATABASE where
            omitted; a file in the folder where empty.
        workers
            How many submissions this process verifies at a time. With 0 it only looks and submits,
            and the next process that opens the dock with workers verifies.

        Raises
        ------
        DockDamaged
            The catalogue is damaged, not ours, or of a newer Beimingwu.
        InvalidInput, Unavailable, MissingDependency, Conflict
            The folder, or the database, cannot be used; or they are not those of one dock.
        SandboxUnavailable
            This machine cannot put up the walls that the settings ask for, so it cannot verify.
        """
        if workers < 0:
            raise InvalidInput(
                f"`workers` must be an int in the range [0, inf). Got {workers} instead.",
                remedy="Pass workers=1, or 0 to leave verification to another process.",
                code="input.workers",
            )
        chosen = settings().dock if folder is None else folder
        if str(chosen).lower().startswith(("http://", "https://")):
            raise InvalidInput(
                f"{str(chosen)!r} is the address of a dock on a server.",
                remedy="Use Client(…) for it, or name a folder.",
                code="input.dock_folder",
            )
        path = made_folder(Path(chosen))
        return cls(path, settings().database if database is None else database, workers)

    def hand_over(self, worker: Worker) -> None:
        """Let another worker see to verifications; for a dock that was opened with none."""
        self._worker = worker

    # Submitting

    def submit(
        self,
        archive: Source,
        semantic: Semantic | None = None,
        *,
        owner: str = "",
        once: Once | None = None,
    ) -> Submission:
        """Submit a learnware: the cheap checks answer at once, the others run behind.

        Parameters
        ----------
        archive
            Path of a learnware archive, its bytes, or a binary file open for reading.
        semantic
            Used instead of the semantic specification embedded in the archive; needed when there
            is none.
        owner
            Who submits; nobody in particular where empty.
        once
            A key of the owner's, to ask for this submission again without making it twice.

        Returns
        -------
        Submission
            Iterate it for the steps as they happen, or `wait()` until it is published.

        Raises
        ------
        InvalidArchive, InvalidSpecification, TooLarge
            The archive breaks a rule; nothing of it stays.
        Conflict
            This owner submitted the same archive before, or used the key for another.
        """
        self._require_open()
        before = self.asked(owner, once) if once is not None else None
        if before is not None:
            return before
        chosen = read_semantic(semantic)
        with self._storage.storing() as stored:
            draft = self._storage.draft(stored, archive, chosen)
            revision = self._catalogue.submit(owner, draft, self._worker.name, once)
        return self._followed(revision)

    def asked(self, owner: str, once: Once) -> Submission | None:
        """Return the submission that was made under a key, None where none was.

        Raises
        ------
        Conflict
            The owner used the key for something else.
        """
        self._require_open()
        before = self._catalogue.asked(owner, once)
        return None if before is None else self._followed(before)

    def update(
        self,
        id: str,
        *,
        archive: Source | None = None,
        semantic: Semantic | None = None,
        newest: int | None = None,
        actor: str = "",
    ) -> Submission:
        """Make a new revision of a learnware; the present one stays in force until it is published.

        A new semantic specification that leaves data, task and dimensions as they are is in force
        at once, without running the model again.

        Parameters
        ----------
        archive, semantic
            What is new; as for `submit`.
        newest
            The newest revision that the caller knows of; where there is a newer one by now, nothing
            is changed.
        actor
            Who does it, for the events; its owner where empty.

        Raises
        ------
        NotFound, InvalidArchive, InvalidSpecification, TooLarge
            As `submit`.
        Conflict
            A revision is being verified, or is newer than `newest`.
        """
        self._require_open()
        if archive is None and semantic is None:
            raise InvalidInput(
                f"Nothing was given to update learnware {id} with.",
                remedy="Pass `archive=`, `semantic=`, or both.",
                code="input.nothing_to_update",
            )
        latest = self._catalogue.latest(id)
        if newest not in (None, latest.number):
            raise updated(id)
        chosen = read_semantic(semantic)
        revision = revise(
            self._catalogue, self._storage, latest, archive, chosen, self._worker.name, actor
        )
        return self._followed(revision)

    def submission(self, id: str, revision: int | None = None) -> Submission:
        """Return a submission of a learnware, to follow it from here.

        Parameters
        ----------
        revision
            Its revision's number; the newest where omitted.

        Raises
        ------
        NotFound
            No such learnware, or no such revision of it.
        """
        if revision is None:
            return self._followed(self._catalogue.latest(id))
        found = [one for one in self._catalogue.revisions(id) if one.number == revision]
        if not found:
            raise no_revision(id, revision)
        return self._followed(found[0])

    def revisions(self, id: str) -> list[Revision]:
        """Return the revisions of a learnware, the first first.

        Raises
        ------
        NotFound
            No such learnware.
        """
        self._require_open()
        return self._catalogue.revisions(id)

    # One learnware

    def get(self, id: str) -> Learnware:
        """Return a learnware, ready to load.

        Raises
        ------
        NotFound
            No such learnware.
        Conflict
            It is not published yet, or was rejected.
        DockDamaged
            Its archive is not what the catalogue says.
        """
        self._require_open()
        revision = self._catalogue.current(id)
        with self._locks.writing():
            folder = self._unpacked.folder(revision.archive_sha256, unpack)
        return Learnware(
            id=id,
            folder=folder,
            manifest=manifest_of(folder),
            semantic=revision.semantic,
            specification=loads_pointset(self._blobs.read(revision.specification_sha256)),
            lock=revision.environment,
        )

    def specification(self, id: str) -> RKME:
        """Return the statistical specification of a learnware, without unpacking it.

        Raises
        ------
        NotFound, Conflict, DockDamaged
            As `get`.
        """
        self._require_open()
        revision = self._catalogue.current(id)
        return loads_pointset(self._blobs.read(revision.specification_sha256))

    def archive(self, id: str, *, newest: bool = False) -> Received:
        """Return the archive of a learnware as it was submitted, to be read and not changed.

        Parameters
        ----------
        newest
            That of the newest revision, also while it is verified; of one that was rejected,
            nothing is kept.

        Raises
        ------
        NotFound, Conflict, DockDamaged
            As `get`; whether its bytes are those of its digest is the reader's to check.
        """
        self._require_open()
        revision = self._catalogue.latest(id) if newest else self._catalogue.current(id)
        path = self._blobs.path(revision.archive_sha256)
        return Received(path, revision.archive_sha256, revision.size)

    def show(self, id: str) -> LearnwareRecord:
        """Return what the catalogue says about a learnware, with the log of its checks.

        Raises
        ------
        NotFound
            No such learnware.
        """
        self._require_open()
        record = self._listing.record(id)
        if record is None:
            raise no_learnware(id)
        return record

    def events(self, id: str) -> tuple[Event, ...]:
        """Return every change of a learnware's state, the first first; deleted ones keep theirs.

        Raises
        ------
        NotFound
            There never was such a learnware.
        """
        self._require_open()
        events = self._listing.events(id)
        if not events:
            raise no_learnware(id)
        return events

    def export(self, id: str, path: str | os.PathLike[str]) -> Path:
        """Write a learnware as the zip that a dock serves, and return its path.

        Parameters
        ----------
        path
            The file, or a folder to put `<id>.zip` into.

        Raises
        ------
        NotFound, Conflict, DockDamaged
            As `get`.
        """
        self._require_open()
        revision = self._catalogue.current(id)
        target = Path(path).expanduser()
        target = target / f"{id}.zip" if target.is_dir() else target
        with self._locks.writing(), self._blobs.workspace() as workspace:
            archive = self._blobs.verified(revision.archive_sha256)
            write_served(archive, workspace, id, revision.semantic, target)
        return target

    def withdraw(self, id: str, *, actor: str = "") -> None:
        """Take a published learnware out of search and lists; `restore` undoes it.

        Parameters
        ----------
        actor
            Who does it, for the events; its owner where empty.

        Raises
        ------
        NotFound, Conflict
            No such learnware, or it is not published.
        """
        self._require_open()
        self._catalogue.withdraw(id, actor)

    def restore(self, id: str, *, actor: str = "") -> None:
        """Publish a withdrawn learnware again; `actor` as for `withdraw`.

        Raises
        ------
        NotFound, Conflict
            No such learnware, or it is not withdrawn.
        """
        self._require_open()
        self._catalogue.restore(id, actor)

    def delete(self, id: str, *, actor: str = "") -> None:
        """Delete a learnware for good, whose id is never given again; `actor` as for `withdraw`.

        Raises
        ------
        NotFound
            No such learnware.
        """
        self._require_open()
        self._storage.collect(*self._catalogue.delete(id, actor))
        self._bell.ring()

    # Closing

    def close(self) -> None:
        """Finish the verifications of this process, and let go of the folder."""
        if not self._closed:
            self._worker.close()
            self._let_go()

    def __enter__(self) -> Dock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is not None and not self._closed:
            # An interrupted program should end soon; what waits goes on when the dock is opened.
            self._worker.abandon()
            self._let_go()
        self.close()

    def __repr__(self) -> str:
        if self._closed:
            return f"<dock {str(self.folder)!r}, closed>"
        size = len(self)
        return f"<dock {str(self.folder)!r}, {size:,} learnware{'' if size == 1 else 's'}>"

    def _repr_html_(self) -> str:
        if self._closed:
            return f"<p>{html.escape(repr(self))}</p>"
        return dock_html(self.folder, len(self), self.facets()["task"])

    def _let_go(self) -> None:
        self._closed = True
        self._catalogue.close()
        self._locks.leave()

    def _followed(self, revision: Revision) -> Submission:
        self._worker.take(revision)
        return Submission(revision, self._catalogue, self._bell, self._worker.see_to)
