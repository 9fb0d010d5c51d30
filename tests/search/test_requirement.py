"""A requirement is what it is made from, whichever form the caller has."""

from __future__ import annotations

import pytest

from beimingwu.errors import InvalidRequirement
from beimingwu.search import Requirement, SemanticFilter


def test_a_specification_a_filter_and_a_query_become_requirements(make_spec):
    spec = make_spec(0.0)
    assert Requirement.of(spec).specification is spec
    assert Requirement.of(SemanticFilter(text="air")).filter.text == "air"
    assert Requirement.of({"Task": {"Values": ["Regression"]}}).filter.task == ("Regression",)
    requirement = Requirement(spec)
    assert Requirement.of(requirement) is requirement


def test_anything_else_is_refused():
    with pytest.raises(InvalidRequirement, match="list") as refusal:
        Requirement.of([1, 2, 3])
    assert refusal.value.code == "requirement.type"


def test_features_default_to_those_of_the_specification(make_spec):
    spec = make_spec(0.0, features=("a", "b", "c"))
    assert Requirement(spec).features == ("a", "b", "c")
    assert Requirement(spec, features=("x", "y", "z")).features == ("x", "y", "z")


def test_every_feature_is_named_or_none(make_spec):
    with pytest.raises(InvalidRequirement) as refusal:
        Requirement(make_spec(0.0), features=("a", "b"))
    assert refusal.value.code == "requirement.features"


@pytest.mark.parametrize(
    ("declared", "features"),
    [
        ({"Dimension": 2, "Description": {"0": "rain", "1": "wind"}}, ("rain", "wind")),
        ('{"Dimension": 1, "Description": {"0": "rain"}}', ("rain",)),
        ({"Dimension": 2, "Description": {"0": "rain"}}, ()),
        ({"Dimension": 2, "Description": {"0": "rain", "1": ""}}, ()),
        ({"Dimension": "2", "Description": {"0": "rain"}}, ()),
        ({}, ()),
        ("", ()),
        (None, ()),
    ],
)
def test_a_query_of_2024_names_the_features_when_it_names_them_all(declared, features):
    assert Requirement.of({"Input": declared}).features == features
