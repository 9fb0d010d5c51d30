"""Hostile stat.json and semantic JSON: each is refused with a code of its own, before it costs."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import BeimingwuError, InvalidSpecification, TooLarge
from beimingwu.specification import RKME, SemanticSpecification, read_specification

MiB = 1024 * 1024


def a_file(**entries: Any) -> bytes:
    """Return a sound table of two points, with these entries changed; `...` takes one out."""
    states: dict[str, Any] = {
        "z": [[0.5, 1.0], [2.0, 3.0]],
        "beta": [0.25, 0.75],
        "gamma": 0.1,
        "num_points": 40,
        "type": "RKMETableSpecification",
    }
    states |= entries
    return json.dumps({key: value for key, value in states.items() if value is not ...}).encode()


def raw(entry: str, text: str) -> bytes:
    """Return the same file with the JSON of one entry replaced by `text`, sound or not."""
    return a_file(**{entry: "PLACE"}).replace(b'"PLACE"', text.encode("utf-8", "surrogatepass"))


def nested(depth: int) -> str:
    return "[" * depth + "0.5" + "]" * depth


TEXT = {"type": "RKMETextSpecification", "z": [[0.5] * 384] * 2}
IMAGE = {"type": "RKMEImageSpecification", "z": [[[[0.5] * 32] * 32]] * 2}

HOSTILE: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "json"),
    "a file that is no JSON": (b"\x80\x04\x95cos\nsystem", "encoding"),
    "a pickle in ASCII": (b"cos\nsystem\n(S'true'\ntR.", "json"),
    "a zip": (b"PK\x03\x04" + bytes(30), "json"),
    "UTF-16": ('{"z": 1}'.encode("utf-16"), "encoding"),
    "zero bytes": (bytes(1000), "json"),
    "a list": (b"[1, 2, 3]", "json"),
    "a number": (b"1", "json"),
    "text after the end": (a_file() + b"{}", "json"),
    "a file cut short": (a_file()[:-9], "json"),
    "two keys of one name": (a_file()[:-1] + b', "beta": [1.0, 0.0]}', "duplicate_key"),
    "nesting that overflows a stack": (nested(100_000).encode(), "too_deep"),
    "nesting in one key": (raw("z", nested(10)), "too_deep"),
    "nesting by objects": (b'{"a":' * 500 + b"1" + b"}" * 500, "too_deep"),
    "nesting hidden behind text": (
        b'{"a": "' + b"]" * 5_000 + b'", "b": ' + nested(5_000).encode() + b"}",
        "too_deep",
    ),
    "nesting hidden behind an escaped quote": (
        b'{"a": "\\\\\\"' + b"]" * 5_000 + b'\\\\", "b": ' + nested(5_000).encode() + b"}",
        "too_deep",
    ),
    "nesting that is never closed": (b"[" * 100_000, "too_deep"),
    "millions of empty lists": (raw("z", "[" + "[]," * 2_000_000 + "[]]"), "too_many_values"),
    "millions of numbers": (raw("junk", "[" + "0," * 9_000_000 + "0]"), "too_many_values"),
    "hundreds of thousands of texts": (
        raw("junk", "[" + '"",' * 300_000 + '""]'),
        "too_many_values",
    ),
    "texts of escaped backslashes": (
        raw("junk", "[" + '"\\\\",' * 300_000 + '""]'),
        "too_many_values",
    ),
    "hundreds of thousands of keys": (
        ("{" + ",".join(f'"{i}":0' for i in range(200_000)) + "}").encode(),
        "too_many_values",
    ),
    "a file over the limit": (b'{"z": "' + b"x" * 65 * MiB + b'"}', "too_large"),
    "many rows that end in another length": (raw("z", "[" + "[0]," * 999 + "[0,0]]"), "ragged"),
    "a point more than the limit": (
        a_file(z=[[0.5]] * 2_001, beta=[1 / 2_001] * 2_001),
        "too_many_points",
    ),
    "a million points of one feature": (
        raw("z", "[" + "[0]," * 900_000 + "[0]]"),
        "too_many_points",
    ),
    "a million weights": (raw("beta", "[" + "0," * 900_000 + "1]"), "too_many_points"),
    "a wide row that says it repeats": (
        raw("z", "[[" + "0," * 4_000_000 + "0]]"),
        "too_many_numbers",
    ),
    "a billion digits, or many": (raw("gamma", "1" * 5_000), "long_number"),
    "digits after the point": (raw("gamma", "0." + "1" * 5_000_000), "long_number"),
    "an exponent of many digits": (raw("gamma", "1e" + "0" * 5_000 + "1"), "long_number"),
    "a count of many digits": (raw("num_points", "9" * 100_000), "long_number"),
    "NaN in the points": (raw("z", "[[NaN, 1.0], [2.0, 3.0]]"), "not_finite"),
    "Infinity in the points": (raw("z", "[[Infinity, 1.0], [2.0, 3.0]]"), "not_finite"),
    "-Infinity in the weights": (raw("beta", "[-Infinity, 1.0]"), "not_finite"),
    "NaN in a key nobody reads": (raw("junk", "NaN"), "not_finite"),
    "a number that overflows to infinity": (raw("z", "[[1e999, 1], [2, 3]]"), "not_finite"),
    "a weight that overflows to infinity": (raw("beta", "[1e999, 0]"), "not_finite"),
    "a number beyond float32": (raw("z", "[[1e39, 1], [2, 3]]"), "out_of_range"),
    "weights that cancel": (a_file(beta=[1e9, 1 - 1e9]), "out_of_range"),
    "no points": (a_file(z=...), "missing"),
    "no weights": (a_file(beta=...), "missing"),
    "an empty list of points": (a_file(z=[], beta=[]), "shape"),
    "points without features": (a_file(z=[[], []]), "shape"),
    "points of one axis": (a_file(z=[0.5, 0.5]), "shape"),
    "points that are null": (a_file(z=None), "shape"),
    "points that are a number": (a_file(z=0.5), "shape"),
    "points that are a text": (a_file(z="[[0.5]]"), "shape"),
    "points that are an object": (a_file(z={"0": [0.5]}), "shape"),
    "weights of two axes": (a_file(beta=[[0.25], [0.75]]), "shape"),
    "fewer weights than points": (a_file(beta=[1.0]), "shape"),
    "more weights than points": (a_file(beta=[0.25, 0.25, 0.5]), "shape"),
    "rows of different lengths": (a_file(z=[[0.5, 1.0], [2.0]]), "ragged"),
    "null among empty rows": (a_file(z=[[], None]), "ragged"),
    "a number among rows": (a_file(z=[[0.5, 1.0], 2.0]), "ragged"),
    "a text among rows": (a_file(z=[[0.5, 1.0], "ab"]), "ragged"),
    "an object among rows": (a_file(z=[[0.5], {"a": 1}]), "ragged"),
    "rows of rows of different lengths": (a_file(z=[[[1.0], [2.0]], [[1.0], []]]), "ragged"),
    "a row among numbers": (a_file(z=[[0.5, [1.0]], [2.0, 3.0]]), "not_a_number"),
    "a text for a number": (a_file(z=[["0.5", 1.0], [2.0, 3.0]]), "not_a_number"),
    "null for a number": (a_file(z=[[None, 1.0], [2.0, 3.0]]), "not_a_number"),
    "true for a number": (a_file(z=[[True, 1.0], [2.0, 3.0]]), "not_a_number"),
    "true and false for weights": (a_file(beta=[True, False]), "not_a_number"),
    "a text for a weight": (a_file(beta=["0.25", 0.75]), "not_a_number"),
    "an object for a number": (a_file(z=[[{}, 1.0], [2.0, 3.0]]), "not_a_number"),
    "weights that do not sum to one": (a_file(beta=[0.25, 0.25]), "weights"),
    "weights of nothing": (a_file(beta=[0.0, 0.0]), "weights"),
    "a class of somebody's own": (a_file(type="system"), "unknown_type"),
    "a dotted class": (a_file(type="os.system"), "unknown_type"),
    "a type that is a list": (a_file(type=["RKMETableSpecification"]), "unknown_type"),
    "a type that is null": (a_file(type=None), "unknown_type"),
    "a type the dock makes itself": (a_file(type="HeteroMapTableSpecification"), "unknown_type"),
    "a rate of zero": (a_file(gamma=0), "gamma"),
    "a negative rate": (a_file(gamma=-0.1), "gamma"),
    "a rate that is true": (a_file(gamma=True), "gamma"),
    "a rate that is a text": (a_file(gamma="0.1"), "gamma"),
    "a rate that is null": (a_file(gamma=None), "gamma"),
    "a rate that overflows": (raw("gamma", "1e999"), "gamma"),
    "a negative count": (a_file(num_points=-1), "num_points"),
    "half a record": (a_file(num_points=0.5), "num_points"),
    "a count that is true": (a_file(num_points=True), "num_points"),
    "a count beyond any database": (a_file(num_points=2**63), "num_points"),
    "names that are a text": (a_file(v2={"features": "ab"}), "features"),
    "names that are numbers": (a_file(v2={"features": [1, 2]}), "features"),
    "names for half the features": (a_file(v2={"features": ["rain"]}), "features"),
    "a name of half a character": (a_file(v2={"features": ["\ud800", "b"]}), "features"),
    "a name with a zero byte": (a_file(v2={"features": ["a\0", "b"]}), "features"),
    "a name without an end": (a_file(v2={"features": ["a" * 9_999, "b"]}), "features"),
    "a v2 that is a list": (a_file(v2=[]), "features"),
    "sentences of three numbers": (a_file(type="RKMETextSpecification"), "shape"),
    "languages that are a text": (a_file(**TEXT, language="en"), "language"),
    "languages that are numbers": (a_file(**TEXT, language=[1]), "language"),
    "thousands of languages": (a_file(**TEXT, language=["en"] * 5_000), "language"),
    "images of two axes": (a_file(type="RKMEImageSpecification"), "shape"),
    "images of another size": (a_file(**IMAGE | {"z": [[[[0.5] * 16] * 16]] * 2}), "shape"),
    "images of a future version": (a_file(**IMAGE, RKME_IMAGE_VERSION=2), "image"),
    "an image version that is true": (a_file(**IMAGE, RKME_IMAGE_VERSION=True), "image"),
    "a billion networks": (a_file(**IMAGE, n_models=10**9), "image"),
    "networks that are a list": (a_file(**IMAGE, model_config=[]), "image"),
    "networks of texts": (a_file(**IMAGE, model_config={"k": "__import__('os')"}), "image"),
    "a message that is an object": (a_file(**IMAGE, msg={"a": 1}), "image"),
}


def test_the_file_that_the_hostile_ones_are_made_of_is_sound() -> None:
    assert read_specification(a_file()).n == 40
    assert read_specification(a_file(**TEXT, language=["en"])).kind == "text"
    assert read_specification(a_file(**IMAGE, n_models=16)).kind == "image"


def test_as_many_points_as_the_limit_are_read() -> None:
    assert (
        len(read_specification(a_file(z=[[0.5]] * 2_000, beta=[1 / 2_000] * 2_000)).points) == 2_000
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_code_of_its_own(name: str) -> None:
    content, code = HOSTILE[name]
    with pytest.raises((InvalidSpecification, TooLarge)) as caught:
        read_specification(content)
    assert caught.value.code == f"specification.{code}"
    assert caught.value.remedy
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "content",
    [
        raw("z", "[" + "[]," * 3_000_000 + "[]]"),
        raw("junk", "[" + "0," * 9_000_000 + "0]"),
        raw("junk", "[" + '"",' * 3_000_000 + '""]'),
        raw("junk", "[" + '"\\\\",' * 2_000_000 + '""]'),
        b"[" * 8_000_000,
        b"]" * 8_000_000,
    ],
    ids=["lists", "numbers", "texts", "escapes", "opened", "closed"],
)
def test_refusing_costs_a_few_times_the_size_of_the_file(content: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BeimingwuError):
            read_specification(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(content)


def test_nesting_is_measured_and_not_tried_whatever_the_recursion_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**7)
    try:
        for content in (b"[" * 5_000_000, b'{"a":' * 1_000_000):
            with pytest.raises(BeimingwuError):
                read_specification(content)
            with pytest.raises(BeimingwuError):
                SemanticSpecification.from_json(content[: 1024 * 1024])
    finally:
        sys.setrecursionlimit(limit)


def test_a_file_without_an_end_is_read_no_further_than_the_limit() -> None:
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("this system has no /dev/zero")
    with pytest.raises(TooLarge) as caught:
        read_specification(endless)
    assert caught.value.code == "specification.too_large"


@pytest.mark.parametrize("opening", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_brackets_and_quotes_inside_texts_do_no_harm(opening: bytes) -> None:
    names = ["[" * 500, '\\"{[,' * 100]
    spec = read_specification(opening + a_file(v2={"features": names}))
    assert spec.features == tuple(names)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=300)
def test_no_bytes_bring_anything_but_an_error_of_ours(content: bytes) -> None:
    for read in (read_specification, SemanticSpecification.from_json):
        with pytest.raises(BeimingwuError):
            read(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.sampled_from(["z", "beta", "gamma", "num_points", "type", "v2"]), json_values)
@settings(deadline=None, max_examples=300)
def test_any_value_of_any_key_is_read_or_refused_by_us(key: str, value: object) -> None:
    assert_read_or_refused(read_specification, a_file(**{key: value}))


@given(
    st.sampled_from(["language", "RKME_IMAGE_VERSION", "msg", "n_models", "model_config"]),
    json_values,
)
@settings(deadline=None, max_examples=200)
def test_any_value_of_the_keys_of_other_kinds_is_read_or_refused_by_us(
    key: str, value: object
) -> None:
    kind = TEXT if key == "language" else IMAGE
    assert_read_or_refused(read_specification, a_file(**kind, **{key: value}))


KEYS = ("Data", "Task", "Model", "Library", "License", "Scenario", "Name", "Description")


@given(
    st.sampled_from((*KEYS, "Input", "Output")),
    json_values | st.fixed_dictionaries({"Type": st.just("Class"), "Values": json_values}),
)
@settings(deadline=None, max_examples=300)
def test_any_entry_of_a_semantic_specification_is_read_or_refused_by_us(
    key: str, value: object
) -> None:
    semantic: dict[str, object] = {
        "Data": {"Type": "Class", "Values": ["Table"]},
        "Task": {"Type": "Class", "Values": ["Regression"]},
        "Library": {"Type": "Class", "Values": ["Others"]},
        "License": {"Type": "Class", "Values": ["MIT"]},
        "Scenario": {"Type": "Tag", "Values": ["Nature"]},
        "Name": {"Type": "String", "Values": "A name"},
        "Description": {"Type": "String", "Values": "A description"},
        "Input": {"Dimension": 2, "Description": {}},
        "Output": {"Dimension": 1, "Description": {}},
    }
    assert_read_or_refused(SemanticSpecification.from_json, semantic | {key: value})


def assert_read_or_refused(
    read: Callable[[Any], RKME | SemanticSpecification], content: object
) -> None:
    try:
        assert repr(read(content))
    except BeimingwuError as error:
        assert error.code.split(".")[0] in ("specification", "semantic")
