"""The small quadratic problem of a mixture: weights on the simplex, by an active-set method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.stack import Numbers

_TOLERANCE = 1e-12


def simplex_weights(gram: Numbers, products: Numbers) -> Numbers:
    """Return `argmin_w w' G w - 2 c' w` over `w >= 0, sum(w) = 1`.

    Exact up to rounding, also where members are copies of each other and G is singular.

    Parameters
    ----------
    gram
        Shape `(s, s)`, `G_ij = <P_i, P_j>`.
    products
        Shape `(s,)`, `c_i = <U, P_i>`.

    References
    ----------
    Primal active-set method, Nocedal and Wright, "Numerical Optimization" (2006), algorithm 16.3.

    Examples
    --------
    >>> simplex_weights(np.eye(3), np.array([0.6, 0.4, -1.0]))
    array([0.6, 0.4, 0. ])
    """
    size = len(products)
    weights = np.zeros(size)
    weights[np.argmin(np.diag(gram) - 2.0 * products)] = 1.0
    free = weights > 0
    for _ in range(20 * size):
        target = _on_the_plane(gram, products, free)
        step = target - weights
        falling = step < -_TOLERANCE
        reach = np.where(falling, weights / np.where(falling, -step, 1.0), np.inf)
        if reach.min() < 1.0:
            blocking = int(np.argmin(reach))
            weights = weights + reach[blocking] * step
            weights[blocking] = 0.0
            free[blocking] = False
            continue
        weights = target
        slope = products - gram @ weights
        gain = np.where(free, -np.inf, slope - slope[free].max())
        if gain.max() <= _TOLERANCE:
            break
        free[np.argmax(gain)] = True
    held: Numbers = np.maximum(weights, 0.0)
    return held / float(held.sum())


def _on_the_plane(gram: Numbers, products: Numbers, free: NDArray[np.bool_]) -> Numbers:
    """Minimise over the free weights with `sum(w) = 1` alone."""
    count = int(free.sum())
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = gram[np.ix_(free, free)]
    system[:count, count] = system[count, :count] = 1.0
    solution = np.linalg.lstsq(system, np.append(products[free], 1.0), rcond=_TOLERANCE)[0]
    target = np.zeros(len(products))
    target[free] = solution[:count]
    return target
