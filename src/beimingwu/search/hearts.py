"""What the specification in the middle of a cell tells of the others: a tighter bound.

The projection leaves something over of every specification, and of those in one cell it leaves over
nearly the same. The *heart* of a cell is the specification in its middle. Let e be the unit vector
of what is left over of the heart, `a_P` the part of P that lies along e, and
`r_P = sqrt(rho_P^2 - a_P^2)` what is then left over of P. Projecting on e as well,

    mmd2(P, Q)  >=  |v_P - v_Q|^2 + (a_P - a_Q)^2 + (r_P - r_Q)^2

For a requirement that is far from everything, which many learnwares are equally far from, this
opens a fraction of what the rows alone would; it costs one inner product for each cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beimingwu.search.projection import Rows
from beimingwu.search.stack import Numbers, Positions

#: A heart of which less than this is left over says nothing: rounding would be divided by it.
SMALLEST_LEFT_OVER = 0.1


@dataclass(frozen=True, eq=False)
class Hearts:
    """The hearts of K cells of N specifications.

    Parameters
    ----------
    places
        Shape `(K,)`: where in the segment each stands.
    along
        Shape `(N,)`: `a_P` of each specification, along what is left over of its cell's heart.
    """

    places: Positions
    along: Rows


def along_heart(products: Numbers, rows: Rows, heart: Rows) -> Rows:
    """Return `a_P` of specifications with these rows, given their inner products with the heart.

    Examples
    --------
    >>> heart = np.array([0.6, 0.8], np.float32)
    >>> along_heart(np.array([1.0]), heart[None, :], heart).round(3).tolist()
    [0.800000011920929]
    """
    left_over = float(heart[-1])
    if left_over < SMALLEST_LEFT_OVER:
        return np.zeros(len(rows), np.float32)
    along = (products - rows[:, :-1] @ heart[:-1]) / left_over
    return np.clip(along, -rows[:, -1], rows[:, -1]).astype(np.float32)


def tightened(
    bounds: Numbers, along: Rows, left_over: Rows, asked_along: Numbers, asked: float, error: float
) -> Numbers:
    """Return the tighter bounds.

    Parameters
    ----------
    bounds
        `|v_P - v_U|^2 + (rho_P - rho_U)^2` of each, shape `(n,)`.
    along, left_over
        `a_P` and `rho_P` of each.
    asked_along
        `a_U` along the heart of the cell of each.
    asked
        `rho_U`.
    error
        Bound on how far off `a_P` and `a_U` are.
    """
    # Both are clipped to [-1, 1], so none is ever farther off than this.
    error = min(error, 2.0)
    # The rest is taken too large by what an error in `a` may hide, so that the bound stays one.
    theirs = np.sqrt(np.maximum(left_over**2 - along**2, 0.0) + error * (2.0 * left_over + error))
    ours = np.sqrt(np.maximum(asked**2 - asked_along**2, 0.0) + error * (2.0 * asked + error))
    gained = left_over * asked - along * asked_along - theirs * ours
    doubt = error * (np.abs(along) + np.abs(asked_along) + error)
    return np.asarray(bounds + np.maximum(2.0 * (gained - doubt), 0.0))
