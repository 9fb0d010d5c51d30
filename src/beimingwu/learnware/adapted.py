"""What an adapter makes of a model, and the questions that every adapter asks of it.

Used by the adapters: `estimators`, `trees` and `networks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidInput
from beimingwu.specification.rkme import RKME

#: A trial prediction on this many of the specification's own points finds shapes, and mistakes.
TRIAL_RECORDS = 4


@dataclass(frozen=True)
class Adapted:
    """A model turned into files.

    Parameters
    ----------
    files
        Content, or path, by name in the archive; the module among them.
    packages
        Top-level modules that must be installed.
    library
        Of the semantic vocabulary.
    task
        Where the model shows it, else None.
    outputs
        Number of classes or targets, where known.
    classes, features
        Names of the classes and features, where the model knows them.
    """

    files: Mapping[str, bytes | Path]
    packages: frozenset[str]
    library: str
    task: str | None
    outputs: int | None
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def trial_records(spec: RKME, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Return the specification's first points, or zeros where the model takes other records."""
    if spec.shape == shape:
        return np.resize(spec.points, (TRIAL_RECORDS, *shape)).astype(np.float32)
    return np.zeros((TRIAL_RECORDS, *shape), dtype=np.float32)


def output_shape(answer: Any) -> tuple[int, ...]:
    """Return the shape of one answer, given the answers to the trial records.

    Examples
    --------
    >>> output_shape(np.zeros((TRIAL_RECORDS, 3))), output_shape(np.zeros(TRIAL_RECORDS))
    ((3,), (1,))
    """
    answer = np.asarray(answer)
    if answer.shape[:1] != (TRIAL_RECORDS,):
        refuse(
            f"The model answers {TRIAL_RECORDS} records with an array of shape {answer.shape}.",
            "pack.output_shape",
            remedy="It must give one answer per record.",
        )
    return tuple(int(size) for size in answer.shape[1:]) or (1,)


def require_features(count: int | None, spec: RKME) -> None:
    """Refuse a model that was fitted on another number of features than was specified."""
    if count is not None and count != spec.dimension:
        refuse(
            f"The model was fitted on {count} features. The specification has {spec.dimension}.",
            "pack.feature_count",
            remedy="Make the specification from the same features, in the same order.",
        )


def require_feature_order(
    names: tuple[str, ...], spec: RKME, *, same: Callable[[str], str] = str
) -> None:
    """Refuse a model whose features have other names, or another order; `same` normalises one."""
    expected = tuple(same(name) for name in spec.features)
    if names and expected and tuple(same(name) for name in names) != expected:
        refuse(
            f"The model was fitted on the features {', '.join(names[:6])} …; the specification "
            f"names {', '.join(spec.features[:6])} ….",
            "pack.feature_names",
            remedy="Make the specification from the same features, in the same order.",
        )


def refuse(problem: str, code: str, *, remedy: str) -> NoReturn:
    """Raise that the model cannot be packed."""
    raise InvalidInput(problem, remedy=remedy, code=code)
