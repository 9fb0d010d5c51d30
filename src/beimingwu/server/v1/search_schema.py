"""The schema of a search, which reads and writes its JSON by itself (`search.wire`)."""

from __future__ import annotations

from typing import Any

from beimingwu.search.semantic import KEYS
from beimingwu.server.v1.specifications import SPECIFICATION_EXAMPLE, SPECIFICATION_SCHEMA
from beimingwu.specification.semantic import VOCABULARIES


def _object(properties: dict[str, Any], *, closed: bool = False, **more: Any) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    if closed:
        shape["additionalProperties"] = False
    else:
        shape["required"] = list(properties)
    return {**shape, **more}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": schema, **more}


_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 1000}

_FACETS = {facet: _list_of({"enum": list(VOCABULARIES[key])}) for facet, key in KEYS.items()}
_FILTER = _object(
    {
        **_FACETS,
        "text": {"type": "string", "description": "Words of names and descriptions."},
        "without": _object(_FACETS, closed=True, description="Values that no match has."),
    },
    closed=True,
    description="Every match has one of the values of each facet that is given.",
)
REQUIREMENT = _object(
    {
        "specification": _or_null(SPECIFICATION_SCHEMA),
        "filter": _FILTER,
        "features": _list_of(_TEXT, description="Names of the specification's features."),
        "limit": {**_COUNT, "default": 10},
        "max_learnwares": {**_COUNT, "default": 5, "description": "Most in the mixture."},
        "specifications": {
            "type": "boolean",
            "default": False,
            "description": "Whether each match comes with its specification.",
        },
    },
    closed=True,
    example={
        "specification": SPECIFICATION_EXAMPLE,
        "filter": {"task": ["Regression"], "text": "air"},
        "limit": 5,
    },
)
REQUEST: dict[str, Any] = {
    # Nothing is the requirement that everything meets.
    "required": False,
    "content": {
        "application/json": {"schema": REQUIREMENT},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["specification"],
                "properties": {
                    "specification": {
                        "type": "string",
                        "format": "binary",
                        "description": "A stat.json.",
                    },
                    "requirement": {
                        "type": "string",
                        "description": "The rest of the requirement, as JSON.",
                    },
                },
            }
        },
    },
}

_MATCH = _object(
    {
        "id": {"type": "string", "pattern": "^[0-9]{8}$"},
        "score": _or_null(_SHARE),
        "mmd": _or_null(_NUMBER),
        "coverage": _or_null(_SHARE),
        "explanation": _or_null(
            _object(
                {
                    "sentence": _TEXT,
                    "features": _list_of(
                        _object(
                            {
                                "name": _TEXT,
                                "yours": _NUMBER,
                                "theirs": _NUMBER,
                                "deviations": _NUMBER,
                            }
                        )
                    ),
                }
            )
        ),
    }
)
_MIXTURE = _object(
    {
        "members": _list_of(_MATCH),
        "weights": _list_of(_SHARE, description="Of each member; they sum to one."),
        "mmd": _NUMBER,
        "score": _SHARE,
        "coverage": _list_of(_SHARE, description="Share of the requirement by each member."),
        "uncovered": _SHARE,
    }
)
_ISLAND = _object(
    {
        "kind": {"enum": ["table", "text", "image"]},
        "shape": _list_of(_WHOLE),
        "size": _WHOLE,
        "geometry": _TEXT,
    },
    description="What was searched; scores of one geometry are comparable.",
)
RESULT = _object(
    {
        "fits": {"type": "boolean", "description": "Whether anything found fits."},
        "island": _or_null(_ISLAND),
        "single": _list_of(_MATCH, description="Single learnwares, the nearest first."),
        "mixture": _or_null(_MIXTURE),
        "notes": _list_of(_TEXT, description="What a person should know, in plain words."),
        "kernel": _or_null(_object({"rates": _list_of(_NUMBER), "scale": {}, "ruler": {}})),
        "certificate": _or_null(
            _object(
                {
                    "farthest": _NUMBER,
                    "next_bound": _or_null(_NUMBER),
                    "opened": _WHOLE,
                    "compared": _WHOLE,
                },
                description="The proof that nothing nearer was left out.",
            )
        ),
    },
    example={
        "fits": True,
        "island": {"kind": "table", "shape": [2], "size": 17, "geometry": "1"},
        "single": [
            {
                "id": "00000042",
                "score": 0.93,
                "mmd": 0.041,
                "coverage": 0.98,
                "explanation": {
                    "sentence": "Close to your data; it covers 98% of it.",
                    "features": [],
                },
            }
        ],
        "mixture": None,
        "notes": [],
        "kernel": {"rates": [0.125, 0.5, 2.0], "scale": [3.1, 0.7], "ruler": None},
        "certificate": {"farthest": 0.041, "next_bound": 0.2, "opened": 3, "compared": 17},
    },
)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What was found.",
        "content": {
            "application/json": {"schema": RESULT},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}
