"""A match in words: how near it is, how much of the data it covers, which features differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beimingwu.errors import InvalidRequirement
from beimingwu.search.result import SAME_MEAN, Explanation, FeatureDifference, Match
from beimingwu.search.score import FITS
from beimingwu.search.stack import Numbers
from beimingwu.specification.rkme import RKME, GaussianKernel

#: Features that an explanation lists.
LISTED = 5
#: A feature's distance, as a MMD, under this is not worth a word.
NOTABLE = 0.1
#: In four docks of five half of the related tasks score this, and hardly a stranger does in any.
NEAR = 0.8


def explain(
    score: float,
    coverage: float,
    yours: Numbers,
    theirs: Numbers,
    kernel: GaussianKernel,
    names: Sequence[str],
) -> Explanation:
    """Explain a match by the means of both sides, shape `(d,)`, in the island's units.

    Examples
    --------
    >>> kernel = GaussianKernel.multiscale(np.array([2.0]))
    >>> explain(0.95, 1.0, np.array([1.0]), np.array([3.0]), kernel, ["rain"]).sentence
    'Close to your data; it covers 100% of it. Differs most in rain (1 deviations above yours).'
    """
    apart = kernel.in_units(theirs) - kernel.in_units(yours)
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


def explain_by_feature(match: Match) -> Explanation:
    """Explain a match by the maximum mean discrepancy of every feature alone.

    Raises
    ------
    InvalidRequirement
        There are no two specifications to compare.
    """
    asked, theirs, kernel = match.asked, match.specification, match.kernel
    if asked is None or theirs is None or kernel is None or kernel.scale is None:
        raise InvalidRequirement(
            f"Learnware {match.id} was not found by a specification, so none can be compared.",
            remedy="Search with a specification of your data: specify(X).",
            code="requirement.no_specification",
        )
    names = asked.features or theirs.features
    apart = kernel.in_units(theirs.mean) - kernel.in_units(asked.mean)
    distances = [_marginal_mmd(asked, theirs, kernel, j) for j in range(asked.dimension)]
    features = tuple(
        FeatureDifference(
            name=names[j] if len(names) else f"feature {j}",
            yours=float(asked.mean[j]),
            theirs=float(theirs.mean[j]),
            deviations=float(apart[j]),
            mmd=distances[j],
        )
        for j in np.argsort(-np.array(distances), kind="stable").tolist()
    )
    return Explanation(_sentence(match.score or 0.0, match.coverage or 0.0, features), features)


def _marginal_mmd(asked: RKME, theirs: RKME, kernel: GaussianKernel, j: int) -> float:
    """Return the MMD of one feature, under the multi-scale kernel in one dimension."""
    alone = GaussianKernel.multiscale(np.ones(1))
    ours, other = (
        RKME(kernel.in_units(spec.rows)[:, j : j + 1], spec.weights, n=spec.n)
        for spec in (asked, theirs)
    )
    return float(np.sqrt(ours.mmd2(other, alone)))


def _sentence(score: float, coverage: float, features: tuple[FeatureDifference, ...]) -> str:
    nearness = "Close to" if score >= NEAR else "Fairly near" if score >= FITS else "Far from"
    sentence = f"{nearness} your data; it covers {coverage:.0%} of it."
    notable = [feature for feature in features if _is_notable(feature)][:2]
    if not notable:
        return f"{sentence} The means of all features agree."
    return f"{sentence} Differs most in {' and '.join(map(str, notable))}."


def _is_notable(feature: FeatureDifference) -> bool:
    if feature.mmd is None:
        return abs(feature.deviations) >= SAME_MEAN
    return feature.mmd >= NOTABLE
