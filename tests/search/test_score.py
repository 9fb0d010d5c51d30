"""Laws of the score: absolute, monotone, one at identity, the same whatever else is asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.search import Index
from beimingwu.search.score import Scorer, Strangers, sampling_floor
from beimingwu.specification import RKME

laws = settings(deadline=None, max_examples=60)
shares = st.floats(0.0, 1.0)
inner = st.floats(0.01, 1.0)


@st.composite
def scorers(draw: st.DrawFn) -> Scorer:
    relative = draw(arrays(np.float64, st.integers(0, 40), elements=shares))
    strangers = (
        Strangers.seen_in(relative, draw(st.integers(2, 10_000))) if len(relative) else Strangers()
    )
    return Scorer(strangers, floor=draw(st.floats(0.0, 0.01)), own=draw(inner))


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
def test_identity_scores_one_and_no_overlap_zero(scorer, self_inner):
    apart = scorer.own + self_inner
    scores = scorer(np.array([0.0, scorer.floor, apart]), np.full(3, self_inner))
    assert scores[:2].tolist() == [1.0, 1.0]
    assert scores[2] == pytest.approx(0.0, abs=1e-9)


@laws
@given(arrays(np.float64, st.integers(1, 60), elements=shares), st.integers(2, 5_000))
def test_strangers_seen_only_make_scores_stricter(relative, count):
    x = np.linspace(0.0, 1.0, 101)
    seen, prior = Strangers.seen_in(relative, count), Strangers()
    assert (seen.share_within(x) >= prior.share_within(x) - 1e-12).all()


def test_a_dock_of_relatives_tells_nothing_about_strangers():
    relatives = Strangers.seen_in(np.full(1_000, 0.01), 500)
    assert relatives.share_seen == 0.0


def test_in_a_large_dock_strangers_that_are_near_lower_a_middling_score():
    seen = Strangers.seen_in(np.random.default_rng(0).uniform(0.05, 0.15, 2_000), 10_000)
    assert seen.share_within(np.array([0.1]))[0] == pytest.approx(0.5, abs=0.03)
    assert Strangers().share_within(np.array([0.1]))[0] < 0.03


@pytest.mark.parametrize(("shift", "score"), [(0.5, 0.98), (1.0, 0.8), (2.0, 0.2), (10.0, 0.0)])
def test_the_score_of_a_shift_is_what_the_documentation_says(shift, score):
    generator = np.random.default_rng(0)
    data = generator.standard_normal((700, 10))
    weights = np.full(700, 1 / 700)
    index = Index()
    index.add("00000001", RKME(data, weights, n=10**7))
    user = RKME(generator.standard_normal((700, 10)) + shift, weights, n=10**7)
    assert index.search(user).best.score == pytest.approx(score, abs=0.05)


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
    assert after["00000004"] == pytest.approx(before["00000004"], abs=1e-3)


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


def test_a_pair_has_one_score_under_one_geometry_whatever_comes_and_goes(small, history):
    index, before, told = Index(), 0, {}
    generator = np.random.default_rng(3)
    for moment in range(60, 150, 3):
        history.follow(index, before, moment)
        before, specs = moment, history.published(moment)
        for seed in (2_000, 2_001, 2_004):
            few = generator.permutation(list(specs))[: generator.integers(1, len(specs))].tolist()
            among = few if generator.integers(2) else None
            limit = int(generator.choice([3, 90]))
            user = history.spec(seed)
            found = index.search(user, among=among, limit=limit, max_learnwares=1)
            for match in found:
                pair = found.island.geometry, seed, match.specification.points.tobytes()
                first = told.setdefault(pair, match)
                assert match.score == pytest.approx(first.score, abs=1e-9)
                assert match.coverage == pytest.approx(first.coverage, abs=1e-9)
        index.settle()
    geometries = [geometry for geometry, _, _ in told]
    assert len(set(geometries)) == 2
