"""The words that learnwares say, and on SQLite an index of pairs of letters that are not ASCII."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UNSPACED = (
    r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_COLUMNS = ("name", "description", "features", "scenario")


def upgrade() -> None:
    """Make the table, and fill it from the texts that are there."""
    op.create_table(
        "learnware_text_word",
        sa.Column("word", sa.String(40), nullable=False),
        sa.Column("learnwares", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_learnware_text_word"),
    )
    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    key = "rowid" if on_sqlite else "learnware"
    counts: Counter[str] = Counter()
    for number in connection.execute(sa.text(f"SELECT {key} FROM learnware_text")).scalars().all():
        row = connection.execute(
            sa.text(f"SELECT {', '.join(_COLUMNS)} FROM learnware_text WHERE {key} = :number"),
            {"number": number},
        ).one()
        counts.update(set().union(*map(_words, row)))
        if on_sqlite and not all(text.isascii() for text in row):
            connection.execute(
                sa.text(
                    f"UPDATE learnware_text SET {', '.join(f'{n} = :{n}' for n in _COLUMNS)} "
                    "WHERE rowid = :number"
                ),
                {"number": number, **dict(zip(_COLUMNS, map(_marked, row), strict=True))},
            )
    if counts:
        connection.execute(
            sa.text("INSERT INTO learnware_text_word VALUES (:word, :learnwares)"),
            [{"word": word, "learnwares": count} for word, count in sorted(counts.items())],
        )


def _words(text: str) -> set[str]:
    return {
        word
        for word in _WORD.findall(text)
        if 3 <= len(word) <= 40 and not word.isdigit() and not _IS_UNSPACED.match(word)
    }


def _marked(text: str) -> str:
    pairs = dict.fromkeys(
        pair
        for word in text.split()
        for pair in map("".join, itertools.pairwise(word))
        if not pair.isascii()
    )
    return "".join([text, *(f"\x1f{pair}" for pair in pairs), "\x1f" if pairs else ""])
