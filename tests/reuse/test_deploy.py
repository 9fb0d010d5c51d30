"""Which reuser is chosen, and the reason it gives."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.errors import InvalidInput
from beimingwu.reuse import AveragingReuser, GatedReuser, JobSelectorReuser, deploy
from beimingwu.specification import GaussianKernel


def test_one_learnware_is_deployed_as_it_is(learnware) -> None:
    reuser = deploy([learnware(lambda X: X, id="00000042")], [1.0])
    rows = learnware.rows()
    np.testing.assert_array_equal(reuser.predict(rows), rows)
    assert reuser.reason == "Learnware 00000042 alone fits your data as well as any combination."


def test_learnwares_of_different_data_are_gated(learnware) -> None:
    reuser = deploy([learnware(0.0, at=0.0), learnware(1.0, at=20.0)], [0.5, 0.5])
    assert isinstance(reuser, GatedReuser)
    assert "2 learnwares cover different parts of your data" in reuser.reason


def test_learnwares_of_alike_data_are_averaged(learnware) -> None:
    reuser = deploy([learnware(0.0), learnware(1.0)], [0.25, 0.75])
    assert isinstance(reuser, AveragingReuser)
    assert reuser.predict(learnware.rows(1)).tolist() == [0.75]
    assert "look alike" in reuser.reason


def test_learnwares_of_negligible_weight_are_left_out(learnware) -> None:
    silent = learnware(9.0, at=20.0)
    reuser = deploy([learnware(0.0), silent], [1.0, 1e-4])
    assert len(reuser.learnwares) == 1
    assert silent not in reuser.learnwares


@pytest.mark.parametrize(
    ("method", "kind"),
    [("averaging", AveragingReuser), ("gated", GatedReuser), ("job_selector", JobSelectorReuser)],
)
def test_a_method_asked_for_is_used_and_the_reason_says_so(learnware, method, kind) -> None:
    reuser = deploy([learnware(0.0), learnware(1.0)], method=method)
    assert type(reuser) is kind
    assert reuser.reason.startswith("By ")
    assert reuser.reason.endswith(", as asked.")


def test_the_single_method_takes_the_learnware_of_most_weight(learnware) -> None:
    reuser = deploy([learnware(0.0), learnware(1.0)], [0.2, 0.8], method="single")
    assert reuser.predict(learnware.rows(1)).tolist() == [1.0]


def test_the_docks_kernel_gives_the_unit_of_the_densities(learnware) -> None:
    kernel = GaussianKernel.multiscale(np.array([3.0, 4.0]))
    reuser = deploy([learnware(0.0, at=0.0), learnware(1.0, at=20.0)], kernel=kernel)
    assert isinstance(reuser, GatedReuser)
    assert reuser.kernel is not None
    np.testing.assert_array_equal(reuser.kernel.scale, [3.0, 4.0])


@pytest.mark.parametrize(
    ("task", "answer", "expected"),
    [
        ("Classification", [0.3, 0.7], 1),
        ("Regression", [0.3, 0.7], [0.3, 0.7]),
        ("Others", [0.3, 0.7], 1),
        ("labels", "oak", "oak"),
        (None, 2.5, 2.5),
    ],
)
@pytest.mark.parametrize("method", ["single", "averaging", "gated", "job_selector"])
def test_the_task_decides_how_answers_are_read(learnware, method, task, answer, expected) -> None:
    reuser = deploy([learnware(answer), learnware(answer)], task=task, method=method)
    assert reuser.predict(learnware.rows(1)).tolist() == [expected]


def test_the_task_is_read_from_the_learnwares(learnware) -> None:
    members = [learnware(v, task="Classification") for v in (1.0, 1.0, 7.0)]
    assert deploy(members).predict(learnware.rows(1)).tolist() == [1.0]


@pytest.mark.parametrize("wrong", [{"method": "best"}, {"task": "ranking"}])
def test_an_unknown_method_or_task_is_refused(learnware, wrong) -> None:
    with pytest.raises(InvalidInput, match="must be one of"):
        deploy([learnware(0.0), learnware(1.0)], **wrong)


def test_learnwares_of_two_tasks_are_refused_whatever_task_is_given(learnware) -> None:
    members = [learnware(1.0, task="Regression"), learnware(1, task="Classification")]
    with pytest.raises(InvalidInput) as refusal:
        deploy(members, task="Regression")
    assert refusal.value.code == "reuse.tasks_differ"
