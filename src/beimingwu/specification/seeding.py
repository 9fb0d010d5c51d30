"""Where a reduced set starts: at points that are nobody's record (ALGORITHMS §1.2, steps 1 and 2).

Cells of records are found by k-means, a synthetic pool is drawn from a Gaussian around each cell,
and kernel herding picks the start from the pool. Everything is in kernel units (see `moving`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beimingwu.specification.moving import Float32s, Float64s, Sample

#: A cell smaller than this joins its nearest neighbour: its Gaussian would point at its members.
FEWEST_IN_CELL = 10
RECORDS_PER_CELL = 50
MOST_CELLS = 40
LLOYD_ROUNDS = 8
POOL = 2_000
#: Pool points scored at a time, so that a block of kernel values stays in the cache.
SCORED_AT_ONCE = 200


def herded_start(sample: Sample, m: int, generator: np.random.Generator) -> Float64s:
    """Return `m` synthetic points whose mean embedding is near that of the sample.

    Returns
    -------
    ndarray of shape (m, d)

    References
    ----------
    Chen, Welling and Smola, "Super-samples from kernel herding" (UAI 2010).

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> rows = generator.standard_normal((200, 2)).astype(np.float32)
    >>> herded_start(Sample(rows), 5, generator).shape
    (5, 2)
    """
    pool = synthetic_pool(sample.rows, max(POOL, 2 * m), generator)
    score = np.concatenate(
        [
            sample.mean_embedding(pool[start : start + SCORED_AT_ONCE])
            for start in range(0, len(pool), SCORED_AT_ONCE)
        ]
    )
    candidates = Sample(pool)
    overlap = np.zeros(len(pool))
    taken = np.zeros(len(pool), dtype=bool)
    for t in range(m):
        gain = (t + 1) * score - overlap
        gain[taken] = -np.inf
        best = int(np.argmax(gain))
        taken[best] = True
        overlap += candidates.kernel_to(pool[best])
    return pool[taken].astype(np.float64)


def synthetic_pool(rows: Float32s, size: int, generator: np.random.Generator) -> Float32s:
    """Draw `size` points from a Gaussian around each cell of records.

    A draw is `mean + sum_l e_l (x_l - mean) / sqrt(k - 1)` with independent normal `e_l`: it has
    exactly the cell's covariance, without forming it, and mixes all `k` records of the cell.
    """
    cell = cells(rows, generator)
    members = np.bincount(cell)
    drawn = []
    for number, count in enumerate(generator.multinomial(size, members / members.sum())):
        if count == 0:
            continue
        own = rows[cell == number]
        mean = own.mean(axis=0)
        mix = generator.standard_normal((count, len(own)), dtype=np.float32)
        mix /= np.float32(np.sqrt(max(len(own) - 1, 1)))
        drawn.append(mean + mix @ (own - mean))
    return np.concatenate(drawn)


def cells(rows: Float32s, generator: np.random.Generator) -> NDArray[np.intp]:
    """Return the cell of each record, shape `(n,)`: k-means, then small cells merged.

    Seeds are drawn without replacement and an empty cell keeps its centre, so no cell is lost to
    the origin as in the public engine.
    """
    k = max(1, min(MOST_CELLS, len(rows) // RECORDS_PER_CELL))
    centres = rows[generator.choice(len(rows), size=k, replace=False)]
    for _ in range(LLOYD_ROUNDS):
        cell = _nearest(rows, centres)
        centres = _means(rows, cell, centres)
    cell = _nearest(rows, centres)
    return _merge_small(rows, cell, _means(rows, cell, centres))


def _nearest(rows: Float32s, centres: Float32s) -> NDArray[np.intp]:
    affinity = rows @ centres.T
    affinity -= 0.5 * np.einsum("ij,ij->i", centres, centres)
    nearest: NDArray[np.intp] = np.argmax(affinity, axis=1)
    return nearest


def _means(rows: Float32s, cell: NDArray[np.intp], centres: Float32s) -> Float32s:
    """Mean of each cell, as one matrix product with the membership indicator."""
    member = np.zeros((len(rows), len(centres)), dtype=np.float32)
    member[np.arange(len(rows)), cell] = 1.0
    count = member.sum(axis=0)[:, None]
    means: Float32s = np.where(count > 0, member.T @ rows / np.maximum(count, 1), centres)
    return means


def _merge_small(rows: Float32s, cell: NDArray[np.intp], centres: Float32s) -> NDArray[np.intp]:
    """Join each cell of fewer than `FEWEST_IN_CELL` records, smallest first, to the nearest."""
    cell, centres = cell.copy(), centres.copy()
    count = np.bincount(cell, minlength=len(centres))
    while True:
        alive = np.flatnonzero(count)
        smallest = alive[np.argmin(count[alive])]
        if count[smallest] >= FEWEST_IN_CELL or len(alive) == 1:
            return np.unique(cell, return_inverse=True)[1]
        others = alive[alive != smallest]
        apart = ((centres[others] - centres[smallest]) ** 2).sum(axis=1)
        host = others[np.argmin(apart)]
        cell[cell == smallest] = host
        centres[host] = rows[cell == host].mean(axis=0)
        count = np.bincount(cell, minlength=len(centres))
