"""Factories of specifications and docks, given as fixtures so that tests name only what matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from beimingwu.search import Index
from beimingwu.specification import RKME

MakeSpec = Callable[..., RKME]
MakeIndex = Callable[..., Index]


def make_spec(
    centre: float | Sequence[float] | np.ndarray,
    *,
    dimension: int = 3,
    points: int = 30,
    spread: float = 1.0,
    seed: int = 0,
    n: int = 3_000,
    features: tuple[str, ...] = (),
) -> RKME:
    """Return points drawn around `centre`, with uneven weights."""
    generator = np.random.default_rng(seed)
    where = np.broadcast_to(np.asarray(centre, dtype=np.float64), (dimension,))
    rows = where + spread * generator.standard_normal((points, dimension))
    weights = generator.dirichlet(np.full(points, 20.0))
    return RKME(rows.astype(np.float32), weights, n=n, features=features)


def mixed(parts: Sequence[RKME], shares: Sequence[float], n: int = 5_000) -> RKME:
    """Return the specification of data that came from `parts` in the given shares."""
    return RKME(
        np.concatenate([part.points for part in parts]),
        np.concatenate([share * part.weights for part, share in zip(parts, shares, strict=True)]),
        n=n,
    )


def index_of(specs: Sequence[RKME]) -> Index:
    """Return an index of `specs` under the ids 00000001, 00000002 …"""
    index = Index()
    for i, spec in enumerate(specs, start=1):
        index.add(f"{i:08d}", spec)
    return index


def varied_specs(count: int, dimension: int = 3, seed: int = 0, apart: float = 3.0) -> list[RKME]:
    """Return specifications of unlike places, sizes and spreads."""
    generator = np.random.default_rng(seed)
    return [
        make_spec(
            generator.normal(0.0, apart, dimension),
            dimension=dimension,
            points=int(generator.integers(5, 40)),
            spread=float(generator.uniform(0.5, 1.5)),
            seed=1_000 * seed + i,
        )
        for i in range(count)
    ]


@pytest.fixture(scope="session", name="make_spec")
def _make_spec() -> MakeSpec:
    return make_spec


@pytest.fixture(scope="session", name="index_of")
def _index_of() -> MakeIndex:
    return index_of


@pytest.fixture(scope="session", name="mixed")
def _mixed() -> Callable[..., RKME]:
    return mixed


@pytest.fixture(scope="session", name="varied_specs")
def _varied_specs() -> Callable[..., list[RKME]]:
    return varied_specs
