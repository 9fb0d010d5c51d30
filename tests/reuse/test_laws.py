"""Laws that hold for any learnwares, weights and rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.reuse import AveragingReuser, GatedReuser, JobSelectorReuser

laws = settings(deadline=None, max_examples=40)

#: (slope, where its data lies, weight) of each learnware.
members = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.sampled_from([0.0, 0.5, 2.0, 30.0]),
        st.floats(0.01, 1.0),
    ),
    min_size=1,
    max_size=5,
)
averagers = pytest.mark.parametrize("reuser", [AveragingReuser, GatedReuser, JobSelectorReuser])


def made(learnware, described: Sequence[tuple[int, float, float]]) -> tuple[list, list[float]]:
    learnwares = [
        learnware(lambda X, slope=slope: slope * X[:, 0] + slope**2, at=at)
        for slope, at, _ in described
    ]
    return learnwares, [weight for *_, weight in described]


@averagers
@given(described=members, seed=st.integers(0, 100))
@laws
def test_a_combined_number_lies_between_the_members(learnware, reuser, described, seed) -> None:
    learnwares, weights = made(learnware, described)
    rows = learnware.rows(6, at=1.0, seed=seed)
    each = np.stack([one.model(rows) for one in learnwares])
    combined = reuser(learnwares, weights=weights).predict(rows)
    assert (combined >= each.min(axis=0) - 1e-9).all()
    assert (combined <= each.max(axis=0) + 1e-9).all()


@averagers
@given(described=members, data=st.data())
@laws
def test_all_weight_on_one_learnware_gives_exactly_its_answer(
    learnware, reuser, described, data
) -> None:
    learnwares, _ = made(learnware, described)
    chosen = data.draw(st.integers(0, len(learnwares) - 1))
    rows = learnware.rows(6)
    combined = reuser(learnwares, weights=np.eye(len(learnwares))[chosen]).predict(rows)
    np.testing.assert_array_equal(combined, learnwares[chosen].model(rows))


@pytest.mark.parametrize("reuser", [AveragingReuser, GatedReuser])
@given(described=members, data=st.data())
@laws
def test_the_order_of_the_learnwares_does_not_matter(learnware, reuser, described, data) -> None:
    learnwares, weights = made(learnware, described)
    order = data.draw(st.permutations(range(len(learnwares))))
    rows = learnware.rows(6)
    np.testing.assert_allclose(
        reuser([learnwares[i] for i in order], weights=[weights[i] for i in order]).predict(rows),
        reuser(learnwares, weights=weights).predict(rows),
        atol=1e-9,
    )


@given(described=members, at=st.sampled_from([0.0, 1.0, 50.0, -1e8]))
@laws
def test_the_shares_of_every_row_sum_to_one(learnware, described, at) -> None:
    learnwares, weights = made(learnware, described)
    shares = GatedReuser(learnwares, weights)._shares(learnware.rows(6, at=at))
    assert (shares > 0.0).all()
    np.testing.assert_allclose(shares.sum(axis=0), 1.0)


@given(described=members)
@laws
def test_the_job_selector_picks_whom_the_gate_lets_say_most(learnware, described) -> None:
    learnwares, weights = made(learnware, described)
    rows = learnware.rows(6, at=1.0)
    shares = GatedReuser(learnwares, weights)._shares(rows)
    chosen = JobSelectorReuser(learnwares, weights).job_selector(rows)
    np.testing.assert_array_equal(shares[chosen, np.arange(6)], shares.max(axis=0))


@given(
    votes=st.lists(st.sampled_from(["ash", "elm", "oak"]), min_size=1, max_size=7),
    data=st.data(),
)
@laws
def test_an_elected_label_has_most_weight_behind_it(learnware, votes, data) -> None:
    weights = data.draw(
        st.lists(st.integers(1, 9), min_size=len(votes), max_size=len(votes)), label="weights"
    )
    reuser = AveragingReuser([learnware(v) for v in votes], "vote_by_label", weights)
    behind = {
        label: sum(w for v, w in zip(votes, weights, strict=True) if v == label) for label in votes
    }
    most = max(behind.values())
    assert reuser.predict(learnware.rows(1)).tolist() == [
        min(label for label, weight in behind.items() if weight == most)
    ]
