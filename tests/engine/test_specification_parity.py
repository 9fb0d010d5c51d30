"""Our specification files and the public engine's: read by both, in the same bytes, equally far."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beimingwu.specification import (
    RKME,
    VOCABULARIES,
    Dimensions,
    SemanticSpecification,
    dumps_specification,
    read_specification,
    write_specification,
)

pytestmark = pytest.mark.engine

DISTANCE_TOLERANCE = 1e-6


def a_table(seed: int, dimension: int = 5, dtype: Any = np.float32, shift: float = 0.0) -> RKME:
    generator = np.random.default_rng(seed)
    points = (generator.normal(size=(30, dimension)) + shift).astype(dtype)
    return RKME(points, generator.dirichlet(np.ones(30)), n=500)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reduced_set_size": 10, "gamma": 0.5},
        {"reduce": False},
        {"reduced_set_size": 7, "gamma": 1},
    ],
    ids=["default", "smaller", "unreduced", "whole rate"],
)
def test_a_file_the_engine_made_is_read_and_written_back_in_its_bytes(
    engine: Any, tmp_path: Path, options: dict[str, Any]
) -> None:
    data, stat = tmp_path / "data.npy", tmp_path / "stat.json"
    np.save(data, np.random.default_rng(0).normal(size=(200, 4)))
    engine.ask("generate", data=str(data), target=str(stat), **options)
    spec = read_specification(stat)
    assert dumps_specification(spec) == stat.read_bytes()
    assert (spec.n, spec.dimension) == (200, 4)
    assert spec.weights.sum() == pytest.approx(1.0)


def test_a_file_of_records_with_more_axes_is_read_and_written_back_in_its_bytes(
    engine: Any, tmp_path: Path
) -> None:
    data, stat = tmp_path / "data.npy", tmp_path / "stat.json"
    np.save(data, np.random.default_rng(0).normal(size=(60, 2, 3)))
    engine.ask("generate", data=str(data), target=str(stat), reduced_set_size=9)
    spec = read_specification(stat)
    assert spec.points.shape == (9, 2, 3)
    assert dumps_specification(spec) == stat.read_bytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("class_name", ["RKMETableSpecification", "RKMEStatSpecification"])
def test_a_table_of_ours_is_loaded_and_saved_by_the_engine_in_our_bytes(
    engine: Any, tmp_path: Path, dtype: Any, class_name: str
) -> None:
    ours = write_specification(a_table(1, dtype=dtype), tmp_path / "ours.json")
    theirs = tmp_path / "theirs.json"
    seen = engine.ask("load_and_save", class_name=class_name, source=str(ours), target=str(theirs))
    assert seen == {"shape": [30, 5], "weight": pytest.approx(1.0)}
    assert theirs.read_bytes() == ours.read_bytes()


def test_the_engine_passes_over_our_feature_names(engine: Any, tmp_path: Path) -> None:
    plain = a_table(1, dimension=2)
    named = RKME(plain.points, plain.weights, n=plain.n, features=("rain", "wind"))
    ours = write_specification(named, tmp_path / "ours.json")
    theirs = tmp_path / "theirs.json"
    engine.ask(
        "load_and_save",
        class_name="RKMETableSpecification",
        source=str(ours),
        target=str(theirs),
    )
    assert theirs.read_bytes() == dumps_specification(plain)


def test_a_text_of_ours_is_loaded_and_saved_by_the_engine_in_our_bytes(
    engine: Any, tmp_path: Path
) -> None:
    table = a_table(2, dimension=384)
    text = RKME(
        table.points, table.weights, n=500, kind="text", details={"language": ["en", "zh-cn"]}
    )
    assert_the_engine_keeps(engine, tmp_path, "RKMETextSpecification", text)


def test_an_image_of_ours_is_loaded_and_saved_by_the_engine_in_our_bytes(
    engine: Any, tmp_path: Path
) -> None:
    points = np.random.default_rng(3).normal(size=(4, 3, 32, 32)).astype(np.float32)
    image = RKME(points, np.full(4, 0.25), n=0, kind="image", kernel=None)
    assert_the_engine_keeps(engine, tmp_path, "RKMEImageSpecification", image)


def assert_the_engine_keeps(engine: Any, tmp_path: Path, class_name: str, spec: RKME) -> None:
    ours = write_specification(spec, tmp_path / "ours.json")
    theirs = tmp_path / "theirs.json"
    seen = engine.ask("load_and_save", class_name=class_name, source=str(ours), target=str(theirs))
    assert seen == {"shape": list(spec.points.shape), "weight": pytest.approx(1.0)}
    assert theirs.read_bytes() == ours.read_bytes()
    assert dumps_specification(read_specification(theirs)) == ours.read_bytes()


def test_our_distance_is_the_engines_own(engine: Any, tmp_path: Path) -> None:
    pairs = [
        (a_table(2 * seed, dimension, dtype), a_table(2 * seed + 1, dimension, dtype, shift))
        for seed, (dimension, dtype, shift) in enumerate(
            [
                (1, np.float32, 0.0),
                (2, np.float64, 0.1),
                (5, np.float32, 0.5),
                (5, np.float64, 3.0),
                (20, np.float32, 0.0),
                (60, np.float32, 1.0),
            ]
        )
    ]
    names = [
        [
            str(write_specification(spec, tmp_path / f"{number}-{side}.json"))
            for side, spec in enumerate(pair)
        ]
        for number, pair in enumerate(pairs)
    ]
    theirs = engine.ask("distances", class_name="RKMETableSpecification", pairs=names)
    ours = [left.mmd2(right) for left, right in pairs]
    assert ours == pytest.approx(theirs, rel=DISTANCE_TOLERANCE)
    assert min(ours) > 1e-4


def test_our_distance_between_files_the_engine_made_is_the_engines_own(
    engine: Any, tmp_path: Path
) -> None:
    names = []
    for number, spread in enumerate((1.0, 1.3)):
        data, stat = tmp_path / f"{number}.npy", tmp_path / f"{number}.json"
        np.save(data, np.random.default_rng(number).normal(0, spread, size=(300, 6)))
        engine.ask("generate", data=str(data), target=str(stat), reduced_set_size=40)
        names.append(str(stat))
    (theirs,) = engine.ask("distances", class_name="RKMETableSpecification", pairs=[names])
    left, right = map(read_specification, names)
    assert left.mmd2(right) == pytest.approx(theirs, rel=DISTANCE_TOLERANCE)


def test_a_semantic_specification_of_ours_passes_the_engines_checker(engine: Any) -> None:
    for task in VOCABULARIES["Task"]:
        if task == "Text Generation":  # the engine knows it from 0.4.0 on
            continue
        for data in VOCABULARIES["Data"]:
            spec = SemanticSpecification(
                name="Air quality, Beijing",
                description="Tomorrow's PM2.5 from today's weather.",
                data=data,
                task=task,
                library="Scikit-learn",
                scenarios=VOCABULARIES["Scenario"],
                license="CC-BY-SA-4.0",
                input=Dimensions(3, {0: "rain", 2: "风"}) if data == "Table" else None,
                output=Dimensions(2) if task in ("Classification", "Regression") else None,
            )
            status, message = engine.ask("check_semantic", semantic=spec.to_json())
            assert status == 0, message


def test_what_the_engines_generator_makes_is_read_and_written_back(engine: Any) -> None:
    made = engine.ask(
        "generate_semantic",
        name="Heart risk",
        description="Risk of a heart attack, in three classes.",
        data_type="Table",
        task_type="Classification",
        library_type="PyTorch",
        scenarios=["Health", "Business"],
        license="Apache-2.0",
        input_description={"Dimension": 2, "Description": {"0": "age", "1": "weight"}},
        output_description={"Dimension": 3, "Description": {"0": "low"}},
    )
    written = SemanticSpecification.from_json(made).to_json()
    assert json.dumps(written) == json.dumps(made)
