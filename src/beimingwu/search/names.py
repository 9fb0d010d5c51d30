"""Whether two sides mean the same features: names compared without case, spacing and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class Agreement(Enum):
    """How the names of two sides agree."""

    COMPARABLE = "the same features, or one side does not name them"
    OTHER_ORDER = "the same features in another order"
    OTHER_FEATURES = "other features"


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


@dataclass(frozen=True, eq=False)
class Naming:
    """The normal names of N learnwares, each distinct tuple of names held once.

    Parameters
    ----------
    distinct
        The tuples of names that occur.
    codes
        Shape `(N,)`: learnware i has the names `distinct[codes[i]]`.

    Examples
    --------
    >>> naming = Naming.of([("rain",), (), ("rain",)])
    >>> naming.distinct, naming.codes
    ((('rain',), ()), array([0, 1, 0]))
    """

    distinct: tuple[tuple[str, ...], ...]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, names: Sequence[tuple[str, ...]]) -> Naming:
        """Gather the names of every learnware, in order."""
        code_of = {theirs: code for code, theirs in enumerate(dict.fromkeys(names))}
        codes = np.fromiter(map(code_of.__getitem__, names), dtype=np.intp, count=len(names))
        return cls(tuple(code_of), codes)

    def agreements(self, names: tuple[str, ...]) -> dict[Agreement, NDArray[np.bool_]]:
        """Return, for each way to agree, which learnwares agree so with `names`, shape `(N,)`.

        Names are compared once for each distinct tuple, not for each learnware.

        Examples
        --------
        >>> naming = Naming.of([("rain",), (), ("wind",)])
        >>> naming.agreements(("wind",))[Agreement.COMPARABLE]
        array([False,  True,  True])
        """
        found = [agreement(names, theirs) for theirs in self.distinct]
        return {
            how: np.array([this is how for this in found], dtype=bool)[self.codes]
            for how in Agreement
        }
