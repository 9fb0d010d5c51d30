"""The semantic specification: its rules, its errors, and the old JSON both ways."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import InvalidSpecification, TooLarge
from beimingwu.specification import VOCABULARIES, Dimensions, SemanticSpecification


def a_specification(**changed: Any) -> SemanticSpecification:
    given: dict[str, Any] = {
        "name": "Air quality, Beijing",
        "description": "Tomorrow's PM2.5 from today's weather.",
        "data": "Table",
        "task": "Regression",
        "library": "Scikit-learn",
        "scenarios": "Nature",
        "license": "MIT",
        "input": Dimensions.of(["rain", "wind"]),
        "output": Dimensions(1),
    }
    return SemanticSpecification(**{**given, **changed})


def the_old_json() -> dict[str, Any]:
    """An object as the 2024 dock serves it, written out by hand."""
    return {
        "Data": {"Type": "Class", "Values": ["Table"]},
        "Task": {"Type": "Class", "Values": ["Classification"]},
        "Library": {"Type": "Class", "Values": ["PyTorch"]},
        "Scenario": {"Type": "Tag", "Values": ["Health", "Business"]},
        "License": {"Type": "Class", "Values": ["Apache-2.0"]},
        "Name": {"Type": "String", "Values": "Heart risk"},
        "Description": {"Type": "String", "Values": "Risk of a heart attack, in three classes."},
        "Input": {"Dimension": 4, "Description": {"0": "age", "3": "体重"}},
        "Output": {"Dimension": 3, "Description": {"0": "low", "1": "middle", "2": "high"}},
    }


texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=12)


def test_scripts_and_signs_that_need_joiners_are_described_with_them() -> None:
    description = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0645 \U0001f468\u200d\U0001f33e \u200f(\u062c)"
    )
    assert a_specification(description=description).description == description
    assert a_specification(name="\u7a7a\u6c14\u8d28\u91cf \u2014 1")


@st.composite
def specifications(draw: st.DrawFn) -> SemanticSpecification:
    data = draw(st.sampled_from(VOCABULARIES["Data"]))
    task = draw(st.sampled_from(VOCABULARIES["Task"]))
    fewest = 2 if task == "Classification" else 1
    return a_specification(
        name=draw(texts) + "named",
        description=draw(texts) + "\n- described",
        data=data,
        task=task,
        library=draw(st.sampled_from(VOCABULARIES["Library"])),
        license=draw(st.sampled_from(VOCABULARIES["License"])),
        scenarios=draw(
            st.lists(st.sampled_from(VOCABULARIES["Scenario"]), min_size=1, unique=True)
        ),
        model=draw(st.none() | st.sampled_from(VOCABULARIES["Model"])),
        input=draw(dimensions(1)) if data == "Table" else None,
        output=draw(dimensions(fewest)) if task in ("Classification", "Regression") else None,
    )


@st.composite
def dimensions(draw: st.DrawFn, fewest: int) -> Dimensions:
    dimension = draw(st.integers(fewest, 50))
    described = st.dictionaries(st.integers(0, dimension - 1), texts, max_size=5)
    return Dimensions(dimension, draw(described))


@given(specifications())
@settings(deadline=None, max_examples=100)
def test_what_is_written_is_read_back_the_same(spec: SemanticSpecification) -> None:
    assert SemanticSpecification.from_json(spec.dumps()) == spec
    assert SemanticSpecification.from_json(spec.dumps().encode()) == spec
    assert SemanticSpecification.from_json(spec.to_json()) == spec


def test_the_old_json_is_read_field_by_field() -> None:
    spec = SemanticSpecification.from_json(the_old_json())
    assert (spec.data, spec.task, spec.library) == ("Table", "Classification", "PyTorch")
    assert spec.scenarios == ("Health", "Business")
    assert spec.license == "Apache-2.0"
    assert spec.input == Dimensions(4, {0: "age", 3: "体重"})
    assert spec.output == Dimensions.of(["low", "middle", "high"])
    assert spec.model is None


def test_the_old_json_is_written_as_it_was_read() -> None:
    assert SemanticSpecification.from_json(the_old_json()).to_json() == the_old_json()


def test_the_text_is_indented_by_four_and_ascii_as_the_2024_dock_serves_it() -> None:
    text = SemanticSpecification.from_json(the_old_json()).dumps()
    assert text.startswith('{\n    "Data": {\n        "Type": "Class",')
    assert text.isascii()


def test_the_additions_of_the_release_0_4_0_are_read_and_written() -> None:
    given = the_old_json()
    given["Task"]["Values"] = ["Text Generation"]
    given["Data"]["Values"] = ["Text"]
    given["Model"] = {"Type": "Optional", "Values": ["PEFT Model"]}
    spec = SemanticSpecification.from_json(given)
    assert (spec.task, spec.model) == ("Text Generation", "PEFT Model")
    assert spec.to_json()["Model"] == given["Model"]


def test_an_empty_optional_model_says_nothing() -> None:
    given = the_old_json() | {"Model": {"Type": "Optional", "Values": []}}
    assert SemanticSpecification.from_json(given).model is None


def test_dimensions_may_come_as_a_text_that_holds_the_json() -> None:
    given = the_old_json()
    given["Input"] = json.dumps(given["Input"])
    given["Output"] = json.dumps(given["Output"])
    assert SemanticSpecification.from_json(given).to_json() == the_old_json()


def test_dimensions_that_do_not_apply_are_passed_over_when_reading() -> None:
    given = the_old_json()
    given["Data"]["Values"] = ["Image"]
    given["Task"]["Values"] = ["Segmentation"]
    written = SemanticSpecification.from_json(given).to_json()
    assert (written["Input"], written["Output"]) == ({}, {})


def test_keys_that_are_not_of_the_format_are_passed_over() -> None:
    given = the_old_json() | {"learnware_id": {"Values": "00000001"}}
    assert SemanticSpecification.from_json(given).to_json() == the_old_json()


def test_one_scenario_may_be_given_as_a_text_and_is_kept_as_a_tuple() -> None:
    assert a_specification(scenarios="Nature").scenarios == ("Nature",)
    assert a_specification(scenarios=["Nature", "Health", "Nature"]).scenarios == (
        "Nature",
        "Health",
    )


def test_feature_names_are_the_descriptions_where_every_input_has_one() -> None:
    assert a_specification().feature_names == ("rain", "wind")
    assert a_specification(input=Dimensions(2, {0: "rain"})).feature_names == ()
    assert a_specification(data="Text", input=None).feature_names == ()


def test_descriptions_given_out_of_order_name_the_features_in_order() -> None:
    spec = a_specification(input=Dimensions(2, {1: "wind", 0: "rain"}))
    assert spec.feature_names == ("rain", "wind")


def test_a_specification_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(a_specification())) == a_specification()


def test_later_changes_to_the_callers_mapping_do_not_reach_the_specification() -> None:
    names = {0: "rain"}
    made = Dimensions(1, names)
    names[0] = "wind"
    assert made.description == {0: "rain"}


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"data": "Tabel"}, "data", ["'Tabel'", "Table, Image, Text", "Did you mean 'Table'?"]),
        ({"task": "regresion"}, "task", ["Did you mean 'Regression'?"]),
        ({"library": "sklearn"}, "library", ["Did you mean 'Scikit-learn'?"]),
        ({"license": "mit"}, "license", ["Did you mean 'MIT'?"]),
        ({"license": ["MIT"]}, "license", ["['MIT']"]),
        ({"scenarios": ["Nature", "Helth"]}, "scenario", ["'Helth'", "Did you mean 'Health'?"]),
        ({"scenarios": []}, "scenario", ["one or more of Business"]),
        ({"scenarios": 3}, "scenario", ["Got 3"]),
        ({"model": "PEFT"}, "model", ["Base Model"]),
        ({"name": "Air"}, "name", ["5 to 50", "3 here", "'Air'"]),
        ({"name": "A" * 51}, "name", ["5 to 50", "51 here"]),
        ({"name": "      "}, "name", ["5 to 50"]),
        ({"name": "Air\nquality"}, "name", ["control characters"]),
        ({"name": "Air\0quality"}, "name", ["control characters"]),
        ({"name": "Air \ud800 quality"}, "name", ["control characters"]),
        ({"name": "Air \x9b31m quality"}, "name", ["control characters"]),
        ({"name": "Air \u2028 quality"}, "name", ["control characters"]),
        # Names that look like another, or like none.
        ({"name": "Air \u202eytilauq"}, "name", ["invisible"]),
        ({"name": "Air\u2066 quality"}, "name", ["invisible"]),
        ({"name": "Air qua\u200blity"}, "name", ["invisible"]),
        ({"name": "Air qua\u00adlity"}, "name", ["invisible"]),
        ({"name": "\ufeffAir quality"}, "name", ["invisible"]),
        ({"name": "\u00a0\u3000\u2003\u00a0\u3000"}, "name", ["can see"]),
        ({"name": "\u3164" * 9}, "name", ["can see"]),
        ({"name": "\u0301" * 9}, "name", ["can see"]),
        ({"description": "\u200d" * 20}, "description", ["can see"]),
        ({"description": "Learns \u202eytilauq ria"}, "description", ["invisible"]),
        ({"name": 12345}, "name", ["12345"]),
        ({"description": "Too short"}, "description", ["10 to 10,000", "9 here"]),
        ({"description": "A" * 10_001}, "description", ["10,001 here"]),
        ({"input": None}, "input", ["since the data is 'Table'", "Dimensions(…)"]),
        ({"input": 12}, "input", ["Got 12"]),
        ({"output": None}, "output", ["since the task is 'Regression'"]),
        ({"data": "Image"}, "input", ["left out where the data is 'Image'"]),
        ({"task": "Segmentation"}, "output", ["left out where the task is 'Segmentation'"]),
        ({"task": "Classification"}, "output", ["2 or more", "Got 1"]),
    ],
)
def test_an_error_names_the_field_what_was_given_and_what_is_allowed(
    changed: dict[str, Any], code: str, words: list[str]
) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        a_specification(**changed)
    assert caught.value.code == f"semantic.{code}"
    for word in words:
        assert word in str(caught.value)
    assert caught.value.remedy


def test_a_word_that_resembles_nothing_gets_no_suggestion() -> None:
    with pytest.raises(InvalidSpecification) as caught:
        a_specification(data="zzzzzz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("dimension", "description"),
    [
        (0, {}),
        (-1, {}),
        (10**12, {}),
        (True, {}),
        (1.0, {}),
        ("2", {}),
        (2, {2: "outside"}),
        (2, {-1: "outside"}),
        (2, {"0": "not an index"}),
        (2, {True: "not an index"}),
        (2, {0: 7}),
        (2, ["rain", "wind"]),
        (2, {0: "a\0b"}),
    ],
)
def test_dimensions_that_break_a_rule_are_refused(dimension: Any, description: Any) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        Dimensions(dimension, description)
    assert caught.value.code == "semantic.dimensions"


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("Data", None),
        ("Data", "Table"),
        ("Data", {"Values": ["Table"]}),
        ("Data", {"Type": "Tag", "Values": ["Table"]}),
        ("Data", {"Type": "Class", "Values": []}),
        ("Data", {"Type": "Class", "Values": ["Table", "Image"]}),
        ("Data", {"Type": "Class", "Values": "Table"}),
        ("Data", {"Type": "Class", "Values": [["Table"]]}),
        ("Scenario", {"Type": "Tag", "Values": []}),
        ("Scenario", {"Type": "Tag", "Values": "Health"}),
        ("Scenario", {"Type": "Tag", "Values": [{"a": 1}]}),
        ("Name", {"Type": "String", "Values": ["Heart risk"]}),
        ("Description", {"Type": "String", "Values": ""}),
        ("Model", {"Type": "Class", "Values": ["Others"]}),
        ("Model", "Others"),
        ("Input", {}),
        ("Input", {"Dimension": None}),
        ("Input", {"Dimension": True}),
        ("Input", {"Description": {"0": "rain"}}),
        ("Input", {"Dimension": 2, "Description": ["rain"]}),
        ("Input", {"Dimension": 2, "Description": {"0x1": "rain"}}),
        ("Input", {"Dimension": 2, "Description": {"²": "rain"}}),
        ("Input", {"Dimension": 2, "Description": {"9": "rain"}}),
        ("Input", {"Dimension": 2, "Description": {"1" * 5000: "rain"}}),
        ("Input", "not JSON"),
        ("Input", "[1]"),
        ("Output", {"Dimension": 1, "Description": {}}),
    ],
)
def test_an_entry_of_the_wrong_form_is_refused_under_its_own_code(key: str, entry: Any) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        SemanticSpecification.from_json(the_old_json() | {key: entry})
    assert caught.value.code == f"semantic.{key.lower()}"


@pytest.mark.parametrize("key", sorted(the_old_json()))
def test_a_key_left_out_is_named(key: str) -> None:
    given = the_old_json()
    del given[key]
    with pytest.raises(InvalidSpecification, match=f"(?i){key}") as caught:
        SemanticSpecification.from_json(json.dumps(given))
    assert caught.value.code == f"semantic.{key.lower()}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"\xff\xfe{}", "semantic.encoding"),
        ("[1, 2]", "semantic.json"),
        ("null", "semantic.json"),
        ("{", "semantic.json"),
        ("", "semantic.json"),
        ('{"Data": 1, "Data": 2}', "semantic.duplicate_key"),
        ('{"Data": NaN}', "semantic.not_finite"),
        ('{"Data": ' + "[" * 100_000 + "]" * 100_000 + "}", "semantic.too_many_values"),
        ('{"Data": ' + "[" * 50 + "]" * 50 + "}", "semantic.too_deep"),
        ('{"Data": ' + "9" * 10_000 + "}", "semantic.long_number"),
        ('{"Data": [' + '"x",' * 60_000 + "1]}", "semantic.too_many_values"),
        ('"' + "x" * 2_000_000 + '"', "semantic.too_large"),
    ],
)
def test_text_that_is_not_json_within_bounds_has_a_code_of_its_own(
    text: bytes | str, code: str
) -> None:
    with pytest.raises((InvalidSpecification, TooLarge)) as caught:
        SemanticSpecification.from_json(text)
    assert caught.value.code == code


def test_descriptions_that_would_make_a_file_nobody_may_read_are_refused() -> None:
    described = dict.fromkeys(range(200), "x" * 9000)
    with pytest.raises(InvalidSpecification) as caught:
        a_specification(input=Dimensions(200, described))
    assert caught.value.code == "semantic.too_large"
