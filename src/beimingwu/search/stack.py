"""All specifications of an island in one array, and the kernel sums over them in blocks.

Every exact number of the search comes from here: inner products of one specification with all
others, and of given pairs. Work is in float64, in blocks that fit a cache, by matrix products; the
only Python loops are over blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.shares import in_shares
from beimingwu.specification.rkme import RKME, Floats, GaussianKernel

Numbers = NDArray[np.float64]
Singles = NDArray[np.float32]
Positions = NDArray[np.intp]
Real = TypeVar("Real", bound=np.floating[Any])

#: Kernel values held at once: half a megabyte, so that a block stays in the processor's cache.
BLOCK_VALUES = 1 << 16
#: Scaled coordinates are held within this, where every kernel value is 0 and no square overflows.
FARTHEST = 1e100
#: As far in float32. The error told of what is held there is so large that nothing rests on it.
FARTHEST_SINGLE = 1e15


@dataclass(frozen=True, eq=False)
class Stack:
    """The point sets of N specifications of one shape, end to end.

    Parameters
    ----------
    rows
        Shape `(total points, d)`, raw units, as they were given (float32 or float64).
    weights
        Shape `(total points,)`.
    offsets
        Shape `(N + 1,)`: specification i owns `rows[offsets[i]:offsets[i + 1]]`.

    Examples
    --------
    >>> spec = RKME(np.array([[0.0], [1.0]]), np.array([0.5, 0.5]), n=20)
    >>> len(Stack.of([spec, spec]))
    2
    """

    rows: Floats
    weights: Numbers
    offsets: Positions

    @classmethod
    def of(cls, specs: Sequence[RKME]) -> Stack:
        """Stack at least one specification, all of one shape."""
        sizes = np.fromiter((len(spec) for spec in specs), dtype=np.intp, count=len(specs))
        return cls(
            rows=np.concatenate([spec.rows for spec in specs]),
            weights=np.concatenate([spec.weights for spec in specs]),
            offsets=np.concatenate([np.zeros(1, np.intp), np.cumsum(sizes)]),
        )

    @classmethod
    def joined(cls, stacks: Sequence[Stack]) -> Stack:
        """Stack what is in several, at least one, in their order."""
        if len(stacks) == 1:
            return stacks[0]
        sizes = np.concatenate([stack.sizes for stack in stacks])
        return cls(
            rows=np.concatenate([stack.rows for stack in stacks]),
            weights=np.concatenate([stack.weights for stack in stacks]),
            offsets=np.concatenate([np.zeros(1, np.intp), np.cumsum(sizes)]),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> Positions:
        """Number of points of each specification, shape `(N,)`."""
        return np.diff(self.offsets)

    def sizes_of(self, chosen: Positions) -> Positions:
        """Number of points of the chosen, without touching the others."""
        return np.asarray(self.offsets[chosen + 1] - self.offsets[chosen])

    def spans(self, points: int) -> Iterator[tuple[int, int]]:
        """Cut into ranges of specifications `first:last` of about so many points each."""
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.offsets, self.offsets[first] + points, side="right"))
            last = min(max(last - 1, first + 1), len(self))
            yield first, last
            first = last

    def chosen(self, which: Positions) -> Stack:
        """Return a copy of the chosen specifications, in the order given."""
        sizes = self.sizes_of(which)
        offsets = np.concatenate([np.zeros(1, np.intp), np.cumsum(sizes)])
        owned = np.repeat(self.offsets[which] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Stack(self.rows[owned], self.weights[owned], offsets)

    def weighted(self, i: int) -> RKME:
        """Return the points and weights of one specification, as one to compare with."""
        begin, end = self.offsets[i], self.offsets[i + 1]
        return RKME(self.rows[begin:end], self.weights[begin:end], n=0)

    def first(self, count: int) -> Stack:
        """Return the first `count` specifications, without copying."""
        end = self.offsets[count]
        return Stack(self.rows[:end], self.weights[:end], self.offsets[: count + 1])

    def inner_products(self, spec: RKME, chosen: Positions, kernel: GaussianKernel) -> Numbers:
        """Return `<P, Q_i>` of one specification with each chosen one, shape `(len(chosen),)`."""
        products = np.empty(len(chosen))

        def sum_up(first: int, last: int) -> None:
            mine, share = products[first:last], chosen[first:last]
            for a, b, values, owned, starts in self._kernel_blocks(spec, share, kernel):
                density = spec.weights @ values
                mine[a:b] = np.add.reduceat(density * self.weights[owned], starts)

        in_shares(sum_up, len(chosen), len(spec) * int(self.sizes_of(chosen).sum()))
        return products

    def rough_products(self, spec: RKME, kernel: GaussianKernel) -> tuple[Numbers, float]:
        """Return `<P, Q_i>` with all stacked, in float32, and a bound on how far off they are.

        Several times as fast as `inner_products`, and enough to dismiss most of what is not near.
        """
        centre = spec.mean
        left = _left(_right(spec.rows, centre, kernel, np.float32, FARTHEST_SINGLE))
        right = _right(self.rows, centre, kernel, np.float32, FARTHEST_SINGLE)
        weights, density = spec.weights.astype(np.float32), np.empty(len(right), np.float32)
        at_once = max(BLOCK_VALUES // len(left), 1)

        def sum_up(begin: int, end: int) -> None:
            scratch = _Scratch(np.float32)
            for first in range(begin, end, at_once):
                block = right[first : min(first + at_once, end)]
                squared, spare = scratch.of_shape(len(left), len(block))
                np.matmul(left, block.T, out=squared)
                np.maximum(squared, 0.0, out=squared)
                values = kernel.overwrite(squared, spare)
                np.matmul(weights, values, out=density[first : first + len(block)])

        in_shares(sum_up, len(right), len(left) * len(right))
        products = np.add.reduceat(density * self.weights, self.offsets[:-1])
        return products, self._roughness(left[:, -2], right[:, -1], kernel)

    @staticmethod
    def _roughness(left: Singles, right: Singles, kernel: GaussianKernel) -> float:
        """Bound the error of a kernel value worked out in float32 at points of these squares.

        A squared distance s is off by some roundings of the squares it is the difference of, and
        `exp(-r s)` by r times that, beside roundings of its own.
        """
        largest = float(left.max()) + float(right.max())
        rate = sum(kernel.rates) / len(kernel.rates)
        return float(np.finfo(np.float32).eps) * (16.0 + 8.0 * rate * largest)

    def densities(self, spec: RKME, chosen: Positions, kernel: GaussianKernel) -> Numbers:
        """Return `mu_{Q_i}` at the points of `spec`, shape `(len(chosen), len(spec))`."""
        found = np.empty((len(chosen), len(spec)))
        for first, last, values, owned, starts in self._kernel_blocks(spec, chosen, kernel):
            values *= self.weights[owned]
            found[first:last] = np.add.reduceat(values, starts, axis=1).T
        return found

    def _kernel_blocks(
        self, spec: RKME, chosen: Positions, kernel: GaussianKernel
    ) -> Iterator[tuple[int, int, Numbers, Positions, Positions]]:
        """Yield each block of `_blocks` with its kernel values, shape `(len(spec), owned)`.

        The values are overwritten by the next block.
        """
        # Centred on the requirement: far from the origin |x|^2 - 2xy + |y|^2 loses digits.
        centre = spec.mean
        left = _left(_right(spec.rows, centre, kernel, np.float64, FARTHEST))
        scratch = _Scratch(np.float64)
        for first, last, owned, starts in self._blocks(chosen, len(left)):
            right = _right(self.rows[owned], centre, kernel, np.float64, FARTHEST)
            squared, spare = scratch.of_shape(len(left), len(right))
            np.matmul(left, right.T, out=squared)
            np.maximum(squared, 0.0, out=squared)
            yield first, last, kernel.overwrite(squared, spare), owned, starts

    def _blocks(
        self, chosen: Positions, against: int
    ) -> Iterator[tuple[int, int, Positions, Positions]]:
        """Cut `chosen` so that a block has about BLOCK_VALUES kernel values against `against`.

        Yields the block's range in `chosen`, the rows its specifications own, and where each
        specification starts among these.
        """
        ends = np.cumsum(self.sizes_of(chosen))
        rows_per_block = max(BLOCK_VALUES // max(against, 1), 1)
        first = 0
        while first < len(chosen):
            begun = ends[first - 1] if first else 0
            last = int(np.searchsorted(ends, begun + rows_per_block, side="right"))
            last = min(max(last, first + 1), len(chosen))
            sizes = self.sizes_of(chosen[first:last])
            starts = np.cumsum(sizes) - sizes
            owned = np.repeat(self.offsets[chosen[first:last]] - starts, sizes)
            owned = owned + np.arange(len(owned))
            yield first, last, owned, starts
            first = last

    def pairs(
        self, left: Positions, right: Positions, kernel: GaussianKernel
    ) -> Iterator[tuple[Positions, Numbers, Numbers]]:
        """Yield `(which pairs, weights, densities)` in blocks, shapes `(b,)`, `(b, m)`, `(b, m)`.

        The densities are `mu_right` at the points of `left`; points are padded to the block's
        largest set with weight 0, so that `<left, right>` is the sum of weights times densities.
        """
        order = np.argsort(self.sizes_of(left) * self.sizes_of(right), kind="stable")
        scratch = _Scratch(np.float64)
        first = 0
        while first < len(order):
            sizes = self.sizes_of(left[order[first:]]) * self.sizes_of(right[order[first:]])
            last = first + max(int(np.searchsorted(np.cumsum(sizes), BLOCK_VALUES)), 1)
            which = order[first:last]
            yield which, *self._pair_block(left[which], right[which], kernel, scratch)
            first = last

    def _pair_block(
        self,
        left: Positions,
        right: Positions,
        kernel: GaussianKernel,
        scratch: _Scratch[np.float64],
    ) -> tuple[Numbers, Numbers]:
        rows, weights = self._padded(left)
        others, other_weights = self._padded(right)
        # Centred on the right-hand set: far from the origin |x|^2 - 2xy + |y|^2 loses digits.
        centre = np.einsum("bj,bjd->bd", other_weights, others)[:, None, :]
        rows = in_units(rows, centre, kernel)
        others = in_units(others, centre, kernel)
        squared, spare = scratch.of_shape(len(rows), rows.shape[1], others.shape[1])
        np.matmul(rows, others.transpose(0, 2, 1), out=squared)
        squared *= -2.0
        squared += np.einsum("bid,bid->bi", rows, rows)[:, :, None]
        squared += np.einsum("bjd,bjd->bj", others, others)[:, None, :]
        np.maximum(squared, 0.0, out=squared)
        values = kernel.overwrite(squared, spare)
        return weights, np.matmul(values, other_weights[:, :, None])[:, :, 0]

    def _padded(self, chosen: Positions) -> tuple[Numbers, Numbers]:
        """Return points `(b, m, d)` and weights `(b, m)`, the last point repeated as padding."""
        sizes = self.sizes_of(chosen)
        within = np.arange(sizes.max())
        real = within[None, :] < sizes[:, None]
        owned = self.offsets[chosen][:, None] + np.minimum(within[None, :], sizes[:, None] - 1)
        return self.rows[owned].astype(np.float64), np.where(real, self.weights[owned], 0.0)


class _Scratch(Generic[Real]):
    """Two arrays for a loop over blocks, asked for once and not once per block."""

    def __init__(self, kind: type[Real]) -> None:
        self._memory: NDArray[Real] = np.empty((2, 0), kind)

    def of_shape(self, *shape: int) -> tuple[NDArray[Real], NDArray[Real]]:
        size = math.prod(shape)
        if size > self._memory.shape[1]:
            self._memory = np.empty((2, size), self._memory.dtype)
        return self._memory[0, :size].reshape(shape), self._memory[1, :size].reshape(shape)


def _right(
    rows: Floats, centre: Numbers, kernel: GaussianKernel, kind: type[Real], farthest: float
) -> NDArray[Real]:
    """Return `[y, 1, |y|^2]` of rows, in the kernel's scale and from a centre.

    The product with `[-2 x, |x|^2, 1]` (`_left`) is `|x - y|^2`. Centred on the requirement: far
    from the origin it loses digits.
    """
    found = np.empty((len(rows), rows.shape[1] + 2), kind)
    inside = found[:, :-2]
    inside[:] = in_units(rows, centre, kernel, farthest)
    found[:, -2] = 1.0
    np.einsum("ij,ij->i", inside, inside, out=found[:, -1])
    return found


def _left(right: NDArray[Real]) -> NDArray[Real]:
    """Return `[-2 x, |x|^2, 1]` of what is given as `[x, 1, |x|^2]`."""
    left = right[:, [*range(right.shape[1] - 2), -1, -2]]
    left[:, :-2] *= -2.0
    return left


def in_units(
    rows: Floats, centre: Floats, kernel: GaussianKernel, farthest: float = FARTHEST
) -> Numbers:
    """Return rows as a kernel measures them, from a centre, held within what can be squared."""
    units = np.subtract(rows, centre, dtype=np.float64)
    with np.errstate(over="ignore"):
        if kernel.scale is not None:
            units /= kernel.scale
        if kernel.ruler is not None:
            read = kernel.ruler.features
            kernel.ruler.read(rows, units)
            units[..., read] -= kernel.ruler.read(centre, np.zeros(np.shape(centre)))[..., read]
    return np.clip(units, -farthest, farthest, out=units)
