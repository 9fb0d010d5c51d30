"""From what a person has (arrays, data frames, files) to clean rows, and to their specification.

`specify` is the front door of the room. Rows are checked here once, missing values are filled and
counted, and the caller's data is never changed. pandas is used where the caller uses it and never
imported otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidInput, MissingDependency
from beimingwu.specification.parameters import count_of, generator_of
from beimingwu.specification.reduction import reduce
from beimingwu.specification.rkme import RKME, Kind

if TYPE_CHECKING:
    import pandas as pd

#: Records looked at together when bad values are sought.
BLOCK = 4096
#: Largest magnitude that counts as finite: points are published as float32.
LARGEST = float(np.finfo(np.float32).max)


def specify(
    X: Any,
    *,
    kind: Kind | None = None,
    size: int = 100,
    random_state: int | np.random.Generator = 0,
    features: Sequence[str] | None = None,
) -> RKME:
    """Describe data by a reduced kernel mean embedding that holds none of its records.

    Parameters
    ----------
    X
        Shape `(n, d…)`: an array, a data frame (its columns become `RKME.features`), or anything
        with `__array__`. NaN and infinity are filled by the mean of their feature and counted in
        `RKME.details["filled"]`. Never changed.
    kind
        `"table"` (the default), or `"text"` where the rows are sentence embeddings.
    size
        Points wanted; a point stands for ten records, so there are at most `n // 10`.
    random_state
        Same data and same seed give the same specification, to the byte on one machine.
    features
        One name per feature; the columns of a data frame where omitted.

    Returns
    -------
    RKME
        Points in the units of `X`, float32; weights on the simplex.

    Raises
    ------
    InvalidInput
        Not numbers, fewer than 20 records, a feature without any finite value, a size or a seed
        out of its range, …
    WouldDiscloseRecords
        Even moved points would stand on somebody's record.

    References
    ----------
    Wu, Xu, Liu and Zhou, "Model reuse with reduced kernel mean embedding specification" (2020);
    ALGORITHMS §1.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((400, 2))
    >>> specify(rows, features=["height", "width"])
    RKME(table, 40 points of 2 features, for 400 records)
    """
    kind = _check_kind(kind)
    size = count_of("size", size, remedy="Ask for at least one point; 100 is usual.")
    generator = generator_of(random_state)
    clean = clean_rows(X, features=features)
    points, weights, audit = reduce(clean.rows, size, generator)
    audit.require_clean()
    return RKME(
        points=points.reshape(len(points), *clean.shape),
        weights=weights,
        n=len(clean.rows),
        kind=kind,
        features=clean.features,
        details=MappingProxyType({"filled": dict(clean.filled)}),
    )


def read_table(
    path: str | Path, *, columns: Sequence[str] = (), drop: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a CSV (plain or `.gz`, `.xz`, `.bz2`, `.zst`) or Parquet file into a data frame.

    Parameters
    ----------
    path
        The file; Parquet by its ending `.parquet`, CSV otherwise.
    columns
        Keep only these columns, in this order.
    drop
        Leave these columns out.

    Raises
    ------
    MissingDependency
        pandas (or pyarrow, for Parquet) is not installed.
    InvalidInput
        No such file, not a table, or no such column.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidInput(
            f"There is no file {str(path)!r}.",
            remedy="Give the path of a CSV or Parquet file.",
            code="input.no_file",
        )
    frame = _parse(path)
    missing = [name for name in (*columns, *drop) if name not in frame.columns]
    if missing:
        raise InvalidInput(
            f"{path.name} has no column {missing[0]!r}.",
            remedy=f"Its columns are: {', '.join(map(str, frame.columns))}.",
            code="input.no_column",
        )
    kept = list(columns) or list(frame.columns)
    return frame[[name for name in kept if name not in set(drop)]]


@dataclass(frozen=True)
class CleanRows:
    """Finite numbers, ready to be reduced.

    Parameters
    ----------
    rows
        Shape `(n, d)`, floating.
    shape
        Shape of one record as given.
    features
        Their names, or empty where they are not known.
    filled
        How many values of each feature were filled by its mean; only features that had any.
    """

    rows: NDArray[np.floating]
    shape: tuple[int, ...]
    features: tuple[str, ...]
    filled: Mapping[str, int]


def clean_rows(X: Any, *, features: Sequence[str] | None = None) -> CleanRows:
    """Check what a caller gave, and fill what is not finite.

    Parameters
    ----------
    X
        See `specify`.
    features
        See `specify`.

    Raises
    ------
    InvalidInput
        See `specify`.

    Examples
    --------
    >>> clean = clean_rows([[1.0, 0.0], [3.0, np.nan], [2.0, 4.0]])
    >>> clean.rows[1].tolist(), dict(clean.filled)
    ([3.0, 2.0], {'feature 1': 1})
    """
    array, names = _as_numbers(X)
    if array.ndim == 0 or array.size == 0:
        raise InvalidInput(
            f"Data has shape (n, d…), one record per row. Got shape {array.shape} instead.",
            remedy="Give at least 20 records of at least one feature.",
            code="input.empty",
        )
    shape = array.shape[1:] or (1,)
    rows = array.reshape(len(array), -1)
    names = _check_names(names if features is None else tuple(map(str, features)), rows.shape[1])
    rows, filled = _fill(rows, names)
    return CleanRows(rows, shape, names, filled)


def _fill(
    rows: NDArray[np.floating], names: tuple[str, ...]
) -> tuple[NDArray[np.floating], dict[str, int]]:
    """Replace what float32 cannot hold by the mean of its feature; count it."""
    bad_count = np.zeros(rows.shape[1], dtype=np.int64)
    for start in range(0, len(rows), BLOCK):
        bad_count += (~_finite(rows[start : start + BLOCK])).sum(axis=0)
    if not bad_count.any():
        return rows, {}
    filled: dict[str, int] = {}
    rows = rows.copy()
    for j in np.flatnonzero(bad_count):
        name = names[j] if names else f"feature {j}"
        good = _finite(rows[:, j])
        if not good.any():
            raise InvalidInput(
                f"Every value of {name!r} is NaN or infinite.",
                remedy="Leave this feature out, or give it values.",
                code="input.nothing_finite",
            )
        rows[~good, j] = rows[good, j].mean(dtype=np.float64)
        filled[name] = int(bad_count[j])
    return rows, filled


def _finite(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    finite: NDArray[np.bool_] = np.abs(values) <= LARGEST
    return finite


def _as_numbers(X: Any) -> tuple[NDArray[np.floating], tuple[str, ...]]:
    """Return the values as floats, and the feature names where the input has them."""
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        return _of_frame(X)
    if isinstance(X, (str, bytes, Path)):
        raise InvalidInput(
            f"Data is an array or a data frame. Got {X!r} instead.",
            remedy="Read the file first: specify(read_table(path)).",
            code="input.not_data",
        )
    if hasattr(X, "tocsr"):
        raise InvalidInput(
            "Data is a sparse matrix; a specification describes dense records.",
            remedy="Convert it with X.toarray(), or reduce its dimension first.",
            code="input.sparse",
        )
    name = getattr(X, "name", None)
    names = (name,) if isinstance(name, str) else ()
    if isinstance(X, np.ma.MaskedArray):
        return np.ma.filled(X.astype(np.float64), np.nan), names
    try:
        array = np.asarray(X)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidInput(
            f"Data cannot be read as an array: {error}.",
            remedy="Give an array of numbers with one record per row, all of one length.",
            code="input.not_data",
        ) from error
    if array.ndim == 2 and array.dtype == object:
        columns = [_column(array[:, j], f"feature {j}") for j in range(array.shape[1])]
        return np.stack(columns, axis=1), ()
    return _column(array, *names), names if array.ndim == 1 else ()


def _of_frame(X: Any) -> tuple[NDArray[np.floating], tuple[str, ...]]:
    """Take a pandas or polars data frame column by column, so that a bad one can be named."""
    names = tuple(str(name) for name in X.columns)
    if not names:
        return np.empty((0, 0)), ()
    take = X.iloc if hasattr(X, "iloc") else X
    columns = [_column(_plain(take[:, j]), name) for j, name in enumerate(names)]
    return np.stack(columns, axis=1, dtype=np.result_type(*columns)), names


def _plain(column: Any) -> NDArray[Any]:
    """Return a data frame's column as numpy; what pandas' nullable types miss becomes NaN."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "biuf" and not isinstance(column.dtype, np.dtype):
        values: NDArray[Any] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values
    return np.asarray(column)


