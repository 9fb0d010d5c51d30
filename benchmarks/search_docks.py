"""The docks of the search benchmarks: learnwares of smooth families of tasks, on the disk.

A family is a kind of task, a cloud of a few components on a plane, that changes smoothly with where
and when it is met (a variable of three numbers); families stand in domains. A learnware is one
task of a family, as 100 points and weights; an unseen task is another of the same family. Every
learnware depends only on the seed and on its number, so a smaller dock is a part of a larger one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from beimingwu.search import Index
from beimingwu.search.keeping import Mark
from beimingwu.search.segment import Entry
from beimingwu.specification import RKME

FAMILIES, DOMAINS = 400, 50
COMPONENTS, PLANE, VARIABLE = 7, 5, 3
POINTS = 100
#: Records that a specification stands for.
RECORDS = 5_000
#: Learnwares drawn at once.
BLOCK = 4_096

Families = NDArray[np.int64]


class Tasks:
    """Families of tasks of `dimension` features; the same for the same seed."""

    def __init__(self, dimension: int = 20, seed: int = 0) -> None:
        self.dimension, self.seed = dimension, seed
        draw = np.random.default_rng(seed)
        domains = draw.normal(0.0, 1.0, (DOMAINS, dimension))
        self._places = domains[np.arange(FAMILIES) % DOMAINS]
        self._places = self._places + draw.normal(0.0, 0.35, (FAMILIES, dimension))
        self._planes = draw.normal(0.0, 0.45, (FAMILIES, PLANE, dimension))
        self._components = draw.normal(0.0, 1.0, (FAMILIES, COMPONENTS, PLANE))
        self._moves = draw.normal(0.0, 0.35, (FAMILIES, VARIABLE, COMPONENTS * PLANE))
        self._shifts = draw.normal(0.0, 0.25, (FAMILIES, VARIABLE, dimension))
        # Points of low discrepancy, as a reduction would choose them.
        even = qmc.Sobol(PLANE, seed=seed).random(128)[:POINTS]
        self._spread = 0.45 * ndtri(even.clip(1e-3, 1.0 - 1e-3))
        self._component_of = np.arange(POINTS) % COMPONENTS

    def drawn(
        self, families: Families, draw: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Draw a task of each family: points `(n, 100, d)` and weights `(n, 100)`."""
        count = len(families)
        where = draw.uniform(-1.0, 1.0, (count, VARIABLE))
        moved = np.einsum("nt,ntk->nk", where, self._moves[families])
        components = self._components[families] + moved.reshape(count, COMPONENTS, PLANE)
        flat = components[:, self._component_of] + self._spread
        flat += draw.normal(0.0, 0.08, flat.shape)
        points = np.matmul(flat, self._planes[families])
        shifted = np.einsum("nt,ntd->nd", where, self._shifts[families])
        points += (self._places[families] + shifted)[:, None]
        points += draw.normal(0.0, 0.15, points.shape)
        weights = draw.dirichlet(np.full(POINTS, 10.0), count)
        return points.astype(np.float32), weights / weights.sum(axis=1, keepdims=True)

    def mixture(
        self,
        families: Sequence[int],
        draw: np.random.Generator,
        shares: NDArray[np.float64] | None = None,
    ) -> RKME:
        """Return a mixture of unseen tasks of these families, even where no shares are given.

        It has 100 points of each family.
        """
        points, weights = self.drawn(np.array(families), draw)
        even = np.full(len(families), 1.0 / len(families))
        weights = weights * (even if shares is None else shares)[:, None]
        return RKME(points.reshape(-1, self.dimension), weights.reshape(-1), n=RECORDS)

    def uneven(self, families: Sequence[int], draw: np.random.Generator) -> RKME:
        """Return a mixture of unseen tasks of these families in random shares."""
        return self.mixture(families, draw, draw.dirichlet(np.full(len(families), 4.0)))

    def user(self, families: Sequence[int], draw: np.random.Generator) -> RKME:
        """Return an even mixture as a user would specify it, in 100 points altogether."""
        whole = self.mixture(families, draw)
        points, weights = whole.points[:: len(families)], whole.weights[:: len(families)]
        return RKME(points, weights / weights.sum(), n=RECORDS)

    def families_of(self, count: int) -> Families:
        """Return the family of each of the first `count` learnwares."""
        blocks = [self._block(first)[1] for first in range(0, count, BLOCK)]
        return np.concatenate(blocks)[:count]

    def learnwares(self, first: int, count: int) -> Iterator[Entry]:
        """Yield `count` learnwares, numbered from `first`, which starts a block."""
        for begin in range(first, first + count, BLOCK):
            draw, families = self._block(begin)
            points, weights = self.drawn(families, draw)
            for i in range(min(BLOCK, first + count - begin)):
                spec = RKME(points[i], weights[i], n=RECORDS)
                yield Entry(f"{begin + i:08d}", spec, ())

    def _block(self, first: int) -> tuple[np.random.Generator, Families]:
        draw = np.random.default_rng([self.seed, first // BLOCK])
        return draw, draw.integers(0, FAMILIES, BLOCK)


def dock(folder: Path, tasks: Tasks, count: int) -> tuple[Index, bool]:
    """Open the dock of the first `count` learnwares in a folder, and tell whether it was made."""
    mark = Mark(count, f"tasks of {tasks.dimension} features, seed {tasks.seed}")
    index, found = Index.open(folder)
    if found == mark:
        return index, False
    return Index.filled(folder, mark, tasks.learnwares(0, count)), True
