"""How much a row looks like each learnware's data: densities under the specifications.

The mean embedding of a specification is, up to a constant, a kernel density estimate of the data
behind it. These densities say per row whose learnware to listen to; gating and job selection read
them. A kernel wide enough to *search* by is too wide to tell rows apart, so the kernel here is as
narrow as the points of the specifications are dense.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from beimingwu.specification import RKME, GaussianKernel
from beimingwu.specification.rkme import squared_distances

#: Rate of the kernel times the squared spacing of the points: its standard deviation is 0.4 of the
#: distance from a point to its nearest neighbour. Measured from 1 to 6 on two docks: digits of 64
#: features gain accuracy up to 6 (0.90, 0.94, 0.95, 0.96, 0.96), air quality of 11 features has its
#: least error at 3 over a year, and at 1 in a single season, by 0.3 %.
RATE_IN_SPACINGS = 3.0
#: Rate times dimension where the points do not tell their spacing (a specification of one point).
FALLBACK_RATE = 8.0
#: Density, relative to the densest specification's own, under which a row is nobody's.
FLOOR = 1e-9
#: Rows taken at once, which bounds the kernel matrix to some tens of megabytes.
BLOCK = 16_384


def density_kernel(
    specs: Sequence[RKME], scale: NDArray[np.float64] | None = None
) -> GaussianKernel:
    """Return the kernel to tell by which of these specifications a row looks like.

    One Gaussian in the unit `scale` (by default the pooled deviation of the specifications), with
    rate `3 / s2`, where `s2` is the mean squared distance from a point to the nearest other point
    of its own specification.

    Parameters
    ----------
    specs
        Specifications of one island, at least one.
    scale
        Unit per feature, shape `(d,)`: the dock's, where it is known.

    Examples
    --------
    >>> spec = RKME(np.array([[0.0], [2.0], [4.0]]), np.full(3, 1 / 3), n=30)
    >>> density_kernel([spec], scale=np.ones(1)).rates
    (0.75,)
    """
    unit = pooled_scale(specs) if scale is None else np.asarray(scale, dtype=np.float64).ravel()
    spacings = [_squared_spacing(spec, unit) for spec in specs if len(spec) > 1]
    spacing = float(np.mean(spacings)) if spacings else 0.0
    rate = RATE_IN_SPACINGS / spacing if spacing > 0.0 else FALLBACK_RATE / unit.size
    return GaussianKernel((rate,), unit)


def pooled_scale(specs: Sequence[RKME]) -> NDArray[np.float64]:
    """Return the standard deviation per feature over all specifications together, shape `(d,)`.

    Examples
    --------
    >>> low, high = (RKME(np.array([[v], [v]]), np.full(2, 0.5), n=20) for v in (0.0, 4.0))
    >>> pooled_scale([low, high])
    array([2.])
    """
    return _pooled(specs).scale


def densities(
    x: NDArray[np.floating], specs: Sequence[RKME], kernel: GaussianKernel
) -> NDArray[np.float64]:
    """Return `f_i(x) = mu_{P_i}(x)`, never negative, shape `(len(specs), len(x))`.

    Where values of a row are not finite, the density is that of its other features alone.
    """
    rows = np.asarray(x, dtype=np.float64).reshape(len(x), specs[0].dimension)
    density = np.empty((len(specs), len(rows)))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        for i, spec in enumerate(specs):
            density[i, start : start + BLOCK] = _embedding(block, spec, kernel)
    # Files of 2024 may hold negative weights, and with them a density under zero.
    return np.maximum(density, 0.0, out=density)


def shares(
    x: NDArray[np.floating],
    specs: Sequence[RKME],
    weights: NDArray[np.float64],
    kernel: GaussianKernel | None = None,
) -> NDArray[np.float64]:
    """Return how much learnware i has to say on row x: `w_i f_i(x) / sum_j w_j f_j(x)`.

    A row far from all specifications is shared by the weights alone.

    Returns
    -------
    ndarray of shape (len(specs), len(x)); columns sum to one

    References
    ----------
    Wu, Xu, Liu and Zhou, "Model reuse with reduced kernel mean embedding specification" (2020).
    """
    kernel = kernel or density_kernel(specs)
    density = densities(x, specs, kernel)
    floor = FLOOR * max(abs(spec.inner(spec, kernel)) for spec in specs)
    share = weights[:, None] * (density + floor)
    return np.asarray(share / share.sum(axis=0))


def filled(x: NDArray[np.floating], specs: Sequence[RKME]) -> NDArray[np.float64]:
    """Return the rows as a matrix, with values that are not finite replaced by pooled means."""
    rows = np.array(x, dtype=np.float64).reshape(len(x), specs[0].dimension)
    missing = ~np.isfinite(rows)
    if missing.any():
        rows[missing] = np.broadcast_to(_pooled(specs).mean, rows.shape)[missing]
    return rows


def _embedding(
    rows: NDArray[np.float64], spec: RKME, kernel: GaussianKernel
) -> NDArray[np.float64]:
    observed = np.isfinite(rows)
    if observed.all():
        return spec.embedding(rows, kernel)
    scale = 1.0 if kernel.scale is None else kernel.scale
    centre = spec.mean
    points = (spec.rows - centre) / scale
    values = np.where(observed, rows - centre, 0.0) / scale
    squared = (values**2).sum(axis=1)[:, None] - 2.0 * values @ points.T + observed @ (points**2).T
    return kernel.of_squared_distances(np.maximum(squared, 0.0)) @ spec.weights


def _pooled(specs: Sequence[RKME]) -> RKME:
    points = np.concatenate([spec.rows for spec in specs])
    weights = np.concatenate([spec.weights for spec in specs]) / len(specs)
    return RKME(points, weights, n=sum(spec.n for spec in specs))


def _squared_spacing(spec: RKME, scale: NDArray[np.float64]) -> float:
    points = spec.rows.astype(np.float64) / scale
    squared = squared_distances(points, points)
    np.fill_diagonal(squared, np.inf)
    return float(spec.weights @ squared.min(axis=1))
