"""The reduction: the laws a reduced set keeps, whatever the data are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import InvalidInput
from beimingwu.specification import RKME, GaussianKernel
from beimingwu.specification.reduction import reduce
from beimingwu.specification.simplex import simplex_weights

laws = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**32 - 1)


def clusters(n: int, d: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    centres = 3.0 * generator.standard_normal((5, d))
    return centres[generator.integers(0, 5, n)] + generator.standard_normal((n, d))


@st.composite
def data(draw: st.DrawFn) -> np.ndarray:
    """Continuous, heavy-tailed, integer, binary or repeated data of one to six features."""
    generator = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(20, 250)), draw(st.integers(1, 6))
    kind = draw(st.sampled_from(["normal", "heavy", "integer", "binary", "repeated", "constant"]))
    if kind == "normal":
        return generator.standard_normal((n, d))
    if kind == "heavy":
        return generator.standard_cauchy((n, d))
    if kind == "integer":
        return generator.poisson(3.0, (n, d)).astype(float)
    if kind == "binary":
        return (generator.random((n, d)) < 0.3).astype(float)
    if kind == "repeated":
        return generator.standard_normal((4, d))[generator.integers(0, 4, n)]
    rows = generator.standard_normal((n, d))
    rows[:, 0] = 5.0
    return rows


def judged(rows: np.ndarray, points: np.ndarray, weights: np.ndarray) -> float:
    """Squared MMD to the rows under the multi-scale kernel in standardised space."""
    kernel = GaussianKernel.multiscale(rows.std(axis=0))
    everyone = RKME(rows, np.full(len(rows), 1 / len(rows)), n=len(rows))
    return RKME(points, weights, n=len(rows)).mmd2(everyone, kernel)


@laws
@given(rows=data(), size=st.integers(1, 40), seed=st.integers(0, 9))
def test_a_reduced_set_discloses_nobody_and_lies_on_the_simplex(
    rows: np.ndarray, size: int, seed: int
) -> None:
    points, weights, audit = reduce(rows, size, seed)
    assert 1 <= len(points) <= min(size, len(rows) // 10)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert abs(weights.sum() - 1.0) < 1e-9
    assert weights.min() >= 5 / len(rows) * (1 - 1e-9)
    assert audit.clean


@laws
@given(seed=seeds, d=st.integers(2, 8))
def test_no_point_is_a_record(seed: int, d: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((120, d))
    points, _, audit = reduce(rows)
    apart = np.sqrt((((points[:, None] - rows[None]) / rows.std(axis=0)) ** 2).mean(axis=2))
    assert apart.min() > 0.0199
    assert audit.nearest == pytest.approx(apart.min(), rel=1e-3)


@laws
@given(seed=seeds, factor=st.sampled_from([0.25, 2.0, 1024.0]))
def test_rescaled_data_give_rescaled_points(seed: int, factor: float) -> None:
    rows = clusters(150, 3, seed)
    points, weights, _ = reduce(rows)
    rescaled, same_weights, _ = reduce(factor * rows)
    np.testing.assert_array_equal(rescaled, np.float32(factor) * points)
    np.testing.assert_array_equal(same_weights, weights)


@laws
@given(seed=seeds, factor=st.floats(0.1, 10.0), shift=st.floats(-20.0, 20.0))
def test_data_in_other_units_have_the_same_embedding_in_those_units(
    seed: int, factor: float, shift: float
) -> None:
    """Rounding differs, so the search may end beside, but as near to the data."""
    rows = clusters(150, 3, seed)
    points, weights, _ = reduce(rows)
    other, other_weights, _ = reduce(factor * rows + shift)
    back = (other - shift) / factor
    assert judged(rows, back, other_weights) < 1.3 * judged(rows, points, weights) + 1e-5


@laws
@given(seed=seeds)
def test_the_order_of_the_records_hardly_matters(seed: int) -> None:
    rows = clusters(200, 3, seed)
    shuffled = rows[np.random.default_rng(seed).permutation(200)]
    one, other = reduce(rows), reduce(shuffled)
    near = judged(rows, one[0], one[1])
    kernel = GaussianKernel.multiscale(rows.std(axis=0))
    between = RKME(one[0], one[1], n=200).mmd2(RKME(other[0], other[1], n=200), kernel)
    assert between < 4.2 * near + 1e-5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    rows = clusters(3_000, 4)
    points, weights, _ = reduce(rows, 50, 3)
    again, same, _ = reduce(rows, 50, 3)
    assert points.tobytes() == again.tobytes()
    assert weights.tobytes() == same.tobytes()
    assert reduce(rows, 50, 4)[0].tobytes() != points.tobytes()


def test_the_global_generator_is_not_touched() -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    reduce(clusters(100, 2))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(("n", "d"), [(1_000, 10), (1_000, 60), (4_000, 10)])
def test_a_hundred_points_beat_a_hundred_records_with_the_best_weights(n: int, d: int) -> None:
    """Bar (b) of ALGORITHMS §1.2; half of it, since these data have structure."""
    rows = clusters(n, d)
    points, weights, _ = reduce(rows)
    kernel = GaussianKernel.multiscale(rows.std(axis=0))
    records = rows[np.random.default_rng(1).choice(n, 100, replace=False)]
    best, _ = simplex_weights(kernel(records, records), kernel(records, rows).mean(axis=1))
    assert judged(rows, points, weights) < 0.5 * judged(rows, records, best)


def test_the_weights_are_those_of_all_records_not_of_a_sample() -> None:
    """Ten thousand and a few more: a group that the first records lack has its weight."""
    rows = np.concatenate([clusters(14_000, 2), np.full((1_000, 2), 40.0)])
    rows[-1_000:] += 0.1 * np.random.default_rng(1).standard_normal((1_000, 2))
    points, weights, _ = reduce(rows, 50)
    assert weights[points[:, 0] > 30.0].sum() == pytest.approx(1 / 15, rel=0.1)


@pytest.mark.parametrize("n", [0, 1, 19])
def test_fewer_than_twenty_records_are_refused(n: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        reduce(np.zeros((n, 2)))
    assert refused.value.code == "input.too_few_records"
    assert refused.value.remedy


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Got 0 instead"):
        reduce(clusters(50, 2), 0)
