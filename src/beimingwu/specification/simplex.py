"""The weights of a reduced set: a small quadratic programme on the simplex, solved exactly.

Used by the reduction whenever points moved. numpy only; a hundred points take about a millisecond,
less when the answer to a neighbouring problem is given as a start.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Added to the diagonal so that points which fell together do not make the system singular.
RIDGE = 1e-9
#: A bound is released only for a gradient below this, so that rounding cannot make it cycle.
SLACK = 1e-10


def simplex_weights(
    gram: NDArray[np.float64],
    target: NDArray[np.float64],
    floor: float = 0.0,
    free: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Minimise `1/2 beta' K beta - c' beta` subject to `sum(beta) = 1`, `beta_i >= floor`.

    With `beta = floor + alpha` this is a problem on a simplex of size `1 - m floor`, solved by a
    primal active-set method: solve the equality-constrained problem on the free weights, walk
    towards it until a weight reaches its bound, and release bounds whose gradient is negative.

    Parameters
    ----------
    gram
        `K`, shape `(m, m)`, symmetric positive semi-definite.
    target
        `c`, shape `(m,)`: the mean embedding of the data at each point.
    floor
        Least weight of a point, at most `1 / m`.
    free
        Which weights were off their bound in a neighbouring problem, shape `(m,)`.

    Returns
    -------
    weights : ndarray of shape (m,)
    free : ndarray of bool, shape (m,)
        Where to start the next, similar problem.

    References
    ----------
    Nocedal and Wright, "Numerical Optimization" (2006), algorithm 16.3.

    Examples
    --------
    >>> weights, free = simplex_weights(np.eye(3), np.array([0.6, 0.5, -1.0]))
    >>> weights.round(3)
    array([0.55, 0.45, 0.  ])
    """
    m = len(target)
    total = 1.0 - m * floor
    gram = gram + RIDGE * np.eye(m)
    target = target - floor * gram.sum(axis=1)
    free = np.ones(m, dtype=bool) if free is None or not free.any() else free.copy()
    excess = np.where(free, total / free.sum(), 0.0)
    for _ in range(20 * m):
        chosen = np.flatnonzero(free)
        wished, price = _on_plane(gram[np.ix_(chosen, chosen)], target[chosen], total)
        if wished.min() < 0.0:
            excess[chosen], at_bound = _walk(excess[chosen], wished)
            free[chosen[at_bound]] = False
            continue
        excess[:] = 0.0
        excess[chosen] = wished
        gradient = gram @ excess - target + price
        gradient[free] = 0.0
        steepest = int(np.argmin(gradient))
        if gradient[steepest] >= -SLACK:
            break
        free[steepest] = True
    weights = floor + excess
    return weights / weights.sum(), free


def _on_plane(
    gram: NDArray[np.float64], target: NDArray[np.float64], total: float
) -> tuple[NDArray[np.float64], float]:
    """Minimise on the plane `sum = total`, signs free; also return the plane's multiplier."""
    solved = np.linalg.solve(gram, np.stack([target, np.ones_like(target)], axis=1))
    price = float((solved[:, 0].sum() - total) / solved[:, 1].sum())
    return solved[:, 0] - price * solved[:, 1], price


def _walk(
    here: NDArray[np.float64], wished: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Step from `here` towards `wished` until the first weight is zero; say which are."""
    falling = wished < 0.0
    step = float(np.min(here[falling] / (here[falling] - wished[falling])))
    there = here + step * (wished - here)
    at_bound = falling & (there <= 1e-15)
    there[at_bound] = 0.0
    return there, at_bound
