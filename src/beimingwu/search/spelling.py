"""What somebody may have meant by a word: how many slips of the hand two words are apart.

Used by the dock, which knows the words that learnwares say; nothing here knows of a database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from beimingwu.search.semantic import KEYS

#: Letters of the shortest word that is taken for misspelt, and of the longest.
SHORTEST, LONGEST = 4, 40
# From so many on, each of three parts of a word has two letters or more (see `untouched`): enough
# for a part to be in few other words.
_TWO_SLIPS = 9
# Words of a facet's value.
_LONGEST_VALUE = 2


@dataclass(frozen=True)
class Suggestion:
    """What may have been meant by something in the text of a search.

    Parameters
    ----------
    typed
        One word of the text, or several.
    meant
        A word that learnwares say, or the value of a facet.
    facet
        The facet; empty for a word.
    learnwares
        How many the search finds with it.
    followed
        Whether the search has put it in place of what was typed, which no learnware says.

    Examples
    --------
    >>> print(Suggestion("rianfall", "rainfall", learnwares=12))
    Did you mean 'rainfall' by 'rianfall'? That finds 12 learnwares.
    >>> print(Suggestion("regresion", "Regression", "task", learnwares=1))
    Did you mean the task 'Regression' by 'regresion'? That finds 1 learnware.
    >>> print(Suggestion("rianfall", "rainfall", learnwares=12, followed=True))
    No learnware says 'rianfall': searched for 'rainfall' instead.
    """

    typed: str
    meant: str
    facet: str = ""
    learnwares: int = 0
    followed: bool = False

    def __str__(self) -> str:
        if self.followed:
            return f"No learnware says {self.typed!r}: searched for {self.meant!r} instead."
        what = f"the {self.facet} " if self.facet else ""
        found = f"{self.learnwares:,} learnware{'' if self.learnwares == 1 else 's'}"
        return f"Did you mean {what}{self.meant!r} by {self.typed!r}? That finds {found}."


def tolerated(word: str) -> int:
    """Return how many slips a word may hold and still be recognized: the longer, the more.

    Examples
    --------
    >>> tolerated("of"), tolerated("rainfall"), tolerated("temperature")
    (0, 1, 2)
    """
    if not SHORTEST <= len(word) <= LONGEST:
        return 0
    return 1 if len(word) < _TWO_SLIPS else 2


def slips(left: str, right: str) -> int:
    """Return the fewest slips that make one word of the other, each letter slipping but once.

    A slip leaves out a letter, puts one in, takes another one, or swaps two neighbours: the
    restricted distance of Damerau (1964) and Levenshtein (1966).

    Examples
    --------
    >>> slips("rianfall", "rainfall"), slips("wind", "window"), slips("air", "air")
    (1, 2, 0)
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left):
        above, before, row = before, row, [i + 1]
        for j, other in enumerate(right):
            fewest = min(before[j] + (letter != other), before[j + 1] + 1, row[j] + 1)
            if i and j and letter == right[j - 1] and left[i - 1] == other:
                fewest = min(fewest, above[j - 1] + 1)
            row.append(fewest)
    return row[-1]


def untouched(word: str, most: int) -> tuple[str, ...]:
    """Return parts of a word of which one is whole in whatever is at most `most` slips away.

    There is one part more than slips, and a letter between each two, so that no slip touches two.
    The first stands at the beginning of the other word then, the last at its end.

    Examples
    --------
    >>> untouched("temperature", 2), untouched("wind", 1)
    (('tem', 'er', 'ture'), ('w', 'nd'))
    """
    cuts = [round(len(word) * cut / (most + 1)) for cut in range(most + 2)]
    ends = [*(cut - 1 for cut in cuts[1:-1]), len(word)]
    return tuple(word[start:end] for start, end in zip(cuts[:-1], ends, strict=True))


def named_values(words: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the values of facets that some words name, with a slip or without.

    Parameters
    ----------
    words
        Folded: in lower case.

    Returns
    -------
    list of (typed, facet, value)
        What was typed of it, one word or several that follow each other; each value once.

    Examples
    --------
    >>> named_values(["objct", "detection", "under", "mit"])
    [('mit', 'license', 'MIT'), ('objct detection', 'task', 'Object Detection')]
    """
    found: dict[tuple[str, str], str] = {}
    for length in range(1, _LONGEST_VALUE + 1):
        for start in range(len(words) - length + 1):
            typed = " ".join(words[start : start + length])
            for facet, value in _values_near(typed):
                found.setdefault((facet, value), typed)
    return [(typed, facet, value) for (facet, value), typed in found.items()]


def _values_near(typed: str) -> Iterator[tuple[str, str]]:
    from beimingwu.specification.semantic import VOCABULARIES

    most = tolerated(typed)
    for facet, key in KEYS.items():
        for value in VOCABULARIES[key]:
            if value == "Others" or abs(len(value) - len(typed)) > most:
                continue
            if slips(typed, value.casefold()) <= most:
                yield facet, value
