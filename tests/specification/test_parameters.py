"""A number of points or records, and a seed: what is not one is refused in our words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beimingwu.errors import InvalidInput
from beimingwu.specification import RKME, specify

ROWS = np.random.default_rng(0).standard_normal((60, 2))
SPEC = RKME(np.eye(2), np.array([0.5, 0.5]), n=20)
NO_COUNTS: list[Any] = [0, -1, 1.5, 2.0, "a", None, True, np.float64(3.0), [3]]
NO_SEEDS: list[Any] = [-1, 1.5, "a", None, True, np.int64(-1), [1, 2]]


@pytest.mark.parametrize("size", NO_COUNTS)
def test_a_size_is_a_whole_number_from_one(size: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        specify(ROWS, size=size)
    rule = f"`size` must be an int in the range [1, inf). Got {size!r} instead."
    assert refusal.value.problem == rule
    assert refusal.value.code == "input.size"
    assert refusal.value.remedy


@pytest.mark.parametrize("k", NO_COUNTS)
def test_a_number_of_samples_is_a_whole_number_from_one(k: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        SPEC.sample(k)
    assert refusal.value.problem == f"`k` must be an int in the range [1, inf). Got {k!r} instead."
    assert refusal.value.code == "input.k"


@pytest.mark.parametrize("seed", NO_SEEDS)
def test_a_seed_is_a_whole_number_from_zero_or_a_generator(seed: Any) -> None:
    for ask in (lambda: specify(ROWS, random_state=seed), lambda: SPEC.sample(3, seed)):
        with pytest.raises(InvalidInput) as refusal:
            ask()
        assert refusal.value.problem.startswith("`random_state` must be an int in the range [0")
        assert refusal.value.problem.endswith(f"Got {seed!r} instead.")
        assert refusal.value.code == "input.random_state"


def test_numbers_of_numpy_are_numbers_and_a_generator_is_a_seed() -> None:
    plain = specify(ROWS, size=3, random_state=7)
    for size, seed in [(np.int32(3), np.uint8(7)), (3, np.random.default_rng(7))]:
        again = specify(ROWS, size=size, random_state=seed)
        assert np.array_equal(again.points, plain.points)
    drawn = SPEC.sample(np.int64(4), np.random.default_rng(1))
    assert np.array_equal(drawn, SPEC.sample(4, 1))
