"""Laws of the score: absolute, monotone, one at identity, the same whatever else is asked."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.search import Index
from beimingwu.search.geometry import Geometry, Moments, founded, pooled_scale
from beimingwu.search.score import FITS, HALF, Scorer, Strangers, relative_scores, sampling_floor
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.strangers import expected_nearest
from beimingwu.specification import RKME
from beimingwu.specification.rkme import GaussianKernel

laws = settings(deadline=None, max_examples=60)
shares = st.floats(0.0, 1.0)
inner = st.floats(0.01, 1.0)
distances = arrays(np.float64, st.integers(1, 60), elements=shares)


@st.composite
def strangers(draw: st.DrawFn) -> Strangers:
    return Strangers.seen_in(draw(distances), draw(distances), draw(st.integers(1, 10**6)))


@st.composite
def scorers(draw: st.DrawFn) -> Scorer:
    return Scorer(draw(strangers()), floor=draw(st.floats(0.0, 0.01)), own=draw(inner))


@st.composite
def specifications(draw: st.DrawFn) -> RKME:
    size = draw(st.integers(1, 6))
    points = draw(arrays(np.float32, (size, 2), elements=st.floats(-20, 20, width=32)))
    weights = draw(arrays(np.float64, size, elements=st.floats(0.01, 1)))
    return RKME(points, weights / weights.sum(), n=draw(st.sampled_from([0, 20, 500, 10**6])))


@laws
@given(scorers(), arrays(np.float64, 20, elements=st.floats(0.0, 2.0)), inner)
def test_scores_lie_in_the_unit_interval_and_fall_with_distance(scorer, mmd2, self_inner):
    scores = scorer(np.sort(mmd2), np.full(20, self_inner))
    assert scores.min() >= 0.0
    assert scores.max() <= 1.0
    assert (np.diff(scores) <= 1e-12).all()


@laws
@given(scorers(), inner)
def test_identity_scores_one_strangers_zero_and_the_end_of_kin_a_half(scorer, self_inner):
    apart = scorer.own + self_inner - scorer.floor
    known = np.array([0.0, scorer.strangers.half, scorer.strangers.apart]) * apart
    scores = scorer(np.array([0.0, *(known + scorer.floor)]), np.full(4, self_inner))
    assert scores.tolist() == pytest.approx([1.0, 1.0, 0.5, 0.0], abs=1e-9)


@laws
@given(strangers(), st.floats(0.9, 1.1))
def test_what_is_known_of_the_island_a_little_better_moves_no_score_far(known, error):
    x = np.linspace(0.0, 1.0, 201)
    other = Strangers(min(error * known.half, known.apart / 4), known.apart)
    assert np.abs(other.share_within(x) - known.share_within(x)).max() < 0.04


@laws
@given(distances, distances, st.integers(1, 10**6))
def test_kin_end_well_before_strangers_begin(kin, pairs, count):
    known = Strangers.seen_in(kin, pairs, count)
    assert 0.03 <= known.half <= 0.25
    assert 4.0 * known.half <= known.apart * (1 + 1e-12) <= 1.0 + 1e-9


def test_an_island_of_one_scores_by_what_is_believed_of_all():
    assert Strangers.seen_in(np.empty(0), np.empty(0), 1) == Strangers(HALF, 1.0)


def test_a_dock_of_near_copies_tells_nothing_about_strangers():
    copies = Strangers.seen_in(np.full(128, 0.001), np.full(2_000, 0.01), 512)
    assert copies.apart == 1.0
    assert copies.half > 0.03


def test_where_kin_differ_much_a_match_may_be_farther_off():
    alike = Strangers.seen_in(np.full(128, 0.005), np.full(2_000, 0.8), 512)
    unlike = Strangers.seen_in(np.full(128, 0.2), np.full(2_000, 0.8), 512)
    x = np.array([0.1])
    assert 1.0 - alike.share_within(x)[0] < FITS < 1.0 - unlike.share_within(x)[0]


def test_where_strangers_resemble_each_other_a_middling_score_is_lower():
    kin = np.full(128, 0.01)
    far = Strangers.seen_in(kin, np.full(2_000, 1.0), 10_000)
    near = Strangers.seen_in(kin, np.full(2_000, 0.2), 10_000)
    x = np.array([0.1])
    assert near.share_within(x)[0] > far.share_within(x)[0] + 0.05
    assert near.share_within(np.array([0.22]))[0] == pytest.approx(1.0)


@laws
@given(
    st.lists(shares, min_size=2, max_size=12, unique=True), st.integers(1, 12), st.integers(1, 12)
)
def test_the_nearest_of_some_is_expected_where_all_choices_of_them_say(values, seen, looked_at):
    seen = min(seen, len(values))
    nearest = np.sort(values)[None, :]
    choices = [min(some) for some in combinations(values, seen)]
    assert expected_nearest(nearest, len(values), seen)[0] == pytest.approx(np.mean(choices))
    cut = expected_nearest(nearest[:, :looked_at], len(values), seen)[0]
    assert nearest[0, 0] - 1e-12 <= cut <= np.mean(choices) + 1e-12


@pytest.mark.parametrize(("shift", "score"), [(0.25, 0.75), (0.5, 0.45), (1.0, 0.15), (10.0, 0.0)])
def test_the_score_of_a_shift_is_what_the_documentation_says(shift, score):
    generator = np.random.default_rng(0)
    data = generator.standard_normal((700, 10))
    weights = np.full(700, 1 / 700)
    index = Index()
    index.add("00000001", RKME(data, weights, n=10**7))
    user = RKME(generator.standard_normal((700, 10)) + shift, weights, n=10**7)
    assert index.search(user).best.score == pytest.approx(score, abs=0.05)


@laws
@given(scorers(), st.floats(0.0, 1.0), inner, st.integers(2, 5))
def test_a_mixture_scores_as_if_it_were_as_many_times_as_far_as_it_has_members(
    scorer, mmd2, self_inner, members
):
    alone = scorer.of_mixture(mmd2, self_inner, np.ones(1))
    together = scorer.of_mixture(mmd2, self_inner, np.full(members, 1.0 / members))
    farther = scorer.floor + members * max(mmd2 - scorer.floor, 0.0)
    assert alone == pytest.approx(float(scorer(np.array(mmd2), np.array(self_inner))))
    assert together == pytest.approx(float(scorer(np.array(farther), np.array(self_inner))))


def test_a_mixture_never_scores_less_than_the_nearest_learnware(varied_specs, mixed, index_of):
    specs = varied_specs(30)
    found = 0
    for first in range(0, 24, 2):
        user = mixed(specs[first : first + 3], [0.4, 0.3, 0.3])
        result = index_of(specs[:first] + specs[first + 1 :]).search(user)
        if result.mixture is not None:
            found += 1
            assert result.mixture.score >= result.best.score
            assert result.mixture.mmd < result.best.mmd
    assert found > 6


@laws
@given(
    arrays(np.float64, 5, elements=st.floats(0.0, 1.0)),
    arrays(np.float64, 5, elements=st.floats(0, 1e6)),
)
def test_the_sampling_floor_is_a_share_of_what_points_could_be_apart(self_inner, records):
    floor = sampling_floor(self_inner, np.floor(records), np.full(5, 10.0))
    assert ((floor >= 0.0) & (floor <= 0.1)).all()
    assert (floor[records < 1] == 0.0).all()


def test_claiming_few_records_does_not_raise_a_learnwares_score(make_spec, index_of):
    honest = [make_spec(2.0 * i, seed=i) for i in range(6)]
    boastful = RKME(honest[3].points, honest[3].weights, n=1)
    user = make_spec(4.5, seed=9)
    before = {m.id: m.score for m in index_of(honest).search(user)}
    after = {m.id: m.score for m in index_of([*honest[:3], boastful, *honest[4:]]).search(user)}
    assert after["00000004"] == pytest.approx(before["00000004"], abs=0.01)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(specifications(), min_size=2, max_size=8),
    specifications(),
    st.integers(1, 8),
    st.data(),
)
def test_a_pair_has_one_score_whatever_the_limit_or_the_other_candidates(specs, user, limit, data):
    index = Index()
    for i, spec in enumerate(specs):
        index.add(f"{i:08d}", spec)
    everything = {match.id: match for match in index.search(user, limit=len(specs))}
    assert len(everything) == len(specs)
    among = data.draw(st.sets(st.sampled_from(sorted(everything)), min_size=1))
    for match in index.search(user, limit=limit, among=among, max_learnwares=2):
        assert match.id in among
        assert match.score == pytest.approx(everything[match.id].score, abs=1e-9)
        assert match.coverage == pytest.approx(everything[match.id].coverage, abs=1e-9)
        assert 0.0 <= match.score <= 1.0
    for i, spec in enumerate(specs):
        itself = index.search(spec, among=[f"{i:08d}"]).best
        # Squared distances are exact to twelve decimals or so, distances to half as many.
        assert itself.mmd == pytest.approx(0.0, abs=1e-5)
        assert itself.score == pytest.approx(1.0, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(specifications(), min_size=4, max_size=7), specifications(), st.data())
def test_a_pair_has_one_score_whatever_is_added_and_removed_under_one_geometry(specs, user, data):
    # The geometry is made from the first four: the rest may come and go, in any order.
    index = Index()
    scores: dict[str, dict[str, float]] = {}
    for i, spec in enumerate(specs[:4]):
        index.add(f"{i:08d}", spec)
    coming = [f"{i:08d}" for i in range(4, len(specs))]
    for id_ in data.draw(st.lists(st.sampled_from(coming), max_size=8)) if coming else []:
        if id_ in index:
            index.remove(id_)
        else:
            index.add(id_, specs[int(id_)])
        result = index.search(user, limit=8)
        seen = scores.setdefault(result.island.geometry, {})
        for match in result:
            assert match.score == pytest.approx(seen.setdefault(match.id, match.score), abs=1e-9)


def test_a_learnware_that_comes_or_goes_changes_no_score_of_another(varied_specs, make_spec):
    specs, user, index = varied_specs(31, apart=1.0), make_spec(0.5, seed=9), Index()
    for i, spec in enumerate(specs[:16]):
        index.add(f"{i:08d}", spec)
    before = index.search(user, limit=16)
    for i, spec in enumerate(specs[16:], start=16):
        index.add(f"{i:08d}", spec)
    for i in range(16, 31, 2):
        index.remove(f"{i:08d}")
    after = {match.id: match.score for match in index.search(user, limit=31)}
    assert len(after) == 23
    assert index.search(user).island.geometry == before.island.geometry
    for match in before:
        assert after[match.id] == pytest.approx(match.score, abs=1e-12)


def founded_on(specs: list[RKME], members: int) -> Geometry:
    segment = Segment.of([Entry(f"{i:08d}", spec, ()) for i, spec in enumerate(specs)])
    means = np.array([spec.mean for spec in specs])
    scale = pooled_scale(Moments(means, np.array([spec.scale**2 for spec in specs])))
    return founded(segment, GaussianKernel.multiscale(scale), members)


def score_of(geometry: Geometry, user: RKME, spec: RKME) -> float:
    own, theirs = (one.inner(one, geometry.kernel) for one in (user, spec))
    scorer = geometry.scorer(user, own)
    return float(scorer(np.array(user.mmd2(spec, geometry.kernel)), np.array(theirs)))


def test_a_geometry_made_from_another_half_of_the_dock_moves_no_score_far(make_spec):
    generator = np.random.default_rng(4)
    places = generator.normal(0.0, 2.0, (40, 3))
    specs = [
        make_spec(places[i % 40] + generator.normal(0.0, 0.2, 3), points=50, seed=i, n=50)
        for i in range(480)
    ]
    halves = [founded_on(specs[:240], 480), founded_on(specs[240:], 480)]
    assert halves[0].version != halves[1].version
    users = [make_spec(places[i] + 0.1 * i, points=50, seed=900 + i, n=50) for i in range(12)]
    scores = np.array(
        [[score_of(g, user, specs[i]) for i, user in enumerate(users)] for g in halves]
    )
    assert scores.min() < 0.2
    assert scores.max() > 0.8
    assert np.abs(scores[0] - scores[1]).max() < 0.05


def scores_of_the_protocol(found: list[float]) -> list[float]:
    """Work the scores out one by one, as the protocol of 2024 tells them."""
    if not found:
        return []
    nearest, farthest = min(found), max(found)
    if nearest == farthest:
        return [1.0] * len(found)
    best = 0.1 * sum(found) / len(found)
    if nearest < best:
        best = nearest
    elif (farthest - nearest) / (farthest - best) < 0.92:
        best = farthest - (farthest - nearest) / 0.92
    told = [(farthest - one) / (farthest - best) for one in found]
    return [min(math.sqrt(one), 0.7) if one < 0.7 else one for one in told]


@laws
@given(st.lists(st.floats(0.0, 2.0), max_size=12))
def test_relative_scores_are_those_of_the_protocol_of_2024(found):
    expected = scores_of_the_protocol(found)
    assert relative_scores(np.array(found)).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("found", "scores"),
    [
        ([], []),
        ([7.0], [1.0]),
        ([0.3, 0.3], [1.0, 1.0]),
        ([0.0, 1.0], [1.0, 0.0]),
        ([0.001, 0.4, 0.5, 1.0], [1.0, 0.7, 0.7, 0.0]),
        ([0.5, 1.0], [0.92, 0.0]),
    ],
)
def test_relative_scores_of_the_few_cases(found, scores):
    assert relative_scores(np.array(found)).tolist() == pytest.approx(scores)


@laws
@given(st.lists(st.floats(0.0, 2.0), min_size=2, max_size=12, unique=True))
def test_a_relative_score_falls_with_distance_and_depends_on_the_others(found):
    scores = relative_scores(np.sort(found))
    assert scores[0] >= 0.92 - 1e-9
    assert scores[-1] == 0.0
    assert (np.diff(scores) <= 1e-12).all()
