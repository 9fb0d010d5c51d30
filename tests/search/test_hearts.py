"""What the heart of a cell adds to a bound never lifts it above the true squared distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.search.hearts import SMALLEST_LEFT_OVER, along_heart, tightened

RANK, WHOLE = 3, 9


def embedded(generator: np.random.Generator, count: int, alike: float) -> np.ndarray:
    """Vectors of a space of which a projection keeps the first directions."""
    middle = generator.normal(size=WHOLE) * np.r_[np.full(RANK, alike), np.ones(WHOLE - RANK)]
    vectors = middle + alike * generator.normal(size=(count, WHOLE))
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1.0)


def rows_of(vectors: np.ndarray) -> np.ndarray:
    left_over = np.linalg.norm(vectors[:, RANK:], axis=1)
    return np.column_stack([vectors[:, :RANK], left_over]).astype(np.float32)


def bounds_of(vectors: np.ndarray, asked: np.ndarray, error: float) -> tuple[np.ndarray, ...]:
    """Return the bounds by the rows alone, and by the rows and the heart, which is the first."""
    rows, row = rows_of(vectors), rows_of(asked[None, :])[0]
    plain = np.square(rows.astype(np.float64) - row).sum(axis=1)
    along = along_heart(vectors @ vectors[0], rows, rows[0])
    ours = along_heart(np.array([asked @ vectors[0]]), row[None, :], rows[0])
    return plain, tightened(
        plain, along, rows[:, -1], np.repeat(ours.astype(np.float64), len(rows)), row[-1], error
    )


@given(
    seed=st.integers(0, 100_000),
    alike=st.floats(0.0, 1.0),
    error=st.sampled_from([1e-6, 1e-3, 0.3, 1e6, 1e30]),
)
def test_a_tightened_bound_is_never_above_the_true_distance(seed, alike, error):
    generator = np.random.default_rng(seed)
    vectors = embedded(generator, 6, alike)
    for asked in (generator.normal(size=WHOLE) / 4.0, vectors[3], -vectors[0], np.zeros(WHOLE)):
        plain, tight = bounds_of(vectors, asked, error)
        true = np.square(vectors - asked).sum(axis=1)
        assert (tight >= plain).all()
        assert (tight <= true + 1e-5).all()


def test_for_what_is_far_from_everything_the_heart_tells_more():
    generator = np.random.default_rng(0)
    vectors = embedded(generator, 20, 0.05)
    asked = np.zeros(WHOLE)
    asked[np.argmin(np.abs(vectors[0, RANK:])) + RANK] = 0.9
    plain, tight = bounds_of(vectors, asked, 1e-6)
    true = np.square(vectors - asked).sum(axis=1)
    assert (tight - plain > 0.5 * (true - plain)).all()


def test_a_heart_of_which_nothing_is_left_over_says_nothing():
    heart = np.array([0.9, 0.0, 0.0, SMALLEST_LEFT_OVER / 2], np.float32)
    rows = np.array([[0.1, 0.0, 0.0, 0.8]], np.float32)
    assert along_heart(np.array([0.5]), rows, heart).tolist() == [0.0]


def test_no_part_is_longer_than_the_whole():
    heart = np.array([0.0, 0.0, 0.0, 0.5], np.float32)
    rows = np.array([[0.1, 0.0, 0.0, 0.2]], np.float32)
    assert along_heart(np.array([7.0]), rows, heart) == pytest.approx([0.2])
