"""Averaging and voting: what each mode makes of numbers, labels and probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.errors import GuestFailed, InvalidInput
from beimingwu.reuse import AveragingReuser, check_reuser


def test_the_mean_is_taken_per_output_and_not_over_outputs(learnware) -> None:
    reuser = AveragingReuser([learnware([1.0, 10.0]), learnware([3.0, 30.0])])
    np.testing.assert_allclose(reuser.predict(learnware.rows(3)), [[2.0, 20.0]] * 3)


def test_numbers_in_one_column_come_back_as_a_vector(learnware) -> None:
    reuser = AveragingReuser([learnware([1.0]), learnware(2.0)])
    np.testing.assert_allclose(reuser.predict(learnware.rows(3)), [1.5] * 3)


def test_weights_shift_the_mean_and_need_not_sum_to_one(learnware) -> None:
    reuser = AveragingReuser([learnware(0.0), learnware(8.0)], weights=[3, 1])
    np.testing.assert_allclose(reuser.predict(learnware.rows(2)), [2.0, 2.0])


def test_a_learnware_without_weight_is_not_asked(learnware) -> None:
    silent = learnware(100.0)
    AveragingReuser([learnware(1.0), silent], weights=[1, 0]).predict(learnware.rows())
    assert silent.asked == []


def test_each_learnware_is_asked_once_about_all_rows(learnware) -> None:
    members = [learnware(1.0), learnware(2.0)]
    AveragingReuser(members).predict(learnware.rows(9))
    assert [[len(rows) for rows in member.asked] for member in members] == [[9], [9]]


@pytest.mark.parametrize(
    ("said", "elected"),
    [
        (["ham", "spam", "spam"], "spam"),
        ([2, 1, 1], 1),
        ([2.5, 1.5, 2.5], 2.5),
        ([True, False, True], True),
    ],
)
def test_the_label_of_most_votes_wins_and_keeps_its_type(learnware, said, elected) -> None:
    reuser = AveragingReuser([learnware(label) for label in said], "vote_by_label")
    predicted = reuser.predict(learnware.rows(2))
    assert predicted.tolist() == [elected, elected]
    assert predicted.dtype.kind == np.asarray(said).dtype.kind


def test_a_heavy_voice_outvotes_two_light_ones(learnware) -> None:
    members = [learnware(7), learnware(3), learnware(3)]
    reuser = AveragingReuser(members, "vote_by_label", weights=[0.6, 0.2, 0.2])
    assert reuser.predict(learnware.rows(1)).tolist() == [7]


def test_of_equal_votes_the_smallest_label_wins_in_any_order(learnware) -> None:
    # 0.1 + 0.2 and 0.3 differ in the last bit, which must not decide.
    members, weights = [learnware(5), learnware(5), learnware(4)], [0.1, 0.2, 0.3]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        reuser = AveragingReuser(
            [members[i] for i in order], "vote_by_label", [weights[i] for i in order]
        )
        assert reuser.predict(learnware.rows(1)).tolist() == [4]


def test_probabilities_vote_by_label_through_their_largest(learnware) -> None:
    members = [learnware([0.9, 0.1]), learnware([0.4, 0.6]), learnware([0.4, 0.6])]
    rows = learnware.rows(1)
    assert AveragingReuser(members, "vote_by_label").predict(rows).tolist() == [1]
    assert AveragingReuser(members, "vote_by_prob").predict(rows).tolist() == [0]


def test_probabilities_are_averaged_and_never_flattened(learnware) -> None:
    reuser = AveragingReuser([learnware([1.0, 0.0]), learnware([0.6, 0.4])], "vote_by_prob")
    np.testing.assert_allclose(reuser.predict_proba(learnware.rows(1)), [[0.8, 0.2]])


def test_scores_become_probabilities_first(learnware) -> None:
    reuser = AveragingReuser([learnware([0.0, np.log(3.0)])], "vote_by_prob")
    np.testing.assert_allclose(reuser.predict_proba(learnware.rows(1)), [[0.25, 0.75]])


def test_one_column_is_the_probability_of_class_one(learnware) -> None:
    reuser = AveragingReuser([learnware([0.7]), learnware(0.9)], "vote_by_prob")
    np.testing.assert_allclose(reuser.predict_proba(learnware.rows(1)), [[0.2, 0.8]])


@pytest.mark.parametrize("mode", ["mean", "vote_by_label"])
def test_there_are_no_probabilities_where_none_are_averaged(learnware, mode) -> None:
    assert not hasattr(AveragingReuser([learnware(1)], mode), "predict_proba")


def test_auto_asked_for_probabilities_of_labels_says_what_to_do(learnware) -> None:
    reuser = AveragingReuser([learnware("ham")], "auto")
    with pytest.raises(InvalidInput, match="Call predict instead"):
        reuser.predict_proba(learnware.rows(2))


@pytest.mark.parametrize(
    ("answer", "task", "expected"),
    [
        (1.5, None, 1.5),
        (3, None, 3),
        ([0.2, 0.8], None, 1),
        ([2.0, 4.0], None, [2.0, 4.0]),
        ([2.0, 4.0], "Classification", 1),
        ([0.2, 0.8], "Regression", [0.2, 0.8]),
        (4.0, "Classification", 4.0),
        ("cat", None, "cat"),
    ],
)
def test_auto_reads_an_answer_by_the_task_and_else_by_its_looks(
    learnware, answer, task, expected
) -> None:
    members = [learnware(answer, task=task), learnware(answer, task=task)]
    assert AveragingReuser(members, "auto").predict(learnware.rows(1)).tolist() == [expected]


def test_labels_of_a_classification_are_voted_and_not_averaged(learnware) -> None:
    members = [learnware(v, task="Classification") for v in (1.0, 1.0, 4.0)]
    assert AveragingReuser(members, "auto").predict(learnware.rows(1)).tolist() == [1.0]


@pytest.mark.parametrize(
    ("answers", "mode"),
    [
        (([1.0, 2.0], [1.0, 2.0, 3.0]), "mean"),
        (([0.5, 0.5], [0.5, 0.3, 0.2]), "vote_by_prob"),
        (("ham", 1), "vote_by_label"),
    ],
)
def test_answers_that_differ_in_kind_are_refused(learnware, answers, mode) -> None:
    reuser = AveragingReuser([learnware(answer) for answer in answers], mode)
    with pytest.raises(InvalidInput) as refusal:
        reuser.predict(learnware.rows(2))
    assert refusal.value.code == "reuse.outputs_differ"


def test_text_cannot_be_averaged_and_the_remedy_is_to_vote(learnware) -> None:
    with pytest.raises(InvalidInput, match="vote_by_label"):
        AveragingReuser([learnware("ham")]).predict(learnware.rows(2))


def test_a_learnware_that_answers_with_too_few_rows_is_named(learnware) -> None:
    broken = learnware(lambda X: np.zeros(len(X) - 1), id="00000042")
    with pytest.raises(GuestFailed, match="00000042"):
        AveragingReuser([learnware(1.0), broken]).predict(learnware.rows(3))


def test_an_unknown_mode_is_refused_with_the_known_ones(learnware) -> None:
    with pytest.raises(InvalidInput, match="vote_by_prob"):
        AveragingReuser([learnware(1.0)], "median").fit().predict(learnware.rows(1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "model"),
    [
        ("mean", lambda X: X[:, 0]),
        ("mean", lambda X: np.c_[X, X.sum(axis=1)]),
        ("vote_by_label", lambda X: X[:, 0] > 0),
        ("vote_by_prob", lambda X: X),
        ("auto", lambda X: np.where(X[:, 0] > 0, "up", "down")),
    ],
)
def test_every_mode_keeps_the_common_contract(learnware, mode, model) -> None:
    members = [learnware(model), learnware(lambda X: model(-X))]
    check_reuser(lambda: AveragingReuser(members, mode, [0.7, 0.3]))
