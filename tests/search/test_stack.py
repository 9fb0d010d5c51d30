"""The block sums against plain loops over RKME's own inner product."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.search.geometry import measure_each
from beimingwu.search.stack import Stack
from beimingwu.specification import RKME, GaussianKernel

KERNELS = [GaussianKernel.multiscale(np.array([0.5, 2.0, 1.0])), GaussianKernel((0.1, 0.7))]


@pytest.fixture(name="specs")
def _specs(varied_specs):
    return varied_specs(25, seed=3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_inner_products_are_those_of_the_specifications(specs, kernel):
    chosen = np.array([20, 3, 3, 11])
    found = Stack.of(specs).inner_products(specs[0], chosen, kernel)
    assert found == pytest.approx([specs[0].inner(specs[i], kernel) for i in chosen], rel=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_self_inner_products_are_those_of_the_specifications(specs, kernel):
    found, _ = measure_each(Stack.of(specs), np.arange(25), kernel)
    assert found == pytest.approx([spec.inner(spec, kernel) for spec in specs], rel=1e-12)


def test_few_of_a_specifications_own_records_lie_at_a_sparser_place(specs):
    _, sparse = measure_each(Stack.of(specs), np.arange(25), KERNELS[0])
    for spec, threshold in zip(specs, sparse, strict=True):
        below = [
            spec.weights[i]
            for i in range(len(spec))
            if density_without(spec, i) < threshold - 1e-12
        ]
        assert sum(below) < 0.01


def density_without(spec, i):
    values = KERNELS[0](spec.rows[i : i + 1], spec.rows)[0]
    rest = np.arange(len(spec)) != i
    return values[rest] @ spec.weights[rest] / max(1.0 - spec.weights[i], 0.5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_pairs_cover_every_pair_once(specs, kernel):
    left, right = np.triu_indices(25, k=1)
    found = np.full(len(left), np.nan)
    for which, weights, densities in Stack.of(specs).pairs(left, right, kernel):
        assert np.isnan(found[which]).all()
        found[which] = (weights * densities).sum(axis=1)
    expected = [specs[i].inner(specs[j], kernel) for i, j in zip(left, right, strict=True)]
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-15)


def test_densities_are_the_embeddings_at_the_points(specs):
    chosen = np.array([4, 17])
    found = Stack.of(specs).densities(specs[9], chosen, KERNELS[0])
    for row, i in zip(found, chosen, strict=True):
        assert row == pytest.approx(specs[i].embedding(specs[9].rows, KERNELS[0]), rel=1e-12)


def test_absurd_values_give_no_overlap_and_no_warning():
    ordinary = RKME(np.zeros((2, 3)), np.array([0.5, 0.5]), n=20)
    absurd = RKME(np.full((2, 3), 1e300), np.array([0.5, 0.5]), n=20)
    stack = Stack.of([ordinary, absurd])
    assert stack.inner_products(ordinary, np.arange(2), KERNELS[0]).tolist() == [1.0, 0.0]
    assert measure_each(stack, np.arange(2), KERNELS[0])[0].tolist() == [1.0, 1.0]
