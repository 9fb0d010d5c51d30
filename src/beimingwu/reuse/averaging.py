"""Averaging and voting: every learnware has the same say on every row, its weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import InvalidInput
from beimingwu.reuse.estimator import LearnwareLike, Reuser, declared_task
from beimingwu.reuse.outputs import DeclaredTask

Mode = Literal["mean", "vote_by_label", "vote_by_prob", "auto"]


class AveragingReuser(Reuser):
    """Average the learnwares' answers, or let them vote.

    Parameters
    ----------
    learnwares
        At least one.
    mode
        "mean": the mean of each output. "vote_by_label": the label with most weight behind it, the
        smallest of equals. "vote_by_prob": the mean of the class probabilities; scores that are no
        probabilities go through a softmax first, probabilities never do. "auto": what fits the
        learnwares' task and answers.
    weights
        One weight per learnware, those of a mixture for instance; equal ones by default.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from beimingwu import RKME
    >>> spec = RKME(np.zeros((1, 1)), np.ones(1), n=10)
    >>> low, high = (
    ...     SimpleNamespace(id=name, specification=spec, predict=lambda X, v=v: np.full(len(X), v))
    ...     for name, v in (("00000001", 1.0), ("00000002", 2.0))
    ... )
    >>> AveragingReuser([low, high], weights=[3, 1]).predict(np.zeros((2, 1)))
    array([1.25, 1.25])
    """

    def __init__(
        self,
        learnwares: Sequence[LearnwareLike],
        mode: Mode = "mean",
        weights: ArrayLike | None = None,
    ) -> None:
        self.learnwares = learnwares
        self.mode = mode
        self.weights = weights

    def _shares(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        return np.repeat(self._checked_weights()[:, None], len(rows), axis=1)

    def _declared(self) -> DeclaredTask:
        tasks: dict[str, DeclaredTask] = {
            "mean": "regression",
            "vote_by_label": "labels",
            "vote_by_prob": "probabilities",
            "auto": "auto",
        }
        if self.mode not in tasks:
            raise InvalidInput(
                f"`mode` must be one of {', '.join(tasks)}. Got {self.mode!r} instead.",
                remedy='Pass "auto" to go by what the learnwares answer.',
                code="reuse.mode",
            )
        return declared_task(self.learnwares, tasks[self.mode])
