"""The scores of 2024: laws that hold for whatever distances, and those of one known case."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.server.v2024.matching import relative_scores, scores_shown

DISTANCES = st.lists(st.floats(0.0, 2.0, allow_subnormal=False), min_size=1, max_size=30).map(
    sorted
)


@given(DISTANCES)
def test_scores_are_shares_that_fall_with_the_distance(distances: list[float]) -> None:
    scores = relative_scores(distances)
    assert all(0.0 <= score <= 1.0 + 1e-9 for score in scores)
    assert all(one >= other - 1e-9 for one, other in pairwise(scores))


@given(DISTANCES, st.floats(0.01, 100.0))
def test_scores_do_not_know_how_large_distances_are(distances: list[float], by: float) -> None:
    # Only distances that differ by more than rounding does are told apart.
    distances = [round(one, 6) for one in distances]
    scaled = relative_scores([one * by for one in distances])
    assert scaled == pytest.approx(relative_scores(distances), abs=1e-5)


@given(DISTANCES, st.none() | st.floats(0.0, 2.0))
def test_the_nearest_is_always_shown_and_the_rest_only_if_it_is_worth_it(
    distances: list[float], mixture: float | None
) -> None:
    shown = scores_shown(distances, mixture)
    assert 1 <= len(shown.single) <= len(distances)
    assert all(score >= 0.6 for score in shown.single[1:])
    if len(shown.single) == 1:
        assert shown.single[0] >= 0.6
    if mixture is None:
        assert shown.mixture is None


def test_a_lone_one_has_all_of_it_and_nothing_has_nothing() -> None:
    assert relative_scores([1.9]) == [1.0]
    assert relative_scores([0.4, 0.4]) == [1.0, 1.0]
    assert relative_scores([]) == []
    assert scores_shown([], None).single == ()


def test_a_mixture_that_is_no_better_in_whole_percents_is_none() -> None:
    assert scores_shown([0.1, 0.5], 0.1).mixture is None
    better = scores_shown([0.3, 0.5], 0.01)
    assert better.mixture is not None
    assert better.mixture > better.single[0]


def test_scores_under_seven_tenths_are_lifted_by_a_root() -> None:
    # (1.0 - 0.7) / (1.0 - 0.05) = 0.316, whose root is 0.562.
    scores = relative_scores([0.05, 0.7, 1.0])
    assert scores == pytest.approx([1.0, 0.56195, 0.0], abs=1e-5)
