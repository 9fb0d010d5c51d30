"""Text search over names, descriptions, feature descriptions and scenarios, in any language.

This is the part of the catalogue that every database does in its own way, to one end: each word of
a query must occur as a substring, which serves Chinese as it serves English, and hits come in the
order of BM25, a hit in the name before all. On SQLite it is an FTS5 table of trigrams, and pairs
of letters that are not ASCII are indexed beside them, since Chinese has words of two; other words
under three characters are looked for by LIKE there. On PostgreSQL it is an index of substrings of
up to three characters, made here: the extension pg_trgm is not on every server, cuts by the
server's locale, which need not know Chinese letters, and has no use for a word of two of them.
"""

from __future__ import annotations

import functools
import itertools
import operator
import unicodedata
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from beimingwu.dock.words import count_words, kept_words
from beimingwu.errors import InvalidRequirement
from beimingwu.specification.semantic import SemanticSpecification

# A hit in the name says most.
_WEIGHTS = {"name": 10.0, "description": 1.0, "features": 3.0, "scenario": 2.0}
_BM25 = f"bm25(learnware_text, {', '.join(map(str, _WEIGHTS.values()))})"
#: Distinct words of one query. Each costs a look at every hit of the others.
MOST_WORDS = 100
_LONGEST_GRAM = 3
# Of the words of an average learnware. A fixed one, so that its rank depends on no other learnware.
_AVERAGE_BYTES = 600.0
# No text has it, since control characters are folded away.
_MARK = "\x1f"


class FullText(ABC):
    """The full text of every learnware of a catalogue, changed in the caller's transaction."""

    _table: sa.TableClause
    _id: sa.ColumnClause[int]

    def put(
        self, connection: sa.Connection, learnware: int, semantic: SemanticSpecification
    ) -> None:
        """Index a learnware under its newest words."""
        before, now = self._kept(connection, learnware), _texts(semantic)
        if before != now:
            self._erase(connection, learnware)
            connection.execute(self._table.insert().values(self._row(learnware, now)))
            count_words(connection, kept_words(before.values()), kept_words(now.values()))

    def remove(self, connection: sa.Connection, learnware: int) -> None:
        """Forget a learnware."""
        before = self._kept(connection, learnware)
        self._erase(connection, learnware)
        count_words(connection, kept_words(before.values()), set())

    @abstractmethod
    def hits(self, query: str) -> sa.Subquery | None:
        """Return `(id, rank)` of what contains every word, best first by rank; None for no words.

        Parameters
        ----------
        query
            Words separated by spaces; case and character width do not matter.

        Raises
        ------
        InvalidRequirement
            More than `MOST_WORDS` words.
        """

    def texts(self, connection: sa.Connection, learnwares: Sequence[int]) -> list[str]:
        """Return all that each of some learnwares says, folded."""
        columns = [self._table.c[name] for name in _WEIGHTS]
        rows = connection.execute(sa.select(*columns).where(self._id.in_(learnwares)))
        return [_MARK.join(_unmarked(text) for text in row) for row in rows]

    @abstractmethod
    def _row(self, learnware: int, texts: Mapping[str, str]) -> dict[str, object]:
        """Return the row that texts are kept in."""

    def _erase(self, connection: sa.Connection, learnware: int) -> None:
        connection.execute(self._table.delete().where(self._id == learnware))

    def _kept(self, connection: sa.Connection, learnware: int) -> dict[str, str]:
        columns = [self._table.c[name] for name in _WEIGHTS]
        row = connection.execute(sa.select(*columns).where(self._id == learnware)).one_or_none()
        return {} if row is None else dict(zip(_WEIGHTS, map(_unmarked, row), strict=True))


def full_text(dialect: str) -> FullText:
    """Return the full text of a catalogue on `sqlite` or `postgresql`.

    Examples
    --------
    >>> full_text("sqlite").hits("") is None
    True
    """
    return TrigramText() if dialect == "sqlite" else GramText()


