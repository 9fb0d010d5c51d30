"""A match in words: how near it is, how much of the data it covers, which features differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beimingwu.search.result import Explanation, FeatureDifference
from beimingwu.search.score import FITS
from beimingwu.search.stack import Numbers

#: Features that an explanation lists.
LISTED = 5
#: A difference of means under this many deviations is not worth a word.
NOTABLE = 0.1
NEAR = 0.9


def explain(
    score: float,
    coverage: float,
    yours: Numbers,
    theirs: Numbers,
    scale: Numbers | None,
    names: Sequence[str],
) -> Explanation:
    """Explain a match by the means of both sides, shape `(d,)`, in the island's scale.

    Examples
    --------
    >>> explain(0.95, 1.0, np.array([1.0]), np.array([3.0]), np.array([2.0]), ["rain"]).sentence
    'Close to your data; it covers 100% of it. Differs most in rain (1 deviations above yours).'
    """
    apart = (theirs - yours) / (1.0 if scale is None else scale)
    most = np.argsort(-np.abs(apart), kind="stable")[:LISTED]
    features = tuple(
        FeatureDifference(
            name=names[j] if len(names) else f"feature {j}",
            yours=float(yours[j]),
            theirs=float(theirs[j]),
            deviations=float(apart[j]),
        )
        for j in most.tolist()
    )
    return Explanation(_sentence(score, coverage, features), features)


def _sentence(score: float, coverage: float, features: tuple[FeatureDifference, ...]) -> str:
    nearness = "Close to" if score >= NEAR else "Fairly near" if score >= FITS else "Far from"
    sentence = f"{nearness} your data; it covers {coverage:.0%} of it."
    notable = [feature for feature in features if abs(feature.deviations) >= NOTABLE][:2]
    if not notable:
        return f"{sentence} The means of all features agree."
    return f"{sentence} Differs most in {' and '.join(map(str, notable))}."
