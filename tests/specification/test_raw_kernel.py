"""The engine's kernel in the objective: its sums, its gradient, and when it is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.specification.moving import BLOCK, Sample, move
from beimingwu.specification.raw_kernel import BLIND, MOST, RawTerm, raw_weight, sees
from beimingwu.specification.raw_kernel import stretch_to_raw as stretch_of
from beimingwu.specification.reduction import reduce
from beimingwu.specification.rkme import GaussianKernel
from beimingwu.specification.standard import StandardSpace


def test_its_sums_are_the_engines_kernel_on_raw_features() -> None:
    generator = np.random.default_rng(0)
    raw = generator.standard_normal((BLOCK + 3, 4)) * [0.2, 1.0, 3.0, 8.0] + 5.0
    space, unit = StandardSpace.of(raw), 0.25
    rows = space.inward(raw)
    term = RawTerm(rows * np.float32(unit), stretch_of(space, unit), 0.5)
    at = rows[:6].astype(np.float64) * unit
    engines = GaussianKernel()
    np.testing.assert_allclose(term.gram(at), 0.5 * engines(raw[:6], raw[:6]), atol=1e-5)
    expected = 0.5 * engines(raw[:6], raw).mean(axis=1)
    np.testing.assert_allclose(term.pull(at)[0], expected, rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 8), m=st.integers(1, 6))
def test_its_gradient_is_that_of_finite_differences(seed: int, d: int, m: int) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((40, d))
    stretch = generator.uniform(0.2, 2.0, d)
    points, weights = generator.standard_normal((m, d)), generator.dirichlet(np.ones(m))

    def in_float64(flat: np.ndarray) -> float:
        """The same value, written down independently: distances one by one."""
        at = flat.reshape(m, d)

        def k(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return 0.3 * np.exp(-(((x[:, None] - y[None]) * stretch) ** 2).sum(axis=2))

        return float(weights @ k(at, at) @ weights - 2 * k(at, rows).mean(axis=1) @ weights)

    term = RawTerm(rows.astype(np.float32), stretch, 0.3)
    drawn = -2.0 * weights[:, None] * term.pull(points)[1]
    gradient = (drawn + term.push(points, weights, term.gram(points))).ravel()
    step = 1e-5
    for index in range(points.size):
        forth, back = points.ravel().copy(), points.ravel().copy()
        forth[index] += step
        back[index] -= step
        slope = (in_float64(forth) - in_float64(back)) / (2 * step)
        assert gradient[index] == pytest.approx(slope, abs=1e-5)


def test_a_move_with_it_ends_nearer_to_the_data_under_the_engines_kernel() -> None:
    generator = np.random.default_rng(1)
    rows = (generator.standard_normal((3_000, 3)) * 0.3).astype(np.float32)
    sample, stretch = Sample(rows), np.array([1.0, 3.0, 9.0])
    start = generator.standard_normal((30, 3)) * 0.2

    def left(points: np.ndarray) -> float:
        term, even = RawTerm(rows, stretch, 1.0), np.full(30, 1 / 30)
        return float(even @ term.gram(points) @ even - 2 * term.pull(points)[0] @ even)

    def moved(raw: RawTerm | None) -> np.ndarray:
        return move(start, sample, floor=0.03, evenness=0.1, evaluations=60, raw=raw)

    assert left(moved(RawTerm(rows, stretch, 0.3))) < left(moved(None))


def test_the_nearer_the_points_are_the_more_it_weighs_up_to_a_limit() -> None:
    weights = [raw_weight(left, 100, 100_000) for left in (1e-2, 1e-3, 1e-4, 0.0, -1e-7)]
    assert weights == sorted(weights)
    assert weights[-1] == MOST


@pytest.mark.parametrize("unit", [1e-30, 1e-3, 1e3, 1e12])
def test_features_of_any_size_are_reduced_to_finite_points(unit: float) -> None:
    rows = np.random.default_rng(2).standard_normal((2_500, 3)) * unit
    points, _, audit = reduce(rows, 20)
    assert sees(StandardSpace.of(rows)) == (0.3 * unit**2 < BLIND)
    assert np.isfinite(points).all()
    assert audit.clean
    spread = points.astype(np.float64).std(axis=0) / unit
    assert (spread > 0.5).all()
    assert (spread < 1.5).all()
