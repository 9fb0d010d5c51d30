"""Kernel herding: records drawn from an embedding, without the data behind it (ALGORITHMS §1.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beimingwu.specification.parameters import count_of, generator_of
from beimingwu.specification.rkme import RKME, Floats, GaussianKernel, squared_distances

CANDIDATES_PER_DRAW = 10
FEWEST_CANDIDATES = 1_000


def herd(spec: RKME, k: int, random_state: int | np.random.Generator = 0) -> Floats:
    """Return `k` herded records of `spec`, shape `(k, d…)`; see `RKME.sample`."""
    k = count_of("k", k, remedy="Ask for at least one record.")
    generator = generator_of(random_state)
    scale = spec.scale
    kernel = GaussianKernel.multiscale(scale)
    points = spec.rows.astype(np.float64) / scale
    candidates = _candidates(points, spec.weights, k, generator)
    mean_embedding = (
        kernel.of_squared_distances(squared_distances(candidates, points)) @ spec.weights
    )
    drawn = np.empty((k, points.shape[1]))
    overlap = np.zeros(len(candidates))
    for t in range(k):
        best = int(np.argmax((t + 1) * mean_embedding - overlap))
        drawn[t] = candidates[best]
        squared = squared_distances(candidates, candidates[best : best + 1])[:, 0]
        overlap += kernel.of_squared_distances(squared)
    return (drawn * scale).astype(spec.points.dtype).reshape(k, *spec.shape)


def _candidates(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    k: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Points drawn by weight, jittered by half the distance to the nearest other point."""
    count = max(CANDIDATES_PER_DRAW * k, FEWEST_CANDIDATES)
    share = np.maximum(weights, 0.0)
    chosen = generator.choice(len(points), size=count, p=share / share.sum())
    if len(points) > 1:
        squared = squared_distances(points, points)
        np.fill_diagonal(squared, np.inf)
        spacing = 0.5 * np.sqrt(squared.min(axis=1) / points.shape[1])
    else:
        spacing = np.zeros(1)
    noise = generator.standard_normal((count, points.shape[1]))
    jittered: NDArray[np.float64] = points[chosen] + spacing[chosen, None] * noise
    return jittered
