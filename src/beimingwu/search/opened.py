"""Learnwares that were read while a mixture is sought, and the exact inner products among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beimingwu.search.single import Asked
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.search.view import View
from beimingwu.specification.rkme import RKME


class Opened:
    """Each learnware that was read has a *place*, in the order of reading.

    Parameters
    ----------
    view
        The island.
    asked
        The requirement U.
    """

    def __init__(self, view: View, asked: Asked) -> None:
        self._view, self._asked = view, asked
        self._place: dict[int, int] = {}
        self._specs: list[RKME] = []
        #: `<U,P>` and row of each.
        self.products = np.empty(0)
        self.rows = np.empty((0, view.geometry.projection.rank + 1), np.float32)
        #: `<P,Q>`, NaN where it is not worked out yet.
        self._gram = np.empty((0, 0))

    def read(self, positions: Sequence[int]) -> Positions:
        """Return the places of the learnwares at these positions, those read that were not yet."""
        new = [i for i in dict.fromkeys(positions) if i not in self._place]
        if new:
            self._read(new)
        return np.array([self._place[i] for i in positions], dtype=np.intp)

    def spec(self, place: int) -> RKME:
        """Return the specification of one."""
        return self._specs[place]

    def self_inner(self, places: Positions) -> Numbers:
        """Return `<P,P>` of some."""
        return self._gram[places, places]

    def crossed(self, left: Positions, right: Positions) -> Numbers:
        """Return `<P,Q>` of each on the left with each on the right, shape `(l, r)`."""
        for place in left.tolist():
            missing = right[np.isnan(self._gram[place, right])]
            if len(missing):
                stack = Stack.of([self._specs[i] for i in missing.tolist()])
                found = self._inner_products(stack, self._specs[place])
                self._gram[place, missing] = self._gram[missing, place] = found
        return self._gram[np.ix_(left, right)]

    def _read(self, new: list[int]) -> None:
        segment, before = self._view.gather(np.array(new)), len(self._specs)
        for i in range(len(new)):
            begin, end = segment.stack.offsets[i : i + 2].tolist()
            rows, weights = segment.stack.rows[begin:end], segment.stack.weights[begin:end]
            self._specs.append(RKME(rows, weights, n=0))
            self._place[new[i]] = before + i
        found = self._inner_products(segment.stack, self._asked.spec)
        self.products = np.concatenate([self.products, found])
        self.rows = np.concatenate([self.rows, segment.rows])
        gram = np.full((len(self._specs), len(self._specs)), np.nan)
        gram[:before, :before] = self._gram
        gram[range(before, len(gram)), range(before, len(gram))] = segment.self_inner
        self._gram = gram

    def _inner_products(self, stack: Stack, spec: RKME) -> Numbers:
        return stack.inner_products(spec, np.arange(len(stack)), self._view.geometry.kernel)