class TrigramText(FullText):
    """The full text in SQLite; see `FullText`."""

    _table = sa.table(
        "learnware_text",
        sa.column("rowid", sa.Integer),
        *(sa.column(name, sa.Text) for name in _WEIGHTS),
    )
    _id = _table.c.rowid

    def hits(self, query: str) -> sa.Subquery | None:
        """Return `(id, rank)` of what contains every word; see `FullText.hits`."""
        words = query_words(query)
        if not words:
            return None
        terms = {word: word if len(word) >= 3 else f"{word}{_MARK}" for word in words}
        indexed = [terms[word] for word in words if len(word) >= 3 or _is_kept_pair(word)]
        scanned = [word for word in words if terms[word] not in indexed]
        conditions, values = [], {}
        if indexed:
            conditions.append("learnware_text MATCH :phrases")
            values["phrases"] = " AND ".join(
                f'"{term.replace(chr(34), chr(34) * 2)}"' for term in indexed
            )
        ranks = [_BM25] if indexed else []
        for position, word in enumerate(scanned):
            values[f"w{position}"] = f"%{_escaped(word)}%"
            within = {name: f"({name} LIKE :w{position} ESCAPE '\\')" for name in _WEIGHTS}
            conditions.append(f"({' OR '.join(within.values())})")
            if not indexed:
                ranks += [f"- {weight} * {within[name]}" for name, weight in _WEIGHTS.items()]
        # Only column names and parameter names of our own are put together here.
        statement = (
            f"SELECT rowid AS id, {' '.join(ranks)} AS rank "  # noqa: S608
            f"FROM learnware_text WHERE {' AND '.join(conditions)}"
        )
        return (
            sa.text(statement)
            .bindparams(**values)
            .columns(sa.column("id", sa.Integer), sa.column("rank", sa.Float))
            .subquery("hits")
        )

    def _row(self, learnware: int, texts: Mapping[str, str]) -> dict[str, object]:
        return {"rowid": learnware, **{name: _marked(text) for name, text in texts.items()}}


def _marked(text: str) -> str:
    """Return a text with a trigram of its own for every pair in it: the two letters and a mark."""
    found = dict.fromkeys(
        pair
        for word in text.split()
        for pair in map("".join, itertools.pairwise(word))
        if _is_kept_pair(pair)
    )
    return "".join([text, *(f"{_MARK}{pair}" for pair in found), _MARK if found else ""])


def _unmarked(text: str) -> str:
    return text.partition(_MARK)[0]


def _is_kept_pair(word: str) -> bool:
    return len(word) == 2 and not word.isascii()


class GramText(FullText):
    """The full text in PostgreSQL; see `FullText`."""

    _table = sa.table(
        "learnware_text",
        sa.column("learnware", sa.Integer),
        *(sa.column(name, sa.Text) for name in _WEIGHTS),
        sa.column("grams", ARRAY(sa.Integer)),
    )
    _id = _table.c.learnware

    def hits(self, query: str) -> sa.Subquery | None:
        """Return `(id, rank)` of what contains every word; see `FullText.hits`."""
        words = query_words(query)
        if not words:
            return None
        # The rarer word says more. One alone says the same of every hit.
        weights = [_rarity(word) for word in words] if len(words) > 1 else [sa.literal(1.0)]
        said = [weight * _saturated(word) for weight, word in zip(weights, words, strict=True)]
        return (
            sa.select(_text.c.learnware.label("id"), (-_total(said)).label("rank"))
            .where(_text.c.learnware.in_(_having_pieces(words)), *map(_is_within, words))
            .subquery("hits")
        )

    def _row(self, learnware: int, texts: Mapping[str, str]) -> dict[str, object]:
        found = set().union(*(grams(text) for text in texts.values()))
        return {"learnware": learnware, **texts, "grams": sorted(found)}


_text = GramText._table


