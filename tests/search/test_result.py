"""A result explains itself in words, in a table, in HTML and in a picture, and deploys."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from beimingwu.errors import InvalidRequirement, MissingDependency
from beimingwu.search import Index, Requirement, SearchResult, SemanticFilter
from beimingwu.specification import RKME

has_matplotlib = importlib.util.find_spec("matplotlib") is not None


def learnware_of(specs):
    """Return a resolver to learnwares that predict their own number."""

    def resolve(id_):
        number = int(id_)
        return SimpleNamespace(
            id=id_,
            specification=specs[number - 1],
            semantic=None,
            predict=lambda X: np.full(len(X), float(number)),
        )

    return resolve


def test_a_match_names_the_features_that_differ_most(make_spec):
    index = Index()
    names = ("rain", "wind", "temp")
    index.add("00000001", make_spec([0.0, 0.0, 2.0], points=400), names)
    best = index.search(make_spec([0.0, -1.0, 0.0], points=400, seed=1), features=names).best
    first, second = best.explanation.features[:2]
    assert (first.name, second.name) == ("temp", "wind")
    assert first.deviations == pytest.approx(2.0, abs=0.4)
    assert second.deviations == pytest.approx(1.0, abs=0.4)
    assert "temp" in str(best.explanation)
    assert "above yours" in str(best.explanation)


def test_a_search_by_tags_only_has_matches_without_numbers():
    requirement = Requirement(filter=SemanticFilter(text="air"))
    result = SearchResult.of_ids(["00000002", "00000001"], requirement)
    assert [match.id for match in result] == ["00000002", "00000001"]
    assert (result.best.score, result.best.mmd, result.best.coverage) == (None, None, None)
    assert (result.mixture, result.island, result.fits) == (None, None, True)
    assert not SearchResult.of_ids([], requirement).fits


def test_the_table_lists_matches_members_and_notes(varied_specs, mixed, index_of):
    specs = varied_specs(40)
    result = index_of(specs).search(mixed([specs[2], specs[30]], [0.8, 0.2]), limit=2)
    text = repr(result)
    for match in (*result, *result.mixture):
        assert text.count(match.id) == 1
    assert "40 learnwares of 3 features" in text
    assert f"Mixture of {len(result.mixture)}" in text


def test_the_html_shows_explanations_and_escapes_what_strangers_wrote(make_spec):
    index = Index()
    index.add("00000001", make_spec(0.0), ("<script>", "b", "c"))
    result = index.search(make_spec([9.0, 0.0, 0.0], seed=1))
    page = result._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_match_found_by_a_bare_index_has_no_learnware(make_spec, index_of):
    with pytest.raises(InvalidRequirement) as refusal:
        _ = index_of([make_spec(0.0)]).search(make_spec(0.0)).best.learnware
    assert refusal.value.code == "requirement.no_dock"


def test_the_best_single_is_deployed_where_there_is_no_mixture(make_spec, index_of):
    specs = [make_spec(0.0), make_spec(9.0)]
    result = index_of(specs).search(specs[1], resolve=learnware_of(specs))
    reuser = result.deploy()
    assert reuser.predict(specs[1].rows).tolist() == [2.0] * len(specs[1])
    assert "00000002" in reuser.reason


def test_the_mixture_is_deployed_where_there_is_one(make_spec, mixed, index_of):
    specs = [make_spec(0.0, n=30), make_spec(9.0, seed=1, n=30), make_spec(-9.0, seed=2, n=30)]
    user = mixed([make_spec(0.0, seed=8), make_spec(9.0, seed=9)], [0.5, 0.5], n=60)
    result = index_of(specs).search(user, resolve=learnware_of(specs))
    reuser = result.deploy()
    assert reuser.predict(specs[0].rows) == pytest.approx(1.0, abs=0.05)
    assert reuser.predict(specs[1].rows) == pytest.approx(2.0, abs=0.05)


def test_the_nearest_single_is_deployed_on_request_though_there_is_a_mixture(
    make_spec, mixed, index_of
):
    specs = [make_spec(0.0), make_spec(9.0, seed=1), make_spec(-9.0, seed=2)]
    user = mixed([make_spec(0.0, seed=8), make_spec(9.0, seed=9)], [0.4, 0.6])
    result = index_of(specs).search(user, resolve=learnware_of(specs))
    assert result.mixture is not None
    reuser = result.deploy(method="single")
    assert reuser.predict(specs[0].rows).tolist() == [2.0] * len(specs[0])
    assert reuser.reason == f"Learnware {result[0].id} alone was asked for."


def test_deploying_what_does_not_fit_warns(make_spec, index_of):
    specs = [make_spec(0.0)]
    result = index_of(specs).search(make_spec(90.0), resolve=learnware_of(specs))
    with pytest.warns(UserWarning, match="No learnware found fits"):
        result.deploy()


def test_deploying_nothing_is_an_error():
    with pytest.raises(InvalidRequirement) as refusal:
        SearchResult.of_ids([], Requirement()).deploy()
    assert refusal.value.code == "requirement.nothing_found"


@pytest.mark.skipif(has_matplotlib, reason="matplotlib is installed")
def test_plotting_without_matplotlib_says_what_to_install(make_spec, index_of):
    with pytest.raises(MissingDependency, match="pip install matplotlib"):
        index_of([make_spec(0.0)]).search(make_spec(0.0)).plot()


@pytest.mark.skipif(not has_matplotlib, reason="matplotlib is not installed")
@pytest.mark.parametrize("dimension", [1, 4])
def test_a_plot_shows_both_sides_on_the_features_most_apart(dimension, index_of):
    points = np.zeros((2, dimension))
    spec = RKME(points, np.array([0.5, 0.5]), n=20)
    away = RKME(points + np.arange(dimension), np.array([0.5, 0.5]), n=20)
    axes = index_of([away]).search(spec).plot()
    assert axes.get_xlabel() == f"feature {dimension - 1}"
    assert [len(sides.get_offsets()) for sides in axes.collections] == [2, 2]


def test_plotting_a_search_without_points_is_an_error():
    with pytest.raises(InvalidRequirement) as refusal:
        SearchResult.of_ids(["00000001"], Requirement()).plot()
    assert refusal.value.code == "requirement.no_specification"


def test_a_match_explains_itself_feature_by_feature(make_spec, index_of):
    user = make_spec(0.0, points=200, seed=1)
    points = make_spec(0.0, points=200, seed=2).points.astype(np.float64)
    spread = RKME(points * [1.0, 6.0, 1.0], np.full(200, 1 / 200), n=3_000)
    why = index_of([spread]).search(user).best.explain()
    assert [feature.mmd for feature in why.features] == sorted(
        (feature.mmd for feature in why.features), reverse=True
    )
    assert why.features[0].name == "feature 1"
    assert why.features[0].mmd > 3 * why.features[1].mmd
    assert "feature 1" in why.sentence


def test_a_match_found_by_words_has_nothing_to_explain():
    with pytest.raises(InvalidRequirement) as refusal:
        SearchResult.of_ids(["00000007"], Requirement()).best.explain()
    assert refusal.value.code == "requirement.no_specification"
