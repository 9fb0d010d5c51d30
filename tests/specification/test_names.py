"""Case, spacing and units are no part of a name, and numbers that count columns are no names."""

from __future__ import annotations

import pytest

from beimingwu.specification.names import normal_form, normal_names


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
