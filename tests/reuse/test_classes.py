"""Classifiers of other classes are combined by the names of these, or refused; never by number."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.errors import InvalidInput
from beimingwu.reuse import (
    AveragingReuser,
    GatedReuser,
    JobSelectorReuser,
    check_reuser,
    deploy,
)
from beimingwu.reuse.estimator import Reuser
from beimingwu.specification import Dimensions

CAT_DOG, ANT_CAT = Dimensions.of(["cat", "dog"]), Dimensions.of(["ant", "cat"])
UNION = ["cat", "dog", "ant"]

VOTERS = {
    "vote_by_prob": lambda members: AveragingReuser(members, "vote_by_prob"),
    "vote_by_label": lambda members: AveragingReuser(members, "vote_by_label"),
    "average": lambda members: AveragingReuser(members, "auto"),
    "gated": GatedReuser,
    "job selector": JobSelectorReuser,
    "deployed": deploy,
    "deployed averaging": lambda members: deploy(members, method="averaging"),
}


@pytest.fixture(params=VOTERS.values(), ids=VOTERS)
def combined(request):
    """Return a way to combine learnwares."""
    return request.param


def named(reuser: Reuser, rows: np.ndarray) -> list[str]:
    return [reuser.fit().classes_[number] for number in reuser.predict(rows)]


@pytest.mark.parametrize(
    ("says_dog", "says_ant"),
    [([0.1, 0.9], [0.9, 0.1]), (1, 0), (1.0, 0.0), ([-2.0, 3.0], [4.0, 1.0])],
    ids=["probabilities", "labels", "labels as floats", "scores"],
)
def test_each_part_of_the_data_gets_the_class_that_its_learnware_names(
    learnware, says_dog, says_ant
) -> None:
    members = [
        learnware(says_dog, at=0.0, output=CAT_DOG),
        learnware(says_ant, at=20.0, output=ANT_CAT),
    ]
    rows = np.vstack([learnware.rows(2, at=0.0), learnware.rows(2, at=20.0)])
    for make in (GatedReuser, JobSelectorReuser, deploy):
        reuser = make(members)
        assert named(reuser, rows) == ["dog", "dog", "ant", "ant"]
        assert reuser.classes_.tolist() == UNION


def test_learnwares_agree_on_a_cat_whatever_its_number(learnware, combined) -> None:
    members = [learnware([0.9, 0.1], output=CAT_DOG), learnware([0.1, 0.9], output=ANT_CAT)]
    assert named(combined(members), learnware.rows(2)) == ["cat", "cat"]
    members = [learnware(0, output=CAT_DOG), learnware(1, output=ANT_CAT)]
    assert named(combined(members), learnware.rows(2)) == ["cat", "cat"]


def test_probabilities_have_a_column_per_class_of_the_union(learnware) -> None:
    members = [learnware([0.7, 0.3], output=CAT_DOG), learnware([0.6, 0.4], output=ANT_CAT)]
    reuser = AveragingReuser(members, "vote_by_prob", weights=[0.5, 0.5])
    np.testing.assert_allclose(reuser.predict_proba(learnware.rows(1)), [[0.55, 0.15, 0.3]])


def test_one_column_is_the_probability_of_the_second_class_named(learnware) -> None:
    members = [learnware([0.9], output=CAT_DOG), learnware([0.2], output=ANT_CAT)]
    reuser = AveragingReuser(members, "vote_by_prob")
    np.testing.assert_allclose(reuser.predict_proba(learnware.rows(1)), [[0.15, 0.45, 0.4]])


def test_the_same_classes_in_another_order_are_brought_together(learnware, combined) -> None:
    members = [
        learnware([0.2, 0.8], output=CAT_DOG),
        learnware([0.8, 0.2], output=Dimensions.of(["dog", "cat"])),
    ]
    reuser = combined(members)
    assert named(reuser, learnware.rows(1)) == ["dog"]
    assert reuser.classes_.tolist() == ["cat", "dog"]


def test_the_same_classes_in_the_same_order_keep_their_numbers(learnware, combined) -> None:
    members = [learnware([0.2, 0.8], output=CAT_DOG), learnware([0.1, 0.9], output=CAT_DOG)]
    reuser = combined(members)
    assert reuser.predict(learnware.rows(1)).tolist() == [1]
    assert named(reuser, learnware.rows(1)) == ["dog"]


def test_classes_without_names_keep_their_numbers_where_they_are_as_many(
    learnware, combined
) -> None:
    members = [learnware([0.2, 0.8], output=Dimensions(2)), learnware([0.1, 0.9])]
    reuser = combined(members)
    assert reuser.predict(learnware.rows(1)).tolist() == [1]
    assert not hasattr(reuser.fit(), "classes_")


@pytest.mark.parametrize(
    "other",
    [Dimensions(2), Dimensions(3), Dimensions(2, {0: "cat"}), Dimensions.of(["x", "x"]), None],
    ids=["unnamed", "more", "partly named", "one name twice", "nothing said"],
)
def test_classes_that_cannot_be_told_by_name_are_refused(learnware, combined, other) -> None:
    members = [
        learnware([0.2, 0.8], id="00000007", output=CAT_DOG),
        learnware([0.2, 0.8], id="00000008", output=other),
    ]
    with pytest.raises(InvalidInput) as refusal:
        combined(members).fit()
    assert refusal.value.code == "reuse.classes_differ"
    assert "00000007" in refusal.value.problem and "00000008" in refusal.value.problem
    assert 'method="single"' in refusal.value.remedy


def test_predict_refuses_them_too_where_fit_was_not_called(learnware) -> None:
    members = [learnware(0, output=Dimensions(2)), learnware(0, output=Dimensions(3))]
    with pytest.raises(InvalidInput, match="without names") as refusal:
        GatedReuser(members).predict(learnware.rows(1))
    assert refusal.value.code == "reuse.classes_differ"


def test_one_of_them_alone_can_be_deployed_all_the_same(learnware) -> None:
    members = [learnware([0.2, 0.8], output=CAT_DOG), learnware([0.2, 0.8], output=Dimensions(3))]
    reuser = deploy(members, [0.9, 0.1], method="single")
    assert named(reuser, learnware.rows(1)) == ["dog"]


def test_the_mean_of_other_classes_is_refused(learnware) -> None:
    members = [learnware(1.0, output=CAT_DOG), learnware(1.0, output=ANT_CAT)]
    with pytest.raises(InvalidInput, match="means nothing") as refusal:
        AveragingReuser(members).predict(learnware.rows(1))
    assert refusal.value.code == "reuse.classes_differ"
    assert "vote_by_prob" in refusal.value.remedy


@pytest.mark.parametrize("answer", [2, -1, 0.5, [0.2, 0.3, 0.5]])
def test_an_answer_outside_the_named_classes_is_refused(learnware, answer) -> None:
    members = [learnware(answer, id="00000009", output=CAT_DOG)]
    members.append(learnware(answer, output=ANT_CAT))
    with pytest.raises(InvalidInput, match="00000009") as refusal:
        GatedReuser(members).predict(learnware.rows(1))
    assert refusal.value.code == "reuse.classes_differ"


def test_labels_of_text_are_names_already(learnware) -> None:
    members = [learnware("cat", output=CAT_DOG), learnware("cat", output=ANT_CAT)]
    assert GatedReuser(members).predict(learnware.rows(1)).tolist() == ["cat"]


def test_targets_of_a_regression_are_no_classes(learnware) -> None:
    members = [
        learnware(1.0, task="Regression", output=Dimensions.of(["rain"])),
        learnware(3.0, task="Regression", output=Dimensions(1)),
    ]
    assert deploy(members).predict(learnware.rows(1)) == pytest.approx([2.0])


@pytest.mark.parametrize("kind", [GatedReuser, JobSelectorReuser])
def test_the_common_contract_holds_over_other_classes(learnware, kind) -> None:
    def soft(X: np.ndarray) -> np.ndarray:
        p = 1.0 / (1.0 + np.exp(-X[:, 0]))
        return np.c_[1.0 - p, p]

    members = [learnware(soft, output=CAT_DOG), learnware(soft, at=1.0, output=ANT_CAT)]
    check_reuser(lambda: kind(members, [0.7, 0.3]))
