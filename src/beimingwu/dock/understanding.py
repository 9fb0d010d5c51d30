"""The text of a search as it may have been meant: words that nobody says, read as what some do say.

A word is read as another only when no learnware has it in it, so whoever types what there is finds
exactly that. Whether it is read so depends on the text and the state, never on the facets: a list,
its pages and its counts agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.filtering import shown, unranked
from beimingwu.dock.fulltext import FullText, query_words
from beimingwu.dock.words import is_unspaced, near_runs, near_words, runs_of
from beimingwu.learnware.record import State
from beimingwu.search.semantic import SemanticFilter
from beimingwu.search.spelling import Suggestion, named_values

_learnware = schema.learnware

#: A search that finds fewer is asked whether it meant something else.
FEW = 3
# What was typed may be a slip when another word finds so many times more.
_FAR_MORE = 10
# A longer text is taken as it is: each word costs a look at all that are like it.
_MOST_WORDS = 8
# Of the words that one is like, so many are tried.
_TRIED = 5
# Texts without spaces are read of so many learnwares, those that say half of a word most.
_READ = 300


class Understanding:
    """Reads the texts of searches in one catalogue.

    Parameters
    ----------
    text
        The catalogue's.
    """

    def __init__(self, text: FullText) -> None:
        self._text = text

    def meant(
        self, connection: sa.Connection, wanted: SemanticFilter, state: State | None
    ) -> SemanticFilter:
        """Return the filter to search by: with other words for those that no learnware says."""
        return _with_words(wanted, self._replaced(connection, wanted.text, state))

    def suggestions(
        self, connection: sa.Connection, wanted: SemanticFilter, state: State | None
    ) -> tuple[Suggestion, ...]:
        """Return the words that were replaced, and where a search finds few, what finds more."""
        if not 0 < len(query_words(wanted.text)) <= _MOST_WORDS:
            return ()
        replaced = self._replaced(connection, wanted.text, state)
        meant = _with_words(wanted, replaced)
        found = self._count(connection, meant, state)
        said = [
            Suggestion(typed, better, learnwares=found, followed=True)
            for typed, better in replaced.items()
        ]
        if found < FEW:
            said += self._values(connection, wanted, state, found)
            said += self._frequent(connection, meant, state, found)
        return tuple(said)

    def _values(
        self, connection: sa.Connection, wanted: SemanticFilter, state: State | None, found: int
    ) -> Iterator[Suggestion]:
        """Suggest the values of facets that the text names."""
        for typed, facet, value in named_values(query_words(wanted.text)):
            if getattr(wanted, facet):
                continue
            rest = f" {' '.join(query_words(wanted.text))} ".replace(f" {typed} ", " ", 1)
            tagged = replace(wanted, text=rest, **cast(Any, {facet: value}))
            count = self._count(connection, self.meant(connection, tagged, state), state)
            if count > found:
                yield Suggestion(typed, value, facet, count)

    def _frequent(
        self, connection: sa.Connection, wanted: SemanticFilter, state: State | None, found: int
    ) -> Iterator[Suggestion]:
        """Suggest other words that find far more."""
        for typed in query_words(wanted.text):
            for near in near_words(connection, typed)[:_TRIED]:
                count = self._count(connection, _with_words(wanted, {typed: near}), state)
                if count >= _FAR_MORE * max(found, 1):
                    yield Suggestion(typed, near, learnwares=count)
                    break

    def _replaced(
        self, connection: sa.Connection, text: str, state: State | None
    ) -> dict[str, str]:
        """Return what to read for the words that no learnware says; nothing where that is vain."""
        words = query_words(text)
        if not words or len(words) > _MOST_WORDS or self._is_said(connection, text, state):
            return {}
        readings = {}
        for word in words:
            if self._is_said(connection, word, state):
                continue
            better = self._mended(connection, word, state)
            if better is None:
                return {}
            readings[word] = better
        mended = " ".join(readings.get(word, word) for word in words)
        return readings if readings and self._is_said(connection, mended, state) else {}

    def _mended(self, connection: sa.Connection, word: str, state: State | None) -> str | None:
        """Return a word with each unknown run of letters in it replaced, None where one cannot."""
        mended = word
        for run in runs_of(word):
            if self._is_said(connection, run, state):
                continue
            near = (
                self._near_runs(connection, run, state)
                if is_unspaced(run)
                else near_words(connection, run)
            )
            tried = (one for one in near[:_TRIED] if self._is_said(connection, one, state))
            better = next(tried, None)
            if better is None:
                return None
            mended = mended.replace(run, better, 1)
        return mended if mended != word else None

    def _near_runs(self, connection: sa.Connection, run: str, state: State | None) -> list[str]:
        texts: dict[int, str] = {}
        # One slip leaves one of two halves whole.
        for half in (run[: len(run) // 2], run[len(run) // 2 :]):
            hits = self._text.hits(half)
            if hits is None:
                return []
            numbers = connection.execute(
                sa.select(_learnware.c.id)
                .join(hits, hits.c.id == _learnware.c.id)
                .where(shown(state))
                .order_by(hits.c.rank, _learnware.c.id)
                .limit(_READ)
            )
            new = [number for number in numbers.scalars() if number not in texts]
            texts.update(zip(new, self._text.texts(connection, new), strict=True))
        return near_runs(run, texts.values())

    def _is_said(self, connection: sa.Connection, text: str, state: State | None) -> bool:
        hits = self._text.hits(text)
        if hits is None:
            return True
        # Not a join: SQLite is to take the hits one by one, until one is shown.
        of_hit = sa.select(shown(state)).where(_learnware.c.id == hits.c.id).scalar_subquery()
        found = sa.select(sa.literal(1)).select_from(hits).where(of_hit).limit(1)
        return connection.execute(found).scalar() is not None

    def _count(self, connection: sa.Connection, wanted: SemanticFilter, state: State | None) -> int:
        within = unranked(wanted, self._text, state).subquery()
        return int(connection.execute(sa.select(sa.func.count()).select_from(within)).scalar_one())


def _with_words(wanted: SemanticFilter, readings: dict[str, str]) -> SemanticFilter:
    if not readings:
        return wanted
    words = (readings.get(word, word) for word in query_words(wanted.text))
    return replace(wanted, text=" ".join(words))
