"""Where a specification lies: its orthogonal projection on a few directions, and what is left over.

Landmarks `l` span a subspace of the kernel's space, of which the r directions that carry most of
the island's specifications are kept. A specification P is then one *row* of r + 1 numbers: the
coordinates `v_P` of the projection of `mu_P`, and the norm `rho_P = sqrt(<P,P> - |v_P|^2)` of what
is left over. Since the projection is orthogonal, the rows of P and Q enclose their distance:

    |v_P - v_Q|^2 + (rho_P - rho_Q)^2  <=  mmd2(P, Q)  <=  |v_P - v_Q|^2 + (rho_P + rho_Q)^2

The left side is the squared Euclidean distance of the two rows, and a row's squared norm is `<P,P>`
(ALGORITHMS §2). Where little is left over, rounding may hide all of it: a row tells as much more
as that, so that both sides stay bounds.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.stack import Numbers, Positions, Stack, in_units
from beimingwu.specification.rkme import GaussianKernel

Rows = NDArray[np.float32]
T = TypeVar("T", bound=np.floating[Any])

#: Points that span the subspace.
LANDMARKS = 1_024
#: Directions that are kept.
RANK = 128
#: Points that landmarks are sought among, and specifications that directions are sought among.
POINTS_SAMPLED, SPECIFICATIONS_SAMPLED = 20_000, 4_096
#: Directions weaker than this share of the strongest are rounding.
WEAKEST = 1e-6
#: No landmark is sought farther from the middle, in units of the scale: nothing is near it.
FARTHEST_LANDMARK = 30.0
#: Kernel values held at once.
BLOCK_VALUES = 1 << 17
#: Largest error of a kernel value computed in float32 from a distance computed in float64.
KERNEL_ERROR = 2.0**-22


@dataclass(frozen=True, eq=False)
class Projection:
    """The directions of an island.

    Parameters
    ----------
    landmarks
        Shape `(L, d)`, in units of the kernel's scale.
    basis
        Shape `(L, r)`: the coordinates of P are `sum_i beta_i k(z_i, landmarks) @ basis`.
    kernel
        The island's.
    """

    landmarks: Numbers
    basis: Rows
    kernel: GaussianKernel

    @classmethod
    def empty(cls, kernel: GaussianKernel, dimension: int) -> Projection:
        """Return the projection on nothing: rows are norms alone, which bound loosely."""
        return cls(np.empty((0, dimension)), np.empty((0, 0), np.float32), kernel)

    @classmethod
    def fitted(
        cls, stack: Stack, kernel: GaussianKernel, landmarks: int = LANDMARKS, rank: int = RANK
    ) -> Projection:
        """Return the projection that carries most of the specifications stacked."""
        generator = np.random.default_rng(0)
        places = _landmarks(stack, kernel, landmarks, generator)
        spectrum, vectors = np.linalg.eigh(_gram(places, kernel))
        kept = spectrum > WEAKEST * spectrum[-1]
        whitening = vectors[:, kept] / np.sqrt(spectrum[kept])
        whole = cls(places, whitening.astype(np.float32), kernel)
        seen = whole.coordinates(stack.chosen(_some(len(stack), SPECIFICATIONS_SAMPLED, generator)))
        _, strongest = np.linalg.eigh(seen.T.astype(np.float64) @ seen)
        return cls(places, (whitening @ strongest[:, ::-1][:, :rank]).astype(np.float32), kernel)

    @property
    def rank(self) -> int:
        """Number of directions, r."""
        return int(self.basis.shape[1])

    @cached_property
    def error(self) -> float:
        """Bound on how far a row may be from what exact arithmetic would give.

        The error of each of L kernel values, carried through the basis, and the rounding of the
        float32 products and of the row itself.
        """
        if self.rank == 0:
            return float(np.finfo(np.float32).eps)
        carried = float(np.linalg.norm(self.basis.astype(np.float64), 2))
        return carried * KERNEL_ERROR * float(np.sqrt(len(self.landmarks))) + 2.0**-21

    def rows(self, stack: Stack, self_inner: Numbers) -> Rows:
        """Return the row of each specification stacked, shape `(N, r + 1)`, given their `<P,P>`."""
        coordinates = self.coordinates(stack)
        inside = np.einsum("ij,ij->i", coordinates, coordinates, dtype=np.float64)
        # `|v_P|` is at most 1, so that `inside` is off by at most twice the error.
        left_over = np.sqrt(np.maximum(self_inner - inside, 0.0) + 2.0 * self.error)
        return np.column_stack([coordinates, left_over.astype(np.float32)])

    def coordinates(self, stack: Stack) -> Rows:
        """Return `v_P` of each specification stacked, shape `(N, r)`."""
        if self.rank == 0:
            return np.empty((len(stack), 0), np.float32)
        embedded = np.empty((len(stack), len(self.landmarks)), np.float32)
        # |x|^2 - 2 xy + |y|^2 as one product, in float64 and from the middle of the landmarks: what
        # is near one of them loses no digits of it.
        centre = self.landmarks.mean(axis=0)
        landmarks, ones = self.landmarks - centre, np.ones((len(self.landmarks), 1))
        squares = np.einsum("ij,ij->i", landmarks, landmarks)[:, None]
        factors = np.hstack([-2.0 * landmarks, ones, squares]).T
        spare = np.empty((0, len(self.landmarks)), np.float32)
        origin = np.zeros(stack.rows.shape[1])
        for first, last in stack.spans(max(BLOCK_VALUES // len(self.landmarks), 1)):
            begin, end = int(stack.offsets[first]), int(stack.offsets[last])
            points = in_units(stack.rows[begin:end], origin, self.kernel) - centre
            own = np.einsum("ij,ij->i", points, points)[:, None]
            squared = np.hstack([points, own, np.ones_like(own)]) @ factors
            if len(spare) < len(points):
                spare = np.empty(squared.shape, np.float32)
                values = np.empty_like(spare)
            with np.errstate(over="ignore"):
                near = np.maximum(squared, 0.0, out=values[: len(points)], casting="same_kind")
            near = self.kernel.overwrite(near, spare[: len(points)])
            weights = stack.weights[begin:end].astype(np.float32)
            ends = stack.offsets[first : last + 1] - begin
            # One product each: fifty times as fast as `reduceat` along the first axis.
            for i, (a, b) in enumerate(pairwise(ends.tolist()), start=first):
                np.matmul(weights[a:b], near[a:b], out=embedded[i])
        return embedded @ self.basis


def _landmarks(
    stack: Stack, kernel: GaussianKernel, count: int, generator: np.random.Generator
) -> Numbers:
    """Return the centres of at most `count` cells of the points, in units of the scale."""
    sampled = np.sort(_some(len(stack.rows), POINTS_SAMPLED, generator))
    points = in_units(stack.rows[sampled], np.zeros(stack.rows.shape[1]), kernel)
    middle = np.median(points, axis=0)
    points = np.clip(points - middle, -FARTHEST_LANDMARK, FARTHEST_LANDMARK)
    points = np.unique(points, axis=0)
    if len(points) <= count:
        return points + middle
    seeds = points[generator.choice(len(points), count, replace=False)]
    return centres_of(points, seeds, rounds=6) + middle


def centres_of(points: NDArray[T], seeds: NDArray[T], rounds: int) -> NDArray[T]:
    """Return the centres of the cells into which points, shape `(n, d)`, fall, from seeds on."""
    # As long to import as half of a dock, and wanted only where an island is projected anew.
    from scipy.cluster.vq import kmeans2

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # A cell that loses all its points keeps the centre it had.
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        centres, _ = kmeans2(points, seeds, iter=rounds, minit="matrix", missing="warn")
    return np.asarray(centres)


def _gram(landmarks: Numbers, kernel: GaussianKernel) -> Numbers:
    unit = GaussianKernel(kernel.rates)
    return unit(landmarks, landmarks)


def _some(count: int, most: int, generator: np.random.Generator) -> Positions:
    """Return all of `count` positions, or `most` of them at random."""
    if count <= most:
        return np.arange(count)
    return generator.choice(count, most, replace=False)
