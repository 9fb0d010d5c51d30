"""What satisfies a filter, in SQL: facets that are wanted and unwanted, state, owner and text.

Portable to both databases, and written so that SQLite, which knows nothing of the numbers behind a
query, takes the quick way through 100,000 learnwares. Used by `listing` and `understanding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.fulltext import FullText
from beimingwu.errors import InvalidInput
from beimingwu.learnware.record import State
from beimingwu.search.semantic import KEYS, SemanticFilter

_learnware, _facet = schema.learnware, schema.facet

#: The states that can be asked for: of what is deleted there is nothing to show.
STATES = tuple(state for state in get_args(State) if state != "deleted")
# Up to so many learnwares are looked up one by one rather than all facets read.
_FEW = 1000


def shown(state: State | None) -> sa.ColumnElement[bool]:
    """Return the condition on a learnware's state; InvalidInput where there is no such state."""
    if state is not None and state not in STATES:
        raise InvalidInput(
            f"`state` must be one of {', '.join(map(repr, STATES))}. Got {state!r} instead.",
            remedy="Pass one of these, or None for all of them.",
            code="input.state",
        )
    return _learnware.c.state == state if state else _learnware.c.state != "deleted"


def ranked(
    wanted: SemanticFilter, text: FullText, state: State | None, owner: str | None
) -> sa.Select[Any]:
    """Return the query for the numbers of what satisfies a filter, the best first."""
    statement = _allowed(wanted, state)
    if owner is not None:
        statement = statement.where(_learnware.c.owner == owner)
    hits = text.hits(wanted.text)
    if hits is not None:
        statement = statement.join(hits, hits.c.id == _learnware.c.id).order_by(hits.c.rank)
    return statement.order_by(_learnware.c.id.desc())


def unranked(
    wanted: SemanticFilter, text: FullText, state: State | None, owner: str | None = None
) -> sa.Select[Any]:
    """Return the query for the same in no order: counting needs no ranks."""
    hits = text.hits(wanted.text)
    statement = _allowed(wanted, state)
    if owner is not None:
        statement = statement.where(_learnware.c.owner == owner)
    if hits is not None:
        # IN, and no join: SQLite then asks the full text once, and not for every row.
        statement = statement.where(_learnware.c.id.in_(sa.select(hits.c.id)))
    return statement


def count_values(
    connection: sa.Connection, within: sa.Select[Any], keys: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count the values of some facets among the learnwares of a query, the most frequent first."""
    few = connection.execute(within.limit(_FEW + 1)).scalars().all()
    # A sum has no index, so SQLite takes the other column's: it looks up the facets of few, and
    # reads those of many in the order of their values, with no table to sort.
    key, learnware = _facet.c.key, _facet.c.learnware
    if len(few) <= _FEW:
        among = sa.and_(learnware.in_(few), (key + "").in_(keys))
    else:
        among = sa.and_((learnware + 0).in_(within), key.in_(keys))
    rows = connection.execute(
        sa.select(key, _facet.c.value, sa.func.count()).where(among).group_by(key, _facet.c.value)
    )
    counts: dict[str, dict[str, int]] = {key: {} for key in keys}
    # Databases differ in how they order texts.
    for facet, value, count in sorted(rows, key=lambda row: (-row[2], row[1])):
        counts[facet][value] = int(count)
    return counts


def _allowed(wanted: SemanticFilter, state: State | None) -> sa.Select[Any]:
    """Return the query for what satisfies every facet and the state, and has nothing unwanted."""
    statement = sa.select(_learnware.c.id).where(shown(state))
    for key in KEYS:
        values: Sequence[str] = getattr(wanted, key)
        if values:
            statement = statement.where(_has(key, values))
        unwanted: Sequence[str] = getattr(wanted.without, key)
        if unwanted:
            statement = statement.where(~_has(key, unwanted))
    return statement


def _has(key: str, values: Sequence[str]) -> sa.Exists:
    return sa.exists().where(
        _facet.c.learnware == _learnware.c.id, _facet.c.key == key, _facet.c.value.in_(values)
    )
