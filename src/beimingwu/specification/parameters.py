"""The rules of the parameters that several functions of the room take.

Each refuses what it cannot use with the rule, the value given, and what to pass instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from beimingwu.errors import InvalidInput


def count_of(name: str, value: Any, *, remedy: str) -> int:
    """Return a number of things as an int of Python.

    Raises
    ------
    InvalidInput
        Not a whole number of at least one.

    Examples
    --------
    >>> count_of("size", np.int64(3), remedy="Ask for one.")
    3
    """
    if _is_int(value) and value >= 1:
        return int(value)
    raise InvalidInput(
        f"`{name}` must be an int in the range [1, inf). Got {value!r} instead.",
        remedy=remedy,
        code=f"input.{name}",
    )


def generator_of(random_state: Any) -> np.random.Generator:
    """Return the generator that a seed stands for; a generator stands for itself.

    Raises
    ------
    InvalidInput
        Neither a seed of at least zero nor a generator.

    Examples
    --------
    >>> int(generator_of(0).integers(100))
    85
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if _is_int(random_state) and random_state >= 0:
        return np.random.default_rng(int(random_state))
    raise InvalidInput(
        "`random_state` must be an int in the range [0, inf) or a numpy.random.Generator. "
        f"Got {random_state!r} instead.",
        remedy="Pass a seed such as random_state=0, or np.random.default_rng().",
        code="input.random_state",
    )


def _is_int(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
