"""Job selection: one learnware per row, by the densities or by a classifier."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from beimingwu.errors import InvalidInput
from beimingwu.reuse import JobSelectorReuser, check_reuser


def two(learnware) -> list:
    return [learnware(1.0, at=0.0), learnware(2.0, at=20.0)]


def some_rows(learnware) -> np.ndarray:
    return np.vstack([learnware.rows(4, at=20.0), learnware.rows(6, at=0.0)])


def test_each_row_is_answered_by_one_learnware(learnware) -> None:
    predicted = JobSelectorReuser(two(learnware)).predict(some_rows(learnware))
    assert predicted.tolist() == [2.0] * 4 + [1.0] * 6


def test_a_learnware_is_asked_about_its_own_rows_only(learnware) -> None:
    members, rows = two(learnware), some_rows(learnware)
    JobSelectorReuser(members).predict(rows)
    np.testing.assert_array_equal(members[0].asked[0], rows[4:])
    np.testing.assert_array_equal(members[1].asked[0], rows[:4])


def test_a_learnware_that_gets_no_row_is_not_asked(learnware) -> None:
    members = two(learnware)
    JobSelectorReuser(members).predict(learnware.rows(3, at=0.0))
    assert members[1].asked == []


def test_the_weights_decide_between_alike_specifications(learnware) -> None:
    members = [learnware(1.0), learnware(2.0)]
    assert JobSelectorReuser(members, [0.4, 0.6]).predict(learnware.rows(2)).tolist() == [2.0, 2.0]


def test_a_classifier_on_herded_rows_selects_like_the_densities(learnware) -> None:
    rows = some_rows(learnware)
    by_density = JobSelectorReuser(two(learnware)).job_selector(rows)
    classifier = LogisticRegression()
    reuser = JobSelectorReuser(two(learnware), classifier=classifier, samples=60).fit()
    np.testing.assert_array_equal(reuser.job_selector(rows), by_density)
    assert not hasattr(classifier, "coef_"), "the caller's classifier stays untrained"


def test_a_learnware_of_little_weight_still_gets_rows_to_train_on(learnware) -> None:
    reuser = JobSelectorReuser(
        two(learnware), [0.999, 0.001], classifier=KNeighborsClassifier(3), samples=50
    ).fit()
    assert reuser.predict(learnware.rows(2, at=20.0)).tolist() == [2.0, 2.0]


def test_a_classifier_that_is_not_trained_says_so(learnware) -> None:
    reuser = JobSelectorReuser(two(learnware), classifier=LogisticRegression())
    with pytest.raises(InvalidInput, match=r"Call fit\(\) first"):
        reuser.predict(some_rows(learnware))


def test_one_learnware_needs_no_classifier(learnware) -> None:
    reuser = JobSelectorReuser([learnware(3.0)], classifier=LogisticRegression()).fit()
    assert reuser.predict(learnware.rows(2)).tolist() == [3.0, 3.0]


def test_parameters_of_the_classifier_can_be_set_from_outside(learnware) -> None:
    reuser = JobSelectorReuser(two(learnware), classifier=LogisticRegression())
    assert reuser.set_params(classifier__C=0.5).get_params()["classifier__C"] == 0.5


@pytest.mark.parametrize("classifier", [None, KNeighborsClassifier(3)])
def test_it_keeps_the_common_contract(learnware, classifier) -> None:
    members = [learnware(lambda X: X[:, 0], at=0.0), learnware(lambda X: -X[:, 0], at=1.0)]
    check_reuser(lambda: JobSelectorReuser(members, classifier=classifier, samples=40))
