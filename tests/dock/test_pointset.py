"""A specification comes back from the dock as it went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.dock.pointset import dumps_pointset, loads_pointset
from beimingwu.errors import DockDamaged
from beimingwu.specification.rkme import RKME, GaussianKernel

finite = st.floats(-1e6, 1e6)


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=finite))
def test_points_weights_and_all_else_survive(points: np.ndarray) -> None:
    spec = RKME(
        points,
        np.full(len(points), 1 / len(points)),
        n=7,
        kernel=GaussianKernel((0.5, 1.0), np.full(points.shape[1], 2.0)),
        features=tuple(f"特征 {j}" for j in range(points.shape[1])),
        details={"language": ["zh"]},
    )
    content = dumps_pointset(spec)
    back = loads_pointset(content)
    assert np.array_equal(back.points, spec.points)
    assert back.points.dtype == spec.points.dtype
    assert np.array_equal(back.weights, spec.weights)
    assert back.kernel is not None
    assert back.kernel.rates == (0.5, 1.0)
    assert (back.n, back.kind, back.features, dict(back.details)) == (
        7,
        "table",
        spec.features,
        {"language": ["zh"]},
    )
    assert dumps_pointset(back) == content


def test_images_have_no_kernel_and_keep_their_shape() -> None:
    spec = RKME(np.zeros((2, 1, 4, 4)), np.array([0.5, 0.5]), n=0, kind="image", kernel=None)
    back = loads_pointset(dumps_pointset(spec))
    assert back.kernel is None
    assert back.shape == (1, 4, 4)


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_other_bytes_are_damage(cut: int) -> None:
    content = dumps_pointset(RKME(np.eye(2), np.array([0.5, 0.5]), n=20))
    with pytest.raises(DockDamaged) as found:
        loads_pointset(content[:cut])
    assert found.value.code == "dock.specification"
