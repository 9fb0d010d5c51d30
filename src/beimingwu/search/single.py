"""Statistical search for single learnwares: the exact squared MMD to every learnware allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.stack import Numbers, Positions

#: Squared distances are exact to about this many decimals; nearer ties are broken by id.
DECIMALS = 12


def squared_distances_from(own: float, products: Numbers, self_inner: Numbers) -> Numbers:
    """Return `mmd2 = <U,U> - 2 <U,P_i> + <P_i,P_i>` for each i, never negative.

    Rounding to `DECIMALS` takes the cancellation error away, so that a learnware's distance from
    its own specification is zero, and equal specifications are at equal distances.

    Examples
    --------
    >>> squared_distances_from(0.25, np.array([0.25, 0.0]), np.array([0.25, 0.25]))
    array([0. , 0.5])
    """
    squared: Numbers = np.maximum(own - 2.0 * products + self_inner, 0.0)
    return np.asarray(np.round(squared, DECIMALS), dtype=np.float64)


def nearest(mmd2: NDArray[np.float64], limit: int) -> Positions:
    """Return the positions of the `limit` smallest, ascending; equal ones in their given order.

    Examples
    --------
    >>> nearest(np.array([0.3, 0.1, 0.1]), 2).tolist()
    [1, 2]
    """
    return np.argsort(mmd2, kind="stable")[:limit]
