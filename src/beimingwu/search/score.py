"""What a distance is worth: a score in [0, 1] that means the same in every query (ALGORITHMS §4).

It does so while an island measures the same: within one state of a dock, and on until its geometry
is made anew. `IslandInfo.geometry` names the version; scores of two versions are not comparable.

A score answers "is this as near as kin are, or only as near as strangers?". It is 1 when nothing
tells the two apart at the sample sizes given, one half at the distance where kin end, and 0 when a
stranger would be no farther.

*Relative distance.* `mmd2(P, Q) = <P,P> + <Q,Q> - 2 <P,Q>`, and the last term is never negative for
a kernel that is positive, so two data sets without any overlap are at `<P,P> + <Q,Q>`. The relative
distance `x = max(mmd2 - floor, 0) / (<P,P> + <Q,Q> - floor)` is therefore 0 for the same and 1
without overlap, in every island and under every kernel. Matches are ranked by distance and not by
score: a learnware whose data is spread wide has a small `<Q,Q>`, and may be near without any
overlap. For the learnware's sampling error the island's median stands, so that no file can raise
its own score by claiming few records.

*The curve.* The score is `1 - F(x)`, where the odds of F are those of the distance:
`odds(F) = odds(x / apart) / odds(half / apart)`. It is smooth, so that an error of a tenth in what
is known of the island moves no score by more than 0.04.

*Before any learnwares were seen*, kin end at `HALF` and strangers do not overlap. For normal data
whose features are shifted by t standard deviations each, the score is then about 0.75, 0.45, 0.15,
0 at t = 1/4, 1/2, 1, 10.

*As seen in the island* (`strangers`): where learnwares differ much from their nearest kin, kin end
farther away; where random learnwares resemble each other, a stranger is nearer. What is seen counts
for as much as the learnwares it was seen in, beside `PRIOR_COUNT` of them for what was believed
before. So a dock of one learnware scores by the belief, which is absolute, and a dock of near
copies, in which everybody is kin, is not made to look for strangers among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Relative distance where kin end, as long as nothing is known of an island.
HALF = 0.07
#: Kin end so much farther off than learnwares are from their nearest kin.
BEYOND_KIN = 0.03
#: A learnware farther than this from every other has no kin; it is not counted as farther still.
FARTHEST_KIN = 0.22
#: Strangers are at least so many times as far apart as kin.
STEEPEST = 4.0
#: What is believed of every island weighs as much as this many learnwares.
PRIOR_COUNT = 15.0
#: A best score, or a covered share of the user's data, under this means that nothing fits.
FITS = 0.5
#: Relative distance below which reduced sets of points do not tell distributions apart: a few times
#: the error of a good reduction to 100 points (ALGORITHMS §1.2).
RESOLUTION = 0.005
#: In the protocol of 2024 the nearest of several scores at least this, and what scores less than
#: the second is raised to at most it.
RELATIVE_BEST, RELATIVE_RAISED = 0.92, 0.7


@dataclass(frozen=True)
class Strangers:
    """Where kin end and strangers are in an island, as relative distances.

    Parameters
    ----------
    half
        Where kin end: the score is one half.
    apart
        Where strangers are: the score is 0.

    Examples
    --------
    >>> Strangers(half=0.1).share_within(np.array([0.0, 0.01, 0.1, 0.5, 1.0])).round(2)
    array([0.  , 0.08, 0.5 , 0.9 , 1.  ])
    """

    half: float = HALF
    apart: float = 1.0

    @classmethod
    def seen_in(cls, kin: Numbers, pairs: Numbers, learnwares: int) -> Strangers:
        """Learn it from the relative distances seen among so many learnwares.

        Parameters
        ----------
        kin
            Of some learnwares to their nearest kin.
        pairs
            Of random pairs.
        learnwares
            How many there are.

        Examples
        --------
        >>> Strangers.seen_in(np.full(40, 0.01), np.full(100, 0.5), 485)
        Strangers(half=0.0406..., apart=0.5105...)
        """
        if len(kin) == 0 or len(pairs) == 0:
            return cls()
        seen = BEYOND_KIN + float(np.minimum(kin, FARTHEST_KIN).mean())
        half = _between(seen, HALF, learnwares)
        # In an island of near copies every pair is a pair of kin, and tells nothing of strangers.
        unrelated = pairs[pairs > half]
        apart = 1.0
        if len(unrelated):
            weight = learnwares * len(unrelated) / len(pairs)
            apart = _between(float(np.median(unrelated)), 1.0, weight)
        return cls(half, min(max(apart, STEEPEST * half), 1.0))

    def share_within(self, relative: Numbers) -> Numbers:
        """Return `F(x)` of each relative distance: 0 at 0, 1 from `apart` on; monotone."""
        x = np.clip(relative / self.apart, 0.0, 1.0)
        middle = self.half / self.apart
        near, far = x * (1.0 - middle), middle * (1.0 - x)
        return np.asarray(near / (near + far))


def _between(seen: float, believed: float, count: float) -> float:
    """Return the geometric mean of what `count` show and what is believed of every island."""
    share = count / (count + PRIOR_COUNT)
    return float(seen**share * believed ** (1.0 - share))


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
    >>> scorer = Scorer(Strangers(half=0.2), floor=0.01, own=0.25)
    >>> scorer(np.array([0.0, 0.005, 0.108, 0.6]), np.full(4, 0.25))
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
        return np.asarray(1.0 - self.strangers.share_within(self._relative(mmd2, self_inner)))

    def of_mixture(self, mmd2: float, self_inner: float, weights: Numbers) -> float:
        """Return the score of a mixture with these weights, at this squared distance.

        Several strangers, with weights at will, come nearer than any one of them. So the distance
        counts as many times as there are members, `1 / sum_i w_i^2` of them for uneven weights.

        Examples
        --------
        >>> scorer = Scorer(Strangers(half=0.2), floor=0.0, own=0.25)
        >>> scorer.of_mixture(0.05, 0.25, np.array([0.5, 0.5]))
        0.5
        """
        members = 1.0 / float(weights @ weights)
        relative = members * self._relative(np.array(mmd2), np.array(self_inner))
        return float(1.0 - self.strangers.share_within(relative))

    def _relative(self, mmd2: Numbers, self_inner: Numbers) -> Numbers:
        apart = np.maximum(self.own + self_inner - self.floor, np.finfo(np.float64).tiny)
        return np.asarray(np.maximum(mmd2 - self.floor, 0.0) / apart)


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


def relative_scores(mmd2: Numbers) -> Numbers:
    """Return the scores that the protocol of 2024 gives: relative to all that was found.

    The farthest scores 0 and all are stretched until the nearest scores at least `RELATIVE_BEST`,
    whatever its distance; low ones are raised by a root. Where there is one, or all are as far,
    the score is 1. Such scores tell which is nearer, and nothing about whether anything fits.

    Parameters
    ----------
    mmd2
        Squared distances of all that was found, and of the mixture if there is one; shape `(N,)`.

    Examples
    --------
    >>> relative_scores(np.array([0.1, 0.2, 0.4, 0.5])).round(3)
    array([0.92, 0.7 , 0.48, 0.  ])
    >>> relative_scores(np.array([123.0]))
    array([1.])
    """
    distances = np.asarray(mmd2, dtype=np.float64)
    if len(distances) == 0 or distances.min() == distances.max():
        return np.ones(len(distances))
    nearest, farthest = float(distances.min()), float(distances.max())
    best = 0.1 * float(distances.mean())
    if nearest < best:
        best = nearest
    elif (farthest - nearest) / (farthest - best) < RELATIVE_BEST:
        best = farthest - (farthest - nearest) / RELATIVE_BEST
    scores = (farthest - distances) / (farthest - best)
    raised = np.minimum(np.sqrt(scores), RELATIVE_RAISED)
    return np.where(scores < RELATIVE_RAISED, raised, scores)
