"""Standardised space and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.specification.standard import StandardSpace


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 200),
    scale=st.floats(1e-20, 1e20),
    shift=st.floats(-100.0, 100.0),
)
def test_standardised_features_have_mean_zero_and_deviation_one(
    seed: int, n: int, scale: float, shift: float
) -> None:
    rows = scale * (np.random.default_rng(seed).standard_normal((n, 3)) + shift)
    standard = StandardSpace.of(rows).inward(rows)
    np.testing.assert_allclose(standard.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(standard.std(axis=0), 1.0, atol=1e-4)


def test_rows_in_many_blocks_measure_as_in_one() -> None:
    rows = np.random.default_rng(0).standard_normal((10_000, 2)) * [1.0, 50.0] + [0.0, 1e4]
    space = StandardSpace.of(rows)
    np.testing.assert_allclose(space.centre, rows.mean(axis=0))
    np.testing.assert_allclose(space.scale, rows.std(axis=0))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e30])
def test_a_constant_feature_keeps_its_value_and_has_scale_one(value: float) -> None:
    rows = np.full((1000, 1), value)
    space = StandardSpace.of(rows)
    assert space.scale[0] == 1.0
    assert not space.varying[0]
    np.testing.assert_allclose(space.outward(space.inward(rows)), value, rtol=1e-6)


def test_variation_that_float32_cannot_show_counts_as_none() -> None:
    rows = 1e9 + np.random.default_rng(0).standard_normal((100, 1))
    assert not StandardSpace.of(rows).varying[0]


def test_points_are_seen_where_float32_puts_them() -> None:
    rows = 1e6 + np.random.default_rng(0).standard_normal((100, 1))
    space = StandardSpace.of(rows)
    point = np.array([[0.123456]])
    published = space.as_published(point)
    np.testing.assert_array_equal(published, space.inward(space.outward(point)))
    assert published[0, 0] != np.float32(0.123456)


def test_a_point_beyond_float32_is_held_at_its_edge() -> None:
    space = StandardSpace.of(np.array([[-3e38], [3e38]]))
    assert np.isfinite(space.outward(np.array([[2.0]]))).all()
