"""A person's own table, read from a file; it stays in this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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