def _having_pieces(words: Sequence[str]) -> sa.Select[int]:
    """Ask the index for what has all pieces of some words, and perhaps the words.

    It is asked apart from the rest: a plan that goes through all texts by another way, and looks
    at the pieces of each, takes seconds.
    """
    pieces = set().union(*(grams(word, min(len(word), _LONGEST_GRAM)) for word in words))
    wanted = _text.c.grams.contains(sa.cast(sorted(pieces), ARRAY(sa.Integer)))
    found = sa.select(_text.c.learnware).where(wanted).cte().prefix_with("MATERIALIZED")
    return sa.select(found.c.learnware)


def _is_within(word: str) -> sa.ColumnElement[bool]:
    return sa.or_(*(sa.func.strpos(_text.c[name], word) > 0 for name in _WEIGHTS))


def _saturated(word: str) -> sa.ColumnElement[Any]:
    """Return BM25's share of a word: how often it occurs, by the length of the text it is in.

    1 / (1 + 1.2 (1/4 + 3/4 L) / f), where f > 0 counts the occurrences by the weights of their
    columns, and L is the length of the text in units of an average one, both by bytes: PostgreSQL
    knows these without counting.
    """
    columns = [_text.c[name] for name in _WEIGHTS]
    lengths = [sa.func.octet_length(column) for column in columns]
    occurrences = [
        weight * (length - sa.func.octet_length(sa.func.replace(column, word, "")))
        for column, length, weight in zip(columns, lengths, _WEIGHTS.values(), strict=True)
    ]
    often = _total(occurrences) / len(word.encode())
    return 1.0 / (1.0 + 1.2 * (0.25 + 0.75 / _AVERAGE_BYTES * _total(lengths)) / often)


def _total(terms: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    return functools.reduce(operator.add, terms)


def _rarity(word: str) -> sa.ColumnElement[float]:
    """Return how much a word says by how many have it, or at least all its pieces."""
    everything = sa.select(sa.func.count()).select_from(_text).scalar_subquery()
    found = _having_pieces([word]).subquery()
    having = sa.select(sa.func.count()).select_from(found).scalar_subquery()
    return sa.func.ln(1.0 + (everything - having + 0.5) / (having + 0.5))


def query_words(query: str) -> list[str]:
    """Return the distinct words of a query as they are compared; InvalidRequirement for too many.

    Examples
    --------
    >>> query_words("Rain  in 北京 rain")
    ['rain', 'in', '北京']
    """
    words = list(dict.fromkeys(folded(query).split()))
    if len(words) > MOST_WORDS:
        raise InvalidRequirement(
            f"The text to search for has {len(words):,} words; {MOST_WORDS} is the most.",
            remedy="Search for the words that matter most.",
            code="requirement.text_words",
        )
    return words


def folded(text: str) -> str:
    """Return text as it is compared: one width, one case, no control characters.

    Examples
    --------
    >>> folded("Ｐｍ2.5 in BEIJING")
    'pm2.5 in beijing'
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(" " if unicodedata.category(mark) == "Cc" else mark for mark in plain)


def grams(text: str, shortest: int = 1) -> set[int]:
    """Return a number for each piece of a word of `shortest` to three characters.

    Examples
    --------
    >>> len(grams("rain")), len(grams("rain", shortest=3)), grams("rain") >= grams("ain")
    (9, 2, True)
    """
    pieces = {
        word[start : start + length]
        for word in text.split()
        for length in range(shortest, _LONGEST_GRAM + 1)
        for start in range(len(word) - length + 1)
    }
    # 32 bits, since that is what an index of PostgreSQL holds; it takes them signed.
    return {zlib.crc32(piece.encode()) - 2**31 for piece in pieces}


def _texts(semantic: SemanticSpecification) -> dict[str, str]:
    described = [
        text
        for side in (semantic.input, semantic.output)
        if side is not None
        for text in side.description.values()
    ]
    return {
        "name": folded(semantic.name),
        "description": folded(semantic.description),
        "features": folded("\n".join(described)),
        "scenario": folded("\n".join([*semantic.scenarios, semantic.task, semantic.library])),
    }


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
