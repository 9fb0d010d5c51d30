"""What an island measures each feature by: one unit, or a ruler where no one unit serves.

In an island about many subjects a feature may be hours in one learnware and prices in another. In
the unit of the prices all hours are the same, and in that of the hours no two prices are near. So a
feature whose deviation differs much from learnware to learnware is read by rank: a value measures
the share of the island's data that is below it. Where nobody's data is, beyond its ends and in a
gap, the deviations of those beside it measure, so that what is far from all data is so by a ruler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.geometry import CONSTANT, Moments, moments_of, pooled_scale
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.specification.rkme import GaussianKernel
from beimingwu.specification.ruler import Ruler

#: A scale may be off by this factor before what an island measures by is made from all members.
DRIFT = 3.0
#: A feature is read by rank where a tenth of the learnwares deviate so many times as much as the
#: tenth that deviates least. Of one subject it is mostly 1 to 4, of many 9 to 100,000.
UNLIKE = 5.0
#: Members this many times as unlike, by a ruler, as those it was made from ask for another.
UNLIKE_DRIFT = 2.0
#: Ranks that a ruler has places for, and gaps.
QUANTILES, GAPS = 64, 16
#: Where nobody's data is for more deviations of what is beside it than this, there is a gap.
GAP = 3.0
#: So many deviations into a gap, from both its edges, are read as such.
REACH = 4.0
#: Deviation of ranks that are evenly spread.
EVEN = 12.0**-0.5
#: Share of the data that tells how much what is at an end of it deviates.
AT_END = 0.05


@dataclass(frozen=True, eq=False)
class Units:
    """What features are measured by.

    Parameters
    ----------
    scale
        The robust pooled deviation per feature, shape `(d,)`.
    ruler
        Reads the features that no one unit serves; None where there are none.
    unlike
        How unlike the learnwares it was made from are by it, shape `(d,)`; see `unlikeness`.
    """

    scale: Numbers
    ruler: Ruler | None
    unlike: Numbers

    @classmethod
    def of(cls, stack: Stack, moments: Moments) -> Units:
        """Return the units that learnwares, whose moments are given, ask for."""
        scale, unlike = pooled_scale(moments), unlikeness(moments)
        ruler = _ruler(stack, moments, np.flatnonzero(unlike > UNLIKE))
        return cls(scale, ruler, unlikeness(_read(stack, moments, ruler)))

    @property
    def kernel(self) -> GaussianKernel:
        """The multi-scale Gaussian in these units."""
        return GaussianKernel.multiscale(self.scale, self.ruler)

    def serve(self, stack: Stack, moments: Moments) -> bool:
        """Tell whether they measure other learnwares well too."""
        now = pooled_scale(moments)
        if np.maximum(self.scale / now, now / self.scale).max() > DRIFT:
            return False
        unlike = unlikeness(_read(stack, moments, self.ruler))
        return bool((unlike <= np.maximum(UNLIKE, UNLIKE_DRIFT * self.unlike)).all())


def unlikeness(moments: Moments) -> Numbers:
    """Return how many times as much as others some learnwares deviate, per feature, shape `(d,)`.

    It is the ratio of the last decile of their deviations to the first, of those that do not hold
    the feature constant; at both ends at least one learnware is left out, whatever it tells.

    Examples
    --------
    >>> deviations = np.array([[1.0], [1.0], [2.0], [9.0], [1e9]])
    >>> unlikeness(Moments(np.zeros((5, 1)), deviations**2))
    array([9.])
    """
    deviations, varies = _deviations(moments)
    found = np.ones(deviations.shape[1])
    for j in range(len(found)):
        varied = np.sort(deviations[varies[:, j], j])
        tenth = max(-(-len(varied) // 10), 2)
        if len(varied) >= 2 * tenth:
            found[j] = varied[-tenth] / varied[tenth - 1]
    return found


def _read(stack: Stack, moments: Moments, ruler: Ruler | None) -> Moments:
    """Return the moments by a ruler, those of features that it is not for as they are."""
    if ruler is None:
        return moments
    read = ruler.read(stack.rows, stack.rows.astype(np.float64))[:, ruler.features]
    inside = moments_of(Stack(read, stack.weights, stack.offsets))
    means, variances = moments.means.copy(), moments.variances.copy()
    means[:, ruler.features], variances[:, ruler.features] = inside.means, inside.variances
    return Moments(means, variances)


def _deviations(moments: Moments) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the deviation of each learnware in each feature, and whether it varies there."""
    deviations = np.sqrt(moments.variances)
    middle = np.abs(np.median(moments.means, axis=0))
    return deviations, deviations > CONSTANT * np.maximum(middle, CONSTANT)


