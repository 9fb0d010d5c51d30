"""Names mean the same features without regard to case, spacing and units, and in one order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.search.names import Agreement, Naming, agreement, normal_form, normal_names


@pytest.mark.parametrize(
    "name",
    ["wind speed", "Wind_Speed", "WIND-SPEED (m/s)", " wind  speed [km]", "ｗｉｎｄ speed"],
)
def test_case_spacing_and_units_do_not_matter(name):
    assert normal_form(name) == "wind speed"


@pytest.mark.parametrize("name", ["风速", "温度 (°C)", "température"])
def test_other_scripts_are_kept(name):
    assert normal_form(name)
    assert normal_form("风速") != normal_form("温度")


@pytest.mark.parametrize(
    "names", [["0", "1", "2"], ["x1", "X2"], ["Feature 0", "feature_1"], ["Unnamed: 0"], ["", "a"]]
)
def test_names_that_only_count_are_no_names(names):
    assert normal_names(names) == ()


def test_names_with_a_number_are_names():
    assert normal_names(["PM2.5", "lag 1"]) == ("pm2 5", "lag 1")


def test_agreement():
    assert agreement(("a", "b"), ("a", "b")) is Agreement.COMPARABLE
    assert agreement((), ("a", "b")) is Agreement.COMPARABLE
    assert agreement(("b", "a"), ("a", "b")) is Agreement.OTHER_ORDER
    assert agreement(("a", "c"), ("a", "b")) is Agreement.OTHER_FEATURES
    assert agreement(("a", "a", "b"), ("a", "b", "b")) is Agreement.OTHER_FEATURES


@given(
    names=st.lists(st.lists(st.sampled_from("abc"), max_size=2).map(tuple), max_size=20),
    ours=st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
)
def test_many_learnwares_agree_as_each_one_does(names, ours):
    agreements = Naming.of(names).agreements(ours)
    for how in Agreement:
        expected = [agreement(ours, theirs) is how for theirs in names]
        assert agreements[how].tolist() == expected
