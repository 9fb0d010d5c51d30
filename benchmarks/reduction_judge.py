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
#: It looks at this many records at most, and is judged on all of them.
SEARCHED_IN = 20_000

Rows = NDArray[np.floating]
Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class Embedded:
    """Weighted points in raw units."""

    points: Rows
    weights: Float64s


@dataclass(frozen=True)
class Measure:
    """A kernel, and the squared norm of the data's own embedding under it."""

    kernel: GaussianKernel
    norm2: float


class Judge:
    """Judges weighted points against one data set."""

    def __init__(self, data: NDArray[np.float32]) -> None:
        self.data = data
        spread = data.std(axis=0, dtype=np.float64)
        self.scale = np.where(spread > 0, spread, 1.0)
        self.centre = data.mean(axis=0, dtype=np.float64)

    @cached_property
    def multiscale(self) -> Measure:
        """The kernel of ALGORITHMS §1.1, in standardised space."""
        return Measure(GaussianKernel.multiscale(self.scale), float(np.mean(self._norms)))

    @cached_property
    def one_scale(self) -> Measure:
        """The middle one of its three scales: rate 1 / d, by which §1.2's table was measured."""
        rate = GaussianKernel.multiscale(self.scale).rates[1]
        return Measure(GaussianKernel((rate,), self.scale), self._norms[1])

    @cached_property
    def engines(self) -> Measure:
        """The engine's kernel: rate 0.1 on raw features."""
        kernel = GaussianKernel()
        return Measure(kernel, _norms(self.data - self.centre, kernel.rates)[0])

    def mmd2(self, judged: Embedded, measure: Measure) -> float:
        """Squared MMD to the data."""
        kernel, beta = measure.kernel, judged.weights
        itself = float(beta @ kernel(judged.points, judged.points) @ beta)
        return itself - 2.0 * float(self._mean(judged.points, kernel) @ beta) + measure.norm2

    def best_weights(self, points: Rows, measure: Measure) -> Embedded:
        """Return the points with the best simplex weights under the measure."""
        gram, target = measure.kernel(points, points), self._mean(points, measure.kernel)
        return Embedded(points, simplex_weights(gram, target)[0])

    def _mean(self, points: Rows, kernel: GaussianKernel) -> Float64s:
        total = np.zeros(len(points))
        for start in range(0, len(self.data), BLOCK):
            total += kernel(points, self.data[start : start + BLOCK]).sum(axis=1)
        return total / len(self.data)

    @cached_property
    def _norms(self) -> list[float]:
        kernel = GaussianKernel.multiscale(self.scale)
        return _norms((self.data - self.centre) / self.scale, kernel.rates)


def _norms(rows: Float64s, rates: tuple[float, ...]) -> list[float]:
    """`|mu|^2 = (1/n^2) sum_kl k(x_k, x_l)` for each rate; every pair of blocks once.

    In float32, unless lengths are so large that the exponent would lose its third digit.
    """
    scaled = rows * np.sqrt(rates[0])
    longest = float(np.einsum("ij,ij->i", scaled, scaled).max())
    rows = scaled.astype(np.float32 if longest < 2_000 else np.float64)
    lengths = np.einsum("ij,ij->i", rows, rows)
    totals = np.zeros(len(rates))
    for i in range(0, len(rows), BLOCK):
        for j in range(i, len(rows), BLOCK):
            t = rows[i : i + BLOCK] @ (2 * rows[j : j + BLOCK]).T
            t -= lengths[i : i + BLOCK, None]
            t -= lengths[j : j + BLOCK]
            np.minimum(t, 0, out=t)
            np.exp(t, out=t)
            totals += (1 if i == j else 2) * np.array(_sums_over_scales(t, len(rates)))
    return [float(total) / float(len(rows)) ** 2 for total in totals]


def _sums_over_scales(t: Rows, scales: int) -> list[float]:
    """Sums of `t`, `t^4`, `t^16`, …: each rate of the multi-scale kernel is four times the last."""
    sums = [float(t.sum(dtype=np.float64))]
    for _ in range(scales - 1):
        t *= t
        t *= t
        sums.append(float(t.sum(dtype=np.float64)))
    return sums


def random_records(judge: Judge, size: int) -> Rows:
    """Records drawn without replacement."""
    chosen = np.random.default_rng(1).choice(len(judge.data), size=size, replace=False)
    return judge.data[chosen]


def k_means(judge: Judge, size: int) -> Rows:
    """Centres by k-means in standardised space, seeded by k-means++."""
    generator = np.random.default_rng(2)
    few = min(CLUSTERED, len(judge.data))
    rows = judge.data[generator.choice(len(judge.data), size=few, replace=False)]
    standard = (rows - judge.centre) / judge.scale
    centres, _ = kmeans2(standard, size, iter=25, minit="++", rng=generator)
    raw: Float64s = centres * judge.scale + judge.centre
    return raw


def attainable(judge: Judge, ours: RKME) -> float:
    """The least squared MMD found by long descents from three different starts.

    No floor under the weights and no care for privacy: what that many points can do at all.
    """
    unit = np.sqrt(0.25 / judge.data.shape[1]) / judge.scale
    few = min(SEARCHED_IN, len(judge.data))
    rows = judge.data[np.random.default_rng(3).choice(len(judge.data), size=few, replace=False)]
    sample = Sample(((rows - judge.centre) * unit).astype(np.float32))
    found = []
    for start in (ours.rows, random_records(judge, len(ours)), k_means(judge, len(ours))):
        at = (start - judge.centre) * unit
        moved = move(at, sample, floor=0.0, evenness=0.0, evaluations=SEARCHED)
        best = judge.best_weights(moved / unit + judge.centre, judge.multiscale)
        found.append(judge.mmd2(best, judge.multiscale))
    return min(found)
