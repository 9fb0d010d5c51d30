"""The words that the learnwares of a catalogue say, and which of them may have been meant by one.

A row for each word, with the number of learnwares that say it, kept in the transaction that changes
the full text. Writing without spaces has no words to keep: what was meant there is looked for in
the texts themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa

from beimingwu.search.spelling import LONGEST, slips, tolerated, untouched

# Made anew from what learnwares say wherever a catalogue is copied to, as the full text is.
_word = sa.table(
    "learnware_text_word", sa.column("word", sa.String), sa.column("learnwares", sa.Integer)
)
# Parameters that fit into one IN (…).
_BATCH = 500
_ONE_MORE = sa.text(
    "INSERT INTO learnware_text_word (word, learnwares) VALUES (:word, 1) "
    "ON CONFLICT (word) DO UPDATE SET learnwares = learnware_text_word.learnwares + 1"
)

# Chinese characters and Japanese syllables.
_UNSPACED = (
    r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_ONE_UNSPACED = re.compile(rf"[{_UNSPACED}]")
# A slip may leave a letter out of the shortest word that is taken for misspelt.
_SHORTEST_KEPT = 3
_UNSPACED_LENGTHS = range(3, 13)


def runs_of(text: str) -> list[str]:
    """Return the runs of letters and digits of a text; of one way of writing each.

    Examples
    --------
    >>> runs_of("air_quality, pm2.5: 空气质量model")
    ['air', 'quality', 'pm2', '5', '空气质量', 'model']
    """
    return _RUN.findall(text)


def is_unspaced(run: str) -> bool:
    """Tell whether a run is of a writing that puts no spaces between words."""
    return _ONE_UNSPACED.match(run) is not None


def kept_words(texts: Iterable[str]) -> set[str]:
    """Return the words of texts that are kept: of three letters or more, no numbers.

    Examples
    --------
    >>> sorted(kept_words(["rain in 2024", "pm2.5 空气质量"]))
    ['pm2', 'rain']
    """
    return {
        run
        for text in texts
        for run in runs_of(text)
        if _SHORTEST_KEPT <= len(run) <= LONGEST and not run.isdigit() and not is_unspaced(run)
    }


def count_words(connection: sa.Connection, gone: set[str], come: set[str]) -> None:
    """Count the words that a learnware says from now on, and no more those that it said."""
    lost, new = sorted(gone - come), sorted(come - gone)
    for start in range(0, len(lost), _BATCH):
        which = _word.c.word.in_(lost[start : start + _BATCH])
        connection.execute(_word.update().where(which).values(learnwares=_word.c.learnwares - 1))
        connection.execute(_word.delete().where(which, _word.c.learnwares < 1))
    if new:
        connection.execute(_ONE_MORE, [{"word": word} for word in new])


def near_words(connection: sa.Connection, typed: str) -> list[str]:
    """Return the words that may have been meant by one that is misspelt, the likeliest first.

    That is the one of fewest slips; of these, one that begins with the same letter; and of these,
    the one that most learnwares say.
    """
    most = tolerated(typed)
    if not most:
        return []
    first, *middle, last = untouched(typed, most)
    parts = [
        _word.c.word.startswith(first, autoescape=True),
        _word.c.word.endswith(last, autoescape=True),
        *(_word.c.word.contains(part, autoescape=True) for part in middle),
    ]
    length = sa.func.length(_word.c.word).between(len(typed) - most, len(typed) + most)
    rows = connection.execute(sa.select(_word).where(length, sa.or_(*parts)))
    ranked = sorted(
        (slips(typed, word), word[0] != typed[0], -learnwares, word) for word, learnwares in rows
    )
    return [word for apart, _, _, word in ranked if 0 < apart <= most]


def near_runs(typed: str, texts: Iterable[str]) -> list[str]:
    """Return what texts without spaces say that is one slip away, the most frequent first.

    Examples
    --------
    >>> near_runs("空汽质量", ["空气质量预测", "北京空气质量"])
    ['空气质量']
    """
    if len(typed) not in _UNSPACED_LENGTHS:
        return []
    one = f"[{_UNSPACED}]"
    places = range(len(typed))
    slipped = [re.escape(typed[:i]) + one + re.escape(typed[i + 1 :]) for i in places]
    slipped += [re.escape(typed[:i]) + one + re.escape(typed[i:]) for i in places[1:]]
    if len(typed) > _UNSPACED_LENGTHS[0]:
        slipped += [re.escape(typed[:i] + typed[i + 1 :]) for i in places]
    patterns = [re.compile(pattern) for pattern in slipped]
    counted = Counter(
        found
        for text in texts
        for found in {hit for near in patterns for hit in near.findall(text)}
    )
    return sorted(counted, key=lambda found: (-counted[found], -len(found), found))
