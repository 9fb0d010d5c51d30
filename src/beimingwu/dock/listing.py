"""What the catalogue can tell about many learnwares: lists, facet counts, text hits, changes.

Facets are exact and a text is ranked, both in SQL and in one transaction with everything else the
catalogue knows, so a list never shows what a facet count does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar, cast, get_args

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.records import Revision, id_of, number_of, record_of
from beimingwu.errors import InvalidInput, InvalidRequirement
from beimingwu.learnware.record import Event, LearnwareRecord, State
from beimingwu.search.semantic import KEYS, SemanticFilter

_learnware, _revision, _event, _facet = (
    schema.learnware,
    schema.revision,
    schema.event,
    schema.facet,
)

T = TypeVar("T")
#: The states that can be asked for: of what is deleted there is nothing to show.
STATES = tuple(state for state in get_args(State) if state != "deleted")


@dataclass(frozen=True)
class Published:
    """What search needs to know of a published learnware."""

    id: str
    specification_sha256: str
    features: tuple[str, ...]


class Listing:
    """Questions about many learnwares of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def ids(
        self, wanted: SemanticFilter, state: State | None, owner: str | None = None
    ) -> list[str]:
        """Return the ids that satisfy every facet: best text first, newest first where no text."""
        with self._catalogue.reading() as connection:
            return [id_of(number) for number in self._numbers(connection, wanted, state, owner)]

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
            numbers = self._numbers(connection, wanted, state, owner)
            page = _following(numbers, after)[:limit]
            found = _records(connection, page)
        return [found[number] for number in page]

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

    def count(self, wanted: SemanticFilter, state: State | None) -> int:
        """Return how many learnwares `ids` would name."""
        with self._catalogue.reading() as connection:
            found = self._counted(wanted, state).subquery()
            total = connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()
            return int(total)

    def facets(self, wanted: SemanticFilter, state: State | None) -> dict[str, dict[str, int]]:
        """Count, for each facet, what each of its values would give beside the other facets."""
        counts = {}
        with self._catalogue.reading() as connection:
            for key in KEYS:
                others = replace(wanted, **cast(Any, {key: ()}))
                within = self._counted(others, state).subquery()
                rows = connection.execute(
                    sa.select(_facet.c.value, sa.func.count())
                    .join(within, within.c.id == _facet.c.learnware)
                    .where(_facet.c.key == key)
                    .group_by(_facet.c.value)
                )
                # Databases differ in how they order texts.
                ranked = sorted(rows, key=lambda row: (-row[1], row[0]))
                counts[key] = {value: int(count) for value, count in ranked}
        return counts

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

    def _numbers(
        self,
        connection: sa.Connection,
        wanted: SemanticFilter,
        state: State | None,
        owner: str | None,
    ) -> list[int]:
        hits = self._catalogue.text.hits(wanted.text)
        statement = _allowed(wanted, state, owner)
        if hits is not None:
            statement = statement.join(hits, hits.c.id == _learnware.c.id).order_by(hits.c.rank)
        statement = statement.order_by(_learnware.c.id.desc())
        return list(connection.execute(statement).scalars())

    def _counted(self, wanted: SemanticFilter, state: State | None) -> sa.Select[Any]:
        """Return the query for what satisfies a filter, in no order: counting needs no ranks."""
        hits = self._catalogue.text.hits(wanted.text)
        statement = _allowed(wanted, state, None)
        if hits is not None:
            # IN, and no join: SQLite then asks the full text once, and not for every row.
            statement = statement.where(_learnware.c.id.in_(sa.select(hits.c.id)))
        return statement


def _allowed(wanted: SemanticFilter, state: State | None, owner: str | None) -> sa.Select[Any]:
    """Return the query for what satisfies every facet, the state and the owner."""
    if state is not None and state not in STATES:
        raise InvalidInput(
            f"`state` must be one of {', '.join(map(repr, STATES))}. Got {state!r} instead.",
            remedy="Pass one of these, or None for all of them.",
            code="input.state",
        )
    shown = _learnware.c.state == state if state else _learnware.c.state != "deleted"
    statement = sa.select(_learnware.c.id).where(shown)
    if owner is not None:
        statement = statement.where(_learnware.c.owner == owner)
    for key in KEYS:
        values: Sequence[str] = getattr(wanted, key)
        if values:
            has = sa.exists().where(
                _facet.c.learnware == _learnware.c.id,
                _facet.c.key == key,
                _facet.c.value.in_(values),
            )
            statement = statement.where(has)
    return statement


def require_limit(limit: int) -> None:
    """Refuse a limit under 1."""
    if limit < 1:
        raise InvalidRequirement(
            f"`limit` must be an int in the range [1, inf). Got {limit!r} instead.",
            remedy="Pass limit=1 or more.",
            code="requirement.limit",
        )


def _following(numbers: list[int], after: str | None) -> list[int]:
    if after is None:
        return numbers
    try:
        return numbers[numbers.index(number_of(after)) + 1 :]
    except ValueError:
        raise InvalidRequirement(
            f"There is no learnware {after} in this list to go on from.",
            remedy="Pass as `after` the last id of the page before, with the same filter.",
            code="requirement.after",
        ) from None


def _records(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, LearnwareRecord]:
    every = _revision.alias("every")
    newest = (
        sa.select(sa.func.max(every.c.id))
        .where(every.c.learnware == _learnware.c.id)
        .correlate(_learnware)
        .scalar_subquery()
    )
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
