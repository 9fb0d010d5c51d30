"""Which learnwares together look most like the requirement, sought over the whole island.

`min_w mmd2(U, sum_i w_i P_i)` with w on the simplex and at most s members (ALGORITHMS §3). Fully
corrective greedy: every candidate's best line-search gain in closed form, the best is added, the
small simplex problem is solved again; then members are swapped while that helps. Every inner
product is exact; a row of them costs one pass over the island and is kept for the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.single import DECIMALS, nearest
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.specification.rkme import RKME, GaussianKernel
from beimingwu.specification.simplex import simplex_weights

#: A member of less weight is dropped.
SMALLEST_WEIGHT = 0.001
#: Another member, or a mixture instead of a single, must lower the squared distance by this share.
SMALLEST_GAIN = 0.05
#: Candidates of the largest line-search gain that are tried with all weights free.
TRIED = 8
#: Said where a mixture would be no gain.
NO_BETTER = "No mixture: no combination is clearly nearer than the nearest learnware."
#: The greedy search starts from this many of the best singles.
STARTS = 5
#: Rounds in which each member may be swapped.
SWAP_ROUNDS = 2


@dataclass(frozen=True, eq=False)
class Candidates:
    """The learnwares that may be members, and exact inner products among them and with U.

    Parameters
    ----------
    specs, stack
        All specifications of the island, both ways.
    chosen
        Positions of the n candidates in these; candidates are counted by their place in here.
    kernel
        The island's.
    own
        `<U,U>`.
    products, self_inner
        `<U,P_i>` and `<P_i,P_i>`, shape `(n,)`.
    """

    specs: Sequence[RKME]
    stack: Stack
    chosen: Positions
    kernel: GaussianKernel
    own: float
    products: Numbers
    self_inner: Numbers
    _rows: dict[int, Numbers] = field(default_factory=dict, repr=False)

    def row(self, i: int) -> Numbers:
        """Return `<P_i, P_j>` for every candidate j, shape `(n,)`."""
        if i not in self._rows:
            spec = self.specs[self.chosen[i]]
            row = self.stack.inner_products(spec, self.chosen, self.kernel)
            row[i] = self.self_inner[i]
            self._rows[i] = row
        return self._rows[i]

    def combine(self, members: Sequence[int]) -> Combination:
        """Return the best weights for exactly these candidates, the negligible dropped."""
        kept = np.array(members, dtype=np.intp)
        while True:
            gram = self._gram(kept)
            weights, _ = simplex_weights(gram, self.products[kept])
            if weights.min() >= SMALLEST_WEIGHT:
                break
            kept = kept[weights >= SMALLEST_WEIGHT]
        v_v = float(weights @ gram @ weights)
        mmd2 = self.own - 2.0 * float(self.products[kept] @ weights) + v_v
        return Combination(kept, weights, round(max(mmd2, 0.0), DECIMALS), v_v)

    def _gram(self, members: Positions) -> Numbers:
        """Return the inner products among members, from the rows of all but the last."""
        gram = np.empty((len(members), len(members)))
        for a, i in enumerate(members[:-1].tolist()):
            gram[a, a:] = gram[a:, a] = self.row(i)[members[a:]]
        gram[-1, -1] = self.self_inner[members[-1]]
        return gram

    def gains(self, current: Combination) -> Numbers:
        """Return what each candidate could lower the squared distance by, shape `(n,)`.

        For `v' = (1 - a) v + a P_i` the decrease is `2 a g - a^2 h` with `g = <U - v, P_i - v>`
        and `h = |P_i - v|^2`, largest at `a = g / h` held in [0, 1].
        """
        rows = np.array([self.row(i) for i in current.members.tolist()])
        with_v = current.weights @ rows
        v_v = float(current.weights @ with_v[current.members])
        u_v = float(current.weights @ self.products[current.members])
        g = self.products - u_v - with_v + v_v
        h = np.maximum(self.self_inner - 2.0 * with_v + v_v, 0.0)
        step = np.clip(np.divide(g, h, out=np.zeros_like(g), where=h > 1e-15), 0.0, 1.0)
        gains: Numbers = 2.0 * step * g - step**2 * h
        gains[current.members] = -np.inf
        return gains


@dataclass(frozen=True, eq=False)
class Combination:
    """Candidates, their weights on the simplex, the squared distance they reach, and `<v,v>`."""

    members: NDArray[np.intp]
    weights: Numbers
    mmd2: float
    self_inner: float


def best_mixture(
    candidates: Candidates, mmd2: Numbers, max_learnwares: int, floor: float
) -> tuple[Combination | None, str]:
    """Return the best mixture found, or None with a note that says why there is none.

    Parameters
    ----------
    candidates
        All that may be members.
    mmd2
        Their squared distances from the requirement, shape `(n,)`.
    max_learnwares
        Most members.
    floor
        Squared distance that sampling and reduction explain; nothing is sought below it.
    """
    if max_learnwares == 1 or len(mmd2) == 1:
        return None, ""
    # Beside the nearest, the one of the best direction: pure parts of a mixture are far from it.
    direction = candidates.products / np.sqrt(np.maximum(candidates.self_inner, 1e-12))
    starts = list(dict.fromkeys([*nearest(mmd2, STARTS).tolist(), int(np.argmax(direction))]))
    best_single = float(mmd2[starts[0]])
    if best_single <= floor:
        return None, "No mixture: the nearest learnware is as near as specifications can tell."
    best: Combination | None = None
    for start in starts:
        found = _grow(candidates, candidates.combine([start]), max_learnwares, floor)
        found = _swap(candidates, found, max_learnwares, floor)
        if best is None or found.mmd2 < best.mmd2:
            best = found
    if best is None or len(best.members) == 1 or not _better(best.mmd2, best_single):
        return None, NO_BETTER
    return best, ""


def _better(mmd2: float, than: float) -> bool:
    return mmd2 < (1.0 - SMALLEST_GAIN) * than


def _grow(
    candidates: Candidates, current: Combination, max_learnwares: int, floor: float
) -> Combination:
    """Add one candidate after another while each lowers the squared distance enough."""
    while len(current.members) < max_learnwares and current.mmd2 > floor:
        larger = _with_one_more(candidates, current)
        if not _better(larger.mmd2, current.mmd2):
            break
        current = larger
    return current


def _with_one_more(candidates: Candidates, current: Combination) -> Combination:
    """Return the best combination of the members and one of the candidates of largest gain."""
    gains = candidates.gains(current)
    members = current.members.tolist()
    tried = np.argsort(-gains, kind="stable")[:TRIED]
    larger = [candidates.combine([*members, i]) for i in tried.tolist() if gains[i] > 0.0]
    return min([current, *larger], key=lambda combination: combination.mmd2)


def _swap(
    candidates: Candidates, current: Combination, max_learnwares: int, floor: float
) -> Combination:
    """Replace members one at a time while that helps, then grow again."""
    for _ in range(SWAP_ROUNDS):
        before = current.mmd2
        for left_out in current.members[np.argsort(current.weights, kind="stable")].tolist():
            rest = [i for i in current.members.tolist() if i != left_out]
            if current.mmd2 <= floor or not rest:
                return current
            swapped = _with_one_more(candidates, candidates.combine(rest))
            if swapped.mmd2 < current.mmd2:
                current = swapped
        current = _grow(candidates, current, max_learnwares, floor)
        if not _better(current.mmd2, before):
            break
    return current


def responsibilities(densities: Numbers, weights: Numbers, shares: Numbers) -> Numbers:
    """Return the share of the requirement's points that falls to each member; they sum to one.

    Parameters
    ----------
    densities
        Shape `(members, points)`, `f_i(z_u)`.
    weights
        Shape `(members,)`, the mixture's.
    shares
        Shape `(points,)`, the requirement's weights.

    Examples
    --------
    >>> responsibilities(np.eye(2), np.array([0.9, 0.1]), np.array([0.5, 0.5]))
    array([0.5, 0.5])
    """
    parts = weights[:, None] * np.maximum(densities, 0.0)
    total = parts.sum(axis=0)
    # Where every density is zero the members share a point by their weight in the mixture.
    parts = np.where(total > 0.0, parts / np.where(total > 0.0, total, 1.0), weights[:, None])
    shares = np.maximum(shares, 0.0)
    return np.asarray(parts @ (shares / shares.sum()))
