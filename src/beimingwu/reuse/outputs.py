"""What learnwares answer, put together: numbers averaged, labels voted, probabilities mixed.

A learnware answers with numbers `(n,)` or `(n, k)`, labels `(n,)`, or class probabilities `(n, C)`.
Which of the three it is decides how several answers combine; every reuser combines them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import GuestFailed, InvalidInput

Task = Literal["regression", "labels", "probabilities"]
#: What is known before anything was answered; "classification" is labels or probabilities.
DeclaredTask = Literal["auto", "classification", "regression", "labels", "probabilities"]

#: Rows that sum to one within this are probabilities already.
PROBABILITY_TOLERANCE = 1e-3
#: Votes closer than this are a tie, whatever order the learnwares were summed in.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Answer:
    """What one learnware said about some of the rows.

    Parameters
    ----------
    rows
        Which rows it was asked about, shape `(r,)`.
    values
        What it answered, shape `(r,)` or `(r, k)`.
    share
        How much it has to say on each of these rows, shape `(r,)`; over all learnwares the shares
        of a row sum to one.
    """

    rows: NDArray[np.intp]
    values: NDArray[Any]
    share: NDArray[np.float64]

    @property
    def columns(self) -> int:
        """Number of values per row."""
        return 1 if self.values.ndim == 1 else int(self.values.shape[1])


def combine(task: Task, answers: Sequence[Answer], n: int) -> NDArray[Any]:
    """Return the shared answer for `n` rows.

    Returns
    -------
    ndarray
        Regression: the mean per output, shape `(n,)` or `(n, k)`. Labels: the label of most votes,
        shape `(n,)`, the smallest of equals. Probabilities: shape `(n, C)`.

    Raises
    ------
    InvalidInput
        The answers of the learnwares are of different shape or type.

    Examples
    --------
    >>> rows, half = np.arange(2), np.full(2, 0.5)
    >>> answers = [Answer(rows, np.array([1.0, 3.0]), half), Answer(rows, np.zeros(2), half)]
    >>> combine("regression", answers, 2)
    array([0.5, 1.5])
    """
    if not answers:
        return np.empty((0, 0)) if task == "probabilities" else np.empty(0)
    if task == "labels":
        return _vote(answers, n)
    if task == "probabilities":
        return _mean([probabilities(answer.values) for answer in answers], answers, n)
    values = [answer.values.reshape(len(answer.values), -1) for answer in answers]
    mean = _mean(values, answers, n)
    return mean[:, 0] if mean.shape[1] == 1 else mean


def settle(declared: DeclaredTask, answers: Sequence[Answer]) -> Task:
    """Return how to read the answers, from what was declared and from what was answered.

    Where nothing is declared, several columns that sum to one are probabilities, integers, booleans
    and text are labels, and any other numbers are a regression.
    """
    if declared in get_args(Task):
        return declared  # type: ignore[return-value]
    several = bool(answers) and all(answer.columns > 1 for answer in answers)
    if declared == "classification":
        return "probabilities" if several else "labels"
    if several:
        sure = all(_are_probabilities(answer.values) for answer in answers)
        return "probabilities" if sure else "regression"
    numbers = all(answer.values.dtype.kind == "f" for answer in answers)
    return "regression" if numbers else "labels"


def probabilities(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return class probabilities, shape `(n, C)`: as they are, or the softmax of scores.

    One column is the probability (or the score) of class 1 against class 0. What already is a
    probability is never flattened by another softmax.

    Examples
    --------
    >>> probabilities(np.array([[0.9, 0.1]]))
    array([[0.9, 0.1]])
    >>> probabilities(np.array([[2.0, -2.0]])).round(3)
    array([[0.982, 0.018]])
    >>> probabilities(np.array([0.25]))
    array([[0.75, 0.25]])
    """
    scores = _numbers(values).reshape(len(values), -1)
    if scores.shape[1] == 1:
        if len(scores) and scores.min() >= 0.0 and scores.max() <= 1.0:
            return np.hstack([1.0 - scores, scores])
        scores = np.hstack([np.zeros_like(scores), scores])
    elif _are_probabilities(scores):
        return scores
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def labels(values: NDArray[Any]) -> NDArray[Any]:
    """Return one label per row: of several columns, the number of the largest."""
    if values.ndim == 1:
        return values
    return values[:, 0] if values.shape[1] == 1 else np.asarray(values.argmax(axis=1))


def checked_answer(values: object, n: int, learnware_id: str) -> NDArray[Any]:
    """Return what a learnware answered for `n` rows as an array `(n,)` or `(n, k)`.

    Raises
    ------
    GuestFailed
        The learnware did not answer with one row per row it was asked about.
    """
    array = np.asarray(values)
    if array.ndim not in (1, 2) or len(array) != n or 0 in array.shape[1:]:
        raise GuestFailed(
            f"Learnware {learnware_id} answered {n} rows with an array of shape {array.shape}.",
            remedy="Leave this learnware out, and tell its owner.",
            code="guest.output_shape",
        )
    return array


def _are_probabilities(values: NDArray[Any]) -> bool:
    if values.dtype.kind != "f":
        return False
    total = values.sum(axis=1)
    return bool((values >= 0.0).all() and (np.abs(total - 1.0) <= PROBABILITY_TOLERANCE).all())


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    if values.dtype.kind not in "buif":
        raise InvalidInput(
            f"Learnwares that answer with labels of type {values.dtype} cannot be averaged.",
            remedy='Let them vote: mode="vote_by_label", or task="labels".',
            code="reuse.not_numbers",
        )
    return values.astype(np.float64)


def _mean(values: Sequence[NDArray[Any]], answers: Sequence[Answer], n: int) -> NDArray[np.float64]:
    widths = {array.shape[1] for array in values}
    if len(widths) > 1:
        raise InvalidInput(
            f"The learnwares answer with {_listed(widths)} columns.",
            remedy="Combine learnwares that predict the same outputs, or vote by label.",
            code="reuse.outputs_differ",
        )
    total = np.zeros((n, widths.pop()))
    for answer, array in zip(answers, values, strict=True):
        total[answer.rows] += answer.share[:, None] * _numbers(array)
    return total


def _vote(answers: Sequence[Answer], n: int) -> NDArray[Any]:
    said = [labels(answer.values) for answer in answers]
    text = {array.dtype.kind in "USO" for array in said}
    if len(text) > 1:
        raise InvalidInput(
            "Some learnwares answer with text labels and others with numbers.",
            remedy="Combine learnwares that predict the same labels.",
            code="reuse.outputs_differ",
        )
    classes, position = np.unique(np.concatenate(said), return_inverse=True)
    votes = np.zeros((n, len(classes)))
    start = 0
    for answer in answers:
        end = start + len(answer.rows)
        votes[answer.rows, position[start:end]] += answer.share
        start = end
    leading = votes >= votes.max(axis=1, keepdims=True) - TIE
    return np.asarray(classes[leading.argmax(axis=1)])


def _listed(widths: set[int]) -> str:
    return " and ".join(map(str, sorted(widths)))
