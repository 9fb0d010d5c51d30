"""The common test of all reusers: run `check_reuser` on yours.

It needs no test framework; each rule that is broken raises an `AssertionError` that names it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidInput
from beimingwu.reuse.estimator import Reuser

ROWS = 24


def check_reuser(make_reuser: Callable[[], Reuser]) -> None:
    """Check that a reuser keeps the contract.

    The rows to predict are drawn from the specification of its first learnware.

    Parameters
    ----------
    make_reuser
        Returns a new reuser over working learnwares at each call.

    Raises
    ------
    AssertionError
        A rule is broken; the message names it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from beimingwu import RKME
    >>> from beimingwu.reuse import AveragingReuser
    >>> spec = RKME(np.array([[0.0], [1.0]]), np.full(2, 0.5), n=20)
    >>> learnware = SimpleNamespace(id="1", specification=spec, predict=lambda X: X[:, 0])
    >>> check_reuser(lambda: AveragingReuser([learnware]))
    """
    rows = np.asarray(make_reuser().learnwares[0].specification.sample(ROWS, 0))
    for check in (
        _check_parameters,
        _check_fit_returns_itself,
        _check_one_answer_per_row,
        _check_rows_are_answered_alone,
        _check_order_of_rows,
        _check_input_is_kept,
        _check_no_rows,
        _check_probabilities,
    ):
        check(make_reuser(), rows)


def _check_parameters(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    params = reuser.get_params(deep=False)
    for name, value in params.items():
        _require(getattr(reuser, name) is value, f"the constructor changes {name!r}")
    _require(reuser.set_params(**params) is reuser, "set_params does not return the reuser")
    copied = reuser.__sklearn_clone__()
    _require(type(copied) is type(reuser), "a clone is of another type")
    for name, value in copied.get_params(deep=False).items():
        _require(value is params[name], f"a clone has another {name!r}")


def _check_fit_returns_itself(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    before = reuser.get_params(deep=False)
    _require(reuser.fit() is reuser, "fit() does not return the reuser")
    _require(reuser.fit(rows) is reuser, "fit(X) does not return the reuser")
    after = reuser.get_params(deep=False)
    _require(all(after[name] is before[name] for name in before), "fit changes a parameter")


def _check_one_answer_per_row(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    predicted = reuser.fit().predict(rows)
    _require(len(predicted) == len(rows), "predict does not answer once per row")
    _require_same(predicted, reuser.predict(rows), "predict answers differently when asked again")


def _check_rows_are_answered_alone(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    together = reuser.fit().predict(rows)
    for i in (0, len(rows) // 2):
        _require_same(
            reuser.predict(rows[i : i + 1]), together[i : i + 1], "a row's answer needs other rows"
        )


def _check_order_of_rows(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    order = np.random.default_rng(0).permutation(len(rows))
    _require_same(
        reuser.fit().predict(rows[order]),
        reuser.predict(rows)[order],
        "answers depend on the order of rows",
    )


def _check_input_is_kept(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    given = rows.copy()
    reuser.fit(given).predict(given)
    _require(np.array_equal(given, rows), "fit or predict changes X")


def _check_no_rows(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    _require(len(reuser.fit().predict(rows[:0])) == 0, "predict of no rows is not empty")


def _check_probabilities(reuser: Reuser, rows: NDArray[np.floating]) -> None:
    predicted = reuser.fit().predict(rows)
    if not hasattr(reuser, "predict_proba"):
        return
    try:
        probability = reuser.predict_proba(rows)
    except InvalidInput:
        return  # The learnwares answer with labels or numbers, and it says so.
    _require(probability.ndim == 2, "probabilities have no column per class")
    _require(len(probability) == len(rows), "predict_proba does not answer once per row")
    _require(np.allclose(probability.sum(axis=1), 1.0), "probabilities do not sum to one")
    _require(np.array_equal(probability.argmax(axis=1), predicted), "predict is not the likeliest")


def _require(holds: bool, rule: str) -> None:
    # Not an `assert` statement: those are gone under `python -O`.
    if not holds:
        raise AssertionError(rule)


def _require_same(left: NDArray[np.generic], right: NDArray[np.generic], rule: str) -> None:
    _require(left.shape == right.shape, rule)
    if left.dtype.kind == "f":
        _require(np.allclose(left, right, rtol=1e-6, atol=1e-9), rule)
    else:
        _require(np.array_equal(left, right), rule)
