"""The island's own ruler: its scale and kernel, and what its distances look like.

A specification is a weighted point set in raw units; which kernel compares two of them belongs to
the island. The scale is pooled robustly over the island's points, so that old files in any unit are
searched well and no single absurd file can change it (ALGORITHMS §0, §2). A feature that is in
unlike units in unlike learnwares is read by rank instead (`units`).

The geometry is a function of the set of members only, never of the order or the time in which they
came. Its *foundation* is the first 2^k members by id, the largest power of two that the island has,
so it stays as it is while the island grows, until it has doubled; and all members when the units
that the first ask for do not serve all (`units`). In a large island an even sample stands for
either.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from beimingwu.search.projection import Projection
from beimingwu.search.score import Scorer, Strangers, sampling_floor
from beimingwu.search.segment import Segment
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.search.strangers import Spread
from beimingwu.specification.rkme import RKME, GaussianKernel

#: A deviation under this share of the feature's size is rounding, and the feature is constant.
CONSTANT = 1e-6
#: In an island smaller than this every learnware is opened, and nothing is projected.
FEWEST_PROJECTED = 512
#: Quantile of its own densities under which a specification does not cover a place.
SPARSE = 0.01
#: A place with less than this share of a specification's mean density is never covered by it.
THINNEST = 0.1
#: Median absolute deviation to standard deviation, for normal data.
MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted means and variances of N specifications, shapes `(N, d)`."""

    means: Numbers
    variances: Numbers

    def first(self, count: int) -> Moments:
        """Return the first `count` of them."""
        return Moments(self.means[:count], self.variances[:count])


def moments_of(stack: Stack) -> Moments:
    """Return the weighted mean and variance of each specification stacked."""
    means = np.empty((len(stack), stack.rows.shape[1]))
    variances = np.empty_like(means)
    ends: list[int] = stack.offsets.tolist()
    with np.errstate(over="ignore"):
        for i, (a, b) in enumerate(pairwise(ends)):
            rows, weights = stack.rows[a:b].astype(np.float64), stack.weights[a:b]
            means[i] = weights @ rows
            variances[i] = weights @ (rows - means[i]) ** 2
    return Moments(means, np.nan_to_num(np.maximum(variances, 0.0)))


@dataclass(frozen=True, eq=False)
class Geometry:
    """How an island measures.

    Parameters
    ----------
    kernel
        The multi-scale Gaussian in the island's units.
    members
        Number of specifications in the island when it was made.
    foundation
        Digest of the specifications it was made from.
    strangers
        Where kin end and strangers are among its specifications.
    floor
        Median sampling error of its specifications, as a squared distance.
    sparse_density
        Median over its specifications of the sparse density of each; see `measure_each`.
    projection
        Where its specifications lie. Distances and scores do not depend on it.
    residual
        Mean of `rho^2 / <P,P>`, what the projection leaves over, in the foundation.
    version
        Changes when a score may.
    """

    kernel: GaussianKernel
    members: int
    foundation: str
    strangers: Strangers
    floor: float
    sparse_density: float
    projection: Projection
    residual: float
    version: str

    def measured(self, segment: Segment) -> Segment:
        """Return the segment measured under this geometry."""
        self_inner, sparse = measure_each(segment.stack, np.arange(len(segment)), self.kernel)
        return segment.measured(self_inner, sparse, self.projection.rows(segment.stack, self_inner))

    def scorer(self, spec: RKME, self_inner: float) -> Scorer:
        """Return the scorer of distances from `spec`."""
        own = sampling_floor(np.array(self_inner), np.array(spec.n), np.array(len(spec)))
        return Scorer(self.strangers, float(own) + self.floor, self_inner)

    def covering_density(self, self_inner: Numbers, sparse: Numbers) -> Numbers:
        """Return the density that says "has seen data here", for specifications measured so.

        It is the island's sparse density; the specification's own where that is lower, since data
        spread wide is thin everywhere; and at least a share of `<P,P>`, its mean density, so that
        points strewn far from each other do not cover what lies between.
        """
        return np.maximum(np.minimum(self.sparse_density, sparse), THINNEST * self_inner)


