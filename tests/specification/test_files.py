"""stat.json read and written: the formats of 2024 byte for byte, and our feature names beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.errors import InvalidInput, InvalidSpecification, NotFound, TooLarge
from beimingwu.specification import (
    RKME,
    GaussianKernel,
    dumps_specification,
    read_specification,
    write_specification,
)
from beimingwu.specification.rkme import Kind

laws = settings(deadline=None, max_examples=60)

#: As the public engine wrote it, digits and all: float64 points that float32 cannot hold.
A_TABLE = (
    b'{"z":[[-1.227557074826245,0.7280902260937883],[0.32347955437287473,-0.15427804365015862]],'
    b'"beta":[0.25,0.75],"gamma":0.1,"num_points":300,"type":"RKMETableSpecification"}'
)


def a_text() -> bytes:
    points = [[round(0.001 * (i + j), 3) for j in range(384)] for i in range(2)]
    states = {
        "z": points,
        "beta": [0.5, 0.5],
        "gamma": 0.1,
        "num_points": 12,
        "type": "RKMETextSpecification",
        "language": ["en", "zh-cn"],
    }
    return json.dumps(states, separators=(",", ":")).encode()


def an_image() -> bytes:
    points = np.linspace(-2, 2, 2 * 3 * 32 * 32, dtype=np.float32).reshape(2, 3, 32, 32)
    states = {
        "RKME_IMAGE_VERSION": 1,
        "msg": None,
        "z": points.tolist(),
        "beta": [0.125, 0.875],
        "n_models": 16,
        "model_config": {"k": 2, "mu": 0, "sigma": None, "net_width": 128, "net_depth": 3},
        "type": "RKMEImageSpecification",
    }
    return json.dumps(states, separators=(",", ":")).encode()


def named(feature: str) -> RKME:
    return RKME(np.eye(2), np.full(2, 0.5), n=2, features=(feature, "wind"))


def changed(file: bytes, **entries: Any) -> bytes:
    """Return `file` with these entries; an entry of `...` is taken out."""
    states = json.loads(file) | entries
    return json.dumps({key: value for key, value in states.items() if value is not ...}).encode()


SHAPES: dict[Kind, tuple[int, ...]] = {"table": (3,), "text": (384,), "image": (1, 32, 32)}


@st.composite
def rkmes(draw: st.DrawFn) -> RKME:
    kind: Kind = draw(st.sampled_from(["table", "text", "image"]))
    size = draw(st.integers(1, 4))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    width = 32 if dtype is np.float32 else 64
    values = st.floats(-(2.0**100), 2.0**100, width=width)
    points = draw(arrays(dtype, (size, *SHAPES[kind]), elements=values, fill=values))
    weights = draw(arrays(np.float64, size, elements=st.floats(0.01, 1)))
    named = kind == "table" and draw(st.booleans())
    return RKME(
        points,
        weights / weights.sum(),
        n=draw(st.integers(0, 10**9)),
        kind=kind,
        kernel=None if kind == "image" else GaussianKernel((draw(st.floats(1e-3, 10)),)),
        features=("rain", "风", 'a "quoted\\" name') if named else (),
        details={"language": draw(st.lists(st.sampled_from(["en", "zh-cn"]), max_size=2))}
        if kind == "text"
        else {},
    )


@given(rkmes())
@laws
def test_what_is_written_is_read_back_the_same(spec: RKME) -> None:
    back = read_specification(dumps_specification(spec))
    assert np.array_equal(back.points, spec.points)
    assert np.array_equal(back.weights, spec.weights)
    assert (back.kind, back.n, back.features) == (spec.kind, spec.n, spec.features)
    assert list(back.details.get("language", ())) == list(spec.details.get("language", ()))
    if spec.kernel is not None:
        assert back.kernel is not None
        assert back.kernel.rates == spec.kernel.rates


@given(rkmes())
@laws
def test_what_is_read_is_written_back_byte_for_byte(spec: RKME) -> None:
    written = dumps_specification(spec)
    assert dumps_specification(read_specification(written)) == written


@pytest.mark.parametrize("file", [A_TABLE, a_text(), an_image()], ids=["table", "text", "image"])
def test_a_file_of_the_public_engine_is_written_back_byte_for_byte(file: bytes) -> None:
    assert dumps_specification(read_specification(file)) == file


def test_the_files_of_each_kind_are_read_for_what_they_are() -> None:
    table, text, image = map(read_specification, (A_TABLE, a_text(), an_image()))
    assert (table.kind, table.shape, table.n) == ("table", (2,), 300)
    assert (text.kind, text.shape, text.details["language"]) == ("text", (384,), ("en", "zh-cn"))
    assert (image.kind, image.shape, image.kernel) == ("image", (3, 32, 32), None)
    assert image.details["n_models"] == 16


def test_points_are_float32_only_where_that_keeps_every_digit() -> None:
    assert read_specification(A_TABLE).points.dtype == np.float64
    assert read_specification(an_image()).points.dtype == np.float32
    assert read_specification(changed(A_TABLE, z=[[0.5], [2]])).points.dtype == np.float32


def test_a_table_may_hold_records_of_more_than_one_axis() -> None:
    spec = read_specification(changed(A_TABLE, z=[[[1.0, 2.0]], [[3.0, 4.0]]]))
    assert spec.shape == (1, 2)
    assert json.loads(dumps_specification(spec))["z"] == [[[1.0, 2.0]], [[3.0, 4.0]]]


def test_a_file_without_a_type_is_a_table_unless_its_manifest_says_otherwise() -> None:
    assert read_specification(changed(A_TABLE, type=...)).kind == "table"
    untyped = changed(a_text(), type=...)
    assert read_specification(untyped, class_name="RKMETextSpecification").kind == "text"


def test_the_alias_of_the_first_releases_is_a_table() -> None:
    alias = "RKMEStatSpecification"
    assert read_specification(A_TABLE, class_name=alias).kind == "table"
    assert read_specification(changed(A_TABLE, type=alias), class_name=alias).kind == "table"
    written = dumps_specification(read_specification(changed(A_TABLE, type=alias)))
    assert json.loads(written)["type"] == "RKMETableSpecification"


def test_a_type_that_its_manifest_does_not_name_is_refused() -> None:
    with pytest.raises(InvalidSpecification) as caught:
        read_specification(A_TABLE, class_name="RKMETextSpecification")
    assert caught.value.code == "specification.type"
    assert "RKMETextSpecification" in str(caught.value)


def test_what_the_engine_does_not_need_may_be_left_out() -> None:
    spec = read_specification(changed(A_TABLE, gamma=..., num_points=...))
    assert spec.n == 0
    assert spec.kernel is not None
    assert spec.kernel.rates == (0.1,)


def test_keys_that_nobody_knows_are_passed_over() -> None:
    assert dumps_specification(read_specification(changed(A_TABLE, novelty={"a": [1]}))) == A_TABLE


def test_feature_names_travel_in_a_key_of_their_own_after_the_engines() -> None:
    spec = RKME(np.array([[0.5, 2.0]]), np.ones(1), n=3, features=("rain", "wind"))
    states = json.loads(dumps_specification(spec))
    assert list(states) == ["z", "beta", "gamma", "num_points", "type", "v2"]
    assert states["v2"] == {"features": ["rain", "wind"]}


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    spec = read_specification(A_TABLE)
    path = write_specification(spec, tmp_path / "stat.json")
    assert path.read_bytes() == A_TABLE
    assert [entry.name for entry in tmp_path.iterdir()] == ["stat.json"]
    assert dumps_specification(read_specification(path)) == A_TABLE
    assert dumps_specification(read_specification(str(path))) == A_TABLE


def test_a_place_that_no_file_can_be_written_to_is_named(tmp_path: Path) -> None:
    spec = read_specification(A_TABLE)
    for path, code in (
        (tmp_path, "specification.not_a_file"),
        (tmp_path / "absent" / "stat.json", "specification.no_folder"),
    ):
        with pytest.raises(InvalidInput) as caught:
            write_specification(spec, path)
        assert caught.value.code == code
        assert str(tmp_path) in caught.value.problem
    assert list(tmp_path.iterdir()) == []


def test_a_file_may_have_as_long_a_name_as_the_system_allows(tmp_path: Path) -> None:
    assert write_specification(read_specification(A_TABLE), tmp_path / ("s" * 255)).is_file()


def test_writing_again_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stat.json"
    path.write_bytes(b"something else, and longer than the specification" * 100)
    write_specification(read_specification(A_TABLE), path)
    assert path.read_bytes() == A_TABLE


def test_a_path_without_a_file_is_not_found(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(NotFound) as caught:
            read_specification(path)
        assert caught.value.code == "specification.not_found"


@pytest.mark.parametrize("kernel", [GaussianKernel((0.1, 0.2)), GaussianKernel((0.1,), np.ones(2))])
def test_a_kernel_that_the_format_cannot_say_is_not_written(kernel: GaussianKernel) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        dumps_specification(RKME(np.eye(2), np.array([0.5, 0.5]), n=2, kernel=kernel))
    assert caught.value.code == "specification.kernel"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (RKME(np.eye(2), np.full(2, 0.5), n=2, kind="text"), "specification.shape"),
        (RKME(np.zeros((1, 3, 8, 8)), np.ones(1), n=2, kind="image"), "specification.shape"),
        (RKME(np.full((1, 1), 1e39), np.ones(1), n=2), "specification.out_of_range"),
        (RKME(np.eye(2), np.full(2, 0.5), n=-2), "specification.num_points"),
        (named("x" * 2000), "specification.features"),
        (named("two\nlines"), "specification.features"),
        (named("half \ud800"), "specification.features"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(spec: RKME, code: str) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        dumps_specification(spec)
    assert caught.value.code == code


def test_the_limits_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = RKME(np.eye(10), np.full(10, 0.1), n=10)
    content = dumps_specification(spec)
    monkeypatch.setenv("BEIMINGWU_SPECIFICATION_MAX_NUMBERS", "99")
    for refused in (lambda: read_specification(content), lambda: dumps_specification(spec)):
        with pytest.raises(TooLarge) as caught:
            refused()
        assert caught.value.code == "specification.too_many_numbers"
    monkeypatch.setenv("BEIMINGWU_SPECIFICATION_MAX_NUMBERS", "100")
    assert len(read_specification(content)) == 10
    monkeypatch.setenv("BEIMINGWU_SPECIFICATION_MAX_BYTES", str(len(content) - 1))
    for refused in (lambda: read_specification(content), lambda: dumps_specification(spec)):
        with pytest.raises(TooLarge) as caught:
            refused()
        assert caught.value.code == "specification.too_large"
    monkeypatch.setenv("BEIMINGWU_SPECIFICATION_MAX_BYTES", str(len(content)))
    assert len(read_specification(content)) == 10
