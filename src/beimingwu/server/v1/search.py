"""Search: a requirement in, the learnwares that serve it out; nothing of it is kept or logged."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from beimingwu.dock import Dock
from beimingwu.errors import InvalidRequirement
from beimingwu.search.wire import Query, result_to_json
from beimingwu.server.middleware.bodies import allow_body
from beimingwu.server.permissions import Anyone
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.search_schema import ANSWERS, REQUEST
from beimingwu.specification.files import read_specification

router = APIRouter(prefix="/search", tags=["search"])

_LINES = "application/x-ndjson"
_FORM = "multipart/form-data"


@router.post(
    "",
    operation_id="searchLearnwares",
    response_class=Response,
    responses={**documented(), **ANSWERS},
    openapi_extra={"requestBody": REQUEST},
)
async def search_learnwares(caller: Anyone, service: TheService, request: Request) -> Response:
    """Identify the learnwares, and the mixture of learnwares, that serve a requirement.

    It is sent as JSON; or as a form, with the specification as a file. Whoever accepts
    application/x-ndjson gets a match a line, then the rest.
    """
    allow_body(request, service.settings.specification_max_bytes + 1024 * 1024)
    text, specification = await _sent(request)
    if _LINES in request.headers.get("accept", ""):
        lines = await service.searchers.run(_lines, text, specification)
        answer: Response = StreamingResponse(iter(lines), media_type=_LINES, headers=_NOT_KEPT)
    else:
        content = await service.searchers.run(_answer, text, specification)
        answer = Response(content, media_type="application/json", headers=_NOT_KEPT)
    service.accounts.tallies.add("search")
    return answer


_NOT_KEPT = {"Cache-Control": "no-store"}


async def _sent(request: Request) -> tuple[bytes, bytes | None]:
    """Return the requirement's JSON and the specification's file, if any."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("", "application/json", _FORM):
        raise HTTPException(415)
    if kind != _FORM:
        return await request.body() or b"{}", None
    async with request.form(max_files=1, max_fields=1) as form:
        requirement, file = form.get("requirement", "{}"), form.get("specification")
        if not isinstance(requirement, str) or not isinstance(file, UploadFile):
            raise InvalidRequirement(
                "A form needs the file `specification`, and may hold the text `requirement`.",
                remedy="Send a stat.json as the file, and facets as JSON in the text.",
                code="requirement.form",
            )
        return requirement.encode(), await file.read()


def _answer(dock: Dock, text: bytes, specification: bytes | None) -> bytes:
    return _json(_searched(dock, text, specification))


def _lines(dock: Dock, text: bytes, specification: bytes | None) -> list[bytes]:
    """Return the matches, nearest first, and in the last line all else."""
    found = _searched(dock, text, specification)
    lines = [{"match": match} for match in found["single"]]
    return [_json(line) + b"\n" for line in (*lines, {"result": {**found, "single": []}})]


def _searched(dock: Dock, text: bytes, specification: bytes | None) -> dict[str, Any]:
    spec = None if specification is None else read_specification(specification)
    query = Query.loads(text, spec)
    result = dock.search(query.requirement, limit=query.limit, max_learnwares=query.max_learnwares)
    return result_to_json(result, specifications=query.specifications)


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
