"""The statistical specification of a learnware: what it tells of its data, and no more."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response

from beimingwu.server.conditions import is_known
from beimingwu.server.permissions import Anyone
from beimingwu.server.problems import documented
from beimingwu.server.seeing import seen
from beimingwu.server.service import TheService
from beimingwu.server.v1.learnware_views import Id
from beimingwu.specification.files import dumps_specification

router = APIRouter(prefix="/learnwares/{id}/specification", tags=["specifications"])

SPECIFICATION_EXAMPLE: dict[str, Any] = {
    "z": [[0.5, 1.25], [2.0, -0.5]],
    "beta": [0.25, 0.75],
    "gamma": 0.1,
    "num_points": 400,
    "type": "RKMETableSpecification",
    "v2": {"features": ["temperature", "wind"]},
}
SPECIFICATION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A stat.json: weighted points that stand for a set of data.",
    "required": ["z", "beta"],
    "properties": {
        "z": {"type": "array", "items": {"type": "array"}, "description": "The points."},
        "beta": {"type": "array", "items": {"type": "number"}, "description": "Their weights."},
        "gamma": {"type": "number"},
        "num_points": {"type": "integer", "description": "Records that they stand for."},
        "type": {"type": "string"},
    },
    "example": SPECIFICATION_EXAMPLE,
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The stat.json.",
        "content": {"application/json": {"schema": SPECIFICATION_SCHEMA}},
    },
    304: {"description": "It is as the caller knows it."},
}


@router.get(
    "",
    operation_id="getSpecification",
    response_class=Response,
    responses={**documented(404, 409), **_FILE},
)
def get_specification(
    caller: Anyone, service: TheService, request: Request, id: Id, download: bool = False
) -> Response:
    """Return the statistical specification that is published, to read or as a file to keep."""
    seen(service.dock, caller, id)
    content = dumps_specification(service.dock.specification(id))
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{id}.stat.json"'
    return Response(content, media_type="application/json", headers=headers)
