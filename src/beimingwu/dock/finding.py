"""The verbs of a dock that look for learnwares: search, list, count and what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from beimingwu.dock.identification import Identification
from beimingwu.dock.listing import Listing, Standing
from beimingwu.errors import Conflict
from beimingwu.learnware.record import LearnwareRecord, State
from beimingwu.search import Requirement, SearchResult, SemanticFilter, Suggestion
from beimingwu.specification.rkme import RKME


class Finding:
    """What `Dock` has of verbs that only look, beside those about one learnware."""

    folder: Path
    _closed: bool
    _listing: Listing
    _identification: Identification

    def search(
        self,
        requirement: Requirement | RKME | SemanticFilter | dict[str, object],
        *,
        limit: int = 10,
        max_learnwares: int = 5,
    ) -> SearchResult:
        """Identify the learnwares, and the mixture of learnwares, that serve a requirement.

        Every hit satisfies every facet of the filter; the text and the facets are applied before
        anything is ranked. Without a specification, hits come in the order of the text, or the
        newest first.

        Raises
        ------
        InvalidRequirement
            It cannot be asked.
        """
        self._require_open()
        return self._identification.search(Requirement.of(requirement), limit, max_learnwares)

    def list(
        self,
        filter: SemanticFilter | None = None,
        *,
        limit: int | None = 100,
        after: str | None = None,
        state: State | None = "published",
        owner: str | None = None,
    ) -> list[LearnwareRecord]:
        """Return learnwares, the best text match or else the newest first.

        Parameters
        ----------
        filter
            Facets and text that they satisfy; all where omitted.
        limit
            Most to return; all for None.
        after
            The last id of the page before.
        state
            Only those in this state; every state but deleted for None.
        owner
            Only this owner's.

        Raises
        ------
        InvalidRequirement
            A limit under 1, or an `after` that is not in the list.
        InvalidInput
            No such state.
        """
        self._require_open()
        return self._listing.records(filter or SemanticFilter(), state, owner, limit, after)

    def records(self, ids: Iterable[str]) -> tuple[LearnwareRecord, ...]:
        """Return the records of learnwares in the order of their ids; of those that are there."""
        self._require_open()
        return tuple(self._listing.records_of(ids))

    def standings(self, *, owner: str | None = None) -> tuple[Standing, ...]:
        """Return how each learnware of an owner stands, the newest first; of all for None."""
        self._require_open()
        return tuple(self._listing.standings(owner))

    def facets(self, filter: SemanticFilter | None = None) -> dict[str, dict[str, int]]:
        """Count the published learnwares by facet and value, within the filter's other facets."""
        self._require_open()
        return self._listing.facets(filter or SemanticFilter(), "published")

    def did_you_mean(
        self, filter: SemanticFilter, *, state: State | None = "published"
    ) -> tuple[Suggestion, ...]:
        """Return what the text of a filter was read as, and where it finds few, what finds more.

        A word that no learnware says is read as one that some do, by `list` and `search` too.
        """
        self._require_open()
        return self._listing.suggestions(filter, state)

    def count(
        self,
        filter: SemanticFilter | None = None,
        *,
        state: State | None = "published",
        owner: str | None = None,
    ) -> int:
        """Return how many learnwares `list` would go through."""
        self._require_open()
        return self._listing.count(filter or SemanticFilter(), state, owner)

    def __len__(self) -> int:
        return self.count()

    def settle(self) -> None:
        """Have the index hold all that is published, and come back when no work on it is left.

        Searches do not need it: they begin such work, and go on while it is done.
        """
        self._require_open()
        self._identification.settle()

    def _require_open(self) -> None:
        if self._closed:
            raise Conflict(
                f"The dock {str(self.folder)!r} is closed.",
                remedy="Open it again with Dock.open(…).",
                code="conflict.closed",
            )
