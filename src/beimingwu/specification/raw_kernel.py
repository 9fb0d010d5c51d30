"""The public engine's kernel, `exp(-0.1 |x - y|^2)` on raw features, beside ours.

Old readers compare specifications by it, so where it can see the data at all, a little of it joins
the objective when the reduction moves its points. The points then depend a little on the units of
the features. All is in kernel units (see `moving`); the features are stretched by what takes kernel
units to raw ones.
"""

from __future__ import annotations

import numpy as np

from beimingwu.specification.moving import BLOCK, Float32s, Float64s, lift
from beimingwu.specification.standard import StandardSpace

#: The engine's rate.
GAMMA = 0.1
#: Mean squared length, in units of its width, beyond which float32 loses its exponents' digits.
BLIND = 2_000.0
#: Its weight is this over `m` times the squared MMD of ours that is left, and never above `MOST`:
#: the closer the points are already, the more they can give away.
SHARE, MOST = 1e-3, 0.3


class RawTerm:
    """A weighted squared MMD under the engine's kernel, to be added to another objective.

    Parameters
    ----------
    rows
        Shape `(n, d)`, float32, kernel units.
    stretch
        Kernel units to raw ones times `sqrt(0.1)`, shape `(d,)`.
    weight
        Of this term; the other objective has weight 1.

    Examples
    --------
    >>> term = RawTerm(np.zeros((4, 2), dtype=np.float32), np.ones(2), 0.2)
    >>> term.pull(np.zeros((1, 2)))[0]
    array([0.2])
    """

    def __init__(self, rows: Float32s, stretch: Float64s, weight: float) -> None:
        self._stretch, self._weight = stretch, weight
        raw = rows * stretch.astype(np.float32)
        lengths = np.einsum("ij,ij->i", raw, raw)
        self._lifted: Float32s = np.column_stack([raw, np.ones_like(lengths), lengths])

    def pull(self, points: Float64s) -> tuple[Float64s, Float64s]:
        """Return `w c` and its gradient in each point, shapes `(m,)` and `(m, d)`."""
        (m, d), n = points.shape, len(self._lifted)
        raw = points * self._stretch
        lifted, drawn = lift(raw), np.zeros((m, d + 2))
        for start in range(0, n, BLOCK):
            rows = self._lifted[start : start + BLOCK]
            t = lifted @ rows.T
            drawn += np.exp(np.minimum(t, 0.0, out=t), out=t) @ rows
        total = drawn[:, d]
        gradient = drawn[:, :d] - total[:, None] * raw
        share = self._weight / n
        return share * total, 2.0 * share * self._stretch * gradient

    def gram(self, points: Float64s) -> Float64s:
        """Return `w K(Z, Z)`, shape `(m, m)`."""
        raw = points * self._stretch
        lengths = np.einsum("ij,ij->i", raw, raw)
        squared = lengths[:, None] + lengths[None, :] - 2.0 * (raw @ raw.T)
        np.fill_diagonal(squared, 0.0)
        gram: Float64s = self._weight * np.exp(-np.maximum(squared, 0.0))
        return gram

    def push(self, points: Float64s, weights: Float64s, gram: Float64s) -> Float64s:
        """Return `-2 beta_i sum_j beta_j g_ij (z_i - z_j)`, `g = 2 w k`, shape `(m, d)`.

        The share of the gradient that comes from the points; `gram` is `w K(Z, Z)`.
        """
        steepness = 2.0 * gram * weights
        apart = points * steepness.sum(axis=1)[:, None] - steepness @ points
        gradient: Float64s = -2.0 * weights[:, None] * apart * self._stretch**2
        return gradient


def stretch_to_raw(space: StandardSpace, unit: float) -> Float64s:
    """Return what takes kernel units to raw ones, in widths of the engine's kernel, `(d,)`."""
    stretch: Float64s = np.sqrt(GAMMA) * space.scale / unit
    return stretch


def sees(space: StandardSpace) -> bool:
    """Whether float32 can tell raw features apart under the engine's kernel: not too long ones."""
    return GAMMA * float((space.scale[space.varying] ** 2).sum()) <= BLIND


def raw_weight(left: float, m: int, n: int) -> float:
    """Return the weight of the engine's kernel where `left` is our squared MMD so far.

    `left` is measured against some records; `1 / n` is added for what all of them do not know.

    Examples
    --------
    >>> raw_weight(4e-4, m=100, n=10_000), raw_weight(1e-6, m=100, n=100_000)
    (0.02, 0.3)
    """
    return min(MOST, SHARE / (m * (max(left, 0.0) + 1.0 / n)))
