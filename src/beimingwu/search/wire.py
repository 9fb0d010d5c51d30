"""A requirement and its answer as JSON, so that a search over the network is like one at home.

A server writes what a client reads; both use this. What a stranger sends is bounded before it is
parsed, and a requirement holds nothing but what it says here: no data, only its specification.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from beimingwu.errors import InvalidRequirement
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import (
    Certificate,
    Explanation,
    FeatureDifference,
    IslandInfo,
    Match,
    Mixture,
    Resolve,
    SearchResult,
)
from beimingwu.search.semantic import KEYS, Facets, SemanticFilter
from beimingwu.specification.bounded_json import parse_json
from beimingwu.specification.files import (
    bounds,
    specification_from_json,
    specification_to_json,
)
from beimingwu.specification.rkme import RKME, GaussianKernel
from beimingwu.specification.ruler import Ruler

_FIELDS = ("specification", "filter", "features", "limit", "max_learnwares", "specifications")
_MOST = 1000


@dataclass(frozen=True)
class Query:
    """A search as it is asked over the network.

    Parameters
    ----------
    requirement
        What is looked for.
    limit, max_learnwares
        As for `Dock.search`.
    specifications
        Whether the answer holds those of the learnwares it names.

    Examples
    --------
    >>> Query.loads(b'{"filter": {"task": ["Regression"]}, "limit": 3}')
    Query(requirement=Requirement(filter=SemanticFilter(task='Regression')), limit=3, \
max_learnwares=5, specifications=False)
    """

    requirement: Requirement
    limit: int = 10
    max_learnwares: int = 5
    specifications: bool = False

    @classmethod
    def loads(cls, text: bytes, specification: RKME | None = None) -> Query:
        """Read a search, whose specification may have been sent beside it.

        Raises
        ------
        InvalidRequirement, InvalidSpecification, TooLarge
            It breaks a rule.
        """
        room = bounds()
        room = replace(room, bytes=room.bytes + 1024 * 1024, depth=room.depth + 2)
        given = parse_json(text, room, what="The requirement", code="requirement")
        if not isinstance(given, dict) or not set(given) <= set(_FIELDS):
            raise _refused(
                "json", f"must be a JSON object of {', '.join(_FIELDS)}.", "Leave out all else."
            )
        if given.get("specification") is not None:
            specification = specification_from_json(given["specification"])
        return cls(
            Requirement(specification, _filter(given), _texts(given, "features")),
            limit=_number(given, "limit", 10),
            max_learnwares=_number(given, "max_learnwares", 5),
            specifications=_flag(given, "specifications"),
        )

    def to_json(self) -> dict[str, object]:
        """Return the JSON object that `loads` reads."""
        wanted = self.requirement.filter
        spec = self.requirement.specification
        return {
            "specification": None if spec is None else specification_to_json(spec),
            "filter": {
                **_facets_to_json(wanted),
                "text": wanted.text,
                "without": _facets_to_json(wanted.without),
            },
            "features": list(self.requirement.features),
            "limit": self.limit,
            "max_learnwares": self.max_learnwares,
            "specifications": self.specifications,
        }


def result_to_json(result: SearchResult, *, specifications: bool = False) -> dict[str, Any]:
    """Return a result as a JSON object, with the learnwares' specifications where asked for."""
    mixture, kernel, certificate = result.mixture, result.kernel, result.certificate
    return {
        "fits": result.fits,
        "island": None if result.island is None else asdict(result.island),
        "single": [match_to_json(match, specifications) for match in result.single],
        "mixture": None if mixture is None else _mixture_to_json(mixture, specifications),
        "notes": list(result.notes),
        "kernel": None if kernel is None else _kernel_to_json(kernel),
        "certificate": None if certificate is None else _certificate_to_json(certificate),
    }


def result_from_json(
    given: Mapping[str, Any], requirement: Requirement, resolve: Resolve
) -> SearchResult:
    """Return the result that `result_to_json` wrote, whose learnwares `resolve` fetches."""
    island, mixture, kernel = given["island"], given["mixture"], given["kernel"]
    asked = requirement.specification, None if kernel is None else _kernel(kernel)
    return SearchResult(
        single=tuple(_match(match, resolve, *asked) for match in given["single"]),
        requirement=requirement,
        mixture=None if mixture is None else _mixture(mixture, resolve, *asked),
        island=None if island is None else IslandInfo(**{**island, "shape": (*island["shape"],)}),
        notes=tuple(given["notes"]),
        kernel=None if kernel is None else _kernel(kernel),
        fits=bool(given["fits"]),
        certificate=_certificate(given.get("certificate")),
    )


def match_to_json(match: Match, specifications: bool) -> dict[str, object]:
    """Return a match as a JSON object."""
    why, spec = match.explanation, match.specification
    shown: dict[str, object] = {
        "id": match.id,
        "score": match.score,
        "mmd": match.mmd,
        "coverage": match.coverage,
        "explanation": None if why is None else _explanation_to_json(why),
    }
    if specifications:
        shown["specification"] = None if spec is None else specification_to_json(spec)
    return shown


