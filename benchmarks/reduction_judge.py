"""The judge of benchmarks/reduction.py: exact squared MMD on all the data, by blocks.

Independent of what it judges: embeddings in float64 through `GaussianKernel`, the norm of the
data's own embedding in float32 blocks summed in float64 (its error, 1e-7, is a thousandth of the
least squared MMD here). The bars are built here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from beimingwu.specification import RKME, GaussianKernel
from beimingwu.specification.moving import Sample, move
from beimingwu.specification.simplex import simplex_weights

BLOCK = 2_000
#: K-means of the bar sees at most this many records; more do not change it.
CLUSTERED = 20_000
#: A search for the optimum stops after this many looks at the data.
SEARCHED = 1_000

Rows = NDArray[np.floating]
Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class Embedded:
    """Weighted points in raw units."""

    points: Rows
    weights: Float64s


class Judge:
    """Judges weighted points against one data set."""

    def __init__(self, data: NDArray[np.float32]) -> None:
        self.data = data
        spread = data.std(axis=0, dtype=np.float64)
        self.scale = np.where(spread > 0, spread, 1.0)
        self.centre = data.mean(axis=0, dtype=np.float64)
        self.kernel = GaussianKernel.multiscale(self.scale)
        self.own_kernel = GaussianKernel()

    def mmd2(self, judged: Embedded) -> float:
        """Squared MMD to the data under the multi-scale kernel in standardised space."""
        return self._mmd2(judged, self.kernel, self._norm2)

    def own_kernel_mmd2(self, judged: Embedded) -> float:
        """Squared MMD to the data under the engine's kernel, rate 0.1 on raw features."""
        return self._mmd2(judged, self.own_kernel, self._own_norm2)

    def best_weights(self, points: Rows) -> Embedded:
        """Return the points with the best simplex weights under the multi-scale kernel."""
        weights, _ = simplex_weights(self.kernel(points, points), self._mean(points, self.kernel))
        return Embedded(points, weights)

    def _mmd2(self, judged: Embedded, kernel: GaussianKernel, norm2: float) -> float:
        beta = judged.weights
        itself = float(beta @ kernel(judged.points, judged.points) @ beta)
        return itself - 2.0 * float(self._mean(judged.points, kernel) @ beta) + norm2

    def _mean(self, points: Rows, kernel: GaussianKernel) -> Float64s:
        total = np.zeros(len(points))
        for start in range(0, len(self.data), BLOCK):
            total += kernel(points, self.data[start : start + BLOCK]).sum(axis=1)
        return total / len(self.data)

    @cached_property
    def _norm2(self) -> float:
        return _norm2((self.data - self.centre) / self.scale, self.kernel.rates)

    @cached_property
    def _own_norm2(self) -> float:
        return _norm2(self.data - self.centre, self.own_kernel.rates)


def _norm2(rows: Float64s, rates: tuple[float, ...]) -> float:
    """`|mu|^2 = (1/n^2) sum_kl k(x_k, x_l)`, each pair of blocks once.

    In float32, unless lengths are so large that the exponent would lose its third digit.
    """
    scaled = rows * np.sqrt(rates[0])
    longest = float(np.einsum("ij,ij->i", scaled, scaled).max())
    rows = scaled.astype(np.float32 if longest < 2_000 else np.float64)
    lengths = np.einsum("ij,ij->i", rows, rows)
    total = 0.0
    for i in range(0, len(rows), BLOCK):
        for j in range(i, len(rows), BLOCK):
            t = rows[i : i + BLOCK] @ (2 * rows[j : j + BLOCK]).T
            t -= lengths[i : i + BLOCK, None]
            t -= lengths[j : j + BLOCK]
            np.minimum(t, 0, out=t)
            np.exp(t, out=t)
            total += (1 if i == j else 2) * _over_scales(t, rates)
    return total / (len(rates) * float(len(rows)) ** 2)


def _over_scales(t: Rows, rates: tuple[float, ...]) -> float:
    """Sum of `t^(rate / first rate)`; the rates are four times each other."""
    total = float(t.sum(dtype=np.float64))
    for _ in rates[1:]:
        t *= t
        t *= t
        total += float(t.sum(dtype=np.float64))
    return total


def record_bar(judge: Judge, points: int) -> Embedded:
    """Random records with optimal weights."""
    chosen = np.random.default_rng(1).choice(len(judge.data), size=points, replace=False)
    return judge.best_weights(judge.data[chosen])


def k_means_bar(judge: Judge, points: int) -> Embedded:
    """K-means (k-means++ seeds, in standardised space) with optimal weights."""
    generator = np.random.default_rng(2)
    few = min(CLUSTERED, len(judge.data))
    rows = judge.data[generator.choice(len(judge.data), size=few, replace=False)]
    standard = (rows - judge.centre) / judge.scale
    centres, _ = kmeans2(standard, points, iter=25, minit="++", rng=generator)
    return judge.best_weights(centres * judge.scale + judge.centre)


def attainable(judge: Judge, ours: RKME) -> float:
    """The least squared MMD found by long descents from three different starts.

    No floor under the weights and no care for privacy: what 100 points can do at all.
    """
    unit = np.sqrt(0.25 / judge.data.shape[1]) / judge.scale
    sample = Sample(((judge.data - judge.centre) * unit).astype(np.float32))
    found = []
    for start in (ours.rows, record_bar(judge, len(ours)).points, k_means_bar(judge, 100).points):
        at = (start - judge.centre) * unit
        moved = move(at, sample, floor=0.0, evaluations=SEARCHED)
        found.append(judge.mmd2(judge.best_weights(moved / unit + judge.centre)))
    return min(found)