def _column(values: NDArray[Any], name: str = "") -> NDArray[np.floating]:
    """Return numbers as floats; name what is not numeric, and what to do about it."""
    if values.dtype.kind == "f" and values.dtype.itemsize in (4, 8):
        return values
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind == "O" and all(
        value is None or isinstance(value, (bool, int, float, np.number, np.bool_))
        for value in values.flat
    ):
        return values.astype(np.float64)
    example = next((str(v) for v in values.flat if isinstance(v, str)), values.dtype.name)
    raise InvalidInput(
        f"{f'Feature {name!r}' if name else 'The data'} is not numeric: it holds {example!r}.",
        remedy="Leave it out, or encode it as numbers (a category: a 0/1 column per value).",
        code="input.not_numeric",
    )


def _check_names(names: tuple[str, ...], d: int) -> tuple[str, ...]:
    if names and len(names) != d:
        raise InvalidInput(
            f"{d} features need as many names. Got {len(names)} instead.",
            remedy="Name every feature, or none.",
            code="input.features",
        )
    return names


def _check_kind(kind: Kind | None) -> Kind:
    if kind in (None, "table", "text"):
        return kind or "table"
    raise InvalidInput(
        f"`kind` must be 'table' or 'text'. Got {kind!r} instead.",
        remedy="Describe images by an array of their features, with kind='table'.",
        code="input.kind",
    )


def _parse(path: Path) -> pd.DataFrame:
    parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        import pandas as pd

        return pd.read_parquet(path) if parquet else pd.read_csv(path)
    except ImportError as error:
        raise MissingDependency(
            f"Reading {path.name} needs {'pandas and pyarrow' if parquet else 'pandas'}.",
            remedy=f"pip install {'pandas pyarrow' if parquet else 'pandas'}",
            code="missing_dependency.pandas",
        ) from error
    except (ValueError, OSError, EOFError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read as a table: {error}.",
            remedy="Give a CSV file with a header line, or a Parquet file.",
            code="input.not_a_table",
        ) from error
