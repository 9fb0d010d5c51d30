"""Rows enclose the true distance, whatever the points are and however few directions there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beimingwu.search.projection import Projection
from beimingwu.search.stack import Stack
from beimingwu.specification import RKME, GaussianKernel

coordinates = st.floats(-4.0, 4.0, width=32) | st.sampled_from([0.0, 1.0, -70.0, 1e4, -1e9, 1e40])
points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5)
KERNEL = GaussianKernel.multiscale(np.array([1.0, 2.0]))


def spec_of(rows: list[tuple[float, float]]) -> RKME:
    weights = np.arange(1.0, len(rows) + 1.0)
    return RKME(np.array(rows), weights / weights.sum(), n=50)


def inner(left: RKME, right: RKME, kernel: GaussianKernel = KERNEL) -> float:
    """`<P,Q>` from plain differences, which lose no digits however far points are."""
    away = (left.rows[:, None, :] - right.rows[None, :, :]) / kernel.scale
    return float(left.weights @ kernel.of_squared_distances((away**2).sum(axis=2)) @ right.weights)


def check_bounds(projection: Projection, specs: list[RKME]) -> None:
    own = np.array([inner(spec, spec, projection.kernel) for spec in specs])
    rows = projection.rows(Stack.of(specs), own).astype(np.float64)
    longer = np.square(rows).sum(axis=1) - own
    assert (longer >= -1e-6).all()
    assert (longer <= 4.0 * projection.error + 1e-6).all()
    slack = 8.0 * projection.error + 1e-6
    for i, left in enumerate(specs):
        for j, right in enumerate(specs):
            mmd2 = own[i] - 2.0 * inner(left, right, projection.kernel) + own[j]
            inside = np.square(rows[i, :-1] - rows[j, :-1]).sum()
            assert inside + (rows[i, -1] - rows[j, -1]) ** 2 <= mmd2 + slack
            assert mmd2 <= inside + (rows[i, -1] + rows[j, -1]) ** 2 + slack


@example(
    # Nothing is left over of the first but rounding, and nearly everything of the last.
    island=[[(3.296875, 0.0)], [(0.0, 0.0), (0.0, -70.0), (-70.0, 0.0)]],
    others=[[(0.0, 0.0)]],
    rank=1,
)
@given(
    island=st.lists(points, min_size=1, max_size=6),
    others=st.lists(points, min_size=1, max_size=3),
    rank=st.integers(1, 6),
)
def test_the_bounds_hold_inside_the_island_and_for_strangers(island, others, rank):
    specs = [spec_of(rows) for rows in island]
    projection = Projection.fitted(Stack.of(specs), KERNEL, landmarks=6, rank=rank)
    assert projection.rank <= rank
    check_bounds(projection, specs + [spec_of(rows) for rows in others])


@given(st.lists(points, min_size=2, max_size=4))
def test_the_bounds_of_the_empty_projection_hold(several):
    check_bounds(Projection.empty(KERNEL, 2), [spec_of(rows) for rows in several])


def test_equal_specifications_have_equal_rows(make_spec):
    specs = [make_spec(0.0), make_spec(3.0, seed=1), make_spec(0.0)]
    projection = Projection.fitted(Stack.of(specs), GaussianKernel.multiscale(np.ones(3)), 20, 4)
    rows = projection.rows(Stack.of(specs), np.array([0.5, 0.4, 0.5]))
    assert rows[0].tolist() == rows[2].tolist()
    assert rows[0].tolist() != rows[1].tolist()


@pytest.mark.parametrize("away", [0.0, 1e3, 1e9, -1e12])
def test_little_is_left_over_wherever_the_island_lies(away, varied_specs):
    specs = [
        RKME(spec.points.astype(np.float64) + away, spec.weights, n=spec.n)
        for spec in varied_specs(80)
    ]
    kernel = GaussianKernel.multiscale(np.full(3, 3.0))
    projection = Projection.fitted(Stack.of(specs), kernel, 200, 60)
    own = np.array([spec.inner(spec, kernel) for spec in specs])
    left_over = projection.rows(Stack.of(specs), own)[:, -1] ** 2 / own
    assert left_over.mean() < 0.05


def test_a_projection_is_made_alike_every_time(varied_specs):
    stack, kernel = Stack.of(varied_specs(30)), GaussianKernel.multiscale(np.ones(3))
    first, second = (Projection.fitted(stack, kernel, 20, 5) for _ in range(2))
    assert np.array_equal(first.landmarks, second.landmarks)
    assert np.array_equal(first.basis, second.basis)