def pooled_scale(moments: Moments) -> Numbers:
    """Return the robust pooled deviation per feature, shape `(d,)`; 1 where constant.

    The square is the median variance within a specification plus the variance between the means,
    by their median absolute deviation, which counts for at most as much as the first: in an island
    of clusters far apart, the kernel still resolves what happens inside one. Where most members
    hold a feature constant it is the deviation between the means alone; where that is 0 too, the
    members that do not hold it speak for it, by the median of their root mean squares.

    Examples
    --------
    >>> within = Moments(np.array([[0.0], [0.0], [1e30]]), np.array([[4.0], [4.0], [1e60]]))
    >>> pooled_scale(within)
    array([2.])
    """
    centre = np.median(moments.means, axis=0)
    away = np.abs(moments.means - centre)
    constant = CONSTANT * np.maximum(np.abs(centre), CONSTANT)
    between = MAD_TO_DEVIATION * np.median(away, axis=0)
    within = np.sqrt(np.median(moments.variances, axis=0))
    pooled = np.where(within > constant, np.hypot(within, np.minimum(between, within)), between)
    rare = np.hypot(np.sqrt(moments.variances), away)
    rare = np.where(rare > constant, rare, np.nan)
    for j in np.flatnonzero(pooled <= constant):
        varied = rare[~np.isnan(rare[:, j]), j]
        pooled[j] = np.median(varied) if len(varied) else 1.0
    return pooled


def measure_each(
    stack: Stack, chosen: Positions, kernel: GaussianKernel
) -> tuple[Numbers, Numbers]:
    """Return `<P,P>` and the sparse density of each chosen specification, `(len(chosen),)` each.

    The sparse density is the 1 % quantile, by weight, of the density `mu_P` at P's own points, each
    point left out of its own density: a new record of the same data is rarely at a sparser place.
    """
    self_inner, sparse = np.empty(len(chosen)), np.empty(len(chosen))
    for which, weights, densities in stack.pairs(chosen, chosen, kernel):
        self_inner[which] = np.einsum("bi,bi->b", weights, densities)
        left_out = (densities - weights) / np.maximum(1.0 - weights, 0.5)
        # Padding has weight 0: it sorts anywhere and never carries the quantile.
        order = np.argsort(left_out, axis=1)
        reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1) >= SPARSE
        lowest = np.take_along_axis(left_out, order, axis=1)
        sparse[which] = lowest[np.arange(len(lowest)), np.argmax(reached, axis=1)]
    return self_inner, sparse


def founded(foundation: Segment, kernel: GaussianKernel, members: int) -> Geometry:
    """Return the geometry of an island of `members`, made from its foundation."""
    stack, count = foundation.stack, len(foundation)
    self_inner, sparse = measure_each(stack, np.arange(count), kernel)
    records = foundation.records.astype(np.float64)
    floors = sampling_floor(self_inner, records, stack.sizes.astype(np.float64))
    moments = moments_of(stack)
    deviations = np.sqrt(moments.variances)
    spread = Spread(stack, kernel, moments.means, deviations, self_inner, floors)
    # Told in powers of two, as the foundation is, so that it stays until the island has doubled.
    strangers = spread.strangers(1 << (members.bit_length() - 1))
    floor, typical = float(np.median(floors)), float(np.median(sparse))
    ruler = [] if kernel.ruler is None else [kernel.ruler.places, kernel.ruler.marks]
    parts = (kernel.scale, *ruler, [strangers.half, strangers.apart, floor, typical])
    text = b"".join(np.asarray(part, dtype="<f8").tobytes() for part in parts)
    version = hashlib.sha256(text).hexdigest()[:8]
    small = members < FEWEST_PROJECTED
    projection = (
        Projection.empty(kernel, stack.rows.shape[1]) if small else Projection.fitted(stack, kernel)
    )
    residual = np.mean(projection.rows(stack, self_inner)[:, -1] ** 2 / self_inner)
    return Geometry(
        kernel,
        members,
        digest_of(foundation),
        strangers,
        floor,
        typical,
        projection,
        float(residual),
        version,
    )


def digest_of(foundation: Segment) -> str:
    """Return what tells one foundation from another: its ids, points and weights."""
    told = (foundation.ids.tobytes(), foundation.checks.tobytes(), foundation.records.tobytes())
    return hashlib.sha256(b"".join(told)).hexdigest()[:16]
