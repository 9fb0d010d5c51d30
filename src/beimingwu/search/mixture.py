"""Mixtures over the whole island: the few learnwares whose weighted sum is nearest to the data.

`min_w mmd2(U, sum_i w_i P_i)` with w on the simplex and at most s members (ALGORITHMS §3). Fully
corrective greedy: every learnware of the island is a candidate, `candidates` proposes those of the
largest line-search gain, and the one that helps most with all weights free is added; then members
are swapped while that helps. Every weight and distance comes from exact inner products.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beimingwu.search.candidates import Candidates, Combination
from beimingwu.search.single import Nearest
from beimingwu.search.stack import Numbers

#: Another member, or a mixture instead of a single, must lower the squared distance by this share.
SMALLEST_GAIN = 0.05
#: Said where a mixture would be no gain.
NO_BETTER = "No mixture: no combination is clearly nearer than the nearest learnware."
#: The greedy search starts from this many of the best singles, and from one of the best direction.
STARTS = 2
#: Rounds in which each member may be swapped.
SWAP_ROUNDS = 2


def best_mixture(
    candidates: Candidates, singles: Nearest, max_learnwares: int, floor: float
) -> tuple[Combination | None, str]:
    """Return the best mixture found, or None with a note that says why there is none.

    Parameters
    ----------
    candidates
        All that may be members.
    singles
        The nearest of them.
    max_learnwares
        Most members.
    floor
        Squared distance that sampling and reduction explain; nothing is sought below it.
    """
    if max_learnwares == 1 or singles.certificate.compared == 1:
        return None, ""
    best_single = float(singles.mmd2[0])
    if best_single <= floor:
        return None, "No mixture: the nearest learnware is as near as specifications can tell."
    candidates.also_try(singles.near)
    # Beside the nearest, the one of the best direction: pure parts of a mixture are far from it.
    first = [*singles.positions[:STARTS].tolist(), *candidates.of_best_direction()]
    starts = [candidates.combine([i]) for i in dict.fromkeys(first)]
    grown = _grown(candidates, starts, max_learnwares, floor)
    nearest = min(grown, key=lambda combination: combination.mmd2)
    best = _swapped(candidates, nearest, max_learnwares, floor)
    if len(best.members) == 1 or not _better(best.mmd2, best_single):
        return None, NO_BETTER
    return best, ""


def _better(mmd2: float, than: float) -> bool:
    return mmd2 < (1.0 - SMALLEST_GAIN) * than


def _grown(
    candidates: Candidates, several: Sequence[Combination], max_learnwares: int, floor: float
) -> list[Combination]:
    """Add one learnware after another to each combination while each lowers the distance enough."""
    growing, grown = list(several), []
    while growing:
        full = [c for c in growing if len(c.members) >= max_learnwares or c.mmd2 <= floor]
        growing = [c for c in growing if len(c.members) < max_learnwares and c.mmd2 > floor]
        grown += full
        larger = candidates.enlarged(growing)
        pairs = list(zip(growing, larger, strict=True))
        grown += [now for now, more in pairs if not _better(more.mmd2, now.mmd2)]
        growing = [more for now, more in pairs if _better(more.mmd2, now.mmd2)]
    return grown


def _swapped(
    candidates: Candidates, current: Combination, max_learnwares: int, floor: float
) -> Combination:
    """Replace one member at a time while that helps, then grow again."""
    for _ in range(SWAP_ROUNDS):
        before = current.mmd2
        if before <= floor or len(current.members) == 1:
            return current
        members: list[int] = current.members.tolist()
        without = [candidates.combine([i for i in members if i != out]) for out in members]
        best = min(candidates.enlarged(without), key=lambda combination: combination.mmd2)
        current = min([current, best], key=lambda combination: combination.mmd2)
        current = min(
            [current, *_grown(candidates, [current], max_learnwares, floor)],
            key=lambda combination: combination.mmd2,
        )
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
