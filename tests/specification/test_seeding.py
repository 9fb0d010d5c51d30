"""The start of a reduced set: cells, the synthetic pool, herding."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.specification.moving import Sample
from beimingwu.specification.seeding import FEWEST_IN_CELL, cells, herded_start, synthetic_pool


def two_groups(n: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((n, 3)) * 0.05
    rows[: n // 4] += 2.0
    return rows.astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(20, 600), spread=st.floats(0.0, 100.0))
def test_no_cell_is_smaller_than_ten_records(seed: int, n: int, spread: float) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((n, 2)).astype(np.float32)
    rows[:3] += np.float32(spread)
    cell = cells(rows, generator)
    assert np.bincount(cell).min() >= FEWEST_IN_CELL
    assert set(cell) == set(range(cell.max() + 1))


def test_cells_do_not_mix_groups_that_are_far_apart() -> None:
    rows = two_groups(800)
    cell = cells(rows, np.random.default_rng(1))
    assert not set(cell[:200]) & set(cell[200:])


def test_the_pool_has_the_mean_and_covariance_of_the_data() -> None:
    rows = np.random.default_rng(0).standard_normal((2_000, 2)).astype(np.float32)
    rows[:, 1] += 0.8 * rows[:, 0]
    pool = synthetic_pool(rows, 40_000, np.random.default_rng(1))
    np.testing.assert_allclose(pool.mean(axis=0), rows.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(np.cov(pool.T), np.cov(rows.T), atol=0.05)


def test_the_pool_holds_nobodys_record() -> None:
    rows = np.random.default_rng(0).standard_normal((100, 5)).astype(np.float32)
    pool = synthetic_pool(rows, 1_000, np.random.default_rng(1))
    assert ((pool[:, None] - rows[None]) ** 2).sum(axis=2).min() > 1e-3


def test_herding_takes_from_each_group_its_share() -> None:
    start = herded_start(Sample(two_groups(800)), 40, np.random.default_rng(1))
    assert start.shape == (40, 3)
    assert 8 <= int((start[:, 0] > 1.0).sum()) <= 12
