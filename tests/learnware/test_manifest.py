"""The manifest, as the 2024 formats write it and as we do."""

from __future__ import annotations

import keyword
from types import MappingProxyType

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from beimingwu.errors import InvalidArchive
from beimingwu.learnware import Manifest, StatisticalEntry

TEMPLATE = b"""
model:
  class_name: PickleLoadedModel
  kwargs:
    input_shape: !!python/tuple
    - 20
    output_shape: !!python/tuple [1]
    predict_method: predict
stat_specifications:
- class_name: RKMETableSpecification
  file_name: stat.json
  kwargs: &id001 {}
  module_path: learnware.specification
- {class_name: RKMEStatSpecification, file_name: old.json, kwargs: *id001, module_path: whatever}
name: ignored by the engine
weights: ignored by us
"""


def test_the_engines_template_is_read() -> None:
    manifest = Manifest.parse(TEMPLATE)
    assert manifest.class_name == "PickleLoadedModel"
    assert manifest.module_path == "__init__.py"
    assert manifest.kwargs["input_shape"] == (20,)
    assert manifest.kwargs["output_shape"] == (1,)
    assert [entry.file_name for entry in manifest.statistical] == ["stat.json", "old.json"]


def test_the_least_manifest_has_the_engines_defaults() -> None:
    manifest = Manifest.parse(b"model: {}")
    assert manifest == Manifest("Model", "__init__.py")
    assert manifest.statistical == (StatisticalEntry("RKMETableSpecification", "stat_spec.json"),)


def test_an_id_is_text_and_a_number_is_not_taken_for_one() -> None:
    assert Manifest.parse(b"model: {}\nid: '00000042'").id == "00000042"
    assert Manifest.parse(b"model: {}\nid: 00000042").id is None


def test_what_we_write_any_yaml_reader_reads_where_no_tuple_is_in_it() -> None:
    manifest = Manifest(kwargs=MappingProxyType({"depth": 3}), name="模型", id="00000042")
    document = yaml.safe_load(manifest.dump())
    assert document["model"] == {
        "class_name": "Model",
        "module_path": "__init__.py",
        "kwargs": {"depth": 3},
    }
    assert document["stat_specifications"] == [
        {
            "module_path": "learnware.specification",
            "class_name": "RKMETableSpecification",
            "file_name": "stat_spec.json",
            "kwargs": {},
        }
    ]
    assert (document["name"], document["id"]) == ("模型", "00000042")


@pytest.mark.parametrize("data", [b"", b"name: x", b"model: text", b"model: [1]", b"model: null"])
def test_a_manifest_without_a_model_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidArchive) as caught:
        Manifest.parse(data)
    assert caught.value.code == "manifest.shape"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ("text", "manifest.statistical"),
        ("[text]", "manifest.shape"),
        ("[{class_name: RKMETableSpecification}]", "manifest.shape"),
        ("[{class_name: 5, file_name: stat.json}]", "manifest.shape"),
        ("[{class_name: dict, file_name: stat.json}]", "manifest.statistical_class"),
    ],
)
def test_statistical_entries_are_held_to_their_form(entries: str, code: str) -> None:
    with pytest.raises(InvalidArchive) as caught:
        Manifest.parse(f"model: {{}}\nstat_specifications: {entries}".encode())
    assert caught.value.code == code


names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
manifests = st.builds(
    Manifest,
    class_name=names,
    module_path=names.map("{}.py".format),
    kwargs=st.dictionaries(names, values, max_size=3).map(MappingProxyType),
    statistical=st.lists(
        st.builds(StatisticalEntry, st.just("RKMETableSpecification"), names), max_size=2
    ).map(tuple),
    name=st.none() | st.text(max_size=9),
    id=st.none() | st.text(max_size=9),
    semantic_file=st.none() | names,
)


@given(manifests)
@example(Manifest(id="\x85"))
@example(Manifest(name="a\u2028b\x85 c"))
def test_what_is_dumped_parses_to_the_same(manifest: Manifest) -> None:
    assert Manifest.parse(manifest.dump()) == manifest
