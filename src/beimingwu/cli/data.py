"""A person's own table, read from a file; it stays in this process."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beimingwu.cli.options import Columns

if TYPE_CHECKING:
    import pandas as pd

    from beimingwu.cli.output import Output


def read_features(path: Path, columns: Columns) -> pd.DataFrame:
    """Return the columns of a CSV or Parquet file that are features.

    Raises
    ------
    InvalidInput, MissingDependency
        As `specification.read_table`.
    """
    from beimingwu.specification import read_table

    return read_table(path, drop=columns.left_out)


def read_numbers(path: Path, columns: Columns) -> pd.DataFrame:
    """Return the columns that are features, all of which have to be numbers.

    Raises
    ------
    InvalidInput, MissingDependency
        As `read_features`; and every column that is no number, at once.
    """
    from beimingwu.errors import InvalidInput

    frame = read_features(path, columns)
    words = {str(name): frame[name] for name in frame.columns if not _is_numeric(frame[name])}
    if words:
        shown = ", ".join(
            f"{name} (such as {column.dropna().iloc[0]!r})" for name, column in words.items()
        )
        drop = shlex.join(word for name in words for word in ("--drop", name))
        raise InvalidInput(
            f"Not every column of {path.name} holds numbers: {shown}.",
            remedy=f"Leave out what is no feature: {drop}; or encode it as numbers.",
            code="input.not_numeric",
        )
    return frame


def _is_numeric(column: pd.Series[Any]) -> bool:
    from pandas.api.types import is_numeric_dtype

    return len(column) == 0 or bool(is_numeric_dtype(column.infer_objects()))


def without_gaps(frame: pd.DataFrame, output: Output) -> pd.DataFrame:
    """Fill missing values by the mean of their column, as in a specification, and say so."""
    missing = {str(name): int(count) for name, count in frame.isna().sum().items() if count}
    if missing:
        output.say(f"Filled by the mean of their column: {filled_in_words(missing)}.")
    return frame.fillna(frame.mean(numeric_only=True))


def filled_in_words(filled: Mapping[str, int]) -> str:
    """Return how many values of which feature were filled.

    Examples
    --------
    >>> filled_in_words({"rain": 2, "wind": 1})
    '2 of rain, 1 of wind'
    """
    return ", ".join(f"{count:,} of {name}" for name, count in filled.items())
