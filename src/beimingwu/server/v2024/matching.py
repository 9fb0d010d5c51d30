"""The scores of 2024: how the distances of one query stand to each other, and to nothing else.

The farthest of what was compared has 0 and a lone one 1, whatever their distances are; version 1
has scores that mean the same in every query.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_NEGLIGIBLE = 0.1  # of the mean distance: as good as none
_BEST_AT_LEAST = 0.92
_LIFTED = 0.7
_SHOWN = 0.6


@dataclass(frozen=True)
class Scores:
    """Scores of the singles that are shown, nearest first, and of the mixture if it is."""

    single: tuple[float, ...]
    mixture: float | None


def relative_scores(distances: Sequence[float]) -> list[float]:
    """Return the score of each distance among all of them.

    Parameters
    ----------
    distances
        Squared maximum mean discrepancies.

    Examples
    --------
    >>> relative_scores([0.3])
    [1.0]
    >>> [round(score, 3) for score in relative_scores([0.01, 0.2, 0.4])]
    [1.0, 0.7, 0.0]
    """
    if not distances:
        return []
    least, most = min(distances), max(distances)
    if least == most:
        return [1.0] * len(distances)
    nothing = _NEGLIGIBLE * sum(distances) / len(distances)
    if least < nothing:
        nothing = least
    elif (most - least) / (most - nothing) < _BEST_AT_LEAST:
        nothing = most - (most - least) / _BEST_AT_LEAST
    return [_lifted((most - distance) / (most - nothing)) for distance in distances]


def scores_shown(distances: Sequence[float], mixture: float | None) -> Scores:
    """Return the scores that are shown of single learnwares, and of a mixture of several.

    Parameters
    ----------
    distances
        Of all single learnwares that were compared, ascending.
    mixture
        Of the mixture, where there is one.

    Examples
    --------
    >>> scores_shown([0.01, 0.2, 0.4], None).single
    (1.0, 0.7)
    """
    if not distances:
        return Scores((), None)
    together = None
    if mixture is None:
        scores = relative_scores(distances)
    else:
        *scores, together = relative_scores([*distances, mixture])
        # The same whole percent: not worth several learnwares.
        if int(together * 100) == int(scores[0] * 100):
            together = None
    shown = [scores[0]]
    for score in scores[1:]:
        if score < _SHOWN:
            break
        shown.append(score)
    if len(shown) == 1 and shown[0] < _SHOWN:
        # A lone result is lifted to what is shown at least, and the mixture beside it as much.
        lift = 100.0 if abs(shown[0]) < 1e-5 else _SHOWN / shown[0]
        shown = [_SHOWN]
        together = None if together is None else min(1.0, together * lift)
    return Scores(tuple(shown), together)


def _lifted(score: float) -> float:
    return min(math.sqrt(max(score, 0.0)), _LIFTED) if score < _LIFTED else score
