"""Hours beside prices: a feature in unlike units is read by rank, and everything else as before."""

from __future__ import annotations

import json

import numpy as np
import pytest

from beimingwu.search import Index
from beimingwu.search.building import Plan
from beimingwu.search.geometry import moments_of
from beimingwu.search.geometry_files import read_geometry, write_geometry
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.stack import Stack
from beimingwu.search.units import UNLIKE, Units, unlikeness
from beimingwu.search.view import Parts
from beimingwu.search.wire import result_from_json, result_to_json
from beimingwu.specification import RKME

#: The unit of a subject's first feature, and how many subjects there are.
HOUR, PRICE = 1.0, 5_000.0


def in_unit(unit: float, place: float, seed: int) -> RKME:
    """Return data of a subject: the first feature in its unit, two more as in every other."""
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((40, 3)) + np.array([place, 0.0, 0.0])
    return RKME((rows * [unit, 1.0, 1.0]).astype(np.float32), np.full(40, 1 / 40), n=2_000)


def subjects(count: int) -> list[RKME]:
    """Return so many of hours, at 20 of them, and so many of prices, at 4 of them, by turns."""
    return [in_unit((HOUR, PRICE)[i % 2], (20.0, 4.0)[i % 2], seed=i) for i in range(2 * count)]


def units_of(specs: list[RKME]) -> Units:
    stack = Stack.of(specs)
    return Units.of(stack, moments_of(stack))


def test_only_the_feature_in_unlike_units_is_read_by_a_ruler():
    units = units_of(subjects(12))
    assert units.ruler is not None
    assert units.ruler.features.tolist() == [0]
    assert units.unlike.max() < UNLIKE


def test_an_island_of_one_subject_keeps_its_scale(varied_specs):
    assert units_of(varied_specs(60)).ruler is None
    assert units_of(subjects(12)[::2]).ruler is None


@pytest.mark.parametrize("count", [2, 3, 8, 40])
def test_no_single_file_brings_a_ruler(count, varied_specs, make_spec):
    absurd = make_spec(0.0, spread=1e12)
    assert units_of([absurd, *varied_specs(count)]).ruler is None


def test_both_subjects_are_told_from_strangers_in_either_unit(index_of):
    index = index_of(subjects(24))
    kin = [in_unit(HOUR, 20.0, seed=900), in_unit(PRICE, 4.0, seed=901)]
    # At other hours, below them, among the prices, far above them, and in between.
    strangers = [
        in_unit(unit, place, seed=910)
        for unit, place in [(HOUR, 26.0), (HOUR, -9.0), (PRICE, 9.0), (PRICE, 1e4), (HOUR, 2e3)]
    ]
    assert [index.search(user).fits for user in kin] == [True, True]
    assert [index.search(user).fits for user in strangers] == [False] * 5


def test_what_is_far_in_the_deviations_beside_it_is_far_by_the_ruler():
    specs = subjects(20)
    low = [RKME(spec.points - np.float32([200.0, 0, 0]), spec.weights, n=9) for spec in specs[::2]]
    kernel = units_of([*specs, *low]).kernel
    # Under everything, between two groups of hours, and over everything.
    gaps = np.array([[-260.0, -181.0], [-174.0, 14.0], [40_000.0, 1e6]])
    rows = np.zeros((3, 2, 3))
    rows[:, :, 0] = gaps
    read = kernel.in_units(rows)[:, :, 0]
    assert (np.diff(read, axis=1) > 2.0).all()


def test_a_search_is_exact_by_a_ruler(small, brute_force, index_of):
    specs = subjects(45)
    named = {f"{i:08d}": spec for i, spec in enumerate(specs, start=1)}
    index = index_of(specs)
    for seed, unit, place in [(700, HOUR, 20.2), (701, PRICE, 4.1), (702, HOUR, 9.0)]:
        user = in_unit(unit, place, seed)
        result = index.search(user, limit=6, max_learnwares=1)
        assert result.kernel.ruler is not None
        brute_force(named).check(result, user, 6)


def test_subjects_in_other_units_are_measured_as_soon_as_they_come(index_of):
    hours = subjects(16)[::2]
    index = index_of(hours)
    assert index.search(hours[0]).kernel.ruler is None
    for i, spec in enumerate(subjects(6)[1::2], start=100):
        index.add(f"{i:08d}", spec)
    assert index.search(hours[0]).kernel.ruler is not None


def test_a_geometry_in_a_file_keeps_its_ruler(tmp_path):
    user = in_unit(HOUR, 20.5, seed=800)
    parts = Parts.of(Segment.of([Entry(f"{i:08d}", s, ()) for i, s in enumerate(subjects(10))]))
    geometry = Plan.of(parts).made()
    again = read_geometry(tmp_path, write_geometry(tmp_path, geometry))
    assert again.version == geometry.version
    assert (again.kernel.in_units(user.rows) == geometry.kernel.in_units(user.rows)).all()


def test_a_result_over_the_network_keeps_the_ruler(index_of):
    user = in_unit(PRICE, 4.2, seed=801)
    result = index_of(subjects(10)).search(user)
    told = json.loads(json.dumps(result_to_json(result)))
    kernel = result_from_json(told, result.requirement, lambda _: None).kernel
    assert (kernel.in_units(user.rows) == result.kernel.in_units(user.rows)).all()


def test_a_match_is_explained_by_the_ruler(index_of):
    user = in_unit(HOUR, 23.0, seed=802)
    told = index_of(subjects(10)).search(user).best.explanation
    assert told.features[0].name == "feature 0"
    assert told.features[0].deviations < -0.5


def test_a_dock_restored_by_removals_measures_as_before():
    specs, user = subjects(20), in_unit(PRICE, 4.0, seed=803)
    index = Index()
    for i, spec in enumerate(specs):
        index.add(f"{i:08d}", spec)
    before = index.search(user, limit=40)
    for i in range(60, 90):
        index.add(f"{i:08d}", in_unit(1e6, 2.0, seed=i))
    assert index.search(user).island.geometry != before.island.geometry
    for i in range(60, 90):
        index.remove(f"{i:08d}")
    after = index.search(user, limit=40)
    assert after.island == before.island
    assert [(m.id, m.score) for m in after] == [(m.id, m.score) for m in before]


def test_unlikeness_passes_over_what_is_constant():
    specs = [in_unit(HOUR, 1.0, seed=i) for i in range(6)]
    flat = [RKME(np.full((2, 3), 5.0), np.full(2, 0.5), n=20) for _ in range(6)]
    assert unlikeness(moments_of(Stack.of([*specs, *flat]))).max() < 2.0
