"""The island's ruler is a function of its members, whatever their units, order or worst file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.search import Index
from beimingwu.search.geometry import Moments, pooled_scale
from beimingwu.specification import RKME


def ids_and_scores(result):
    return [(match.id, match.score) for match in result]


def test_the_scale_of_one_learnware_is_its_own_deviation(make_spec, index_of):
    spec = make_spec([0.0, 50.0, -3.0], spread=7.0)
    result = index_of([spec]).search(spec)
    assert result.kernel.scale == pytest.approx(spec.scale)


@pytest.mark.parametrize("units", [[1e-6, 1.0, 1e5], [1024.0, 0.5, 2.0]])
def test_units_do_not_matter(units, varied_specs, make_spec, index_of):
    def in_units(spec):
        return RKME(spec.points.astype(np.float64) * units, spec.weights, n=spec.n)

    specs, user = varied_specs(40), make_spec(1.0, seed=9)
    metric = index_of(specs).search(user)
    imperial = index_of([in_units(spec) for spec in specs]).search(in_units(user))
    assert [match.id for match in metric] == [match.id for match in imperial]
    assert [m.score for m in metric] == pytest.approx([m.score for m in imperial], abs=1e-6)


@pytest.mark.parametrize("value", [1e6, 1e30, -1e38])
def test_one_absurd_file_changes_neither_scale_nor_order(value, make_spec, varied_specs, index_of):
    specs, user = varied_specs(44), make_spec(1.0, seed=9)
    absurd = RKME(np.array([[value] * 3, [-value] * 3]), np.array([0.5, 0.5]), n=100)
    clean = index_of(specs).search(user)
    dirty = index_of([absurd, *specs]).search(user)
    assert [int(match.id) - 1 for match in dirty] == [int(match.id) for match in clean]
    ratio = dirty.kernel.scale / clean.kernel.scale
    assert ratio.max() < 1.2
    assert ratio.min() > 1 / 1.2


@pytest.mark.parametrize("count", [3, 4, 6])
def test_in_a_small_dock_it_does_not_matter_how_absurd_a_file_is(
    count, make_spec, varied_specs, index_of
):
    def scale(value):
        absurd = RKME(np.array([[value] * 3, [0.0] * 3]), np.array([0.5, 0.5]), n=100)
        return index_of([absurd, *varied_specs(count - 1)]).search(make_spec(0.0)).kernel.scale

    assert scale(1e4) == pytest.approx(scale(1e30), rel=1e-6)
    assert scale(1e30).max() < 20.0


def test_a_feature_that_most_hold_constant_is_measured_by_those_that_do_not():
    means = np.array([[0.0], [0.0], [0.0], [6.0], [0.0]])
    variances = np.array([[0.0], [0.0], [0.0], [0.0], [64.0]])
    assert pooled_scale(Moments(means, variances)) == pytest.approx([7.0])


def test_a_feature_that_all_hold_constant_is_measured_in_its_own_unit():
    moments = Moments(np.full((3, 1), 2013.0), np.full((3, 1), 1e-12))
    assert pooled_scale(moments).tolist() == [1.0]


def test_the_order_of_arrival_and_removed_learnwares_leave_no_trace(varied_specs, make_spec):
    specs, user = varied_specs(23), make_spec(1.0, seed=9)
    straight, crooked = Index(), Index()
    for i, spec in enumerate(specs):
        straight.add(f"{i:08d}", spec)
    for i in reversed(range(23)):
        crooked.add(f"{i:08d}", make_spec(100.0))
        crooked.search(user)
        crooked.add(f"{i:08d}", specs[i])
    crooked.add("99999999", specs[0])
    crooked.search(user)
    crooked.remove("99999999")
    first, second = straight.search(user), crooked.search(user)
    assert first.island == second.island
    assert ids_and_scores(first) == ids_and_scores(second)


def test_the_geometry_stays_until_the_island_has_doubled(varied_specs, make_spec, index_of):
    specs, user = varied_specs(32, apart=1.0), make_spec(0.0, seed=9)
    index = index_of(specs[:16])
    versions = [index.search(user).island.geometry]
    for i, spec in enumerate(specs[16:], start=17):
        index.add(f"{i:08d}", spec)
        versions.append(index.search(user).island.geometry)
    assert len(set(versions[:16])) == 1
    assert versions[16] != versions[15]


def test_the_geometry_follows_when_the_scale_drifts(make_spec, index_of):
    near = [make_spec(0.0, seed=i) for i in range(4)]
    wide = [make_spec(0.0, spread=50.0, seed=10 + i) for i in range(3)]
    before = index_of(near).search(near[0])
    after = index_of([*near, *wide, *wide]).search(near[0])
    assert after.kernel.scale.min() > 10 * before.kernel.scale.max()
    assert after.island.geometry != before.island.geometry


@settings(deadline=None, max_examples=25)
@given(place=st.floats(50, 1e6), seed=st.integers(0, 1000))
def test_a_learnware_far_away_does_not_change_the_order_of_others(place, seed):
    generator = np.random.default_rng(seed)
    index = Index()
    for i in range(20):
        points = generator.normal(generator.normal(0, 2, 2), 1.0, (8, 2))
        index.add(f"{i:08d}", RKME(points, np.full(8, 0.125), n=100))
    user = RKME(generator.normal(0, 1.0, (8, 2)), np.full(8, 0.125), n=100)
    before = index.search(user, limit=20)
    index.add("00000099", RKME(np.full((2, 2), place), np.array([0.5, 0.5]), n=100))
    after = [match for match in index.search(user, limit=21) if match.id != "00000099"]
    assert [match.id for match in before] == [match.id for match in after]
    assert [m.score for m in before] == pytest.approx([m.score for m in after], abs=1e-12)
