"""Soft gating: who answers which row, and what stays true whoever does."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.errors import InvalidInput
from beimingwu.reuse import AveragingReuser, GatedReuser, check_reuser
from beimingwu.specification import RKME, GaussianKernel


def test_each_row_is_answered_by_the_learnware_whose_data_it_looks_like(learnware) -> None:
    reuser = GatedReuser([learnware(1.0, at=0.0), learnware(2.0, at=20.0)])
    rows = np.vstack([learnware.rows(5, at=0.0), learnware.rows(5, at=20.0)])
    np.testing.assert_allclose(reuser.predict(rows), [1.0] * 5 + [2.0] * 5, atol=1e-3)


def test_labels_are_voted_per_row(learnware) -> None:
    reuser = GatedReuser([learnware("low", at=0.0), learnware("high", at=20.0)])
    rows = np.vstack([learnware.rows(2, at=20.0), learnware.rows(1, at=0.0)])
    assert reuser.predict(rows).tolist() == ["high", "high", "low"]


def test_probabilities_are_mixed_per_row(learnware) -> None:
    members = [learnware([0.9, 0.1], at=0.0), learnware([0.2, 0.8], at=20.0)]
    reuser = GatedReuser(members, task="probabilities")
    rows = np.vstack([learnware.rows(1, at=0.0), learnware.rows(1, at=20.0)])
    np.testing.assert_allclose(reuser.predict_proba(rows), [[0.9, 0.1], [0.2, 0.8]], atol=1e-3)
    assert reuser.predict(rows).tolist() == [0, 1]


def test_a_row_that_looks_like_nobodys_data_is_shared_by_the_weights(learnware) -> None:
    reuser = GatedReuser([learnware(0.0, at=0.0), learnware(1.0, at=20.0)], weights=[0.75, 0.25])
    far = np.full((1, 2), 1e6)
    np.testing.assert_allclose(reuser.predict(far), [0.25])


def test_alike_specifications_make_gating_the_weighted_average(learnware) -> None:
    members, weights = [learnware(lambda X: X[:, 0]), learnware(lambda X: X[:, 1])], [0.3, 0.7]
    rows = learnware.rows()
    np.testing.assert_allclose(
        GatedReuser(members, weights).predict(rows),
        AveragingReuser(members, weights=weights).predict(rows),
    )


def test_units_of_the_features_change_nothing(learnware) -> None:
    unit = np.array([1.0, 1000.0])

    def in_unit(spec: RKME) -> RKME:
        return RKME(spec.points * unit, spec.weights, n=spec.n)

    members = [learnware(1.0, at=0.0), learnware(2.0, at=1.5)]
    rows = learnware.rows()
    before = GatedReuser(members).predict(rows)
    for member in members:
        member.specification = in_unit(member.specification)
    np.testing.assert_allclose(GatedReuser(members).predict(rows * unit), before, rtol=1e-6)


def test_a_narrow_kernel_decides_more_than_a_wide_one(learnware) -> None:
    members = [learnware(0.0, at=0.0), learnware(1.0, at=1.0)]
    rows = learnware.rows(50, at=0.5)
    spread = [
        np.std(GatedReuser(members, kernel=GaussianKernel((rate,))).predict(rows))
        for rate in (0.001, 5.0)
    ]
    assert spread[0] < 0.01 < 0.1 < spread[1]


def test_a_row_with_a_missing_value_is_gated_by_its_other_features(learnware) -> None:
    members = [learnware(1.0, at=0.0), learnware(2.0, at=20.0)]
    rows = np.array([[0.0, np.nan], [20.0, np.inf], [np.nan, 20.0]])
    np.testing.assert_allclose(GatedReuser(members).predict(rows), [1.0, 2.0, 2.0], atol=1e-3)
    np.testing.assert_array_equal(members[0].asked[0], rows, "the learnware sees what is missing")


def test_a_feature_missing_everywhere_gates_as_if_no_specification_had_it(learnware) -> None:
    both = [learnware(0.0, at=0.0), learnware(1.0, at=1.0)]
    kernel = GaussianKernel((0.8,), np.array([1.5, 2.0]))
    rows = learnware.rows()
    holes = np.c_[rows[:, 0], np.full(len(rows), np.nan)]
    with_holes = GatedReuser(both, kernel=kernel).predict(holes)
    for one in both:
        spec = one.specification
        one.specification = RKME(spec.points[:, :1], spec.weights, n=spec.n)
    alone = GatedReuser(both, kernel=GaussianKernel((0.8,), np.array([1.5]))).predict(rows[:, :1])
    np.testing.assert_allclose(with_holes, alone, rtol=1e-6)


def test_a_row_without_any_value_is_shared_by_the_weights(learnware) -> None:
    reuser = GatedReuser([learnware(0.0, at=0.0), learnware(1.0, at=20.0)], weights=[0.75, 0.25])
    np.testing.assert_allclose(reuser.predict([[np.nan, np.nan]]), [0.25])


def test_specifications_of_a_single_point_can_gate_too(learnware) -> None:
    members = [learnware(1.0), learnware(2.0)]
    for member, at in zip(members, (0.0, 5.0), strict=True):
        member.specification = RKME(np.full((1, 2), at), np.ones(1), n=10)
    assert GatedReuser(members).predict(np.full((1, 2), 4.0))[0] > 1.9


def test_learnwares_of_other_features_are_refused(learnware) -> None:
    stranger = learnware(1.0)
    stranger.specification = RKME(np.zeros((1, 3)), np.ones(1), n=10)
    with pytest.raises(InvalidInput) as refusal:
        GatedReuser([learnware(1.0), stranger]).fit()
    assert refusal.value.code == "reuse.features_differ"


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("auto", lambda X: X[:, 0]),
        ("regression", lambda X: X),
        ("labels", lambda X: np.where(X[:, 0] > 0, "up", "down")),
        ("probabilities", lambda X: X),
    ],
)
def test_every_task_keeps_the_common_contract(learnware, task, model) -> None:
    members = [learnware(model, at=0.0), learnware(lambda X: model(-X), at=1.0)]
    check_reuser(lambda: GatedReuser(members, [0.7, 0.3], task=task))
