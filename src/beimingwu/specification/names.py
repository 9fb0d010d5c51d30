"""Names of features without case, spacing and units, as far as they name anything.

Search compares two sides by these names, and reuse takes the columns of a table by them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_UNIT = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_SEPARATOR = re.compile(r"[\W_]+")
# Names that only count: what a tool calls the columns of a table that has no names.
_COUNTING = re.compile(r"(feature|column|col|dim|dimension|input|unnamed|x|f|v|var|c)? ?\d+")


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