def _explanation_to_json(why: Explanation) -> dict[str, object]:
    # Not `asdict`, which copies what it finds at length: there is one for every match.
    return {"sentence": why.sentence, "features": [dict(vars(one)) for one in why.features]}


def _match(
    given: Mapping[str, Any],
    resolve: Resolve,
    asked: RKME | None,
    kernel: GaussianKernel | None,
) -> Match:
    why, spec = given["explanation"], given.get("specification")
    return Match(
        id=given["id"],
        score=given["score"],
        mmd=given["mmd"],
        coverage=given["coverage"],
        explanation=None if why is None else _explanation(why),
        specification=None if spec is None else specification_from_json(spec),
        resolve=resolve,
        asked=asked,
        kernel=kernel,
    )


def _explanation(given: Mapping[str, Any]) -> Explanation:
    features = tuple(FeatureDifference(**feature) for feature in given["features"])
    return Explanation(given["sentence"], features)


def _mixture_to_json(mixture: Mixture, specifications: bool) -> dict[str, object]:
    return {
        "members": [match_to_json(match, specifications) for match in mixture.members],
        "weights": mixture.weights.tolist(),
        "mmd": mixture.mmd,
        "score": mixture.score,
        "coverage": list(mixture.coverage),
        "uncovered": mixture.uncovered,
    }


def _mixture(
    given: Mapping[str, Any],
    resolve: Resolve,
    asked: RKME | None,
    kernel: GaussianKernel | None,
) -> Mixture:
    return Mixture(
        members=tuple(_match(match, resolve, asked, kernel) for match in given["members"]),
        weights=np.asarray(given["weights"], dtype=np.float64),
        mmd=given["mmd"],
        score=given["score"],
        coverage=tuple(given["coverage"]),
        uncovered=given["uncovered"],
    )


def _kernel_to_json(kernel: GaussianKernel) -> dict[str, object]:
    scale = None if kernel.scale is None else kernel.scale.tolist()
    return {"rates": list(kernel.rates), "scale": scale, "ruler": _ruler_to_json(kernel.ruler)}


def _kernel(given: Mapping[str, Any]) -> GaussianKernel:
    scale = given["scale"]
    return GaussianKernel(
        tuple(given["rates"]),
        None if scale is None else np.asarray(scale, dtype=np.float64),
        _ruler(given.get("ruler")),
    )


def _ruler_to_json(ruler: Ruler | None) -> dict[str, object] | None:
    if ruler is None:
        return None
    return {field.name: getattr(ruler, field.name).tolist() for field in fields(Ruler)}


def _ruler(given: Mapping[str, Any] | None) -> Ruler | None:
    if given is None:
        return None
    return Ruler(
        np.asarray(given["features"], dtype=np.intp),
        np.asarray(given["places"], dtype=np.float64),
        np.asarray(given["marks"], dtype=np.float64),
    )


def _certificate_to_json(certificate: Certificate) -> dict[str, object]:
    # JSON has no infinity: null says that everything was opened.
    bound = certificate.next_bound if math.isfinite(certificate.next_bound) else None
    return {**asdict(certificate), "next_bound": bound}


def _certificate(given: Mapping[str, Any] | None) -> Certificate | None:
    if given is None:
        return None
    bound = math.inf if given["next_bound"] is None else given["next_bound"]
    return Certificate(**{**given, "next_bound": bound})


def _facets_to_json(facets: object) -> dict[str, object]:
    return {key: list(getattr(facets, key)) for key in KEYS}


def _filter(given: Mapping[str, Any]) -> SemanticFilter:
    wanted = given.get("filter", {})
    if not isinstance(wanted, dict) or not set(wanted) <= {*KEYS, "text", "without"}:
        raise _refused(
            "filter", f"must be an object of {', '.join(KEYS)}, text, without.", "See there."
        )
    text = wanted.get("text", "")
    if not isinstance(text, str):
        raise _refused("text", "must be a text.", "Send the words as one string.")
    without = wanted.get("without", {})
    if not isinstance(without, dict) or not set(without) <= set(KEYS):
        raise _refused("without", f"must be an object of {', '.join(KEYS)}.", "See there.")
    return SemanticFilter(text=text, without=Facets(**_facets(without)), **_facets(wanted))


def _facets(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _texts(given, key) for key in KEYS}


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = given.get(name, ())
    values = (values,) if isinstance(values, str) else values
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) for one in values):
        raise _refused(name, "must be a list of texts.", f'Send "{name}": ["…"], or leave it out.')
    return tuple(values)


def _number(given: Mapping[str, Any], name: str, default: int) -> int:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise _refused(name, f"must be an int in the range [1, {_MOST}].", f'Send "{name}": 5.')
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise _refused(name, "must be true or false.", f'Send "{name}": true, or leave it out.')
    return value


def _refused(name: str, rule: str, remedy: str) -> InvalidRequirement:
    what = "The requirement" if name == "json" else f"`{name}`"
    return InvalidRequirement(f"{what} {rule}", remedy=remedy, code=f"requirement.{name}")
