"""Which learnwares a mixture would gain most by, as their rows tell.

In the projection (`projection`) the gain of adding a learnware to a combination is closed form. In
a large segment the cells whose centres would gain most are looked into, wherever they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from beimingwu.search.cells import Cells
from beimingwu.search.projection import Rows
from beimingwu.search.segment import Segment
from beimingwu.search.stack import Numbers, Positions

#: A squared distance under this is rounding.
SMALLEST_DISTANCE = 1e-9
#: Cells that are looked into.
CELLS = 32
#: Where no more than this are allowed, all of them are looked at.
FEW = 8_192

#: What rows, shape `(n, r + 1)`, and their `<P,P>` are worth to each of k, shape `(k, n)`.
Worth = Callable[[Rows, Numbers], Numbers]


@dataclass(frozen=True, eq=False)
class Aims:
    """Combinations v on their way to U, in the projection.

    Parameters
    ----------
    at
        Shape `(k, r)`: the coordinates of each v.
    towards
        Shape `(k, r)`: those of U, less those of v.
    self_inner
        Shape `(k,)`: `<v,v>`, exactly.
    product
        Shape `(k,)`: `<U,v>`, exactly.
    """

    at: Numbers
    towards: Numbers
    self_inner: Numbers
    product: Numbers

    def gains(self, rows: Rows, self_inner: Numbers) -> Numbers:
        """Return how much the squared distance falls by each learnware, as its row tells.

        For `v' = (1 - a) v + a P` it falls by `2 a g - a^2 h` with `g = <U - v, P - v>` and
        `h = |P - v|^2`, most at `a = g / h` held in [0, 1].
        """
        k, rank = self.at.shape
        both = np.concatenate([self.towards, self.at]).astype(np.float32)
        # As rows times columns: the other way round, a product of few rows is not blocked.
        products = (rows[:, :rank] @ both.T).T.astype(np.float64)
        g = products[:k] + (self.self_inner - self.product)[:, None]
        h = self_inner - 2.0 * products[k:] + self.self_inner[:, None]
        return line_search_gains(g, h)


def line_search_gains(g: Numbers, h: Numbers) -> Numbers:
    """Return `2 a g - a^2 h` at the best `a` in [0, 1].

    Examples
    --------
    >>> line_search_gains(np.array([0.1, 1.0]), np.array([0.2, 0.5])).round(9).tolist()
    [0.05, 1.5]
    """
    h = np.maximum(h, SMALLEST_DISTANCE)
    step = np.clip(g / h, 0.0, 1.0)
    return np.asarray(step * (2.0 * g - step * h))


def best_directed(product: Rows, rows: Rows, self_inner: Numbers) -> Numbers:
    """Return `<U,P> / |P|` of each learnware, as its row tells, shape `(1, n)`."""
    products = rows[:, : len(product)] @ product
    worth = products / np.sqrt(np.maximum(self_inner, SMALLEST_DISTANCE))
    return np.asarray(worth, np.float64)[None, :]


def best_of(
    segment: Segment, inside: Positions | None, worth: Worth, count: int
) -> list[tuple[Numbers, Positions]]:
    """Return the worth and the positions of the best `count` of a segment, for each of k.

    In a segment with cells, of those in the CELLS cells whose centres are worth most to any.

    Parameters
    ----------
    inside
        The positions that are allowed, ascending; all where None.
    worth
        What rows are worth to each.
    """
    cells = segment.cells
    if cells is not None and (len(segment) if inside is None else len(inside)) > FEW:
        promising = _promising(cells, inside, worth)
        segment.check_cells(promising)
        ends = cells.offsets[promising].tolist(), cells.offsets[promising + 1].tolist()
        spans = list(zip(*ends, strict=True))
        where = np.concatenate([np.arange(a, b) for a, b in spans])
        if inside is None:
            # As slices: to gather row by row would cost more than the products.
            rows = np.concatenate([segment.rows[a:b] for a, b in spans])
        else:
            where = np.intersect1d(where, inside, assume_unique=True)
            rows = segment.rows[where]
    elif inside is None:
        where, rows = np.arange(len(segment)), segment.rows
    else:
        where, rows = inside, segment.rows[inside]
    return [_best(where, values, count) for values in worth(rows, segment.self_inner[where])]


def _promising(cells: Cells, inside: Positions | None, worth: Worth) -> Positions:
    """Return the cells whose centres are worth most to any, ascending."""
    worths = worth(cells.centres, cells.squares)
    if inside is not None:
        worths[:, np.diff(np.searchsorted(inside, cells.offsets)) == 0] = -np.inf
    best = np.argpartition(-worths, min(CELLS, len(cells)) - 1, axis=1)[:, :CELLS]
    return np.unique(best)


def _best(where: Positions, values: Numbers, count: int) -> tuple[Numbers, Positions]:
    if len(where) == 0:
        return np.empty(0), where
    best = np.argpartition(-values, min(count, len(values)) - 1)[:count]
    best = best[np.argsort(-values[best], kind="stable")]
    return values[best], where[best]
