"""The common test finds what it is there to find: each broken rule is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beimingwu.reuse import AveragingReuser, check_reuser


class _ChangesParameters(AveragingReuser):
    def __init__(self, learnwares: Any, mode: Any = "mean", weights: Any = None) -> None:
        super().__init__(list(learnwares), mode, [1.0] if weights is None else weights)


class _FitReturnsNothing(AveragingReuser):
    def fit(self, X: Any = None, y: Any = None) -> Any:
        return None


class _CentresTheBatch(AveragingReuser):
    def predict(self, X: Any) -> Any:
        predicted = super().predict(X)
        return predicted - predicted.mean() if len(predicted) else predicted


class _SortsItsAnswers(AveragingReuser):
    def predict(self, X: Any) -> Any:
        return np.sort(super().predict(X))


class _ChangesItsInput(AveragingReuser):
    def predict(self, X: Any) -> Any:
        predicted = super().predict(X)
        X[:] = 0.0
        return predicted


class _RefusesNoRows(AveragingReuser):
    def predict(self, X: Any) -> Any:
        return super().predict(X if len(X) else np.zeros((1, 2)))


class _ForgetsARow(AveragingReuser):
    def predict(self, X: Any) -> Any:
        return super().predict(X)[1:]


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (_ChangesParameters, "the constructor changes|a clone has another"),
        (_FitReturnsNothing, "does not return the reuser"),
        (_CentresTheBatch, "needs other rows"),
        (_SortsItsAnswers, "needs other rows|order of rows"),
        (_ChangesItsInput, "changes X|answers differently"),
        (_RefusesNoRows, "not empty"),
        (_ForgetsARow, "once per row"),
    ],
)
def test_a_broken_rule_is_named(learnware, broken, rule) -> None:
    member = learnware(lambda X: X[:, 0])
    with pytest.raises(AssertionError, match=rule):
        check_reuser(lambda: broken([member]))


def test_scikit_learn_is_not_imported_to_check_or_predict() -> None:
    import subprocess
    import sys

    code = (
        "import numpy as np, sys\n"
        "from types import SimpleNamespace as L\n"
        "from beimingwu import RKME\n"
        "from beimingwu.reuse import GatedReuser, check_reuser\n"
        "spec = RKME(np.eye(2), np.full(2, 0.5), n=20)\n"
        "make = lambda: L(id='1', specification=spec, predict=lambda X: X[:, 0])\n"
        "check_reuser(lambda: GatedReuser([make(), make()]))\n"
        "print('sklearn' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "False", answer.stderr
