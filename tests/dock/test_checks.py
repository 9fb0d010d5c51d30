"""The cheap checks refuse at once, each rule with a code of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from beimingwu.dock.checks import check_statistical, inspect, read_semantic
from beimingwu.errors import InvalidSpecification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification

Archive = Callable[..., bytes]
Semantic = Callable[..., SemanticSpecification]
Specification = Callable[..., RKME]


@pytest.fixture
def zipped(tmp_path: Path, archive: Archive) -> Callable[..., Path]:
    def write(**files: bytes) -> Path:
        path = tmp_path / "learnware.zip"
        path.write_bytes(archive(**files))
        return path

    return write


def test_the_log_names_the_steps_in_order(zipped: Callable[..., Path], semantic: Semantic) -> None:
    inspected = inspect(zipped(), semantic())
    assert [(step.name, step.state, step.code) for step in inspected.steps] == [
        ("archive", "passed", "ok"),
        ("manifest", "passed", "ok"),
        ("semantic", "passed", "ok"),
        ("statistical", "passed", "ok"),
    ]
    assert all(step.message.endswith(".") and step.seconds >= 0 for step in inspected.steps)


def test_the_semantic_specification_given_wins_over_the_embedded_one(
    zipped: Callable[..., Path], semantic: Semantic
) -> None:
    manifest = b"semantic_specification: {file_name: semantic.json}\nmodel: {}\n"
    manifest += b"stat_specifications: [{class_name: RKMETableSpecification, file_name: stat.json}]"
    embedded = semantic(name="The embedded one")
    files = {"learnware.yaml": manifest, "semantic.json": embedded.dumps().encode()}
    path = zipped(**files)
    assert inspect(path, None).semantic == embedded
    assert inspect(path, semantic(name="The given one")).semantic.name == "The given one"
    assert inspect(path, None, semantic(name="The one before")).semantic == embedded


def test_without_any_semantic_specification_the_remedy_says_where_it_goes(
    zipped: Callable[..., Path], semantic: Semantic
) -> None:
    with pytest.raises(InvalidSpecification) as refused:
        inspect(zipped(), None)
    assert refused.value.code == "semantic.missing"
    assert "semantic=" in refused.value.remedy
    before = semantic(name="The one before")
    assert inspect(zipped(), None, before).semantic == before


def test_a_semantic_specification_may_be_given_as_the_json_of_2024(semantic: Semantic) -> None:
    expected = semantic()
    for given in (expected, expected.to_json(), expected.dumps(), expected.dumps().encode()):
        assert read_semantic(given) == expected
    assert read_semantic(None) is None
    with pytest.raises(InvalidSpecification):
        read_semantic(json.dumps({"Name": "nothing else"}))


def test_a_specification_of_another_kind_than_the_data_is_refused(
    semantic: Semantic, specification: Specification
) -> None:
    with pytest.raises(InvalidSpecification, match=r"'table'.*'Image'") as refused:
        check_statistical(specification(), semantic(data="Image", input=None))
    assert refused.value.code == "statistical.kind"


def test_a_specification_of_other_features_than_declared_is_refused(
    semantic: Semantic, specification: Specification
) -> None:
    check_statistical(specification(3), semantic(3))
    with pytest.raises(InvalidSpecification, match=r"Input\.Dimension is 4") as refused:
        check_statistical(specification(3), semantic(4))
    assert refused.value.code == "statistical.dimension"


def test_a_specification_whose_distance_to_itself_is_not_finite_is_refused(
    semantic: Semantic,
) -> None:
    huge = RKME(np.array([[-1e200] * 3, [1e200] * 3]), np.array([0.5, 0.5]), n=20)
    with pytest.raises(InvalidSpecification) as refused:
        check_statistical(huge, semantic(3))
    assert refused.value.code == "statistical.self_distance"


def test_an_image_has_no_kernel_to_measure_by_and_passes(semantic: Semantic) -> None:
    image = RKME(np.zeros((2, 3, 32, 32)), np.array([0.5, 0.5]), n=0, kind="image", kernel=None)
    check_statistical(image, replace(semantic(), data="Image", input=None))
