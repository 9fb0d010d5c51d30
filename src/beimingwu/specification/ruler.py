"""A ruler: a map of features that no one unit serves, monotone and linear between marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ruler:
    """What some features measure, where a value is read between two marks.

    Parameters
    ----------
    features
        Shape `(q,)`: the features that it is for.
    places, marks
        Shape `(q, k)`, rising, k at least 2: at `places` a feature measures `marks`. It is linear
        between two places, and beyond the first and the last as it is beside them.

    Examples
    --------
    >>> ruler = Ruler(np.array([1]), np.array([[0.0, 1.0, 101.0]]), np.array([[0.0, 1.0, 2.0]]))
    >>> x = np.array([[5.0, -1.0], [5.0, 0.5], [5.0, 51.0], [5.0, 201.0]])
    >>> ruler.read(x, np.zeros((4, 2)))[:, 1]
    array([-1. ,  0.5,  1.5,  3. ])
    """

    features: NDArray[np.intp]
    places: Numbers
    marks: Numbers

    def read(self, rows: NDArray[np.floating], into: Numbers) -> Numbers:
        """Return `into`, shape `(…, d)` as `rows` is, overwritten by what its features measure."""
        for j, places, marks in zip(self.features.tolist(), self.places, self.marks, strict=True):
            values = np.asarray(rows[..., j], dtype=np.float64)
            steps = np.diff(marks) / np.diff(places)
            before, after = (
                np.minimum(values - places[0], 0.0),
                np.maximum(values - places[-1], 0.0),
            )
            read = np.interp(values, places, marks)
            into[..., j] = read + steps[0] * before + steps[-1] * after
        return into
