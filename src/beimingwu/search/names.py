"""Whether two sides mean the same features: names compared without case, spacing and units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum

_UNIT = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_SEPARATOR = re.compile(r"[\W_]+")
# Names that only count: what a tool calls the columns of a table that has no names.
_COUNTING = re.compile(r"(feature|column|col|dim|dimension|input|unnamed|x|f|v|var|c)? ?\d+")


class Agreement(Enum):
    """How the names of two sides agree."""

    COMPARABLE = "the same features, or one side does not name them"
    OTHER_ORDER = "the same features in another order"
    OTHER_FEATURES = "other features"


def normal_form(name: str) -> str:
    """Return `name` without case, units in brackets, and separators.

    Examples
    --------
    >>> normal_form("Wind_Speed (m/s)") == normal_form("wind speed")
    True
    >>> normal_form("(°C)")
    'c'
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    bare = _SEPARATOR.sub(" ", _UNIT.sub(" ", folded)).strip()
    return bare or _SEPARATOR.sub(" ", folded).strip()


def normal_names(features: Sequence[str]) -> tuple[str, ...]:
    """Return the normal form of every name; empty where the names only count the columns.

    Examples
    --------
    >>> normal_names(["TEMP", "Dew point (°C)"])
    ('temp', 'dew point')
    >>> normal_names(["Unnamed: 0", "x1", "2"])
    ()
    """
    names = tuple(normal_form(name) for name in features)
    if not all(names) or all(_COUNTING.fullmatch(name) for name in names):
        return ()
    return names


def agreement(left: tuple[str, ...], right: tuple[str, ...]) -> Agreement:
    """Say how two sides' normal names agree; a side without names agrees with everything.

    Examples
    --------
    >>> agreement(("rain", "temp"), ("temp", "rain")).value
    'the same features in another order'
    """
    if not left or not right or left == right:
        return Agreement.COMPARABLE
    if sorted(left) == sorted(right):
        return Agreement.OTHER_ORDER
    return Agreement.OTHER_FEATURES
