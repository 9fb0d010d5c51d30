"""The scikit-learn contract, tried with scikit-learn itself, and what input is taken or refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from beimingwu.errors import InvalidInput
from beimingwu.reuse import AveragingReuser, GatedReuser, JobSelectorReuser
from beimingwu.reuse.estimator import Reuser


def regression(learnware) -> GatedReuser:
    members = [
        learnware(lambda X: X[:, 0], at=0.0, task="Regression"),
        learnware(lambda X: X[:, 0] + 1.0, at=1.0, task="Regression"),
    ]
    return GatedReuser(members, [0.6, 0.4])


def classification(learnware) -> GatedReuser:
    def up(X: np.ndarray) -> np.ndarray:
        p = 1.0 / (1.0 + np.exp(-3.0 * X[:, 0]))
        return np.c_[1.0 - p, p]

    return GatedReuser([learnware(up, task="Classification"), learnware(up, task="Classification")])


def test_a_clone_has_the_parameters_and_shares_the_learnwares(learnware) -> None:
    reuser = regression(learnware)
    copied = clone(reuser)
    assert copied is not reuser
    assert copied.learnwares is reuser.learnwares
    assert copied.weights == [0.6, 0.4]


def test_scikit_learn_knows_a_classifier_from_a_regressor(learnware) -> None:
    assert is_regressor(regression(learnware))
    assert is_classifier(classification(learnware))
    unknown = GatedReuser([learnware(1.0)])
    assert not is_regressor(unknown)
    assert not is_classifier(unknown)


def test_it_stands_at_the_end_of_a_pipeline(learnware) -> None:
    rows = learnware.rows()
    pipeline = clone(make_pipeline(FunctionTransformer(np.negative), regression(learnware)))
    predicted = pipeline.fit(rows, rows[:, 0]).predict(-rows)
    np.testing.assert_allclose(predicted, regression(learnware).predict(rows))


@pytest.mark.parametrize("scoring", [None, "accuracy", "roc_auc", "neg_log_loss"])
def test_a_classification_is_scored_by_cross_validation(learnware, scoring) -> None:
    rows = learnware.rows(60)
    scores = cross_val_score(classification(learnware), rows, rows[:, 0] > 0, scoring=scoring)
    assert len(scores) == 5
    assert scores.min() > (-0.5 if scoring == "neg_log_loss" else 0.99)


@pytest.mark.parametrize("scoring", [None, "neg_root_mean_squared_error"])
def test_a_regression_is_scored_by_cross_validation(learnware, scoring) -> None:
    rows = learnware.rows(60)
    truth = regression(learnware).predict(rows)
    scores = cross_val_score(regression(learnware), rows, truth, scoring=scoring)
    np.testing.assert_allclose(scores, 1.0 if scoring is None else 0.0, atol=1e-9)


def test_it_votes_beside_estimators_of_scikit_learn(learnware) -> None:
    rows = learnware.rows(60)
    target = (rows[:, 0] > 0).astype(int)
    ensemble = VotingClassifier(
        [("dock", classification(learnware)), ("own", LogisticRegression())], voting="soft"
    )
    assert ensemble.fit(rows, target).score(rows, target) > 0.95


def test_only_a_job_selector_with_a_classifier_must_be_fitted(learnware) -> None:
    check_is_fitted(regression(learnware))
    members = [learnware(1.0), learnware(2.0, at=5.0)]
    selector = JobSelectorReuser(members, classifier=LogisticRegression(), samples=40)
    with pytest.raises(NotFittedError):
        check_is_fitted(selector)
    check_is_fitted(selector.fit())


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_score_of_a_regression_is_that_of_scikit_learn(learnware, outputs) -> None:
    rows = learnware.rows()
    reuser = AveragingReuser([learnware(lambda X: X[:, :outputs] * 0.7)])
    truth = rows[:, :outputs]
    assert reuser.score(rows, truth) == pytest.approx(r2_score(truth, reuser.predict(rows)))


def test_a_constant_target_scores_as_in_scikit_learn(learnware) -> None:
    rows = learnware.rows(3)
    assert AveragingReuser([learnware(2.0)]).score(rows, [2.0] * 3) == 1.0
    assert AveragingReuser([learnware(2.5)]).score(rows, [2.0] * 3) == 0.0


def test_the_score_of_labels_is_the_share_of_right_ones(learnware) -> None:
    reuser = AveragingReuser([learnware("oak")], "vote_by_label")
    assert reuser.score(learnware.rows(4), ["oak", "elm", "oak", "oak"]) == 0.75


def test_a_score_without_a_target_per_row_is_refused(learnware) -> None:
    with pytest.raises(InvalidInput, match="one target per row"):
        AveragingReuser([learnware(1.0)]).score(learnware.rows(3), [1.0])


def test_an_unknown_parameter_is_refused_with_the_known_ones(learnware) -> None:
    with pytest.raises(InvalidInput, match="kernel"):
        regression(learnware).set_params(gamma=0.1)


def test_columns_of_a_table_are_taken_by_name(learnware) -> None:
    member = learnware(lambda X: X[:, 0])
    member.specification = learnware.specification(features=("rain", "wind"))
    table = pd.DataFrame({"wind": [5.0, 6.0], "other": [0.0, 0.0], "rain": [1.0, 2.0]})
    before = table.copy()
    assert AveragingReuser([member]).predict(table).tolist() == [1.0, 2.0]
    pd.testing.assert_frame_equal(table, before)


def named_learnware(learnware, *features: str):
    member = learnware(lambda X: X[:, 0])
    member.specification = learnware.specification(features=features)
    return member


@pytest.mark.parametrize("other", [("wind", "rain"), ("rain", "snow")])
def test_learnwares_of_other_features_or_another_order_are_not_combined(learnware, other) -> None:
    members = [named_learnware(learnware, "rain", "wind"), named_learnware(learnware, *other)]
    with pytest.raises(InvalidInput) as refusal:
        AveragingReuser(members).predict(pd.DataFrame({"rain": [1.0], "wind": [5.0]}))
    assert refusal.value.code == "reuse.features_differ"
    assert "rain, wind" in refusal.value.problem and ", ".join(other) in refusal.value.problem
    assert [member.asked for member in members] == [[], []]


def test_one_naming_speaks_for_the_learnwares_without_names(learnware) -> None:
    members = [learnware(lambda X: X[:, 0]), named_learnware(learnware, "Rain (mm)", "wind")]
    members.append(named_learnware(learnware, "rain", "wind"))
    table = pd.DataFrame({"wind": [5.0, 6.0], "rain": [1.0, 2.0]})
    assert AveragingReuser(members).predict(table).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("columns", [["Wind_Speed", "RAIN"], ["wind speed [m/s]", "Rain (mm)"]])
def test_case_spacing_and_units_of_names_do_not_matter(learnware, columns) -> None:
    member = named_learnware(learnware, "rain", "wind speed")
    table = pd.DataFrame([[5.0, 1.0], [6.0, 2.0]], columns=columns)
    assert AveragingReuser([member]).predict(table).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("columns", [["price", "rain"], ["price", "other"], ["", "rain"]])
def test_a_table_without_a_named_feature_is_refused(learnware, columns) -> None:
    member = named_learnware(learnware, "rain", "wind")
    with pytest.raises(InvalidInput) as refusal:
        AveragingReuser([member]).predict(pd.DataFrame([[5.0, 1.0]], columns=columns))
    assert refusal.value.code == "reuse.features_missing"
    assert "wind" in refusal.value.problem and columns[1] in refusal.value.problem
    assert "rain, wind" in refusal.value.remedy
    assert member.asked == []


def test_a_name_that_fits_two_columns_is_not_guessed(learnware) -> None:
    member = named_learnware(learnware, "temp", "wind")
    reuser = AveragingReuser([member])
    table = pd.DataFrame([[5.0, 1.0, 0.0]], columns=["Temp (C)", "Temp (F)", "wind"])
    with pytest.raises(InvalidInput, match="no column for temp") as refusal:
        reuser.predict(table)
    assert refusal.value.code == "reuse.features_missing"
    assert reuser.predict(table.rename(columns={"Temp (F)": "temp"})).tolist() == [1.0]


def test_two_features_of_one_name_but_for_the_unit_need_their_own_columns(learnware) -> None:
    member = named_learnware(learnware, "temp (C)", "temp (F)")
    with pytest.raises(InvalidInput, match=r"temp \(F\)"):
        AveragingReuser([member]).predict(pd.DataFrame({"temp (C)": [1.0], "temp": [2.0]}))


def test_names_of_the_semantic_specification_count_where_the_statistical_one_has_none(
    learnware,
) -> None:
    member = learnware(lambda X: X[:, 0])
    member.semantic = SimpleNamespace(task="Regression", feature_names=("rain", "wind"))
    reuser = AveragingReuser([member])
    assert reuser.predict(pd.DataFrame({"wind": [5.0], "rain": [1.0]})).tolist() == [1.0]
    with pytest.raises(InvalidInput, match="no column for wind"):
        reuser.predict(pd.DataFrame({"price": [5.0], "rain": [1.0]}))


@pytest.mark.parametrize("columns", [[0, 1], ["x1", "x2"], ["Unnamed: 0", "Unnamed: 1"]])
def test_columns_that_are_only_counted_are_taken_by_position(learnware, columns) -> None:
    member = named_learnware(learnware, "rain", "wind")
    table = pd.DataFrame([[1.0, 5.0]], columns=columns)
    assert AveragingReuser([member]).predict(table).tolist() == [1.0]


def test_named_columns_are_taken_by_position_where_the_learnware_has_no_names(learnware) -> None:
    table = pd.DataFrame({"rain": [1.0], "wind": [5.0]})
    for member in (learnware(lambda X: X[:, 0]), named_learnware(learnware, "x0", "x1")):
        assert AveragingReuser([member]).predict(table).tolist() == [1.0]


def test_rows_of_another_width_are_refused_with_the_features_expected(learnware) -> None:
    member = learnware(1.0)
    member.specification = learnware.specification(features=("rain", "wind"))
    with pytest.raises(InvalidInput, match="rain, wind") as refusal:
        AveragingReuser([member]).predict(np.zeros((3, 5)))
    assert refusal.value.code == "reuse.shape"


@pytest.mark.parametrize("X", [[["a", "b"]], [[1.0, "b"]], np.array([[object(), 1]])])
def test_rows_that_are_no_numbers_are_refused(learnware, X) -> None:
    with pytest.raises(InvalidInput) as refusal:
        regression(learnware).predict(X)
    assert refusal.value.code == "reuse.not_numbers"


def test_a_single_record_without_its_row_is_refused(learnware) -> None:
    with pytest.raises(InvalidInput, match=r"shape \(n, 2\)"):
        regression(learnware).predict(np.zeros(2))


@pytest.mark.parametrize(
    ("given", "dtype"), [(np.float32, np.float32), (np.float64, np.float64), (int, np.float64)]
)
def test_learnwares_get_the_precision_that_was_given(learnware, given, dtype) -> None:
    member = learnware(1.0)
    AveragingReuser([member]).predict(np.zeros((2, 2), dtype=given))
    assert member.asked[0].dtype == dtype


@pytest.mark.parametrize("weights", [[1.0], [0.5, -0.1], [0.0, 0.0], [np.nan, 1.0], 1.0])
def test_weights_that_cannot_be_the_learnwares_are_refused(learnware, weights) -> None:
    with pytest.raises(InvalidInput) as refusal:
        GatedReuser([learnware(1.0), learnware(2.0)], weights).fit()
    assert refusal.value.code == "reuse.weights"


def test_no_learnwares_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one learnware"):
        GatedReuser([]).fit()


def test_learnwares_of_two_tasks_are_refused(learnware) -> None:
    members = [learnware(1.0, task="Regression"), learnware(1, task="Classification")]
    with pytest.raises(InvalidInput) as refusal:
        GatedReuser(members).predict(learnware.rows(1))
    assert refusal.value.code == "reuse.tasks_differ"


def test_an_unknown_task_is_refused(learnware) -> None:
    with pytest.raises(InvalidInput, match="probabilities"):
        GatedReuser([learnware(1.0)], task="ranking").predict(learnware.rows(1))


def test_no_learnware_is_asked_about_no_rows(learnware) -> None:
    member = learnware(1.0)
    assert AveragingReuser([member]).predict(np.empty((0, 2))).shape == (0,)
    assert member.asked == []


def test_leaving_the_context_closes_every_learnware(learnware) -> None:
    members = [learnware(1.0), learnware(2.0)]
    with AveragingReuser(members) as reuser:
        reuser.predict(learnware.rows(1))
    assert [member.closed for member in members] == [1, 1]


def test_it_shows_itself_with_names_and_weights(learnware) -> None:
    reuser = GatedReuser([learnware(1.0, id="00000007"), learnware(1.0, id="<b>")], [3, 1])
    assert repr(reuser) == "GatedReuser(2 learnwares: 00000007 75%, <b> 25%)"
    html = reuser._repr_html_()
    assert "75%" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize("kind", [AveragingReuser, GatedReuser, JobSelectorReuser])
def test_even_a_reuser_that_cannot_work_can_be_shown(kind: type[Reuser], learnware) -> None:
    assert kind.__name__ in repr(kind([]))
    assert kind.__name__ in repr(kind([learnware(1.0)], weights=[1, 2, 3]))
