"""Moving the points of a reduced set down the squared MMD to the data (ALGORITHMS §1.2, step 4).

Everything here is in *kernel units*: standardised features times `sqrt(1 / (4 d))`, in which the
multi-scale kernel is `k = (t + t^4 + t^16) / 3` with `t = exp(-|x - y|^2)`, so that one exponential
serves all three scales. The data side works in float32 blocks that stay in the cache; the points
side, a hundred times smaller, in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from beimingwu.specification.simplex import simplex_weights

if TYPE_CHECKING:
    from beimingwu.specification.raw_kernel import RawTerm

Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

#: Records per block: a hundred points against these fit the second-level cache.
BLOCK = 512
#: Pairs of steps and gradients that L-BFGS remembers.
MEMORY = 10


class Sample:
    """Records in kernel units, and what a reduced set needs to know of them.

    Parameters
    ----------
    rows
        Shape `(n, d)`, float32, kernel units.

    Examples
    --------
    >>> sample = Sample(np.zeros((4, 2), dtype=np.float32))
    >>> sample.mean_embedding(np.zeros((1, 2)))
    array([1.])
    """

    def __init__(self, rows: Float32s) -> None:
        self.rows = rows
        lengths = np.einsum("ij,ij->i", rows, rows)
        self._lifted: Float32s = np.column_stack([rows, np.ones_like(lengths), lengths])

    def mean_embedding(self, points: Float64s | Float32s) -> Float64s:
        """Return `c_i = (1/n) sum_l k(z_i, x_l)`, shape `(m,)`."""
        total = np.zeros(len(points))
        for _, t, t4, t16 in self._scales(points):
            t += t4
            t += t16
            total += t.sum(axis=1)
        mean: Float64s = total / (3 * len(self.rows))
        return mean

    def norm2(self) -> float:
        """Return `|mu|^2 = (1/n^2) sum_kl k(x_k, x_l)`: every pair, so for few records only."""
        blocks = range(0, len(self.rows), BLOCK)
        total = sum(self.mean_embedding(self.rows[i : i + BLOCK]).sum() for i in blocks)
        return float(total / len(self.rows))

    def kernel_to(self, point: Float32s) -> Float64s:
        """Return `k(x_l, point)` for every record, shape `(n,)`."""
        t = np.exp(self._lifted @ lift(point[None])[0]).astype(np.float64)
        t4 = t**4
        values: Float64s = (t + t4 + t4**4) / 3.0
        return values

    def pull(self, points: Float64s) -> tuple[Float64s, Float64s]:
        """Return `c` and its gradient in each point, shapes `(m,)` and `(m, d)`.

        `dc_i/dz_i = -(1/n) sum_l g(z_i, x_l) (z_i - x_l)` with `g = (2/3)(t + 4 t^4 + 16 t^16)`.
        """
        (m, d), n = points.shape, len(self.rows)
        total, drawn = np.zeros(m), np.zeros((m, d + 2))
        for rows, t, t4, t16 in self._scales(points):
            total += t.sum(axis=1) + t4.sum(axis=1) + t16.sum(axis=1)
            t16 *= 4.0
            t16 += t4
            t16 *= 4.0
            t16 += t
            drawn += t16 @ rows
        steepness = drawn[:, d : d + 1]
        gradient = (2.0 / (3.0 * n)) * (drawn[:, :d] - steepness * points)
        return total / (3 * n), gradient

    def _scales(
        self, points: Float64s | Float32s
    ) -> Iterator[tuple[Float32s, Float32s, Float32s, Float32s]]:
        """Yield each block of lifted rows with its `t`, `t^4` and `t^16`, of shape `(m, block)`.

        The three are one workspace, written over by the next block: fresh memory for each would
        cost more than the arithmetic in it.
        """
        lifted = lift(points)
        workspace = np.empty((3, len(points) * BLOCK), dtype=np.float32)
        for start in range(0, len(self.rows), BLOCK):
            rows = self._lifted[start : start + BLOCK]
            shape = (3, len(points), len(rows))
            t, t4, t16 = workspace[:, : shape[1] * shape[2]].reshape(shape)
            np.matmul(lifted, rows.T, out=t)
            np.exp(t, out=t)
            np.multiply(t, t, out=t4)
            np.multiply(t4, t4, out=t4)
            np.multiply(t4, t4, out=t16)
            np.multiply(t16, t16, out=t16)
            yield rows, t, t4, t16


def lift(points: Float64s | Float32s) -> Float32s:
    """`(2 z, -|z|^2, -1)`, whose product with `(x, 1, |x|^2)` is `-|z - x|^2`.

    So one matrix product gives the exponent of a whole block. Rounding may leave it a millionth
    above zero, which the exponential does not mind.
    """
    points = points.astype(np.float32)
    lengths = np.einsum("ij,ij->i", points, points)
    lifted: Float32s = np.column_stack([2.0 * points, -lengths, -np.ones_like(lengths)])
    return lifted


def gram_and_steepness(points: Float64s) -> tuple[Float64s, Float64s]:
    """Return `K(Z, Z)` and `g(Z, Z)`, both of shape `(m, m)`."""
    lengths = np.einsum("ij,ij->i", points, points)
    squared = lengths[:, None] + lengths[None, :] - 2.0 * (points @ points.T)
    np.fill_diagonal(squared, 0.0)
    t = np.exp(-np.maximum(squared, 0.0))
    t4 = t**4
    t16 = t4**4
    return (t + t4 + t16) / 3.0, (2.0 / 3.0) * (t + 4.0 * t4 + 16.0 * t16)


def squared_mmd_and_gradient(
    points: Float64s, weights: Float64s, sample: Sample
) -> tuple[float, Float64s]:
    """Return `beta' K beta - 2 c' beta` (the squared MMD less `|mu|^2` of the data) and `d / dZ`.

    The gradient is `-2 beta_i [ sum_j beta_j g_ij (z_i - z_j) - (1/n) sum_l g_il (z_i - x_l) ]`,
    which is ALGORITHMS §1.2 (4) averaged over the scales.

    Returns
    -------
    value : float
    gradient : ndarray of shape (m, d)
    """
    target, pull = sample.pull(points)
    gram, steepness = gram_and_steepness(points)
    return _value_and_gradient(points, weights, target, pull, gram, steepness)


def move(
    points: Float64s,
    sample: Sample,
    *,
    floor: float,
    evenness: float,
    evaluations: int,
    raw: RawTerm | None = None,
) -> Float64s:
    """Return the points moved by L-BFGS down `min_beta mmd2(Z, beta)`.

    The weights are solved for at every step, so the objective depends on the points alone and its
    gradient is the one at the best weights (the envelope theorem).

    Parameters
    ----------
    points
        Where to start, shape `(m, d)`, kernel units.
    sample
        The data to come close to.
    floor
        Least weight of a point.
    evenness
        Penalty on `|beta|^2`, added to the squared MMD.
    evaluations
        How many times the data is looked at: the budget, and a fixed one, so that the same data
        give the same points on any machine.
    raw
        A further term of the objective, for readers of raw features.

    References
    ----------
    Liu and Nocedal, "On the limited memory BFGS method" (1989).
    """
    from scipy.optimize import minimize

    free: NDArray[np.bool_] | None = None

    def objective(flat: Float64s) -> tuple[float, Float64s]:
        nonlocal free
        at = flat.reshape(points.shape)
        target, pull = sample.pull(at)
        gram, steepness = gram_and_steepness(at)
        if raw is not None:
            raw_target, raw_pull = raw.pull(at)
            raw_gram = raw.gram(at)
            target, pull, gram = target + raw_target, pull + raw_pull, gram + raw_gram
        gram[np.diag_indices_from(gram)] += evenness
        weights, free = simplex_weights(gram, target, floor, free)
        value, gradient = _value_and_gradient(at, weights, target, pull, gram, steepness)
        if raw is not None:
            gradient += raw.push(at, weights, raw_gram)
        return value, gradient.ravel()

    found = minimize(
        objective,
        points.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxfun": evaluations,
            "maxiter": evaluations,
            "maxcor": MEMORY,
            "ftol": 0.0,
            "gtol": 0.0,
        },
    )
    moved: Float64s = found.x.reshape(points.shape)
    return moved


def _value_and_gradient(
    points: Float64s,
    weights: Float64s,
    target: Float64s,
    pull: Float64s,
    gram: Float64s,
    steepness: Float64s,
) -> tuple[float, Float64s]:
    push = steepness * weights
    repulsion = points * push.sum(axis=1)[:, None] - push @ points
    gradient = -2.0 * weights[:, None] * (repulsion + pull)
    value = float(weights @ gram @ weights - 2.0 * (target @ weights))
    return value, gradient