def _ruler(stack: Stack, moments: Moments, features: Positions) -> Ruler | None:
    """Return the ruler of some features, in whose marks their pooled deviation is 1."""
    if len(features) == 0:
        return None
    weights = np.maximum(stack.weights, 0.0)
    totals = np.add.reduceat(weights, stack.offsets[:-1])
    shares = weights / np.repeat(totals, stack.sizes) / len(stack)
    owner = np.repeat(np.arange(len(stack)), stack.sizes)
    deviations, varies = _deviations(moments)
    made = []
    for j in features.tolist():
        typical = float(np.median(deviations[varies[:, j], j]))
        own = np.where(varies[:, j], deviations[:, j], typical)[owner]
        made.append(_marked(stack.rows[:, j].astype(np.float64), shares, own))
    places, marks = (_of_one_length(several) for several in zip(*made, strict=True))
    ranks = _read(stack, moments, Ruler(features, places, marks))
    return Ruler(features, places, marks / pooled_scale(ranks)[features, None])


def _marked(values: Numbers, shares: Numbers, deviations: Numbers) -> tuple[Numbers, Numbers]:
    """Return places of one feature, rising, and what is read there, shape `(k,)` each.

    Parameters
    ----------
    values, shares, deviations
        Of all points: where each is, what share of the island's data it stands for, and how much
        the learnware deviates whose it is.
    """
    order = np.argsort(values, kind="stable")
    values, shares, deviations = values[order], shares[order], deviations[order]
    below = np.cumsum(shares) - 0.5 * shares
    chosen = np.searchsorted(below, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    before = _gaps(values, deviations)
    into, out_of = (
        np.minimum(REACH * deviations[edge], (values[before + 1] - values[before]) / 4.0)
        for edge in (before, before + 1)
    )
    chosen = np.concatenate([np.minimum(chosen, len(values) - 1), before, before + 1])
    ranked = np.unique(values[chosen])
    between = np.maximum(np.searchsorted(ranked, values, side="right"), 1)
    held = np.bincount(between, weights=shares, minlength=len(ranked) + 1)
    steps = np.asarray(held[:-1], dtype=np.float64)
    steps[np.searchsorted(ranked, values[before + 1])] += EVEN * out_of / deviations[before + 1]
    places = np.concatenate([ranked, values[before] + into, values[before + 1] - out_of])
    steps = np.concatenate([steps, EVEN * into / deviations[before], np.zeros(len(before))])
    order = np.argsort(places, kind="stable")
    places, marks = places[order], np.cumsum(steps[order])
    low = _at_end(deviations[below <= max(AT_END, below[0])], places[0])
    high = _at_end(deviations[below >= min(1.0 - AT_END, below[-1])], places[-1])
    places = np.concatenate([[places[0] - low], places, [places[-1] + high]])
    return places, np.concatenate([[marks[0] - EVEN], marks, [marks[-1] + EVEN]])


def _gaps(values: Numbers, deviations: Numbers) -> Positions:
    """Return the last values before the widest gaps among ascending values."""
    wide = np.diff(values) / np.minimum(deviations[:-1], deviations[1:])
    widest = np.argsort(-wide, kind="stable")[:GAPS]
    return np.asarray(widest[wide[widest] > GAP])


def _at_end(deviations: Numbers, place: float) -> float:
    """Return the deviation of what is at an end, never so little that it is lost beside it."""
    return max(float(np.mean(deviations)), 1e-6 * abs(place))


def _of_one_length(several: Sequence[Numbers]) -> Numbers:
    """Return rising numbers as rows of one length, each going on as it ended."""
    longest = max(map(len, several))
    return np.array(
        [
            np.concatenate([one, one[-1] + np.diff(one)[-1] * np.arange(1, longest - len(one) + 1)])
            for one in several
        ]
    )
