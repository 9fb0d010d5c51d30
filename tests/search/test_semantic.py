"""Facets are exact: every hit satisfies every facet that is set, and nothing else is a hit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import InvalidRequirement
from beimingwu.search import Facets, SemanticFilter
from beimingwu.search.semantic import KEYS
from beimingwu.specification import VOCABULARIES, Dimensions, SemanticSpecification

AIR = SemanticSpecification(
    data="Table",
    task="Regression",
    library="Scikit-learn",
    scenarios=("Nature", "Health"),
    license="MIT",
    name="Air in spring",
    description="PM2.5 from weather.",
    input=Dimensions(3),
    output=Dimensions(1),
)


def some_of(key: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(VOCABULARIES[key]), max_size=3, unique=True).map(tuple)


@st.composite
def semantics(draw: st.DrawFn) -> SemanticSpecification:
    scenarios = draw(some_of("Scenario").filter(bool))
    return replace(
        AIR,
        data=draw(st.sampled_from(["Table"])),
        task=draw(st.sampled_from(["Regression", "Classification"])),
        library=draw(st.sampled_from(VOCABULARIES["Library"])),
        license=draw(st.sampled_from(VOCABULARIES["License"])),
        model=draw(st.sampled_from([None, *VOCABULARIES["Model"]])),
        scenarios=scenarios,
        output=Dimensions(2),
    )


chosen = {facet: some_of(key) for facet, key in KEYS.items()}
filters = st.builds(
    SemanticFilter,
    **chosen,
    text=st.sampled_from(["", "air", "something else"]),
    without=st.just(Facets())
    | st.builds(Facets, **chosen)
    | st.fixed_dictionaries({}, optional=chosen),
)


def values(semantic: SemanticSpecification) -> dict[str, set[str]]:
    return {
        "data": {semantic.data},
        "task": {semantic.task},
        "library": {semantic.library},
        "license": {semantic.license},
        "model": {semantic.model},
        "scenario": set(semantic.scenarios),
    }


@settings(deadline=None, max_examples=300)
@given(filters, st.lists(semantics(), max_size=8))
def test_a_hit_satisfies_every_facet_and_a_miss_breaks_one(wanted, offered):
    for semantic in offered:
        has = values(semantic)
        broken = [
            facet
            for facet in KEYS
            if (getattr(wanted, facet) and not set(getattr(wanted, facet)) & has[facet])
            or set(getattr(wanted.without, facet)) & has[facet]
        ]
        assert wanted.matches(semantic) == (not broken)


@settings(deadline=None)
@given(filters, semantics())
def test_what_is_excluded_only_takes_hits_away_and_what_is_both_hits_nothing(wanted, semantic):
    without_exclusions = replace(wanted, without=Facets())
    if wanted.matches(semantic):
        assert without_exclusions.matches(semantic)
    both = replace(wanted, task=semantic.task, without={"task": semantic.task})
    assert not both.matches(semantic)


@settings(deadline=None)
@given(filters)
def test_a_query_of_2024_means_the_same_as_its_filter(wanted):
    query = {
        key: {"Type": "Class", "Values": list(getattr(wanted, facet))}
        for facet, key in KEYS.items()
    }
    query["Name"] = {"Type": "String", "Values": wanted.text}
    query["Description"] = {"Type": "String", "Values": ""}
    # The old query has no way to exclude.
    meant = replace(wanted, without=Facets())
    assert SemanticFilter.from_json(json.dumps(query)) == meant
    assert SemanticFilter.from_json(query) == meant


@pytest.mark.parametrize(
    "query",
    ["{}", b"{}", {}, '{"Data": {}}', '{"Data": {"Values": ""}}', '{"Data": null, "Input": {}}'],
)
def test_an_empty_query_puts_no_constraint(query):
    wanted = SemanticFilter.from_json(query)
    assert wanted == SemanticFilter()
    assert not wanted
    assert wanted.matches(AIR)


@pytest.mark.parametrize("query", ["[]", "not json", "[" * 100_000, '"Table"', "7"])
def test_a_query_that_is_no_object_is_refused(query):
    with pytest.raises(InvalidRequirement) as refusal:
        SemanticFilter.from_json(query)
    assert refusal.value.code == "requirement.json"


@pytest.mark.parametrize("values", [7, [7], {"a": 1}])
def test_values_that_are_no_strings_are_refused(values):
    with pytest.raises(InvalidRequirement) as refusal:
        SemanticFilter.from_json({"Task": {"Values": values}})
    assert refusal.value.code == "requirement.task"


def test_the_text_is_no_facet():
    assert SemanticFilter(text="nothing of the kind").matches(AIR)


def test_a_misspelt_value_is_refused_with_the_one_meant():
    with pytest.raises(InvalidRequirement, match="Did you mean 'Regression'"):
        SemanticFilter(task="regresion")
    with pytest.raises(InvalidRequirement, match="Did you mean 'PyTorch'"):
        SemanticFilter(library="pytorch")


def test_single_values_and_several_are_written_alike():
    assert SemanticFilter(task="Regression") == SemanticFilter(task=("Regression",))
    assert SemanticFilter(scenario=["Nature", "Nature"]).scenario == ("Nature",)


def test_exclusions_are_written_by_facet_and_kept_as_facets():
    wanted = SemanticFilter(task="Regression", without={"license": "GPL-3.0", "scenario": ()})
    assert wanted.without == Facets(license=("GPL-3.0",))
    assert wanted == SemanticFilter(task="Regression", without=Facets(license="GPL-3.0"))
    assert len({wanted, replace(wanted)}) == 1
    assert SemanticFilter(without={"license": "MIT"})
    assert not SemanticFilter(without={"license": ()})
    assert eval(repr(wanted)) == wanted


def test_a_misspelt_exclusion_is_refused_with_the_one_meant():
    with pytest.raises(InvalidRequirement, match="Did you mean 'Nature'"):
        SemanticFilter(without={"scenario": "nature"})


@pytest.mark.parametrize(
    "given", ["GPL-3.0", None, {"licence": "MIT"}, {1: "MIT"}, SemanticFilter(task="Regression")]
)
def test_exclusions_by_no_facet_are_refused(given):
    with pytest.raises(InvalidRequirement) as refusal:
        SemanticFilter(without=given)
    assert refusal.value.code == "requirement.without"
