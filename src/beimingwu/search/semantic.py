"""What a learnware must be tagged, what it must not be, and what it is called.

A facet is exact: every hit satisfies every facet that is set, and has no value that is excluded.
The text is only carried here; the dock's catalogue ranks by it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from beimingwu.errors import InvalidRequirement

if TYPE_CHECKING:
    from beimingwu.specification.semantic import SemanticSpecification

#: Key of the 2024 query JSON for each facet.
KEYS = {
    "data": "Data",
    "task": "Task",
    "library": "Library",
    "license": "License",
    "model": "Model",
    "scenario": "Scenario",
}


def facets_of(semantic: SemanticSpecification) -> dict[str, tuple[str, ...]]:
    """Return the values that a learnware has, by facet."""
    return {
        "data": (semantic.data,),
        "task": (semantic.task,),
        "library": (semantic.library,),
        "license": (semantic.license,),
        "model": (semantic.model,) if semantic.model else (),
        "scenario": tuple(semantic.scenarios),
    }


@dataclass(frozen=True)
class Facets:
    """Values of facets: one allowed value or several of each, or none.

    Parameters
    ----------
    data, task, library, license, model, scenario
        Kept as tuples, each value once.

    Raises
    ------
    InvalidRequirement
        A value that the vocabulary does not have.

    Examples
    --------
    >>> Facets(license=("GPL-3.0", "AGPL-3.0"))
    Facets(license=('GPL-3.0', 'AGPL-3.0'))
    """

    data: tuple[str, ...] | str = ()
    task: tuple[str, ...] | str = ()
    library: tuple[str, ...] | str = ()
    license: tuple[str, ...] | str = ()
    model: tuple[str, ...] | str = ()
    scenario: tuple[str, ...] | str = ()

    def __post_init__(self) -> None:
        for facet, key in KEYS.items():
            values = _as_tuple(facet, getattr(self, facet))
            _check_vocabulary(key, values)
            object.__setattr__(self, facet, values)

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))

    def __repr__(self) -> str:
        shown = []
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if value:
                value = value[0] if isinstance(value, tuple) and len(value) == 1 else value
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class SemanticFilter(Facets):
    """Facets that every hit satisfies, those that none has, and a text that a catalogue ranks by.

    Parameters
    ----------
    data, task, library, license, model
        One allowed value or several; a learnware satisfies the facet when its value is among them.
        Empty: no constraint.
    scenario
        One or several; a learnware satisfies it when it has at least one of them.
    text
        Words to look for in names, descriptions and features; not a facet.
    without
        Values that no hit has: `Facets`, or the values by facet. Kept as `Facets`.

    Raises
    ------
    InvalidRequirement
        A value that the vocabulary does not have.

    Examples
    --------
    >>> wanted = SemanticFilter(task="Regression", scenario=("Nature", "Health"), text="air")
    >>> wanted.task
    ('Regression',)
    >>> wanted
    SemanticFilter(task='Regression', scenario=('Nature', 'Health'), text='air')
    >>> SemanticFilter(task="Regression", without={"license": "GPL-3.0"})
    SemanticFilter(task='Regression', without=Facets(license='GPL-3.0'))
    """

    text: str = ""
    without: Facets | Mapping[str, tuple[str, ...] | str] = field(default_factory=Facets)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.text, str):
            raise InvalidRequirement(
                f"The text to search for must be a str. Got {self.text!r} instead.",
                remedy="Pass the words as one string.",
                code="requirement.text",
            )
        object.__setattr__(self, "text", self.text.strip())
        object.__setattr__(self, "without", _as_facets(self.without))

    def matches(self, semantic: SemanticSpecification) -> bool:
        """Say whether `semantic` satisfies every facet and has nothing that is excluded.

        The text is not looked at.

        Examples
        --------
        >>> from beimingwu.specification.semantic import Dimensions, SemanticSpecification
        >>> air = SemanticSpecification(
        ...     data="Table",
        ...     task="Regression",
        ...     library="Scikit-learn",
        ...     scenarios=("Nature", "Health"),
        ...     license="MIT",
        ...     name="Air in spring",
        ...     description="PM2.5 from weather.",
        ...     input=Dimensions(3),
        ...     output=Dimensions(1),
        ... )
        >>> SemanticFilter(task=("Regression", "Classification"), scenario="Health").matches(air)
        True
        >>> SemanticFilter(scenario="Health", without={"scenario": "Nature"}).matches(air)
        False
        """
        for facet, has in facets_of(semantic).items():
            wanted, unwanted = getattr(self, facet), getattr(self.without, facet)
            if wanted and set(wanted).isdisjoint(has):
                return False
            if not set(unwanted).isdisjoint(has):
                return False
        return True

    @classmethod
    def from_json(cls, query: str | bytes | Mapping[str, object]) -> SemanticFilter:
        """Read a query of the 2024 protocol; empty or missing `Values` put no constraint.

        `Name` and `Description` become the text, `Input` and `Output` are not facets.

        Raises
        ------
        InvalidRequirement
            Not a JSON object, or a value that the vocabulary does not have.

        Examples
        --------
        >>> SemanticFilter.from_json('{"Task": {"Type": "Class", "Values": ["Regression"]}}')
        SemanticFilter(task='Regression')
        >>> SemanticFilter.from_json("{}")
        SemanticFilter()
        """
        query = json_object(query)
        facets: dict[str, Any] = {facet: _values(query, key) for facet, key in KEYS.items()}
        words = (" ".join(_values(query, key)).strip() for key in ("Name", "Description"))
        return cls(**facets, text=" ".join(word for word in words if word))


def _as_facets(given: object) -> Facets:
    if type(given) is Facets:
        return given
    if isinstance(given, Mapping) and given.keys() <= KEYS.keys():
        return Facets(**given)
    raise InvalidRequirement(
        f"`without` must give values of {', '.join(KEYS)}. Got {given!r} instead.",
        remedy="Pass them by facet, such as without={'license': 'GPL-3.0'}.",
        code="requirement.without",
    )


def _as_tuple(facet: str, values: Iterable[str] | str) -> tuple[str, ...]:
    given = (values,) if isinstance(values, str) else tuple(values)
    if not all(isinstance(value, str) for value in given):
        raise InvalidRequirement(
            f"`{facet}` must be a str or several. Got {values!r} instead.",
            remedy=f"Pass the values as strings, such as {facet}=('Others',).",
            code=f"requirement.{facet}",
        )
    return tuple(dict.fromkeys(value for value in given if value))


def _check_vocabulary(key: str, values: tuple[str, ...]) -> None:
    if not values:
        return
    from beimingwu.specification.semantic import VOCABULARIES

    allowed = VOCABULARIES[key]
    for value in values:
        if value in allowed:
            continue
        same = [word for word in allowed if word.casefold() == value.casefold()]
        near = same or difflib.get_close_matches(value, allowed, n=1)
        remedy = f"Did you mean {near[0]!r}? " if near else ""
        raise InvalidRequirement(
            f"No learnware can have the {key.lower()} {value!r}.",
            remedy=f"{remedy}Allowed: {', '.join(allowed)}.",
            code=f"requirement.{key.lower()}",
        )


def json_object(query: str | bytes | Mapping[str, object]) -> Mapping[str, object]:
    """Return the JSON object that `query` is or holds.

    Raises
    ------
    InvalidRequirement
        It is not JSON, or not an object.
    """
    if isinstance(query, str | bytes):
        try:
            query = json.loads(query)
        except (ValueError, RecursionError) as failure:
            raise InvalidRequirement(
                f"The semantic query is not JSON: {failure}.",
                remedy='Send an object such as {"Task": {"Values": ["Regression"]}}, or {}.',
                code="requirement.json",
            ) from None
    if not isinstance(query, Mapping):
        raise InvalidRequirement(
            f"The semantic query must be a JSON object. Got {type(query).__name__} instead.",
            remedy='Send an object such as {"Task": {"Values": ["Regression"]}}, or {}.',
            code="requirement.json",
        )
    return query


def _values(query: Mapping[str, object], key: str) -> tuple[str, ...]:
    entry = query.get(key) or {}
    values = entry.get("Values") if isinstance(entry, Mapping) else entry
    if not values:
        return ()
    if isinstance(values, str):
        return (values,)
    if isinstance(values, list | tuple):
        return _as_tuple(key.lower(), values)
    raise InvalidRequirement(
        f"The values of {key!r} must be a list of strings. Got {values!r} instead.",
        remedy=f'Send {{"{key}": {{"Values": [...]}}}}, or leave {key!r} out.',
        code=f"requirement.{key.lower()}",
    )
