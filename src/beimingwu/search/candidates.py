"""What a mixture is made of: inner products among learnwares, and which learnware would help most.

In a large island the rows of the learnwares (`projection`) propose, at the cost of one product for
the whole island, and exact inner products decide among the few proposed. In a small one every
inner product is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.projection import Rows
from beimingwu.search.single import DECIMALS, Asked
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.search.view import Mask, View
from beimingwu.specification.rkme import RKME
from beimingwu.specification.simplex import simplex_weights

#: A member of less weight is dropped.
SMALLEST_WEIGHT = 0.001
#: Learnwares of the largest line-search gain that are tried with all weights free.
TRIED = 8
#: A squared distance under this is rounding.
SMALLEST_DISTANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Combination:
    """Learnwares by position, their weights on the simplex, the squared distance, and `<v,v>`."""

    members: NDArray[np.intp]
    weights: Numbers
    mmd2: float
    self_inner: float


@dataclass(frozen=True, eq=False)
class _Seen:
    """The allowed learnwares of one part: `<U,P_i>`, `<P_i,P_i>`, and `<v,P_i>` for each v."""

    positions: Positions
    products: Numbers
    self_inner: Numbers
    mixed: Numbers


class Candidates:
    """The learnwares that may be members.

    Parameters
    ----------
    view
        The island.
    asked
        The requirement.
    allowed
        For each part, which may be members.
    """

    def __init__(self, view: View, asked: Asked, allowed: list[Mask | None]) -> None:
        self._view, self._asked = view, asked
        self._kernel = view.geometry.kernel
        self._allowed = [None if mask is None else np.flatnonzero(mask) for mask in allowed]
        self._specs: dict[int, RKME] = {}
        self._rows: dict[int, Rows] = {}
        self._products: dict[int, float] = {}
        self._inner: dict[tuple[int, int], float] = {}
        self._exact: dict[int, Numbers] = {}

    def combine(self, members: Sequence[int]) -> Combination:
        """Return the best weights for exactly these learnwares, the negligible dropped."""
        self._open(members)
        for place, i in enumerate(members):
            self._cross(i, members[place + 1 :])
        kept = list(members)
        while True:
            gram = np.array([[self._inner[_pair(i, j)] for j in kept] for i in kept])
            products = np.array([self._products[i] for i in kept])
            weights, _ = simplex_weights(gram, products)
            if weights.min() >= SMALLEST_WEIGHT:
                break
            kept = [i for i, w in zip(kept, weights.tolist(), strict=True) if w >= SMALLEST_WEIGHT]
        v_v = float(weights @ gram @ weights)
        mmd2 = self._asked.own - 2.0 * float(products @ weights) + v_v
        return Combination(
            np.array(kept, dtype=np.intp), weights, round(max(mmd2, 0.0), DECIMALS), v_v
        )

    def of_best_direction(self) -> int:
        """Return the learnware whose embedding points most nearly where that of U does."""
        best, where = -np.inf, 0
        for seen in self._looked_over([]):
            direction = seen.products / np.sqrt(np.maximum(seen.self_inner, SMALLEST_DISTANCE))
            if len(direction) and direction.max() > best:
                best = float(direction.max())
                where = int(seen.positions[np.argmax(direction)])
        return where

    def enlarged(self, several: Sequence[Combination]) -> list[Combination]:
        """Return each combination with the one more learnware that helps it most."""
        larger = []
        for current, proposed in zip(several, self._proposed(several), strict=True):
            members: list[int] = current.members.tolist()
            self._open(proposed)
            for i in members:
                self._cross(i, proposed)
            tried = [self.combine([*members, i]) for i in proposed]
            larger.append(min([current, *tried], key=lambda combination: combination.mmd2))
        return larger

    def _proposed(self, several: Sequence[Combination]) -> list[list[int]]:
        """Return, for each combination, the learnwares of the largest line-search gain.

        For `v' = (1 - a) v + a P_i` the squared distance falls by `2 a g - a^2 h` with
        `g = <U - v, P_i - v>` and `h = |P_i - v|^2`, most at `a = g / h` held in [0, 1].
        """
        found: list[list[tuple[float, int]]] = [[] for _ in several]
        if not several:
            return []
        for seen in self._looked_over(several):
            for s, current in enumerate(several):
                members = current.members.tolist()
                u_v = float(current.weights @ [self._products[i] for i in members])
                g = seen.products - seen.mixed[:, s] + (current.self_inner - u_v)
                h = seen.self_inner - 2.0 * seen.mixed[:, s] + current.self_inner
                gains = _gains(g, h)
                gains[np.isin(seen.positions, current.members)] = 0.0
                most = min(TRIED, len(gains))
                best = np.argpartition(-gains, most - 1)[:most] if most else np.empty(0, np.intp)
                found[s] += zip(gains[best].tolist(), seen.positions[best].tolist(), strict=True)
        return [
            [
                i
                for gain, i in sorted(some, key=lambda pair: (-pair[0], pair[1]))[:TRIED]
                if gain > 0
            ]
            for some in found
        ]

    def _looked_over(self, several: Sequence[Combination]) -> Iterator[_Seen]:
        """Yield what can be told of all allowed learnwares, part by part."""
        rank = self._view.geometry.projection.rank
        mixed = [c.weights @ [self._rows[i] for i in c.members.tolist()] for c in several]
        directions = np.array([self._asked.row, *mixed], np.float32)[:, :rank].T
        for p, part in enumerate(self._view.parts):
            chosen, start = self._allowed[p], int(self._view.starts[p])
            inside = np.arange(len(part)) if chosen is None else chosen
            rows, self_inner = part.segment.rows, part.segment.self_inner
            if chosen is not None:
                rows, self_inner = rows[chosen], self_inner[chosen]
            if rank == 0:
                products = self._exactly(several, slice(start, start + len(part)))[inside]
            else:
                products = (rows[:, :rank] @ directions).astype(np.float64)
            yield _Seen(inside + start, products[:, 0], self_inner, products[:, 1:])

    def _exactly(self, several: Sequence[Combination], part: slice) -> Numbers:
        """Return the exact inner products of a small island with U and each combination."""
        columns = [self._exact_row(-1, self._asked.spec)[part]]
        for combination in several:
            rows = [self._exact_row(i, self._specs[i])[part] for i in combination.members.tolist()]
            columns.append(combination.weights @ rows)
        return np.column_stack(columns)

    def _exact_row(self, key: int, spec: RKME) -> Numbers:
        if key not in self._exact:
            self._exact[key] = np.concatenate(
                [
                    part.segment.stack.inner_products(spec, np.arange(len(part)), self._kernel)
                    for part in self._view.parts
                ]
            )
        return self._exact[key]

    def _open(self, positions: Sequence[int]) -> None:
        """Read the specifications at these positions, and work out `<U,P_i>`."""
        new = [i for i in positions if i not in self._specs]
        if not new:
            return
        segment = self._view.gather(np.array(new))
        products = segment.stack.inner_products(self._asked.spec, np.arange(len(new)), self._kernel)
        for place, i in enumerate(new):
            begin, end = segment.stack.offsets[place : place + 2].tolist()
            rows, weights = segment.stack.rows[begin:end], segment.stack.weights[begin:end]
            self._specs[i] = RKME(rows, weights, n=0)
            self._rows[i] = segment.rows[place]
            self._products[i] = float(products[place])
            self._inner[i, i] = float(segment.self_inner[place])

    def _cross(self, i: int, others: Sequence[int]) -> None:
        """Work out the inner products of one opened learnware with others."""
        new = [j for j in others if _pair(i, j) not in self._inner]
        if new:
            stack = Stack.of([self._specs[j] for j in new])
            products = stack.inner_products(self._specs[i], np.arange(len(new)), self._kernel)
            for j, product in zip(new, products.tolist(), strict=True):
                self._inner[_pair(i, j)] = product


def _gains(g: Numbers, h: Numbers) -> Numbers:
    """Return `2 a g - a^2 h` at the best `a` in [0, 1]."""
    h = np.maximum(h, SMALLEST_DISTANCE)
    step = np.clip(g / h, 0.0, 1.0)
    return np.asarray(step * (2.0 * g - step * h))


def _pair(i: int, j: int) -> tuple[int, int]:
    return (i, j) if i <= j else (j, i)
