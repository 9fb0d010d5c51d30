"""Moving points: the kernel sums, the gradient, and that a move goes down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.specification.moving import (
    BLOCK,
    Sample,
    gram_and_steepness,
    move,
    squared_mmd_and_gradient,
)
from beimingwu.specification.rkme import GaussianKernel
from beimingwu.specification.simplex import simplex_weights


def a_sample(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, Sample]:
    """Standardised rows, and the sample of them in kernel units."""
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return rows, Sample((rows * np.sqrt(0.25 / d)).astype(np.float32))


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, 2 * BLOCK + 3])
def test_sums_over_blocks_are_the_multi_scale_kernel_of_the_specification(n: int) -> None:
    rows, sample = a_sample(n, 6)
    points = np.random.default_rng(1).standard_normal((5, 6))
    kernel = GaussianKernel.multiscale(np.ones(6))
    in_units = points * np.sqrt(0.25 / 6)
    expected = kernel(points, rows).mean(axis=1)
    np.testing.assert_allclose(sample.mean_embedding(in_units), expected, rtol=1e-5)
    np.testing.assert_allclose(sample.pull(in_units)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(gram_and_steepness(in_units)[0], kernel(points, points), rtol=1e-6)
    np.testing.assert_allclose(
        sample.kernel_to(in_units[0].astype(np.float32)), kernel(points[:1], rows)[0], rtol=1e-4
    )


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 12), m=st.integers(1, 6))
def test_the_gradient_of_the_squared_mmd_is_that_of_finite_differences(
    seed: int, d: int, m: int
) -> None:
    generator = np.random.default_rng(seed)
    rows, sample = a_sample(40, d, seed)
    points = generator.standard_normal((m, d)) * np.sqrt(0.25 / d)
    weights = generator.dirichlet(np.ones(m))
    units = rows * np.sqrt(0.25 / d)

    def in_float64(flat: np.ndarray) -> float:
        """The same value, written down independently: distances one by one."""
        at = flat.reshape(m, d)

        def k(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            squared = ((x[:, None] - y[None]) ** 2).sum(axis=2)
            return sum(np.exp(-rate * squared) for rate in (1, 4, 16)) / 3

        return float(
            weights @ k(at, at) @ weights - 2 * (k(at, units) @ np.ones(40) / 40) @ weights
        )

    value, gradient = squared_mmd_and_gradient(points, weights, sample)
    assert value == pytest.approx(in_float64(points.ravel()), abs=1e-6)
    step = 1e-5
    for index in range(points.size):
        forth, back = points.ravel().copy(), points.ravel().copy()
        forth[index] += step
        back[index] -= step
        slope = (in_float64(forth) - in_float64(back)) / (2 * step)
        assert gradient.ravel()[index] == pytest.approx(slope, abs=2e-6)


def test_a_move_lowers_the_squared_mmd_and_leaves_its_start_alone() -> None:
    _, sample = a_sample(500, 4)
    start = np.random.default_rng(2).standard_normal((10, 4)) * 0.1
    before = start.copy()

    def least(points: np.ndarray) -> float:
        gram, _ = gram_and_steepness(points)
        target = sample.mean_embedding(points)
        weights, _ = simplex_weights(gram, target, 0.01)
        return float(weights @ gram @ weights - 2 * target @ weights)

    moved = move(start, sample, floor=0.01, evenness=0.0, evaluations=30)
    np.testing.assert_array_equal(start, before)
    assert least(moved) < least(start) - 1e-3
