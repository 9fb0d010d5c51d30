"""What a dock stores of archives, and collects again when no row of the catalogue needs it.

Blobs are on disk before the row that refers to them, so between the two nobody may collect; a crash
between them leaves blobs that the next opening collects.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beimingwu.config import settings
from beimingwu.dock.blobs import Blobs, Source, Unpacked
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.checks import inspect
from beimingwu.dock.locks import Locks
from beimingwu.dock.pointset import dumps_pointset
from beimingwu.dock.records import Draft, Revision
from beimingwu.specification.semantic import SemanticSpecification


class Storage:
    """The blobs of a dock and the learnwares unpacked from them.

    Parameters
    ----------
    folder
        The dock's.
    catalogue, locks
        What refers to blobs, and who is writing them.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, locks: Locks) -> None:
        self.blobs = Blobs(folder)
        self.unpacked = Unpacked(folder, self.blobs)
        self._catalogue = catalogue
        self._locks = locks

    @contextmanager
    def storing(self) -> Iterator[set[str]]:
        """Hold off collection until a row refers to what is stored; if none comes, undo it."""
        stored: set[str] = set()
        try:
            with self._locks.writing():
                yield stored
        except BaseException:
            self._discard(stored)
            raise

    def draft(
        self,
        stored: set[str],
        archive: Source,
        semantic: SemanticSpecification | None,
        otherwise: SemanticSpecification | None = None,
    ) -> Draft:
        """Check an archive and store its blobs, noting them in `stored`.

        Raises
        ------
        InvalidArchive, InvalidSpecification, TooLarge
            It breaks a rule.
        """
        with self.blobs.receive(archive, settings().archive_max_bytes) as incoming:
            inspected = inspect(incoming.path, semantic, otherwise)
            stored.add(incoming.keep())
            specification = self.blobs.put(dumps_pointset(inspected.specification))
            stored.add(specification)
            return Draft(
                archive_sha256=incoming.digest,
                size=incoming.size,
                specification_sha256=specification,
                semantic=inspected.semantic,
                kind=inspected.specification.kind,
                dimension=inspected.specification.dimension,
                steps=inspected.steps,
            )

    def collect(self, *revisions: Revision) -> None:
        """Remove what only these revisions needed."""
        self._discard(
            {revision.archive_sha256 for revision in revisions}
            | {revision.specification_sha256 for revision in revisions}
        )

    def collect_everything(self) -> None:
        """Remove what a crash left: half-written files, and blobs that no row refers to."""
        self._locks.sweep()
        with self._locks.collecting() as alone:
            if alone:
                live = self._catalogue.live_digests()
                self.blobs.sweep(live)
                self.unpacked.sweep(live)

    def _discard(self, digests: set[str]) -> None:
        """Remove what no row needs of these; the next open does it if somebody is writing."""
        with self._locks.collecting() as alone:
            if alone:
                self.blobs.discard(digests, self._catalogue.is_live)
                self.unpacked.discard(digests, self._catalogue.is_live)
