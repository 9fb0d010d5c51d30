"""What `specify` takes, what it refuses by name, and what it never does to its input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import InvalidInput, MissingDependency
from beimingwu.specification import RKME, read_table, specify
from beimingwu.specification.table import clean_rows


def records(n: int = 60, d: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def refusal(data: object, **options: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        specify(data, **options)  # type: ignore[arg-type]
    assert refused.value.remedy
    return refused.value


def test_the_columns_of_a_data_frame_become_the_features() -> None:
    frame = pd.DataFrame(records(), columns=["rain", "wind", 7])
    spec = specify(frame)
    assert spec.features == ("rain", "wind", "7")
    np.testing.assert_array_equal(spec.points, specify(frame.to_numpy()).points)


def test_given_names_win_over_those_of_the_frame() -> None:
    frame = pd.DataFrame(records(d=2), columns=["a", "b"])
    assert specify(frame, features=["x", "y"]).features == ("x", "y")
    assert refusal(frame, features=["x"]).code == "input.features"


def test_a_named_series_is_one_feature() -> None:
    spec = specify(pd.Series(records()[:, 0], name="rain"))
    assert spec.features == ("rain",)
    assert spec.shape == (1,)


def test_one_number_per_record_is_a_table_of_one_feature() -> None:
    assert specify(records()[:, 0]).points.shape == (6, 1)


def test_records_that_are_matrices_come_back_as_matrices() -> None:
    flat = records(d=12)
    spec = specify(flat.reshape(60, 3, 4))
    assert spec.shape == (3, 4)
    np.testing.assert_array_equal(spec.rows, specify(flat).points)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "int64", "uint8", "bool"])
def test_every_kind_of_number_is_taken(dtype: str) -> None:
    data = (10 * records(200)).astype(dtype)
    assert specify(data).points.dtype == np.float32


def test_whatever_has_an_array_inside_is_taken() -> None:
    class Wrapped:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return records()

    np.testing.assert_array_equal(specify(Wrapped()).points, specify(records()).points)
    np.testing.assert_array_equal(specify(records().tolist()).points, specify(records()).points)


def test_nullable_and_mixed_columns_are_taken_and_their_gaps_filled() -> None:
    frame = pd.DataFrame(
        {
            "a": records()[:, 0].astype(np.float32),
            "b": pd.array([1, None, 3] * 20, dtype="Int64"),
            "c": pd.array([True, False, None] * 20, dtype="boolean"),
            "d": [1.5, None, 2] * 20,
        }
    )
    spec = specify(frame)
    assert dict(spec.details)["filled"] == {"b": 20, "c": 20, "d": 20}


def test_masked_values_count_as_missing() -> None:
    data = np.ma.masked_array(records(), mask=np.zeros((60, 3), dtype=bool))
    data[4, 1] = np.ma.masked
    assert specify(data).details["filled"] == {"feature 1": 1}


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), bad=st.sampled_from([np.nan, np.inf, -np.inf, 1e300]))
def test_bad_values_are_filled_by_the_mean_and_counted(seed: int, bad: float) -> None:
    generator = np.random.default_rng(seed)
    data = records(seed=seed % 1000)
    holes = generator.random(data.shape) < 0.2
    data[holes] = bad
    clean = clean_rows(data)
    assert clean.filled == {f"feature {j}": int(k) for j, k in enumerate(holes.sum(axis=0)) if k}
    for j in range(3):
        good = data[~holes[:, j], j]
        np.testing.assert_allclose(clean.rows[holes[:, j], j], good.mean())
        np.testing.assert_array_equal(clean.rows[~holes[:, j], j], good)


def test_clean_data_have_nothing_filled() -> None:
    assert specify(records()).details["filled"] == {}


@pytest.mark.parametrize("data", [records(), records().astype(np.float32)])
def test_the_input_is_never_changed(data: np.ndarray) -> None:
    data = data.copy()
    data[3, 1] = np.nan
    before = data.copy()
    data.flags.writeable = False
    specify(data)
    np.testing.assert_array_equal(data, before)


def test_a_frame_is_never_changed() -> None:
    frame = pd.DataFrame({"a": records()[:, 0], "b": [1, None] * 30})
    before = frame.copy(deep=True)
    specify(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_a_column_without_any_finite_value_is_named() -> None:
    frame = pd.DataFrame({"a": records()[:, 0], "empty": [np.nan] * 60})
    error = refusal(frame)
    assert error.code == "input.nothing_finite"
    assert "'empty'" in str(error)


@pytest.mark.parametrize(
    "column",
    [
        ["N", "NNW"] * 30,
        pd.Categorical(["N", "NNW"] * 30),
        pd.date_range("2026-01-01", periods=60),
        [1.0, "NNW"] * 30,
        pd.array(["N", None] * 30, dtype="string"),
    ],
)
def test_a_column_that_is_not_numeric_is_named_with_the_remedy(column: object) -> None:
    error = refusal(pd.DataFrame({"a": records()[:, 0], "wd": column}))
    assert error.code == "input.not_numeric"
    assert "'wd'" in str(error)
    assert "0/1 column" in error.remedy


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (scipy.sparse.eye_array(30), "input.sparse"),
        ("data.csv", "input.not_data"),
        (Path("data.csv"), "input.not_data"),
        ([[1.0, 2.0], [3.0]], "input.not_data"),
        (None, "input.empty"),
        ({"a": 1}, "input.not_numeric"),
        (np.array([["a", "b"]] * 30), "input.not_numeric"),
        (records() + 1j, "input.not_numeric"),
        (np.empty((50, 0)), "input.empty"),
        (np.empty((0, 3)), "input.empty"),
        (pd.DataFrame(index=range(50)), "input.empty"),
        (records(19), "input.too_few_records"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused(data: object, code: str) -> None:
    assert refusal(data).code == code


def test_sentence_embeddings_are_of_kind_text_and_images_are_not_made() -> None:
    assert specify(records(), kind="text").kind == "text"
    assert specify(records()).kind == "table"
    assert refusal(records(), kind="image").code == "input.kind"


def test_fifty_records_make_five_points() -> None:
    spec = specify(records(50))
    assert isinstance(spec, RKME)
    assert (len(spec), spec.n) == (5, 50)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.xz", "parquet"])
def test_tables_are_read_packed_and_unpacked(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(records(), columns=["a", "b", "c"])
    path = tmp_path / f"data.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_table(path), frame)
    assert list(read_table(path, columns=["c", "a"]).columns) == ["c", "a"]
    assert list(read_table(str(path), drop=["b"]).columns) == ["a", "c"]


def test_a_table_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.parquet").write_bytes(b"not parquet")
    (tmp_path / "broken.csv.gz").write_bytes(b"not gzip")
    (tmp_path / "good.csv").write_text("a,b\n1,2\n")
    for name in ("empty.csv", "broken.parquet", "broken.csv.gz"):
        with pytest.raises(InvalidInput) as refused:
            read_table(tmp_path / name)
        assert refused.value.code == "input.not_a_table"
    with pytest.raises(InvalidInput, match="There is no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InvalidInput, match="no column 'z'") as refused:
        read_table(tmp_path / "good.csv", drop=["z"])
    assert "a, b" in refused.value.remedy


def test_without_pandas_reading_a_file_says_what_to_install(tmp_path: Path) -> None:
    """In a process of its own, where importing pandas fails as if it were not installed."""
    (tmp_path / "data.csv").write_text("a\n1\n")
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "from beimingwu.specification import read_table\n"
        "from beimingwu.errors import MissingDependency\n"
        "try:\n    read_table(sys.argv[1])\n"
        "except MissingDependency as error:\n    print(error.remedy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data.csv")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "pip install pandas"
    assert issubclass(MissingDependency, ImportError)


def test_importing_the_room_imports_neither_pandas_nor_scipys_optimiser() -> None:
    script = (
        "import sys, beimingwu.specification\n"
        "print([name for name in ('pandas', 'scipy.optimize', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
