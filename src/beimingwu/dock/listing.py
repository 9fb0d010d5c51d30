"""What the catalogue can tell about many learnwares: lists, facet counts, text hits, changes.

Facets are exact and a text is ranked, both in SQL and in one transaction with everything else the
catalogue knows, so a list never shows what a facet count does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.filtering import count_values, ranked, unranked
from beimingwu.dock.records import Revision, id_of, number_of, record_of
from beimingwu.dock.rows import newest_revision
from beimingwu.dock.understanding import Understanding
from beimingwu.errors import InvalidRequirement
from beimingwu.learnware.record import Event, LearnwareRecord, State
from beimingwu.search.semantic import KEYS, SemanticFilter
from beimingwu.search.spelling import Suggestion

_learnware, _revision, _event = schema.learnware, schema.revision, schema.event

T = TypeVar("T")


@dataclass(frozen=True)
class Published:
    """What search needs to know of a published learnware."""

    id: str
    specification_sha256: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """Where a learnware stands, and where its newest revision does."""

    id: str
    owner: str
    state: State
    newest: State


class Listing:
    """Questions about many learnwares of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._understanding = Understanding(catalogue.text)

    def ids(
        self,
        wanted: SemanticFilter,
        state: State | None,
        owner: str | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """Return the ids that satisfy every facet: best text first, newest first where no text."""
        with self._catalogue.reading() as connection:
            numbers = self._page(connection, wanted, state, owner, limit, None)
        return [id_of(number) for number in numbers]

    def records(
        self,
        wanted: SemanticFilter,
        state: State | None,
        owner: str | None,
        limit: int | None,
        after: str | None,
    ) -> list[LearnwareRecord]:
        """Return a page of `ids`, the one that follows the id `after`, as records."""
        if limit is not None:
            require_limit(limit)
        with self._catalogue.reading() as connection:
            page = self._page(connection, wanted, state, owner, limit, after)
            found = _records(connection, page)
        return [found[number] for number in page]

    def records_of(self, ids: Iterable[str]) -> list[LearnwareRecord]:
        """Return the records of learnwares in the order of their ids; of those that are there."""
        numbers = [number_of(id) for id in ids]
        with self._catalogue.reading() as connection:
            found = _records(connection, numbers)
        return [found[number] for number in numbers if number in found]

    def standings(self, owner: str | None) -> list[Standing]:
        """Return how each learnware of an owner stands, the newest first; of all for None."""
        newest = newest_revision()
        statement = (
            sa.select(_learnware.c.id, _learnware.c.owner, _learnware.c.state, _revision.c.state)
            .select_from(_learnware)
            .join(_revision, _revision.c.id == newest)
            .where(_learnware.c.state != "deleted")
            .order_by(_learnware.c.id.desc())
        )
        if owner is not None:
            statement = statement.where(_learnware.c.owner == owner)
        with self._catalogue.reading() as connection:
            return [Standing(id_of(id), *rest) for id, *rest in connection.execute(statement)]

    def record(self, id: str) -> LearnwareRecord | None:
        """Return one record, None where there is no such learnware."""
        with self._catalogue.reading() as connection:
            return _records(connection, [number_of(id)]).get(number_of(id))

    def events(self, id: str) -> tuple[Event, ...]:
        """Return every change of a learnware's state, the first first."""
        with self._catalogue.reading() as connection:
            rows = connection.execute(
                sa.select(_event).where(_event.c.learnware == number_of(id)).order_by(_event.c.id)
            )
            return tuple(
                Event(row.at, row.kind, row.revision, row.actor, row.detail) for row in rows
            )

    def count(self, wanted: SemanticFilter, state: State | None, owner: str | None = None) -> int:
        """Return how many learnwares `ids` would name."""
        with self._catalogue.reading() as connection:
            meant = self._understanding.meant(connection, wanted, state)
            found = unranked(meant, self._catalogue.text, state, owner).subquery()
            total = connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()
            return int(total)

    def facets(self, wanted: SemanticFilter, state: State | None) -> dict[str, dict[str, int]]:
        """Count, for each facet, what each of its values would give beside the other facets.

        What the filter excludes stays excluded, in its own facet too.
        """
        text = self._catalogue.text
        with self._catalogue.reading() as connection:
            meant = self._understanding.meant(connection, wanted, state)
            free = [key for key in KEYS if not getattr(meant, key)]
            counts = count_values(connection, unranked(meant, text, state), free)
            for key in KEYS:
                if key not in free:
                    others = replace(meant, **cast(Any, {key: ()}))
                    counts |= count_values(connection, unranked(others, text, state), [key])
        return {key: counts[key] for key in KEYS}

    def suggestions(self, wanted: SemanticFilter, state: State | None) -> tuple[Suggestion, ...]:
        """Return what the text was read as, and what would find more; see `Dock.did_you_mean`."""
        with self._catalogue.reading() as connection:
            return self._understanding.suggestions(connection, wanted, state)

    def published(self) -> tuple[int, list[Published]]:
        """Return the change sequence and everything that is published at that moment."""
        with self._catalogue.reading() as connection:
            return _sequence(connection), _published(connection, sa.true())

    def fingerprint(self, sequence: int) -> str:
        """Return what tells this catalogue's change of that number from another catalogue's."""
        with self._catalogue.reading() as connection:
            row = connection.execute(sa.select(_event).where(_event.c.id == sequence)).one_or_none()
        if row is None:
            return ""
        told = (row.id, row.at.isoformat(), row.learnware, row.revision, row.kind, row.actor)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    def changes(self, after: int) -> tuple[int, Mapping[str, Published | None]]:
        """Return the sequence now and what changed since; None for what is published no more."""
        with self._catalogue.reading() as connection:
            sequence = _sequence(connection)
            if sequence == after:
                return sequence, {}
            touched = connection.execute(
                sa.select(_event.c.learnware).where(_event.c.id > after).distinct()
            ).scalars()
            changed: dict[str, Published | None] = {id_of(number): None for number in touched}
            for some in _batches(list(changed)):
                chosen = _learnware.c.id.in_([number_of(id) for id in some])
                changed.update({found.id: found for found in _published(connection, chosen)})
        return sequence, changed

    def _page(
        self,
        connection: sa.Connection,
        wanted: SemanticFilter,
        state: State | None,
        owner: str | None,
        limit: int | None,
        after: str | None,
    ) -> list[int]:
        """Return the numbers that follow `after`, the best first."""
        meant = self._understanding.meant(connection, wanted, state)
        statement = ranked(meant, self._catalogue.text, state, owner)
        if after is None:
            return list(connection.execute(statement.limit(limit)).scalars())
        if meant.text:
            everything = list(connection.execute(statement).scalars())
            return _following(everything, after)[:limit]
        # The newest first: the rest of the list is what is older.
        last = number_of(after)
        at_last = statement.where(_learnware.c.id == last)
        _following(list(connection.execute(at_last).scalars()), after)
        older = statement.where(_learnware.c.id < last)
        return list(connection.execute(older.limit(limit)).scalars())


def require_limit(limit: int) -> None:
    """Refuse a limit under 1."""
    if limit < 1:
        raise InvalidRequirement(
            f"`limit` must be an int in the range [1, inf). Got {limit!r} instead.",
            remedy="Pass limit=1 or more.",
            code="requirement.limit",
        )


def _following(numbers: list[int], after: str) -> list[int]:
    try:
        return numbers[numbers.index(number_of(after)) + 1 :]
    except ValueError:
        raise InvalidRequirement(
            f"There is no learnware {after} in this list to go on from.",
            remedy="Pass as `after` the last id of the page before, with the same filter.",
            code="requirement.after",
        ) from None


def _records(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, LearnwareRecord]:
    newest = newest_revision()
    shown = sa.func.coalesce(_learnware.c.current_revision, newest)
    found = {}
    for some in _batches(numbers):
        rows = connection.execute(
            sa.select(
                _revision,
                _learnware.c.owner,
                _learnware.c.state.label("learnware_state"),
                _learnware.c.created.label("learnware_created"),
            )
            .select_from(_learnware)
            .join(_revision, _revision.c.id == shown)
            .where(_learnware.c.id.in_(some), _learnware.c.state != "deleted")
        ).mappings()
        for row in rows:
            revision = Revision.from_row({**row}, row["owner"])
            found[row["learnware"]] = record_of(
                revision, row["learnware_state"], row["learnware_created"]
            )
    return found


def _published(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Published]:
    rows = connection.execute(
        sa.select(_learnware.c.id, _revision.c.specification_sha256, _revision.c.semantic["Input"])
        .join(_revision, _revision.c.id == _learnware.c.current_revision)
        .where(_learnware.c.state == "published", which)
        .order_by(_learnware.c.id)
    )
    return [Published(id_of(number), digest, _features(given)) for number, digest, given in rows]


def _features(given: Mapping[str, object] | None) -> tuple[str, ...]:
    from beimingwu.specification.semantic import Dimensions

    return Dimensions.from_json(given).names if given else ()


def _batches(everything: Iterable[T]) -> Iterator[list[T]]:
    """Cut into lists that fit into one IN (…)."""
    rest = iter(everything)
    while some := list(islice(rest, 500)):
        yield some


def _sequence(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.max(_event.c.id))).scalar() or 0)
