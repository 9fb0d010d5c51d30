"""The weights: a quadratic programme on the simplex, checked by its optimality conditions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.specification.simplex import simplex_weights

seeds = st.integers(0, 2**32 - 1)


def a_problem(seed: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    points = generator.standard_normal((m, 2))
    gram = np.exp(-0.5 * ((points[:, None] - points[None]) ** 2).sum(axis=2))
    return gram, generator.uniform(0.0, 1.0, m)


@given(seed=seeds, m=st.integers(1, 30), share=st.floats(0.0, 0.9))
def test_weights_lie_on_the_simplex_above_their_floor(seed: int, m: int, share: float) -> None:
    gram, target = a_problem(seed, m)
    weights, _ = simplex_weights(gram, target, floor=share / m)
    assert abs(weights.sum() - 1.0) < 1e-12
    assert weights.min() >= share / m - 1e-12


@given(seed=seeds, m=st.integers(2, 30))
def test_no_other_weights_are_better(seed: int, m: int) -> None:
    """Karush-Kuhn-Tucker: the gradient is the same on all used points, and no less on the rest."""
    gram, target = a_problem(seed, m)
    weights, _ = simplex_weights(gram, target)
    gradient = gram @ weights - target
    used = weights > 1e-9
    assert np.ptp(gradient[used]) < 1e-6
    assert gradient.min() > gradient[used].max() - 1e-6


@given(seed=seeds, m=st.integers(2, 20))
def test_where_the_search_starts_does_not_change_the_value(seed: int, m: int) -> None:
    gram, target = a_problem(seed, m)
    start = np.random.default_rng(seed).random(m) < 0.3

    def value(weights: np.ndarray) -> float:
        return float(0.5 * weights @ gram @ weights - target @ weights)

    cold, _ = simplex_weights(gram, target)
    warm, _ = simplex_weights(gram, target, free=start)
    assert abs(value(cold) - value(warm)) < 1e-8


def test_points_that_fell_together_share_their_weight() -> None:
    weights, _ = simplex_weights(np.ones((3, 3)), np.ones(3))
    np.testing.assert_allclose(weights, 1 / 3)


def test_the_callers_start_is_not_changed() -> None:
    start = np.array([True, False, False])
    simplex_weights(np.eye(3), np.array([0.1, 0.9, 0.9]), free=start)
    assert start.tolist() == [True, False, False]
