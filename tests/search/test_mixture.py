"""Mixtures are found in the whole island, their weights and coverage mean what they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.search.candidates import Candidates
from beimingwu.search.geometry import founded
from beimingwu.search.mixture import best_mixture, responsibilities
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.single import Asked, nearest
from beimingwu.search.view import Parts, View
from beimingwu.specification import RKME, GaussianKernel


def candidates_for(user, specs, kernel):
    segment = Segment.of([Entry(f"{i:08d}", spec, ()) for i, spec in enumerate(specs)])
    geometry = founded(segment, kernel, len(specs))
    view = View(Parts.of(geometry.measured(segment)).parts, geometry)
    asked, allowed = Asked.by(view, user), view.everything()
    return Candidates(view, asked, allowed), nearest(view, asked, allowed, limit=10)


def family_dock(make_spec, families=12, copies=30, dimension=4, seed=0):
    """Return learnwares in families of near siblings, each family at a place of its own."""
    generator = np.random.default_rng(seed)
    places = generator.normal(0.0, 3.5, (families, dimension))
    siblings = np.repeat(places, copies, axis=0)
    siblings = siblings + generator.normal(0.0, 0.2, siblings.shape)
    return places, [
        make_spec(place, dimension=dimension, points=50, seed=seed + i)
        for i, place in enumerate(siblings)
    ]


@pytest.mark.parametrize("parts", [(2, 7), (0, 4, 9)])
def test_a_true_mixture_is_found_in_its_families(parts, make_spec, mixed, index_of):
    places, specs = family_dock(make_spec)
    shares = [0.6, 0.4] if len(parts) == 2 else [0.5, 0.3, 0.2]
    own = [make_spec(places[p], dimension=4, points=100, seed=900 + p) for p in parts]
    result = index_of(specs).search(mixed(own, shares))
    found = {(int(match.id) - 1) // 30 for match in result.mixture}
    assert found == set(parts)
    weight_of_family = [
        sum(
            weight
            for match, weight in zip(result.mixture, result.mixture.weights, strict=True)
            if (int(match.id) - 1) // 30 == part
        )
        for part in parts
    ]
    assert weight_of_family == pytest.approx(shares, abs=0.08)
    assert result.mixture.score > result.best.score
    assert result.fits


def test_searching_the_whole_island_beats_combining_the_25_nearest(make_spec, mixed, index_of):
    places, specs = family_dock(make_spec)
    own = [make_spec(places[p], dimension=4, points=100, seed=900 + p) for p in (0, 4, 9)]
    user = mixed(own, [0.5, 0.3, 0.2])
    index = index_of(specs)
    whole = index.search(user, limit=25)
    pool = index.search(user, among=[match.id for match in whole])
    pooled = pool.mixture.mmd if pool.mixture else pool.best.mmd
    assert whole.mixture.mmd**2 < 0.5 * pooled**2


@pytest.mark.parametrize("seed", range(6))
def test_the_mixture_is_the_best_of_all_triples(seed, varied_specs, mixed):
    specs = varied_specs(14, seed=seed, apart=2.0)
    user = mixed([specs[1], specs[6], specs[11]], [0.45, 0.35, 0.2], n=10**9)
    noisy = RKME(user.points + np.float32(0.05), user.weights, n=10**9)
    kernel = GaussianKernel.multiscale(np.full(3, 2.0))
    candidates, singles = candidates_for(noisy, specs, kernel)
    found, _ = best_mixture(candidates, singles, max_learnwares=3, floor=0.0)
    best = min(candidates.combine(triple).mmd2 for triple in itertools.combinations(range(14), 3))
    assert found.mmd2 == pytest.approx(best, rel=1e-6)


def test_the_distance_of_a_mixture_is_that_of_the_weighted_points(varied_specs, mixed, index_of):
    specs = varied_specs(30)
    user = mixed(specs[3:6], [0.5, 0.25, 0.25])
    result = index_of([*specs[:3], *specs[6:]]).search(user)
    mixture = result.mixture
    combined = mixed([match.specification for match in mixture], mixture.weights)
    assert mixture.mmd**2 == pytest.approx(user.mmd2(combined, result.kernel), abs=1e-10)
    assert mixture.mmd < result.best.mmd


def test_weights_are_on_the_simplex_and_coverage_sums_to_one(varied_specs, mixed, index_of):
    specs = varied_specs(30, seed=4)
    mixture = index_of(specs).search(mixed(specs[3:7], [0.25] * 4)).mixture
    assert mixture.weights.sum() == pytest.approx(1.0)
    assert mixture.weights.min() >= 0.001
    assert (np.diff(mixture.weights) <= 0).all()
    assert sum(mixture.coverage) == pytest.approx(1.0)
    assert len({match.id for match in mixture}) == len(mixture)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_mixture_has_no_more_members_than_asked_for(most, varied_specs, mixed, index_of):
    specs = varied_specs(20)
    result = index_of(specs).search(mixed(specs[:4], [0.25] * 4), max_learnwares=most)
    if most == 1:
        assert result.mixture is None
    else:
        assert 1 < len(result.mixture) <= most


def test_members_come_only_from_the_allowed(varied_specs, mixed, index_of):
    specs = varied_specs(30)
    user = mixed([specs[0], specs[9]], [0.5, 0.5])
    allowed = {f"{i:08d}" for i in range(2, 31) if i != 10}
    result = index_of(specs).search(user, among=allowed)
    assert result.mixture is not None
    assert {match.id for match in result.mixture} <= allowed


def test_there_is_no_mixture_where_the_best_single_is_as_good(make_spec, varied_specs, index_of):
    specs = varied_specs(20)
    result = index_of(specs).search(specs[4])
    assert result.mixture is None
    assert any("No mixture" in note for note in result.notes)


def test_strangers_are_not_combined(make_spec, varied_specs, index_of):
    result = index_of(varied_specs(40)).search(make_spec(500.0, seed=9))
    assert result.mixture is None
    assert not result.fits


def test_what_no_member_has_seen_is_reported_as_uncovered(varied_specs, make_spec, mixed, index_of):
    specs = varied_specs(20)
    user = mixed([specs[2], specs[8], make_spec(300.0, seed=1)], [0.4, 0.25, 0.35])
    result = index_of(specs).search(user)
    assert result.mixture.uncovered == pytest.approx(0.35, abs=0.06)


def test_nothing_fits_where_most_of_the_data_is_uncovered(varied_specs, make_spec, mixed, index_of):
    specs = varied_specs(20)
    far = [make_spec(100.0 * i, spread=20.0, points=60, seed=i) for i in range(3, 9)]
    user = mixed([specs[2], *far], [0.4, *[0.1] * 6])
    result = index_of(specs).search(user)
    assert not result.fits
    assert any("Nothing here fits" in note for note in result.notes)


positive = st.floats(0.0, 10.0)


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.float64, (3, 5), elements=positive),
    arrays(np.float64, 3, elements=st.floats(0.01, 1.0)),
    arrays(np.float64, 5, elements=st.floats(0.01, 1.0)),
)
def test_responsibilities_share_out_all_of_the_data(densities, weights, shares):
    found = responsibilities(densities, weights / weights.sum(), shares / shares.sum())
    assert (found >= 0.0).all()
    assert found.sum() == pytest.approx(1.0)
