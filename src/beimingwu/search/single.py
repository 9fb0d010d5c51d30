"""Statistical search for single learnwares: exact, with a certificate, opening only a few.

The row of each learnware bounds its squared distance from below (`projection`). Cells whose bound
is beyond the k-th distance found are not looked into, and learnwares are opened, that is, their
exact squared MMD is worked out, in the order of their bounds until the next bound is beyond it.
What was found is then what a comparison with every learnware would find, and the k-th distance and
the next bound are the proof (ALGORITHMS §2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beimingwu.search.geometry import FEWEST_PROJECTED
from beimingwu.search.hearts import SMALLEST_LEFT_OVER, along_heart, tightened
from beimingwu.search.projection import Rows
from beimingwu.search.result import Certificate
from beimingwu.search.segment import Segment
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.search.view import Mask, View
from beimingwu.specification.rkme import RKME

#: Squared distances are exact to about this many decimals; nearer ties are broken by id.
DECIMALS = 12
#: Learnwares looked at before any cell is left out.
FIRST_LOOK = 512
#: Learnwares opened at a time, and the most where many are within reach.
OPENED_AT_ONCE, OPENED_AT_MOST = 64, 1_024
#: Rows copied at a time where some are left out.
GATHERED_AT_ONCE = 1 << 14
#: The nearest that a mixture may always be made of.
NEAR = 25
#: Rounding of a product of two rows in float32.
PRODUCT_ERROR = 1e-5


@dataclass(frozen=True, eq=False)
class Asked:
    """A requirement's specification, measured by an island: `<U,U>` and its row."""

    spec: RKME
    own: float
    row: Rows

    @classmethod
    def by(cls, view: View, spec: RKME) -> Asked:
        """Measure `spec` by the geometry of a view."""
        own = spec.inner(spec, view.geometry.kernel)
        return cls(spec, own, view.geometry.projection.rows(Stack.of([spec]), np.array([own]))[0])


@dataclass(frozen=True, eq=False)
class Nearest:
    """The positions found, nearest first, their squared distances, and the proof.

    `near` are the nearest NEAR of all that were opened, whatever was asked for.
    """

    positions: Positions
    mmd2: Numbers
    certificate: Certificate
    near: Positions


