"""What a person with a task asks the dock for: tags, text and a specification of their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from beimingwu.errors import InvalidRequirement
from beimingwu.search.semantic import SemanticFilter, json_object
from beimingwu.specification.rkme import RKME


@dataclass(frozen=True)
class Requirement:
    """A task, as far as the dock may know it: no data, only what describes it.

    Parameters
    ----------
    specification
        The RKME of the user's data, or None for a search by tags and text only.
    filter
        Facets that every hit satisfies, and the text to rank by.
    features
        The user's feature names, one per feature; those of the specification where empty.

    Raises
    ------
    InvalidRequirement
        The number of names is not the number of features.

    Examples
    --------
    >>> import numpy as np
    >>> spec = RKME(np.eye(2), np.array([0.5, 0.5]), n=20, features=("rain", "wind"))
    >>> Requirement(spec).features
    ('rain', 'wind')
    >>> Requirement.of(SemanticFilter(text="air"))
    Requirement(filter=SemanticFilter(text='air'))
    """

    specification: RKME | None = None
    filter: SemanticFilter = field(default_factory=SemanticFilter)
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        spec = self.specification
        features = tuple(self.features) or (spec.features if spec is not None else ())
        if spec is not None and features and len(features) != spec.dimension:
            raise InvalidRequirement(
                f"The specification has {spec.dimension} features and {len(features)} names.",
                remedy="Name every feature, in the order of the columns, or none.",
                code="requirement.features",
            )
        object.__setattr__(self, "features", features)

    @classmethod
    def of(cls, wanted: Requirement | RKME | SemanticFilter | Mapping[str, object]) -> Requirement:
        """Return the requirement that `wanted` means.

        Parameters
        ----------
        wanted
            A requirement (returned as it is), an RKME, a filter, or a query of the 2024 protocol,
            whose `Input.Description` names the features when it names them all.

        Raises
        ------
        InvalidRequirement
            Anything else.

        Examples
        --------
        >>> Requirement.of({"Input": {"Dimension": 1, "Description": {"0": "rain"}}}).features
        ('rain',)
        """
        if isinstance(wanted, Requirement):
            return wanted
        if isinstance(wanted, RKME):
            return cls(specification=wanted)
        if isinstance(wanted, SemanticFilter):
            return cls(filter=wanted)
        if isinstance(wanted, Mapping):
            return cls(filter=SemanticFilter.from_json(wanted), features=_named_inputs(wanted))
        raise InvalidRequirement(
            f"A search needs a requirement. Got {type(wanted).__name__} instead.",
            remedy="Pass the result of specify(X), a SemanticFilter(…), or Requirement(…) of both.",
            code="requirement.type",
        )

    def __repr__(self) -> str:
        shown = []
        if self.specification is not None:
            shown.append(f"specification={self.specification!r}")
        if self.filter:
            shown.append(f"filter={self.filter!r}")
        return f"Requirement({', '.join(shown)})"


def _named_inputs(query: Mapping[str, object]) -> tuple[str, ...]:
    """Return the feature names of a 2024 query when every input is described, else none."""
    given = query.get("Input")
    declared = json_object(given) if isinstance(given, str) and given.strip() else given
    if not isinstance(declared, Mapping):
        return ()
    dimension, names = declared.get("Dimension"), declared.get("Description")
    if not isinstance(dimension, int) or not isinstance(names, Mapping):
        return ()
    by_position = {str(key): value for key, value in names.items()}
    if len(by_position) != dimension:
        return ()
    found = [by_position.get(str(j)) for j in range(dimension)]
    return tuple(name for name in found if isinstance(name, str)) if all(found) else ()
