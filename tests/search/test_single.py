"""Single search is exact: the same members, order and distances as a loop over RKME.mmd2."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.search.stack import BLOCK_VALUES
from beimingwu.specification import RKME


def by_brute_force(user, specs, kernel):
    distances = [
        (round(user.mmd2(spec, kernel), 12), f"{i:08d}") for i, spec in enumerate(specs, 1)
    ]
    return sorted(distances)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dimension", [1, 4, 30])
def test_single_matches_are_those_of_brute_force(
    seed, dimension, make_spec, varied_specs, index_of
):
    specs = varied_specs(60, dimension, seed)
    user = make_spec(0.5, dimension=dimension, seed=99 + seed)
    result = index_of(specs).search(user, limit=12)
    expected = by_brute_force(user, specs, result.kernel)[:12]
    assert [match.id for match in result] == [id_ for _, id_ in expected]
    assert [match.mmd**2 for match in result] == pytest.approx(
        [mmd2 for mmd2, _ in expected], abs=1e-10
    )


def test_brute_force_agrees_across_blocks_and_number_formats(make_spec, index_of):
    points = BLOCK_VALUES // 400
    specs = [make_spec(i, points=points + 7 * i, seed=i) for i in range(9)]
    precise = RKME(specs[4].points.astype(np.float64) + 1e-9, specs[4].weights, n=100)
    user = make_spec(3.3, points=50, seed=77)
    result = index_of([*specs, precise]).search(user, limit=10)
    expected = by_brute_force(user, [*specs, precise], result.kernel)
    assert [match.id for match in result] == [id_ for _, id_ in expected]
    assert [match.mmd**2 for match in result] == pytest.approx(
        [mmd2 for mmd2, _ in expected], abs=1e-10
    )


def test_distances_are_exact_far_from_the_origin(varied_specs, index_of, make_spec):
    def moved(spec):
        return RKME(spec.points.astype(np.float64) + 2.0**16, spec.weights, n=spec.n)

    specs, user = varied_specs(20), make_spec(0.5, seed=5)
    here = index_of(specs).search(user, max_learnwares=1)
    there = index_of([moved(spec) for spec in specs]).search(moved(user), max_learnwares=1)
    assert [match.id for match in here] == [match.id for match in there]
    # The coordinates themselves are rounded to 2^-36 there.
    assert [match.mmd for match in here] == pytest.approx([m.mmd for m in there], abs=1e-6)


def test_equal_learnwares_are_ordered_by_id(make_spec, index_of):
    same = make_spec(1.0)
    result = index_of([make_spec(-4.0, seed=1), same, same, same]).search(make_spec(1.0, seed=9))
    assert [match.id for match in result] == ["00000002", "00000003", "00000004", "00000001"]


def test_a_learnware_is_at_distance_zero_from_its_own_specification(varied_specs, index_of):
    specs = varied_specs(10)
    best = index_of(specs).search(specs[6]).best
    assert (best.id, best.mmd, best.score) == ("00000007", 0.0, 1.0)


def test_only_allowed_learnwares_are_ranked(varied_specs, index_of):
    specs = varied_specs(30)
    index = index_of(specs)
    everything = index.search(specs[0], limit=30)
    allowed = {match.id for match in everything.single[5:20:2]}
    result = index.search(specs[0], among=allowed, limit=4)
    expected = [match for match in everything if match.id in allowed][:4]
    assert [match.id for match in result] == [match.id for match in expected]
    assert [match.score for match in result] == pytest.approx([m.score for m in expected])


def test_learnwares_of_the_same_data_score_high_and_others_low(make_spec, index_of):
    index = index_of([make_spec(4.0 * i, points=100, seed=i, n=100) for i in range(5)])
    result = index.search(make_spec(8.0, points=100, seed=50, n=100))
    assert result.best.id == "00000003"
    assert result.best.score > 0.9
    assert all(match.score < 0.5 for match in result.single[1:])
    assert result.fits


@pytest.mark.parametrize("spread", [0.3, 1.0, 4.0])
def test_a_learnware_covers_its_own_data_however_wide_it_is_spread(spread, make_spec, index_of):
    others = [make_spec(3.0 * i, points=60, seed=i) for i in range(6)]
    index = index_of([*others, make_spec(0.0, spread=spread, points=100, seed=90)])
    user = make_spec(0.0, spread=spread, points=100, seed=91)
    own = index.search(user, among=["00000007"]).best
    assert own.coverage > 0.9
    assert index.search(make_spec(60.0, seed=5), among=["00000007"]).best.coverage == 0.0


@pytest.mark.parametrize("count", [1, 2, 5, 44])
def test_nothing_fits_a_user_ten_deviations_away(count, make_spec, index_of):
    generator = np.random.default_rng(1)
    index = index_of([make_spec(generator.normal(size=3), seed=i) for i in range(count)])
    result = index.search(make_spec(14.0, seed=77))
    assert not result.fits
    assert result.best.score < 0.05
    assert any("Nothing here fits" in note for note in result.notes)


@pytest.mark.parametrize("count", [1, 2, 5, 44, 300])
def test_a_match_fits_in_a_dock_of_near_copies_of_any_size(count, make_spec, index_of):
    index = index_of([make_spec(0.0, points=60, seed=i, n=60) for i in range(count)])
    result = index.search(make_spec(0.0, points=60, seed=999, n=60))
    assert result.best.score > 0.85
    assert result.fits
