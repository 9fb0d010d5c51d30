"""Cells hold every row once, and no row is nearer than the bound of its cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.search.cells import Cells


def drawn_rows(kind: str, count: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if kind == "duplicates":
        rows = generator.normal(size=(3, 5))[generator.integers(0, 3, count)]
    elif kind == "clusters":
        rows = generator.normal(size=(6, 5))[generator.integers(0, 6, count)]
        rows = rows + 0.01 * generator.normal(size=(count, 5))
    else:
        rows = generator.normal(size=(count, 5))
    # As the rows of specifications: none is longer than one.
    return (rows / (1.0 + np.linalg.norm(rows, axis=1, keepdims=True))).astype(np.float32)


@given(
    kind=st.sampled_from(["duplicates", "clusters", "cloud"]),
    count=st.integers(1, 300),
    seed=st.integers(0, 1_000),
)
def test_every_row_is_in_one_cell_and_no_nearer_than_its_bound(kind, count, seed):
    rows = drawn_rows(kind, count, seed)
    order, cells = Cells.of(rows)
    assert sorted(order.tolist()) == list(range(count))
    assert (cells.offsets[0], cells.offsets[-1]) == (0, count)
    sizes = np.diff(cells.offsets)
    assert (sizes > 0).all()
    cell = np.repeat(np.arange(len(cells)), sizes)
    ordered = rows[order].astype(np.float64)
    for asked in (rows[seed % count], -rows[0], np.full(5, 3.0, np.float32)):
        true = np.square(ordered - asked.astype(np.float64)).sum(axis=1)
        assert (cells.bounds(asked)[cell] <= true + 1e-12).all()


def test_the_bounds_of_far_cells_say_so():
    rows = np.repeat(np.eye(4, dtype=np.float32), 50, axis=0)
    order, cells = Cells.of(rows)
    bounds = np.repeat(cells.bounds(rows[0]), np.diff(cells.offsets))
    here = np.isin(order, np.arange(50))
    assert bounds[here] == pytest.approx(np.zeros(50))
    assert (bounds[~here] > 1.9).all()
