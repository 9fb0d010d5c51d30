"""What a distance is worth: a score in [0, 1] that means the same in every query (ALGORITHMS §4).

A score answers "is this nearer than strangers are?". It is one minus the share of strangers that
would be as near: 1 when nothing tells the two apart at the sample sizes given, 0 when a stranger
would be no farther.

*Relative distance.* `mmd2(P, Q) = <P,P> + <Q,Q> - 2 <P,Q>`, and the last term is never negative for
a kernel that is positive, so two data sets without any overlap are at `<P,P> + <Q,Q>`. The relative
distance `x = max(mmd2 - floor, 0) / (<P,P> + <Q,Q>)` is therefore 0 for the same and 1 for no
overlap, in every island and under every kernel. For the learnware's `<Q,Q>` and sampling error the
island's medians stand, so that among the answers to one query a smaller distance never has a
smaller score, and no file can raise its own score by what it claims about its sample size.

*Strangers, before any were seen.* The prior says their relative distances spread over [0, 1] around
one half: Beta(2, 2), with distribution function `3 x^2 - 2 x^3`. For normal data whose features are
shifted by t standard deviations each, the score is then 0.98, 0.79, 0.2, 0.0 at t = 1/2, 1, 2, 10.

*Strangers as seen in the island.* The distances of random pairs of its specifications, where these
are unrelated. In an island of near copies every pair is a pair of relatives and tells nothing about
strangers; so pairs nearer than `RELATED` do not count. The two are mixed in the proportion
`seen : PRIOR_COUNT`, with `seen` the number of specifications times the share of unrelated pairs.
A dock of one learnware and a dock of near copies thus score by the prior, which is absolute; a
large and varied dock scores by its own strangers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Relative distance under which two specifications are relatives, not strangers.
RELATED = 0.02
#: The prior weighs as much as this many specifications.
PRIOR_COUNT = 50.0
#: A best score, or a covered share of the user's data, under this means that nothing fits.
FITS = 0.5
#: Relative distance below which reduced sets of points do not tell distributions apart: a few times
#: the error of a good reduction to 100 points (ALGORITHMS §1.2).
RESOLUTION = 0.005
#: Quantiles that stand for the distances of unrelated pairs.
KNOTS = 257


@dataclass(frozen=True, eq=False)
class Strangers:
    """The distribution of relative distances between unrelated specifications of an island.

    Examples
    --------
    >>> Strangers().share_within(np.array([0.0, 0.5, 1.0]))
    array([0. , 0.5, 1. ])
    """

    knots: Numbers = field(default_factory=lambda: np.array([RELATED, 1.0]))
    share_seen: float = 0.0

    @classmethod
    def seen_in(cls, relative: Numbers, specifications: int) -> Strangers:
        """Learn it from the relative distances of random pairs of `specifications` members."""
        unrelated = relative[relative > RELATED]
        if len(unrelated) == 0:
            return cls()
        seen = specifications * len(unrelated) / len(relative)
        quantiles = np.quantile(unrelated, np.linspace(0.0, 1.0, KNOTS))
        return cls(np.concatenate([[RELATED], quantiles]), seen / (seen + PRIOR_COUNT))

    def share_within(self, relative: Numbers) -> Numbers:
        """Return `F(x)`, the share of strangers within each relative distance; monotone."""
        x = np.clip(relative, 0.0, 1.0)
        prior = x * x * (3.0 - 2.0 * x)
        heights = np.linspace(0.0, 1.0, len(self.knots))
        observed = np.interp(x, self.knots, heights, left=0.0, right=1.0)
        return (1.0 - self.share_seen) * prior + self.share_seen * observed


@dataclass(frozen=True, eq=False)
class Scorer:
    """Turns squared distances from one requirement into scores.

    Parameters
    ----------
    strangers
        The island's.
    floor
        Squared distance that sampling alone puts between two samples of the same distribution.
    own, typical
        `<U,U>`, and the island's median `<P,P>`; their sum is the distance without any overlap.

    Examples
    --------
    >>> Scorer(Strangers(), floor=0.01, own=0.25, typical=0.25)(np.array([0.0, 0.005, 0.26, 0.6]))
    array([1. , 1. , 0.5, 0. ])
    """

    strangers: Strangers
    floor: float
    own: float
    typical: float

    @property
    def resolution(self) -> float:
        """Squared distance under which nearer is not better: sampling and reduction explain it."""
        return max(self.floor, RESOLUTION * (self.own + self.typical))

    def __call__(self, mmd2: Numbers) -> Numbers:
        """Return the score of each squared distance, in [0, 1], falling as the distance grows."""
        return self._beyond(mmd2, self.own + self.typical)

    def of_mixture(self, mmd2: float, self_inner: float) -> float:
        """Return the score of a mixture v, whose `<v,v>` is smaller than that of its members.

        Without any overlap its distance is `<U,U> + <v,v>`, and its score is to be 0 then.
        """
        return float(self._beyond(np.array(mmd2), self.own + min(self.typical, self_inner)))

    def _beyond(self, mmd2: Numbers, apart: float) -> Numbers:
        relative = np.maximum(mmd2 - self.floor, 0.0) / apart
        return np.clip(1.0 - self.strangers.share_within(relative), 0.0, 1.0)


def sampling_floor(self_inner: Numbers, records: Numbers, points: Numbers) -> Numbers:
    """Return `(1 - <P,P>) / n`, the expected squared distance of a sample from its source.

    A point stands for some records, so `n` is never taken as fewer than the points; where the
    number of records is not known (0), no error is allowed for.

    Examples
    --------
    >>> sampling_floor(np.array([0.2, 0.2]), np.array([100, 0]), np.array([10, 10]))
    array([0.008, 0.   ])
    """
    believed = np.maximum(records, points)
    return np.where(records > 0, np.clip(1.0 - self_inner, 0.0, 1.0) / believed, 0.0)
