"""Text search over names, descriptions, feature descriptions and scenarios, in any language.

This is the part of the catalogue that every database does in its own way, to one end: each word of
a query must occur as a substring, which serves Chinese as it serves English, and hits come in the
order of BM25, a hit in the name before all. On SQLite it is an FTS5 table of trigrams; words under
three characters are looked for by LIKE there. On PostgreSQL it is an index of substrings of up to
three characters, made here: the extension pg_trgm is not on every server, cuts by the server's
locale, which need not know Chinese letters, and has no use for a word of two of them.
"""

from __future__ import annotations

import functools
import operator
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from beimingwu.errors import InvalidRequirement
from beimingwu.specification.semantic import SemanticSpecification

# A hit in the name says most.
_WEIGHTS = {"name": 10.0, "description": 1.0, "features": 3.0, "scenario": 2.0}
_BM25 = f"bm25(learnware_text, {', '.join(map(str, _WEIGHTS.values()))})"
#: Distinct words of one query. Each costs a look at every hit of the others.
MOST_WORDS = 100
_LONGEST_GRAM = 3
# Characters of an average learnware. A fixed one, so that its rank depends on no other learnware.
_AVERAGE_LENGTH = 500.0


class FullText(Protocol):
    """The full text of every learnware of a catalogue, changed in the caller's transaction."""

    def put(
        self, connection: sa.Connection, learnware: int, semantic: SemanticSpecification
    ) -> None:
        """Index a learnware under its newest words."""

    def remove(self, connection: sa.Connection, learnware: int) -> None:
        """Forget a learnware."""

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


def full_text(dialect: str) -> FullText:
    """Return the full text of a catalogue on `sqlite` or `postgresql`.

    Examples
    --------
    >>> full_text("sqlite").hits("") is None
    True
    """
    return TrigramText() if dialect == "sqlite" else GramText()


class TrigramText:
    """The full text in SQLite; see `FullText`."""

    def put(
        self, connection: sa.Connection, learnware: int, semantic: SemanticSpecification
    ) -> None:
        """Index a learnware under its newest words."""
        self.remove(connection, learnware)
        connection.execute(
            sa.text(
                "INSERT INTO learnware_text (rowid, name, description, features, scenario) "
                "VALUES (:learnware, :name, :description, :features, :scenario)"
            ),
            {"learnware": learnware, **_words(semantic)},
        )

    def remove(self, connection: sa.Connection, learnware: int) -> None:
        """Forget a learnware."""
        connection.execute(
            sa.text("DELETE FROM learnware_text WHERE rowid = :learnware"), {"learnware": learnware}
        )

    def hits(self, query: str) -> sa.Subquery | None:
        """Return `(id, rank)` of what contains every word; see `FullText.hits`."""
        words = query_words(query)
        if not words:
            return None
        long = [word for word in words if len(word) >= 3]
        short = [word for word in words if len(word) < 3]
        conditions, values = [], {}
        if long:
            conditions.append("learnware_text MATCH :phrases")
            values["phrases"] = " AND ".join(
                f'"{word.replace(chr(34), chr(34) * 2)}"' for word in long
            )
        for position, word in enumerate(short):
            within = " OR ".join(f"{column} LIKE :w{position} ESCAPE '\\'" for column in _WEIGHTS)
            conditions.append(f"({within})")
            values[f"w{position}"] = f"%{_escaped(word)}%"
        # Only column names and parameter names of our own are put together here.
        statement = (
            f"SELECT rowid AS id, {_BM25 if long else '0.0'} AS rank "  # noqa: S608
            f"FROM learnware_text WHERE {' AND '.join(conditions)}"
        )
        return (
            sa.text(statement)
            .bindparams(**values)
            .columns(sa.column("id", sa.Integer), sa.column("rank", sa.Float))
            .subquery("hits")
        )


_text = sa.table(
    "learnware_text",
    sa.column("learnware", sa.Integer),
    *(sa.column(name, sa.Text) for name in _WEIGHTS),
    sa.column("grams", ARRAY(sa.Integer)),
)


class GramText:
    """The full text in PostgreSQL; see `FullText`."""

    def put(
        self, connection: sa.Connection, learnware: int, semantic: SemanticSpecification
    ) -> None:
        """Index a learnware under its newest words."""
        self.remove(connection, learnware)
        words = _words(semantic)
        found = set().union(*(grams(text) for text in words.values()))
        row = {"learnware": learnware, **words, "grams": sorted(found)}
        connection.execute(_text.insert().values(row))

    def remove(self, connection: sa.Connection, learnware: int) -> None:
        """Forget a learnware."""
        connection.execute(_text.delete().where(_text.c.learnware == learnware))

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
            .where(*(_contains(word) for word in words))
            .subquery("hits")
        )


def _contains(word: str) -> sa.ColumnElement[bool]:
    """Ask the index for what has all pieces of a word, and of these who has the word itself."""
    pieces = grams(word, shortest=min(len(word), _LONGEST_GRAM))
    within = sa.or_(*(sa.func.strpos(_text.c[name], word) > 0 for name in _WEIGHTS))
    return sa.and_(_text.c.grams.contains(sa.cast(sorted(pieces), ARRAY(sa.Integer))), within)


def _saturated(word: str) -> sa.ColumnElement[Any]:
    """Return BM25's share of a word: how often it occurs, by the length of the text it is in.

    f / (f + 1.2 (1/4 + 3/4 L)), where f counts the occurrences by the weights of their columns, and
    L is the length of the text in units of an average one.
    """
    columns = [_text.c[name] for name in _WEIGHTS]
    lengths = [sa.func.length(column) for column in columns]
    occurrences = [
        weight * (length - sa.func.length(sa.func.replace(column, word, ""))) / len(word)
        for column, length, weight in zip(columns, lengths, _WEIGHTS.values(), strict=True)
    ]
    often = _total(occurrences)
    return often / (often + 1.2 * (0.25 + 0.75 / _AVERAGE_LENGTH * _total(lengths)))


def _total(terms: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    return functools.reduce(operator.add, terms)


def _rarity(word: str) -> sa.ColumnElement[float]:
    everything = sa.select(sa.func.count()).select_from(_text).scalar_subquery()
    having = sa.select(sa.func.count()).where(_contains(word)).scalar_subquery()
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


def _words(semantic: SemanticSpecification) -> Mapping[str, str]:
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
