"""Job selection: each row is answered by the one learnware whose data it most likely is."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import InvalidInput
from beimingwu.reuse.density import filled, shares
from beimingwu.reuse.estimator import LearnwareLike, Reuser, declared_task
from beimingwu.reuse.outputs import DeclaredTask
from beimingwu.specification import GaussianKernel

#: Fewest herded rows per learnware, so that a classifier knows every one of them.
FEWEST_SAMPLES = 5


class Classifier(Protocol):
    """A classifier in scikit-learn's manner."""

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> object:
        """Learn from rows `(n, d)` and class numbers `(n,)`."""

    def predict(self, X: NDArray[Any]) -> ArrayLike:
        """Return one class number per row."""


class JobSelectorReuser(Reuser):
    """Give each row to the learnware `argmax_i w_i f_i(x)`, and ask it about its own rows only.

    `f_i` is the density of learnware i's data, read from its specification: the decision that a
    classifier trained on samples of the specifications approximates, without the training.

    Parameters
    ----------
    learnwares
        At least one, of one feature space.
    weights
        One weight per learnware, those of a mixture for instance; equal ones by default.
    kernel
        Of the densities; as in `GatedReuser`.
    task
        As in `GatedReuser`.
    classifier
        A classifier in scikit-learn's manner to select by instead of the densities. `fit` trains a
        copy of it, `classifier_`, on rows herded from the specifications.
    samples
        Number of herded rows over all learnwares together, shared out by weight.
    random_state
        Seed of the herding.

    References
    ----------
    Wu, Xu, Liu and Zhou, "Model reuse with reduced kernel mean embedding specification" (2020),
    algorithm 4.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from beimingwu import RKME
    >>> learnwares = [
    ...     SimpleNamespace(
    ...         id=str(t),
    ...         specification=RKME(np.array([[t - 1.0], [t + 1.0]]), np.full(2, 0.5), n=20),
    ...         predict=lambda X, t=t: np.full(len(X), t),
    ...     )
    ...     for t in (0, 30)
    ... ]
    >>> JobSelectorReuser(learnwares).job_selector(np.array([[29.0], [1.0]]))
    array([1, 0])
    """

    def __init__(
        self,
        learnwares: Sequence[LearnwareLike],
        weights: ArrayLike | None = None,
        kernel: GaussianKernel | None = None,
        task: str = "auto",
        classifier: Classifier | None = None,
        samples: int = 1_000,
        random_state: int = 0,
    ) -> None:
        self.learnwares = learnwares
        self.weights = weights
        self.kernel = kernel
        self.task = task
        self.classifier = classifier
        self.samples = samples
        self.random_state = random_state

    def fit(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> Self:
        """Check the parameters and train the classifier, where there is one.

        Neither `X` nor `y` is learned from: the rows to train on come from the specifications.
        """
        super().fit(X, y)
        if self.classifier is not None and self._must_be_fitted():
            self.classifier_ = copy.deepcopy(self.classifier)
            self.classifier_.fit(*self._herded())
        return self

    def job_selector(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the position in `learnwares` of the one to ask about each row, shape `(n,)`.

        Raises
        ------
        InvalidInput
            A `classifier` is to select and `fit` was not called.
        """
        weights, specs, rows = self._checked_weights(), self._specs(), self._checked(X)
        if not self._must_be_fitted():
            return np.asarray(shares(rows, specs, weights, self.kernel).argmax(axis=0))
        if not hasattr(self, "classifier_"):
            raise InvalidInput(
                "The classifier that selects among the learnwares is not trained yet.",
                remedy="Call fit() first; it needs no data.",
                code="reuse.not_fitted",
            )
        return np.asarray(self.classifier_.predict(filled(rows, specs)), dtype=np.intp)

    def _must_be_fitted(self) -> bool:
        return self.classifier is not None and len(self.learnwares) > 1

    def _shares(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        chosen = self.job_selector(rows)
        return np.asarray(chosen == np.arange(len(self.learnwares))[:, None], dtype=np.float64)

    def _declared(self) -> DeclaredTask:
        return declared_task(self.learnwares, self.task)

    def _herded(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        specs, weights = self._specs(), self._checked_weights()
        counts = [max(FEWEST_SAMPLES, int(self.samples * weight)) for weight in weights]
        rows = [
            spec.sample(count, self.random_state).reshape(count, -1).astype(np.float64)
            for spec, count in zip(specs, counts, strict=True)
        ]
        return np.concatenate(rows), np.repeat(np.arange(len(specs)), counts)
