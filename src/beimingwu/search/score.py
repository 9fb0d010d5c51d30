"""What a distance is worth: a score in [0, 1] that means the same in every query (ALGORITHMS §4).

It does so while an island measures the same: within one state of a dock, and on until its geometry
is made anew. `IslandInfo.geometry` names the version; scores of two versions are not comparable.

A score answers "is this nearer than strangers are?". It is one minus the share of strangers that
would be as near: 1 when nothing tells the two apart at the sample sizes given, 0 when a stranger
would be no farther.

*Relative distance.* `mmd2(P, Q) = <P,P> + <Q,Q> - 2 <P,Q>`, and the last term is never negative for
a kernel that is positive, so two data sets without any overlap are at `<P,P> + <Q,Q>`. The relative
distance `x = max(mmd2 - floor, 0) / (<P,P> + <Q,Q> - floor)` is therefore 0 for the same and 1
without overlap, in every island and under every kernel. Matches are ranked by distance and not by
score: a learnware whose data is spread wide has a small `<Q,Q>`, and may be near without any
overlap. For the learnware's sampling error the island's median stands, so that no file can raise
its own score by claiming few records.

*Strangers, before any were seen.* The prior says their relative distances spread over [0, 1] around
one half: Beta(2, 2), with distribution function `3 x^2 - 2 x^3`. For normal data whose features are
shifted by t standard deviations each, the score is about 0.98, 0.8, 0.2, 0 at t = 1/2, 1, 2, 10.

*Strangers as seen in the island.* The distances of random pairs of its specifications, where these
are unrelated. In an island of near copies every pair is a pair of relatives and tells nothing about
strangers; so pairs nearer than `RELATED` do not count. What is seen moves the prior in the
proportion `seen : PRIOR_COUNT`, with `seen` the number of specifications times the share of
unrelated pairs, and only upwards: `F = prior + share_seen * max(observed - prior, 0)`. So a dock of
one learnware, or of near copies, scores by the prior, which is absolute; where strangers resemble
each other more than the prior says, scores are stricter; and strangers who are very far apart never
make a middling match look good.
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
        return prior + self.share_seen * np.maximum(observed - prior, 0.0)


@dataclass(frozen=True, eq=False)
class Scorer:
    """Turns squared distances from one requirement into scores, under one geometry of the island.

    Parameters
    ----------
    strangers
        The island's.
    floor
        Squared distance that sampling alone puts between two samples of the same distribution.
    own
        `<U,U>` of the requirement.

    Examples
    --------
    >>> scorer = Scorer(Strangers(), floor=0.01, own=0.25)
    >>> scorer(np.array([0.0, 0.005, 0.255, 0.6]), np.full(4, 0.25))
    array([1. , 1. , 0.5, 0. ])
    """

    strangers: Strangers
    floor: float
    own: float

    @property
    def resolution(self) -> float:
        """Squared distance under which nearer is not better: sampling and reduction explain it."""
        return max(self.floor, RESOLUTION * 2.0 * self.own)

    def __call__(self, mmd2: Numbers, self_inner: Numbers) -> Numbers:
        """Return the score of each squared distance to P, whose `<P,P>` is given, in [0, 1].

        For the same two self inner products it falls as the distance grows.
        """
        apart = np.maximum(self.own + self_inner - self.floor, np.finfo(np.float64).tiny)
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