def nearest(view: View, asked: Asked, allowed: list[Mask | None], limit: int) -> Nearest:
    """Return the `limit` learnwares of smallest squared MMD among the allowed of each part."""
    search = _Search(view, asked, allowed, limit)
    # Without a projection the bounds say little, and nearly everything is opened in the end.
    at_once = OPENED_AT_ONCE if view.geometry.projection.rank else FEWEST_PROJECTED
    search.look_near()
    search.open(max(at_once, 2 * limit))
    search.look(search.reach)
    search.tighten()
    # Where many are within reach the last of them decide little: fewer and larger batches.
    while search.open(max(at_once, limit // 4, min(search.within_reach // 2, OPENED_AT_MOST))):
        pass
    return search.found()


class _Search:
    """What one search has looked at, in bounds, and opened, in exact squared distances."""

    def __init__(self, view: View, asked: Asked, allowed: list[Mask | None], limit: int) -> None:
        self._view, self._asked, self._limit = view, asked, limit
        #: A bound in float32 may be this much too large.
        self._slack = 8.0 * view.geometry.projection.error + PRODUCT_ERROR
        places = zip(view.starts.tolist(), view.parts, allowed, strict=False)
        self._parts = [_Looker(start, part.segment, mask, asked) for start, part, mask in places]
        self._waiting = _Waiting(np.empty(0, np.intp), np.empty(0))
        self._opened, self._mmd2 = np.empty(0, np.intp), np.empty(0)
        self._count, self._dismissed = 0, np.inf

    @property
    def reach(self) -> float:
        """The largest bound that one of the nearest may have."""
        if len(self._mmd2) < self._limit:
            return np.inf
        return float(np.partition(self._mmd2, self._limit - 1)[self._limit - 1]) + self._slack

    @property
    def within_reach(self) -> int:
        """How many that were looked at may yet be among the nearest."""
        return int(np.count_nonzero(self._waiting.bounds <= self.reach))

    def look_near(self) -> None:
        """Look at what stands in no cell, and into the nearest cells until enough is seen."""
        wanted = max(FIRST_LOOK, 4 * self._limit)
        bounds = np.concatenate([part.bounds for part in self._parts])
        sizes = np.concatenate([part.sizes for part in self._parts])
        order = np.argsort(bounds, kind="stable")
        enough = int(np.searchsorted(np.cumsum(sizes[order]), wanted))
        self.look(bounds[order[min(enough, len(order) - 1)]] if len(order) else 0.0)

    def look(self, reach: float) -> None:
        """Look into every cell whose bound is within reach."""
        self._waiting = _Waiting.of([self._waiting, *(part.look(reach) for part in self._parts)])

    def tighten(self) -> None:
        """Raise the bounds of what is within reach by the hearts of their cells, if it is much."""
        within = np.flatnonzero(self._waiting.bounds <= self.reach)
        part_of = np.searchsorted(self._view.starts, self._waiting.positions[within], "right") - 1
        for p, part in enumerate(self._parts):
            mine = within[part_of == p]
            if len(mine) > FIRST_LOOK:
                waiting = self._waiting
                self._waiting.bounds[mine] = part.tightened(
                    waiting.positions[mine], waiting.bounds[mine], self._view, self._slack
                )

    def open(self, most: int) -> bool:
        """Open at most so many of the nearest by bound; False where none is within reach."""
        chosen = self._waiting.take(most, self.reach)
        if len(chosen) == 0:
            return False
        segment, kernel, asked = self._view.gather(chosen), self._view.geometry.kernel, self._asked
        rough, error = segment.stack.rough_products(asked.spec, kernel)
        bounds = asked.own + segment.self_inner - 2.0 * (rough + error)
        self._count += len(chosen)
        # The nearest first: what they are tells whether the others need to be measured.
        likely = self._within_reach(bounds)[: self._limit]
        self._measure(chosen, segment, likely)
        rest = np.setdiff1d(self._within_reach(bounds), likely)
        self._measure(chosen, segment, rest)
        dismissed = np.ones(len(bounds), dtype=bool)
        dismissed[likely] = dismissed[rest] = False
        self._dismissed = min(self._dismissed, float(bounds[dismissed].min(initial=np.inf)))
        return True

    def _within_reach(self, bounds: Numbers) -> Positions:
        """Return where in `bounds` those within reach are, nearest first."""
        order = np.argsort(bounds, kind="stable")
        return order[: np.searchsorted(bounds[order], self.reach, side="right")]

    def _measure(self, positions: Positions, segment: Segment, which: Positions) -> None:
        """Work out exact squared distances to some of what was read."""
        kernel, asked = self._view.geometry.kernel, self._asked
        products = segment.stack.inner_products(asked.spec, which, kernel)
        mmd2 = squared_distances_from(asked.own, products, segment.self_inner[which])
        self._opened = np.concatenate([self._opened, positions[which]])
        self._mmd2 = np.concatenate([self._mmd2, mmd2])

    def found(self) -> Nearest:
        """Return the nearest of what was opened, ties in the order of their ids."""
        by_distance = np.lexsort([self._view.ids(self._opened), self._mmd2])
        order = by_distance[: self._limit]
        mmd2 = self._mmd2[order]
        unseen = min([self._waiting.least, *(part.least for part in self._parts)]) - self._slack
        unseen = min(unseen, self._dismissed)
        return Nearest(
            positions=self._opened[order],
            mmd2=mmd2,
            certificate=Certificate(
                farthest=float(np.sqrt(mmd2[-1])) if len(mmd2) else 0.0,
                next_bound=float(np.sqrt(max(unseen, 0.0))),
                opened=self._count,
                compared=sum(int(part.sizes.sum()) for part in self._parts),
            ),
            near=self._opened[by_distance[:NEAR]],
        )


class _Looker:
    """One part of the view: which of its cells were looked into, and the bounds of their rows."""

    def __init__(self, start: int, segment: Segment, allowed: Mask | None, asked: Asked) -> None:
        self._start, self._segment, self._asked = start, segment, asked
        #: What is allowed, cell by cell; all where None.
        self._places = None if allowed is None else np.flatnonzero(allowed)
        cells = segment.cells
        self._offsets = np.array([0, len(segment)]) if cells is None else cells.offsets
        if self._places is not None:
            self._offsets = np.searchsorted(self._places, self._offsets)
        self.bounds = np.zeros(1) if cells is None else cells.bounds(asked.row)
        self.sizes = np.diff(self._offsets)
        self._waiting = self.sizes > 0

    @property
    def least(self) -> float:
        """The smallest bound of a cell that was not looked into."""
        return float(self.bounds[self._waiting].min(initial=np.inf))

    def look(self, reach: float) -> _Waiting:
        """Look into the cells within reach, and return the bounds of what is in them."""
        cells = np.flatnonzero(self._waiting & (self.bounds <= reach))
        self._segment.check_cells(cells)
        self._waiting[cells] = False
        ranges = [slice(a, b) for a, b in self._ranges(cells)]
        if self._places is None:
            return _Waiting.of([self._bounds_of(which) for which in ranges])
        # The few of each cell that are allowed together: a product each would cost more.
        where = np.concatenate([np.empty(0, np.intp), *(self._places[which] for which in ranges)])
        blocks = range(0, len(where), GATHERED_AT_ONCE)
        return _Waiting.of([self._bounds_of(where[b : b + GATHERED_AT_ONCE]) for b in blocks])

    def tightened(self, positions: Positions, bounds: Numbers, view: View, slack: float) -> Numbers:
        """Return tighter bounds of some that were looked at; see `hearts`."""
        cells, hearts, asked = self._segment.cells, self._segment.hearts, self._asked
        if cells is None or hearts is None:
            return bounds
        local = positions - self._start
        cell_of = np.searchsorted(cells.offsets, local, side="right") - 1
        touched, which = np.unique(cell_of, return_inverse=True)
        if 2 * len(touched) > len(positions):
            return bounds
        found = view.gather(hearts.places[touched] + self._start)
        products, roughness = found.stack.rough_products(asked.spec, view.geometry.kernel)
        ours = np.array(
            [
                along_heart(products[i : i + 1], asked.row[None, :], found.rows[i])[0]
                for i in range(len(touched))
            ],
            np.float64,
        )
        error = (slack + roughness) / SMALLEST_LEFT_OVER
        left_over = self._segment.rows[local, -1]
        return tightened(
            bounds, hearts.along[local], left_over, ours[which], float(asked.row[-1]), error
        )

    def _ranges(self, cells: Positions) -> list[tuple[int, int]]:
        """Return the rows of these cells, cells that stand side by side together."""
        if len(cells) == 0:
            return []
        breaks = np.flatnonzero(np.diff(cells) > 1)
        firsts = cells[np.concatenate([[0], breaks + 1])]
        lasts = cells[np.concatenate([breaks, [len(cells) - 1]])]
        return list(
            zip(self._offsets[firsts].tolist(), self._offsets[lasts + 1].tolist(), strict=True)
        )

    def _bounds_of(self, which: slice | Positions) -> _Waiting:
        where = np.arange(which.start, which.stop) if isinstance(which, slice) else which
        products = self._segment.rows[which] @ self._asked.row
        bounds = self._asked.own + self._segment.self_inner[which] - 2.0 * products
        return _Waiting(where + self._start, bounds)


@dataclass(eq=False)
class _Waiting:
    """Learnwares that were looked at and not opened yet, and their bounds."""

    positions: Positions
    bounds: Numbers

    @classmethod
    def of(cls, several: list[_Waiting]) -> _Waiting:
        if not several:
            return cls(np.empty(0, np.intp), np.empty(0))
        return cls(
            np.concatenate([waiting.positions for waiting in several]),
            np.concatenate([waiting.bounds for waiting in several]),
        )

    @property
    def least(self) -> float:
        return float(self.bounds.min(initial=np.inf))

    def take(self, most: int, reach: float) -> Positions:
        """Take out at most so many of the smallest bounds within reach."""
        within = np.flatnonzero(self.bounds <= reach)
        if len(within) > most:
            within = within[np.argpartition(self.bounds[within], most - 1)[:most]]
        taken = self.positions[within]
        kept = np.ones(len(self.bounds), dtype=bool)
        kept[within] = False
        self.positions, self.bounds = self.positions[kept], self.bounds[kept]
        return taken


def squared_distances_from(own: float, products: Numbers, self_inner: Numbers) -> Numbers:
    """Return `mmd2 = <U,U> - 2 <U,P_i> + <P_i,P_i>` for each i, never negative.

    Rounding to `DECIMALS` takes the cancellation error away, so that a learnware's distance from
    its own specification is zero, and equal specifications are at equal distances.

    Examples
    --------
    >>> squared_distances_from(0.25, np.array([0.25, 0.0]), np.array([0.25, 0.25]))
    array([0. , 0.5])
    """
    squared: Numbers = np.maximum(own - 2.0 * products + self_inner, 0.0)
    return np.asarray(np.round(squared, DECIMALS), dtype=np.float64)
