"""Search over a dock: an index in memory that follows the catalogue, and filters before ranking.

The index is made from the stored specifications at the first search and kept fresh by the change
sequence, so what another process publishes or withdraws counts from the next search on.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from beimingwu.dock.blobs import Blobs
from beimingwu.dock.listing import Listing, Published, require_limit
from beimingwu.dock.pointset import loads_pointset
from beimingwu.errors import DockDamaged
from beimingwu.search.index import Index
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import Resolve, SearchResult


class Identification:
    """Finds the learnwares of a dock that serve a requirement.

    Parameters
    ----------
    listing, blobs
        The dock's.
    resolve
        How a match turns its id into a learnware.
    """

    def __init__(self, listing: Listing, blobs: Blobs, resolve: Resolve) -> None:
        self._listing = listing
        self._blobs = blobs
        self._resolve = resolve
        self._guard = threading.Lock()
        self._index = Index()
        self._sequence: int | None = None
        self._unreadable: dict[str, str] = {}

    def search(self, requirement: Requirement, limit: int, max_learnwares: int) -> SearchResult:
        """Return what serves the requirement; see `Dock.search`."""
        if requirement.specification is None:
            return self._by_words(requirement, limit)
        self._follow()
        wanted = requirement.filter
        among = frozenset(self._listing.ids(wanted, "published")) if wanted else None
        result = self._index.search(
            requirement,
            among=among,
            limit=limit,
            max_learnwares=max_learnwares,
            resolve=self._resolve,
        )
        return replace(result, notes=(*result.notes, *self._notes()))

    def _notes(self) -> list[str]:
        return [
            f"Learnware {id} was left out, since its specification cannot be read: {problem}"
            for id, problem in sorted(self._unreadable.items())[:3]
        ]

    def _by_words(self, requirement: Requirement, limit: int) -> SearchResult:
        require_limit(limit)
        ids = self._listing.ids(requirement.filter, "published")
        notes = (f"{len(ids):,} learnwares match.",) if len(ids) > limit else ()
        return SearchResult.of_ids(ids[:limit], requirement, resolve=self._resolve, notes=notes)

    def _follow(self) -> None:
        """Bring the index to what is published now."""
        with self._guard:
            if self._sequence is None:
                self._sequence, everything = self._listing.published()
                for found in everything:
                    self._put(found)
                return
            self._sequence, changed = self._listing.changes(self._sequence)
            for id, now in changed.items():
                self._unreadable.pop(id, None)
                if id in self._index:
                    self._index.remove(id)
                if now is not None:
                    self._put(now)

    def _put(self, found: Published) -> None:
        try:
            specification = loads_pointset(self._blobs.read(found.specification_sha256))
        except DockDamaged as error:
            # One damaged file must not end every search: it is left out, and a note says so.
            self._unreadable[found.id] = error.problem
            return
        names = specification.features or found.features
        fitting = len(names) == specification.dimension
        self._index.add(found.id, specification, names if fitting else ())
