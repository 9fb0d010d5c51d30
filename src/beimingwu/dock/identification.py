"""Search over a dock: an index in its folder that follows the catalogue, filters before ranking.

The index is made from the stored specifications and kept fresh by the change sequence, so what
another process publishes or withdraws counts from the next search on. It stands for one moment of
one catalogue; where it is of another, or damaged, it is made again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from beimingwu.dock.blobs import Blobs
from beimingwu.dock.listing import Listing, Published, require_limit
from beimingwu.dock.pointset import loads_pointset
from beimingwu.errors import DockDamaged
from beimingwu.search.index import Index
from beimingwu.search.keeping import Mark
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import Resolve, SearchResult
from beimingwu.search.segment import Entry
from beimingwu.search.semantic import SemanticFilter


class Identification:
    """Finds the learnwares of a dock that serve a requirement.

    Parameters
    ----------
    listing, blobs
        The dock's.
    resolve
        How a match turns its id into a learnware.
    folder
        Where the index is kept.
    """

    def __init__(self, listing: Listing, blobs: Blobs, resolve: Resolve, folder: Path) -> None:
        self._listing = listing
        self._blobs = blobs
        self._resolve = resolve
        self._folder = folder
        self._guard = threading.Lock()
        self._index: Index | None = None
        self._sequence = 0
        self._unreadable: dict[str, str] = {}

    def search(self, requirement: Requirement, limit: int, max_learnwares: int) -> SearchResult:
        """Return what serves the requirement; see `Dock.search`."""
        if requirement.specification is None:
            return self._by_words(requirement, limit)
        wanted = requirement.filter
        among = frozenset(self._listing.ids(wanted, "published")) if wanted else None
        for attempt in range(2):
            index = self._followed()
            try:
                result = index.search(
                    requirement,
                    among=among,
                    limit=limit,
                    max_learnwares=max_learnwares,
                    resolve=self._resolve,
                )
            except DockDamaged as error:
                if error.code != "dock.index_damaged" or attempt:
                    raise
                self._forget(index)
            else:
                break
        return replace(result, notes=(*result.notes, *self._said(wanted), *self._left_out()))

    def settle(self) -> None:
        """Bring the index to what is published now, with all work on it done, and keep it."""
        index = self._followed()
        index.settle()
        index.keep(self._mark(), everything=True)

    def _said(self, wanted: SemanticFilter) -> list[str]:
        """Return what is to be said of the text of a search."""
        if not wanted.text:
            return []
        return list(map(str, self._listing.suggestions(wanted, "published")))

    def _left_out(self) -> list[str]:
        return [
            f"Learnware {id} was left out, since its specification cannot be read: {problem}"
            for id, problem in sorted(self._unreadable.items())[:3]
        ]

    def _by_words(self, requirement: Requirement, limit: int) -> SearchResult:
        require_limit(limit)
        wanted = requirement.filter
        ids = self._listing.ids(wanted, "published", limit=limit)
        notes = self._said(wanted)
        if len(ids) == limit and (total := self._listing.count(wanted, "published")) > limit:
            notes.append(f"{total:,} learnwares match.")
        return SearchResult.of_ids(ids, requirement, resolve=self._resolve, notes=tuple(notes))

    def _followed(self) -> Index:
        """Return the index, brought to what is published now."""
        with self._guard:
            index = self._index
            if index is None or index.is_outdated:
                index = self._opened()
            sequence, changed = self._listing.changes(self._sequence)
            for entry in self._entries(changed.items(), index):
                index.add(entry.id, entry.spec, entry.features)
            self._index, self._sequence = index, sequence
            if changed:
                index.keep(self._mark())
            return index

    def _opened(self) -> Index:
        """Return the index as it is in the folder, or made of everything that is published."""
        index, mark = Index.open(self._folder)
        if mark is not None and mark.fingerprint == self._listing.fingerprint(mark.sequence):
            self._sequence = mark.sequence
            return index
        self._sequence, everything = self._listing.published()
        self._unreadable.clear()
        published = ((found.id, found) for found in everything)
        return Index.filled(self._folder, self._mark(), self._entries(published))

    def _mark(self) -> Mark:
        return Mark(self._sequence, self._listing.fingerprint(self._sequence))

    def _forget(self, index: Index) -> None:
        with self._guard:
            if self._index is index:
                index.clear()
                self._index = None

    def _entries(
        self, published: Iterable[tuple[str, Published | None]], index: Index | None = None
    ) -> Iterator[Entry]:
        """Yield the specifications of what is published, having taken the old ones out."""
        for id, found in published:
            self._unreadable.pop(id, None)
            if index is not None and id in index:
                index.remove(id)
            if found is None:
                continue
            try:
                specification = loads_pointset(self._blobs.read(found.specification_sha256))
            except DockDamaged as error:
                # One damaged file must not end every search: it is left out, and a note says so.
                self._unreadable[id] = error.problem
                continue
            names = specification.features or found.features
            fitting = len(names) == specification.dimension
            yield Entry(id, specification, names if fitting else ())
