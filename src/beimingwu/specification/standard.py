"""Standardised space: every feature centred and in units of its own deviation (ALGORITHMS §1.1).

The reduction and the audit work here; points go back to raw units, as float32, when published.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Records converted at a time.
BLOCK = 4096


@dataclass(frozen=True)
class StandardSpace:
    """Centre and scale of each feature, shape `(d,)`.

    A feature is constant where it does not vary, or varies by less than float32 can show at its
    distance from zero; its scale is 1.

    Examples
    --------
    >>> space = StandardSpace.of(np.array([[0.0, 7.0], [4.0, 7.0]]))
    >>> space.centre, space.scale
    (array([2., 7.]), array([2., 1.]))
    >>> space.inward(np.array([[4.0, 7.0]]))
    array([[1., 0.]], dtype=float32)
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    varying: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: NDArray[np.floating]) -> StandardSpace:
        """Measure the rows, shape `(n, d)`, in float64 whatever their own precision is."""
        n = len(rows)
        origin = rows[0].astype(np.float64)
        total, squares = np.zeros_like(origin), np.zeros_like(origin)
        for start in range(0, n, BLOCK):
            block = rows[start : start + BLOCK] - origin
            total += block.sum(axis=0)
            squares += np.einsum("ij,ij->j", block, block)
        shift = total / n
        variance = np.maximum(squares / n - shift**2, 0.0)
        centre = origin + shift
        constant = np.sqrt(variance) <= np.finfo(np.float32).eps * np.abs(centre)
        return cls(centre, np.where(constant, 1.0, np.sqrt(variance)), ~constant)

    def inward(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return raw rows standardised, shape `(n, d)`."""
        standard = np.empty(rows.shape, dtype=np.float32)
        for start in range(0, len(rows), BLOCK):
            block = slice(start, start + BLOCK)
            standard[block] = (rows[block] - self.centre) / self.scale
        return standard

    def outward(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return standardised points in raw units, as they are published."""
        raw = points * self.scale + self.centre
        limit = np.finfo(np.float32).max
        return np.clip(raw, -limit, limit).astype(np.float32)

    def as_published(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the points where float32 in raw units puts them, standardised again."""
        return self.inward(self.outward(points))
