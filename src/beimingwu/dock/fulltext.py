"""Text search over names, descriptions, feature descriptions and scenarios, in any language.

This is the part of the catalogue that every database does in its own way. On SQLite it is an FTS5
table of trigrams: each word of a query must occur as a substring, which serves Chinese as it serves
English, and hits come in the order of BM25. Words under three characters are looked for by LIKE.
"""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa

from beimingwu.specification.semantic import SemanticSpecification

_COLUMNS = ("name", "description", "features", "scenario")
# A hit in the name says most.
_BM25 = "bm25(learnware_text, 10.0, 1.0, 3.0, 2.0)"


class TrigramText:
    """The full text of every learnware in an SQLite catalogue, changed in the caller's transaction.

    Examples
    --------
    >>> TrigramText().hits("") is None
    True
    """

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
        """Return `(id, rank)` of what contains every word, best first by rank; None for no words.

        Parameters
        ----------
        query
            Words separated by spaces; case and character width do not matter.
        """
        words = folded(query).split()
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
            within = " OR ".join(f"{column} LIKE :w{position} ESCAPE '\\'" for column in _COLUMNS)
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


def folded(text: str) -> str:
    """Return text as it is compared: one width, one case, no control characters.

    Examples
    --------
    >>> folded("Ｐｍ2.5 in BEIJING")
    'pm2.5 in beijing'
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(" " if unicodedata.category(mark) == "Cc" else mark for mark in plain)


def _words(semantic: SemanticSpecification) -> dict[str, str]:
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
