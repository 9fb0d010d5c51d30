"""A user's rows as the array that learnwares are asked with: columns by name, numbers, one shape.

A table and a learnware that both name their features are matched by these names, whatever the
order of the columns; only what has no names is taken by position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import InvalidInput
from beimingwu.specification import RKME
from beimingwu.specification.names import normal_form, normal_names

#: Names listed in a message; more of them help nobody.
LISTED = 12


def checked_rows(X: ArrayLike, spec: RKME, features: Sequence[str] = ()) -> NDArray[Any]:
    """Return `X` as numbers of shape `(n, d…)`, the shape that `spec` describes; never mutated.

    Parameters
    ----------
    X
        An array, or a table with columns.
    spec
        What the learnware's data looked like.
    features
        Its names for its features, where `spec` has none.

    Raises
    ------
    InvalidInput
        `X` is not numeric, lacks a feature that is needed by name, or has another number of them.
    """
    features = spec.features or tuple(features)
    columns = getattr(X, "columns", None)
    if columns is not None and features:
        chosen = _columns_by_name(list(columns), features)
        X = X if chosen is None else X[chosen]  # type: ignore[call-overload,index]
    rows = _numbers(X)
    if rows.shape[1:] not in (spec.shape, (spec.dimension,)):
        raise InvalidInput(
            f"`X` must have shape (n, {', '.join(map(str, spec.shape))}). Got {rows.shape}.",
            remedy=_expected(spec, features),
            code="reuse.shape",
        )
    return np.ascontiguousarray(rows.reshape(len(rows), *spec.shape))


def _numbers(X: ArrayLike) -> NDArray[Any]:
    rows = np.asarray(X)
    if rows.dtype.kind not in "buif":
        try:
            return rows.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInput(
                f"`X` holds values that are not numbers ({error}).",
                remedy="Encode text and categories as the learnwares' descriptions say.",
                code="reuse.not_numbers",
            ) from error
    return rows if rows.dtype.kind == "f" else rows.astype(np.float64)


def _columns_by_name(columns: list[Any], features: Sequence[str]) -> list[str] | None:
    """Return the columns that hold the features, in their order; None to go by position."""
    if set(features) <= set(columns):
        return list(features)
    named = [column for column in columns if isinstance(column, str) and normal_form(column)]
    if not normal_names(features) or not normal_names(named):
        return None
    # A name that two columns or two features share without case and units tells neither.
    given, needed = (Counter(map(normal_form, names)) for names in (named, features))
    column_of = {normal_form(column): column for column in named}
    column_of = {n: c for n, c in column_of.items() if given[n] == 1 and needed[n] == 1}
    exact = set(named)
    found = [name if name in exact else column_of.get(normal_form(name)) for name in features]
    missing = [name for name, column in zip(features, found, strict=True) if column is None]
    if missing:
        raise InvalidInput(
            f"The table has no column for {_listed(missing)}. It has {_listed(named)}.",
            remedy="Rename its columns, or add what is missing: "
            f"{_expected_names(features)} Values without column names are taken by position.",
            code="reuse.features_missing",
        )
    return [column for column in found if column is not None]


def _expected(spec: RKME, features: Sequence[str]) -> str:
    if not features:
        return f"Pass rows of {spec.dimension} values, as the learnwares' descriptions say."
    return f"T{_expected_names(features)[1:]}"


def _expected_names(features: Sequence[str]) -> str:
    return f"the learnwares expect, in this order: {_listed(features)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
