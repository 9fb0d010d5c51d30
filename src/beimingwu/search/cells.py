"""Rows in coarse cells, so that a search looks only where something near can be.

Each cell keeps a centre and the radius that encloses its rows. By the triangle inequality no row of
a cell is nearer than the distance of its centre less its radius, so a cell whose bound is beyond
what has been found is never looked into, and the search stays exact (ALGORITHMS §2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from beimingwu.search.projection import Rows, centres_of
from beimingwu.search.stack import Numbers, Positions

#: With fewer rows than this a search looks at all of them.
FEWEST_ROWS = 8_192
#: Cells per square root of the number of rows: work on cells and inside of them are then alike.
PER_ROOT = 4.0
#: Rows per cell that the centres are sought among.
SAMPLED_PER_CELL = 32
#: Rows assigned to cells at once.
BLOCK = 8_192
#: Radii and distances are worked out in float32; this is more than they can be off by.
ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of N rows that stand in the order of their cells.

    Parameters
    ----------
    offsets
        Shape `(K + 1,)`: cell c owns the rows `offsets[c]:offsets[c + 1]`.
    centres
        Shape `(K, r + 1)`.
    radii
        Shape `(K,)`.
    """

    offsets: Positions
    centres: Rows
    radii: Rows

    def __len__(self) -> int:
        return len(self.radii)

    @classmethod
    def of(cls, rows: Rows) -> tuple[Positions, Cells]:
        """Return the order that puts rows, shape `(N, r + 1)`, into cells, and the cells.

        Examples
        --------
        >>> rows = np.repeat(np.eye(3, dtype=np.float32), 40, axis=0)
        >>> order, cells = Cells.of(rows)
        >>> bool(cells.bounds(rows[0]).min() == 0.0), int(cells.offsets[-1])
        (True, 120)
        """
        count = max(int(PER_ROOT * np.sqrt(len(rows))), 1)
        generator = np.random.default_rng(0)
        sampled = generator.permutation(len(rows))[: SAMPLED_PER_CELL * count]
        sample = rows[np.sort(sampled)]
        seeds = sample[generator.permutation(len(sample))[:count]]
        centres = centres_of(sample, seeds, rounds=4)
        cell, distances = _nearest(rows, centres)
        order = np.argsort(cell, kind="stable")
        sizes = np.bincount(cell, minlength=len(centres))
        kept = np.flatnonzero(sizes)
        offsets = np.concatenate([np.zeros(1, np.intp), np.cumsum(sizes[kept])])
        radii = np.maximum.reduceat(distances[order], offsets[:-1]) + np.float32(ROUNDING)
        return order, cls(offsets, centres[kept], radii)

    @cached_property
    def squares(self) -> Numbers:
        """The squared length of each centre."""
        squares = np.einsum("ij,ij->i", self.centres, self.centres, dtype=np.float64)
        return np.asarray(squares, np.float64)

    def bounds(self, row: Rows) -> Numbers:
        """Return the smallest squared distance from `row` that a row of each cell can have."""
        away = np.sqrt(np.square(self.centres - row).sum(axis=1)) - self.radii - ROUNDING
        return np.asarray(np.square(np.maximum(away, 0.0)), np.float64)


def _nearest(rows: Rows, centres: Rows) -> tuple[Positions, Rows]:
    """Return the cell whose centre is nearest to each row, and how far it is."""
    cell = np.empty(len(rows), np.intp)
    squares = 0.5 * np.einsum("ij,ij->i", centres, centres)
    for first in range(0, len(rows), BLOCK):
        affinity = rows[first : first + BLOCK] @ centres.T
        affinity -= squares
        np.argmax(affinity, axis=1, out=cell[first : first + BLOCK])
    distances = np.empty(len(rows), np.float32)
    for first in range(0, len(rows), BLOCK):
        block = rows[first : first + BLOCK] - centres[cell[first : first + BLOCK]]
        distances[first : first + BLOCK] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return cell, distances
