"""The contract of all reusers: scikit-learn estimators over learnwares, without scikit-learn.

A reuser says how much each learnware has to say on each row (`_shares`); this module asks the
learnwares and puts their answers together. scikit-learn itself is never imported unless it calls:
`clone`, `Pipeline` and `cross_val_score` take a reuser as one of their own.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from html import escape
from types import MethodType
from typing import Any, Protocol, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import InvalidInput
from beimingwu.reuse.classes import Classes, common_classes, require_same_classes
from beimingwu.reuse.outputs import Answer, DeclaredTask, Task, checked_answer, combine, settle
from beimingwu.reuse.rows import checked_rows
from beimingwu.specification import RKME
from beimingwu.specification.names import normal_names


class LearnwareLike(Protocol):
    """What a reuser needs of a learnware: a name, a specification, and predictions.

    Where it has a `semantic` specification too, task and names of classes are read from it.
    """

    @property
    def id(self) -> str:
        """Its name in the dock."""

    @property
    def specification(self) -> RKME:
        """What its data looked like."""

    def predict(self, X: NDArray[Any]) -> ArrayLike:
        """Return one answer per row, shape `(n,)` or `(n, k)`."""


class _WhereProbable:
    """Makes a method absent where there are no probabilities, as scikit-learn asks it to be."""

    def __init__(self, method: Callable[[Any, ArrayLike], NDArray[np.float64]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, reuser: Reuser | None, owner: type[Reuser]) -> Any:
        if reuser is None:
            return self._method
        task = reuser._declared()
        if task in ("regression", "labels"):
            raise AttributeError(f"{owner.__name__} for {task} has no predict_proba")
        return MethodType(self._method, reuser)


class Reuser(ABC):
    """Base of all reusers.

    Parameters are stored as given and checked when used. `fit` learns nothing from labels and may
    be called without data; a reuser predicts without it unless its own description says otherwise.
    """

    learnwares: Sequence[LearnwareLike]
    weights: ArrayLike | None

    #: Why `deploy` chose this reuser; empty where the caller chose it.
    reason: str = ""

    @abstractmethod
    def _shares(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return how much each learnware has to say, shape `(learnwares, n)`, columns sum to one.

        A learnware is asked only about rows where its share is positive.
        """

    @abstractmethod
    def _declared(self) -> DeclaredTask:
        """Return what is known of the task before any learnware answered."""

    def fit(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> Self:
        """Check the parameters (and `X`, where given) and return the reuser itself.

        Parameters
        ----------
        X
            Rows of the user's data, shape `(n, d)`; not needed.
        y
            Targets; for a classification their values become `classes_`. Without them `classes_`
            are the names of the classes, where the learnwares name them.

        Raises
        ------
        InvalidInput
            No learnwares, weights that do not match them, classes that cannot be brought
            together, or rows of another shape.
        """
        self._checked_weights()
        classes = self._classes()
        if X is not None:
            self._checked(X)
        self.n_features_in_ = self._specs()[0].dimension
        if y is not None and self._kind() == "classifier":
            self.classes_ = np.unique(np.asarray(y))
        elif classes.names:
            self.classes_ = np.array(classes.names)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the combined prediction for each row of `X`.

        Parameters
        ----------
        X
            Shape `(n, d)`; an array, or a table with columns. Where table and learnwares name
            their features, columns are taken by name, without regard to case, spacing and units
            in brackets; more columns do no harm. What has no names is taken by position.

        Returns
        -------
        ndarray
            Numbers `(n,)` or `(n, k)`, or one label per row `(n,)`. Where learnwares answer with
            probabilities the label is the number of the most probable class. Numbers of classes
            are those of the learnwares where these number their classes alike; where their names
            say otherwise, places in the union of the names, which `fit` leaves in `classes_`.

        Raises
        ------
        InvalidInput
            `X` has not the features that the learnwares expect, or their classes differ and are
            not all named.
        GuestFailed
            A learnware failed on these rows.
        """
        task, combined = self._answer(X)
        if task != "probabilities":
            return combined
        return np.asarray(combined.argmax(axis=1)) if len(combined) else np.empty(0, dtype=np.intp)

    @_WhereProbable
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape `(n, C)`, where the learnwares have them.

        A column is the class that `predict` gives its number.

        The method is absent (an `AttributeError`) for regression and for votes by label.

        Raises
        ------
        InvalidInput
            The learnwares answer with labels or numbers after all.
        """
        task, combined = self._answer(X)
        if len(combined) and task != "probabilities":
            raise InvalidInput(
                f"These learnwares answer with {'numbers' if task == 'regression' else task}, "
                "not with class probabilities.",
                remedy="Call predict instead.",
                code="reuse.no_probabilities",
            )
        return combined if len(combined) else np.empty((0, 0))

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return R2 for a regression (the mean over outputs), else the share of right labels."""
        target = np.asarray(y)
        task, combined = self._answer(X)
        if len(target) != len(combined) or len(target) == 0:
            raise InvalidInput(
                f"{len(combined)} rows need as many targets, and at least one. Got {len(target)}.",
                remedy="Pass one target per row of X.",
                code="reuse.targets",
            )
        if task == "regression":
            return _r2(target.astype(np.float64), combined)
        predicted = combined.argmax(axis=1) if task == "probabilities" else combined
        return float(np.mean(predicted == target.reshape(-1)))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; with `deep`, those of nested estimators as `outer__p`."""
        names = list(inspect.signature(type(self)).parameters)
        params = {name: getattr(self, name) for name in names}
        if deep:
            for name in names:
                if hasattr(params[name], "get_params") and not isinstance(params[name], type):
                    nested = params[name].get_params().items()
                    params.update({f"{name}__{key}": value for key, value in nested})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name and return the reuser itself.

        Raises
        ------
        InvalidInput
            There is no parameter of that name.
        """
        known = self.get_params(deep=False)
        for name, value in params.items():
            outer, _, inner = name.partition("__")
            if outer not in known:
                raise InvalidInput(
                    f"{type(self).__name__} has no parameter {outer!r}.",
                    remedy=f"Its parameters are {', '.join(known)}.",
                    code="reuse.parameter",
                )
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def close(self) -> None:
        """Close the learnwares: their processes end, and temporary folders are removed."""
        for learnware in self.learnwares:
            end = getattr(learnware, "close", None)
            if end is not None:
                end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __sklearn_clone__(self) -> Self:
        # A copy shares the learnwares: they hold processes, which cannot be copied.
        return type(self)(**self.get_params(deep=False))

    def _must_be_fitted(self) -> bool:
        return False

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        kind = self._kind()
        return Tags(
            estimator_type=kind,
            target_tags=TargetTags(required=False),
            transformer_tags=None,
            classifier_tags=ClassifierTags() if kind == "classifier" else None,
            regressor_tags=RegressorTags() if kind == "regressor" else None,
            input_tags=InputTags(allow_nan=True),
            requires_fit=self._must_be_fitted(),
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{lw.id} {w}".rstrip() for lw, w in self._weighted()[:5])
        more = ", …" if len(self.learnwares) > 5 else ""
        names = f": {shown}{more}" if shown else ""
        return f"{type(self).__name__}({_counted(len(self.learnwares))}{names})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(str(lw.id))}</td><td>{w}</td>"
            f"<td>{escape(repr(lw.specification))}</td></tr>"
            for lw, w in self._weighted()
        )
        return (
            f"<table><caption>{escape(type(self).__name__)}. {escape(self.reason)}</caption>"
            f"<tr><th>learnware</th><th>weight</th><th>specification</th></tr>{rows}</table>"
        )

    def _answer(self, X: ArrayLike) -> tuple[Task, NDArray[Any]]:
        self._checked_weights()
        classes = self._classes()
        rows = self._checked(X)
        share = self._shares(rows) if len(rows) else np.empty((len(self.learnwares), 0))
        answers: dict[int, Answer] = {}
        for i, (learnware, part) in enumerate(zip(self.learnwares, share, strict=True)):
            asked = np.flatnonzero(part > 0.0)
            if len(asked):
                values = learnware.predict(rows if len(asked) == len(rows) else rows[asked])
                checked = checked_answer(values, len(asked), learnware.id)
                answers[i] = Answer(asked, checked, part[asked])
        task = settle(self._declared(), list(answers.values()))
        aligned = [
            classes.aligned(task, answer, i, self.learnwares[i]) for i, answer in answers.items()
        ]
        return task, combine(task, aligned, len(rows))

    def _classes(self) -> Classes:
        if self._declared() == "regression":
            require_same_classes(self.learnwares)
            return Classes()
        return common_classes(self.learnwares)

    def _kind(self) -> str | None:
        declared = self._declared()
        if declared == "auto":
            return None
        return "regressor" if declared == "regression" else "classifier"

    def _specs(self) -> list[RKME]:
        return [learnware.specification for learnware in self.learnwares]

    def _weighted(self) -> list[tuple[LearnwareLike, str]]:
        try:
            shown = [f"{weight:.0%}" for weight in self._checked_weights()]
        except InvalidInput:  # To be shown, a reuser need not be able to work.
            shown = [""] * len(self.learnwares)
        return list(zip(self.learnwares, shown, strict=True))

    def _checked_weights(self) -> NDArray[np.float64]:
        return checked_weights(self.learnwares, self.weights)

    def _checked(self, X: ArrayLike) -> NDArray[Any]:
        # Where one names its features, the table is read by these names for all of them.
        named = next(filter(features_of, self.learnwares), self.learnwares[0])
        return checked_rows(X, named.specification, features_of(named))


def features_of(learnware: LearnwareLike) -> tuple[str, ...]:
    """Return a learnware's names for its features: of its points, else of its semantic ones."""
    semantic = getattr(learnware, "semantic", None)
    return learnware.specification.features or tuple(getattr(semantic, "feature_names", ()))


def checked_weights(
    learnwares: Sequence[LearnwareLike], weights: ArrayLike | None
) -> NDArray[np.float64]:
    """Return one weight per learnware, summing to one; equal ones where `weights` is None.

    Raises
    ------
    InvalidInput
        No learnwares, learnwares of different feature spaces, or weights that cannot be theirs.
    """
    if len(learnwares) == 0:
        raise InvalidInput(
            "There are no learnwares to reuse.",
            remedy="Pass at least one learnware.",
            code="reuse.no_learnwares",
        )
    shapes = {learnware.specification.shape for learnware in learnwares}
    if len(shapes) > 1:
        raise InvalidInput(
            f"The learnwares expect rows of different shapes: {sorted(shapes)}.",
            remedy="Combine learnwares of one feature space.",
            code="reuse.features_differ",
        )
    namings = {names for each in learnwares if (names := normal_names(features_of(each)))}
    if len(namings) > 1:
        one, other = sorted(namings)[:2]
        raise InvalidInput(
            f"The learnwares name their features differently: {', '.join(one)}; "
            f"{', '.join(other)}.",
            remedy="Combine learnwares that take the same features in the same order.",
            code="reuse.features_differ",
        )
    if weights is None:
        return np.full(len(learnwares), 1.0 / len(learnwares))
    given = np.asarray(weights, dtype=np.float64)
    fits = given.shape == (len(learnwares),) and bool(np.isfinite(given).all())
    if not fits or given.min() < 0.0 or given.sum() <= 0.0:
        raise InvalidInput(
            f"`weights` must be {len(learnwares)} numbers in [0, inf), not all zero. "
            f"Got {given.tolist()} instead.",
            remedy="Pass one weight per learnware, or None for equal weights.",
            code="reuse.weights",
        )
    return np.asarray(given / given.sum())


def declared_task(learnwares: Sequence[LearnwareLike], task: str) -> DeclaredTask:
    """Return the task as given, or as all learnwares' semantic specifications say it.

    Raises
    ------
    InvalidInput
        `task` is no task, or some learnwares classify where others do regression.
    """
    if task != "auto":
        if task not in get_args(DeclaredTask):
            raise InvalidInput(
                f"`task` must be one of {', '.join(get_args(DeclaredTask))}. Got {task!r} instead.",
                remedy='Pass "auto" to go by what the learnwares say.',
                code="reuse.task",
            )
        return task  # type: ignore[return-value]
    said = {_semantic_task(learnware) for learnware in learnwares} - {None}
    if len(said) > 1:
        raise InvalidInput(
            "Some learnwares classify and others do regression.",
            remedy="Combine learnwares of one task.",
            code="reuse.tasks_differ",
        )
    return said.pop() or "auto" if said else "auto"


def _semantic_task(learnware: LearnwareLike) -> DeclaredTask | None:
    task = getattr(getattr(learnware, "semantic", None), "task", None)
    named: dict[object, DeclaredTask] = {
        "Classification": "classification",
        "Regression": "regression",
    }
    return named.get(task)


def _r2(target: NDArray[np.float64], predicted: NDArray[Any]) -> float:
    truth = target.reshape(len(target), -1)
    residual = ((truth - predicted.reshape(truth.shape)) ** 2).sum(axis=0)
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    # As in scikit-learn: a constant target scores 1 when hit exactly and 0 otherwise.
    safe = np.where(spread > 0.0, spread, 1.0)
    score = np.where(spread > 0.0, 1.0 - residual / safe, np.where(residual > 0.0, 0.0, 1.0))
    return float(score.mean())


def _counted(count: int) -> str:
    return f"{count} learnware{'' if count == 1 else 's'}"
