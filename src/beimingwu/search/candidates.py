"""What a mixture is made of: inner products among learnwares, and which learnware would help most.

In a large island the rows of the learnwares (`projection`) propose, at the cost of one product for
the whole island, and exact inner products decide among the few proposed. In a small one every
inner product is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.opened import Opened
from beimingwu.search.proposals import (
    Aims,
    Worth,
    best_directed,
    best_of,
    line_search_gains,
)
from beimingwu.search.single import DECIMALS, Asked
from beimingwu.search.stack import Numbers, Positions
from beimingwu.search.view import Mask, View
from beimingwu.specification.rkme import RKME
from beimingwu.specification.simplex import simplex_weights

#: A member of less weight is dropped.
SMALLEST_WEIGHT = 0.001
#: Learnwares proposed by the gains that rows tell.
PROPOSED = 8
#: Of the proposed, those of the largest exact gain, which are tried with all weights free.
FREED = 3


@dataclass(frozen=True, eq=False)
class Combination:
    """Learnwares by position, their weights on the simplex, the squared distance, and `<v,v>`."""

    members: NDArray[np.intp]
    weights: Numbers
    mmd2: float
    self_inner: float


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
        self._view, self._asked, self._opened = view, asked, Opened(view, asked)
        self._kernel, self._rank = view.geometry.kernel, view.geometry.projection.rank
        self._allowed = [None if mask is None else np.flatnonzero(mask) for mask in allowed]
        self._near: list[int] = []
        self._exact: dict[int, Numbers] = {}
        self._combined: dict[tuple[int, ...], Combination] = {}

    def also_try(self, positions: Positions) -> None:
        """Try these as well, whatever their rows tell."""
        self._near = positions.tolist()

    def combine(self, members: Sequence[int]) -> Combination:
        """Return the best weights for exactly these learnwares, the negligible dropped."""
        key = tuple(sorted(members))
        if key not in self._combined:
            self._combined[key] = self._combine(members)
        return self._combined[key]

    def _combine(self, members: Sequence[int]) -> Combination:
        places, kept = self._opened.read(members), np.array(members, dtype=np.intp)
        gram, products = self._opened.crossed(places, places), self._opened.products[places]
        while True:
            weights, _ = simplex_weights(gram, products)
            inside = weights >= SMALLEST_WEIGHT
            if inside.all():
                break
            kept, products = kept[inside], products[inside]
            gram = gram[np.ix_(inside, inside)]
        v_v = float(weights @ gram @ weights)
        mmd2 = self._asked.own - 2.0 * float(products @ weights) + v_v
        return Combination(kept, weights, round(max(mmd2, 0.0), DECIMALS), v_v)

    def of_best_direction(self) -> list[int]:
        """Return the learnware whose embedding points most nearly where that of U does, if any."""
        if not self._rank:
            exact = self._exact_row(-1, self._asked.spec)
            return self._best_exactly(exact / np.sqrt(np.maximum(self._everyone, 1e-12)), 1)
        worth = partial(best_directed, self._asked.row[: self._rank])
        return self._best_of(worth, 1)[0]

    def enlarged(self, several: Sequence[Combination]) -> list[Combination]:
        """Return each combination with the one more learnware that helps it most."""
        larger = []
        for current, proposed in zip(several, self._proposed(several), strict=True):
            members: list[int] = current.members.tolist()
            tried = [self.combine([*members, i]) for i in self._best_proposed(current, proposed)]
            larger.append(min([current, *tried], key=lambda combination: combination.mmd2))
        return larger

    def _best_proposed(self, current: Combination, proposed: list[int]) -> list[int]:
        """Return those of the proposed whose line search gains most, by exact inner products."""
        members, others = self._opened.read(current.members.tolist()), self._opened.read(proposed)
        mixed = current.weights @ self._opened.crossed(members, others)
        product = float(current.weights @ self._opened.products[members])
        g = self._opened.products[others] - mixed + (current.self_inner - product)
        h = self._opened.self_inner(others) - 2.0 * mixed + current.self_inner
        best = np.argsort(-line_search_gains(g, h), kind="stable")[:FREED]
        return [proposed[i] for i in best.tolist()]

    def _proposed(self, several: Sequence[Combination]) -> list[list[int]]:
        """Return, for each combination, the learnwares of the largest line-search gain."""
        if not several:
            return []
        # As many more as there are members, which gain nothing and are left out.
        count = PROPOSED + max(len(current.members) for current in several)
        if self._rank:
            found = self._best_of(self._aims(several).gains, count)
        else:
            found = [self._best_exactly(self._exact_gains(now), count) for now in several]
        proposed = []
        for current, best in zip(several, found, strict=True):
            members = set(current.members.tolist())
            others = [i for i in best if i not in members][:PROPOSED]
            # Of near siblings rows tell little: the nearest are tried as well.
            near = [i for i in self._near if i not in members]
            proposed.append(list(dict.fromkeys([*others, *near])))
        return proposed

    def _aims(self, several: Sequence[Combination]) -> Aims:
        products, at = np.empty(len(several)), np.empty((len(several), self._rank))
        for i, current in enumerate(several):
            members = self._opened.read(current.members.tolist())
            products[i] = current.weights @ self._opened.products[members]
            at[i] = current.weights @ self._opened.rows[members, : self._rank].astype(np.float64)
        self_inner = np.array([current.self_inner for current in several])
        return Aims(at, self._asked.row[: self._rank] - at, self_inner, products)

    def _exact_gains(self, current: Combination) -> Numbers:
        """Return the line-search gain of everything in a small island."""
        members = self._opened.read(current.members.tolist())
        product = float(current.weights @ self._opened.products[members])
        each = zip(current.members.tolist(), members.tolist(), strict=True)
        mixed = current.weights @ [self._exact_row(i, self._opened.spec(p)) for i, p in each]
        g = self._exact_row(-1, self._asked.spec) - mixed + (current.self_inner - product)
        h = self._everyone - 2.0 * mixed + current.self_inner
        return line_search_gains(g, h)

    def _best_of(self, worth: Worth, count: int) -> list[list[int]]:
        """Return the positions of what is worth most in the whole island, for each of k."""
        parts = [
            best_of(part.segment, self._allowed[p], worth, count)
            for p, part in enumerate(self._view.parts)
        ]
        starts = self._view.starts.tolist()
        return [
            _merged([(values, where + starts[p]) for p, (values, where) in enumerate(each)], count)
            for each in zip(*parts, strict=True)
        ]

    def _best_exactly(self, worth: Numbers, count: int) -> list[int]:
        """Return the positions of the largest worth in a small island, of those allowed."""
        starts = self._view.starts.tolist()
        allowed = [
            np.arange(a, b) if inside is None else inside + a
            for (a, b), inside in zip(pairwise(starts), self._allowed, strict=True)
        ]
        where = np.concatenate(allowed)
        return _merged([(worth[where], where)], count)

    @property
    def _everyone(self) -> Numbers:
        """`<P,P>` of everything in a small island."""
        return np.concatenate([part.segment.self_inner for part in self._view.parts])

    def _exact_row(self, key: int, spec: RKME) -> Numbers:
        if key not in self._exact:
            self._exact[key] = np.concatenate(
                [
                    part.segment.stack.inner_products(spec, np.arange(len(part)), self._kernel)
                    for part in self._view.parts
                ]
            )
        return self._exact[key]


def _merged(found: list[tuple[Numbers, Positions]], count: int) -> list[int]:
    """Return the positions of the largest worth, ties in their order, that are worth anything."""
    worth = np.concatenate([values for values, _ in found])
    where = np.concatenate([positions for _, positions in found])
    best = np.lexsort([where, -worth])[:count]
    return [int(i) for i in where[best[worth[best] > 0.0]]]
