"""What an island knows of kin and strangers: how far its learnwares are from each other.

Kin are sought for some learnwares, strangers among random pairs. Both are averages over the island,
so that another sample of it would say about the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beimingwu.search.score import Numbers, Strangers
from beimingwu.search.stack import Positions, Stack
from beimingwu.specification.rkme import GaussianKernel

#: Random pairs whose distances stand for those of all pairs.
PAIRS = 2_000
#: Learnwares whose kin are sought, and among how many that look alike.
KIN_SOUGHT, KIN_AMONG = 128, 24
#: Kin is the nearest in this share of an island: a geometry made from a half of it says the same.
KIN_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Spread:
    """The specifications of a foundation, and what is known of each, shape `(N,)` or `(N, d)`."""

    stack: Stack
    kernel: GaussianKernel
    means: Numbers
    deviations: Numbers
    self_inner: Numbers
    floors: Numbers

    def strangers(self, learnwares: int) -> Strangers:
        """Return what the foundation tells of an island of so many learnwares."""
        if len(self.stack) < 2:
            return Strangers()
        return Strangers.seen_in(self._kin(learnwares), self._pairs(), learnwares)

    def _relative(self, left: Positions, right: Positions) -> Numbers:
        """Return the relative distance of each pair."""
        inner = np.empty(len(left))
        for which, weights, densities in self.stack.pairs(left, right, self.kernel):
            inner[which] = np.einsum("bi,bi->b", weights, densities)
        floors = self.floors[left] + self.floors[right]
        apart = self.self_inner[left] + self.self_inner[right]
        beyond = np.maximum(apart - 2.0 * inner - floors, 0.0)
        return np.asarray(beyond / np.maximum(apart - floors, np.finfo(np.float64).tiny))

    def _pairs(self) -> Numbers:
        """Return the relative distances of all pairs, or of PAIRS random ones."""
        count = len(self.stack)
        if count * (count - 1) // 2 <= PAIRS:
            return self._relative(*np.triu_indices(count, k=1))
        generator = np.random.default_rng(0)
        left = generator.integers(0, count, PAIRS)
        right = (left + generator.integers(1, count, PAIRS)) % count
        return self._relative(left, right)

    def _kin(self, learnwares: int) -> Numbers:
        """Return how far some learnwares are from the nearest in a part of the island."""
        count = len(self.stack)
        sought = np.unique(np.linspace(0, count - 1, min(count, KIN_SOUGHT)).round().astype(int))
        among = min(count - 1, KIN_AMONG)
        alike = np.stack([self._alike(i, among) for i in sought.tolist()])
        relative = self._relative(np.repeat(sought, among), alike.ravel()).reshape(alike.shape)
        seen = min(max(round(KIN_SHARE * learnwares), 1), count - 1)
        return expected_nearest(np.sort(relative, axis=1), count - 1, seen)

    def _alike(self, i: int, among: int) -> Positions:
        """Return the others whose means and deviations are nearest to those of learnware i."""
        scale = 1.0 if self.kernel.scale is None else self.kernel.scale
        with np.errstate(over="ignore"):
            apart = ((self.means - self.means[i]) / scale) ** 2
            apart = apart + ((self.deviations - self.deviations[i]) / scale) ** 2
        squared = np.nan_to_num(apart.sum(axis=1))
        squared[i] = np.inf
        return np.argpartition(squared, among - 1)[:among]


def expected_nearest(nearest: Numbers, others: int, seen: int) -> Numbers:
    """Return the expected distance of the nearest of `seen` that are chosen from `others`.

    Parameters
    ----------
    nearest
        Distances to the nearest of the others, ascending, shape `(N, K)`.

    Examples
    --------
    >>> expected_nearest(np.array([[1.0, 2.0, 9.0]]), others=3, seen=1)
    array([4.])
    >>> expected_nearest(np.array([[1.0, 2.0, 9.0]]), others=3, seen=3)
    array([1.])
    """
    left, chances = 1.0, np.empty(nearest.shape[1])
    for k in range(nearest.shape[1]):
        # The nearer k were not among the `seen`; this one is, with the chance of any that is left.
        chances[k] = left * min(seen / (others - k), 1.0)
        left -= chances[k]
    # All that is farther than what was looked at is taken to be at its end.
    chances[-1] += left
    return np.asarray(nearest @ chances)
