"""The vocabulary, and what is said of one learnware; both are for anybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from beimingwu.errors import BeimingwuError, NotFound
from beimingwu.server.seeing import is_insider, seen
from beimingwu.server.service import TheService
from beimingwu.server.v2024.callers import Anyone
from beimingwu.server.v2024.envelope import MISSING, Refused, coded, ok
from beimingwu.server.v2024.showing import moment, status_of, user_id_of
from beimingwu.specification.semantic import VOCABULARIES

router = APIRouter(prefix="/engine")

_TYPES = {
    "Data": "Class",
    "Task": "Class",
    "Library": "Class",
    "Scenario": "Tag",
    "Description": "String",
    "Name": "String",
    "License": "Class",
    # Of release 0.4.0 of the public engine.
    "Model": "Optional",
}


@router.get("/semantic_specification", name="2024 semantic_specification")
def semantic_specification(caller: Anyone) -> JSONResponse:
    """Return what a semantic specification may hold."""
    table: dict[str, Any] = {
        key: {"Values": list(VOCABULARIES[key]) if key in VOCABULARIES else None, "Type": kind}
        for key, kind in _TYPES.items()
    }
    return ok({"semantic_specification": table})


@router.get("/learnware_info", name="2024 learnware_info")
def learnware_info(
    caller: Anyone, service: TheService, learnware_id: Annotated[str, Query()] = ""
) -> JSONResponse:
    """Return what the dock says of a learnware; of one that is not published, to its owner."""
    if not learnware_id:
        raise Refused(MISSING, "Request parameters error: learnware_id is missing.")
    with coded((NotFound, 41), (BeimingwuError, 42)):
        record = seen(service.dock, caller, learnware_id)
        inside = is_insider(caller, record)
        state = service.dock.submission(record.id).state if inside else record.state
    info = {
        "user_id": user_id_of(record.owner),
        "learnware_id": record.id,
        "last_modify": moment(record.changed),
        "verify_status": status_of(state),
        "semantic_specification": record.semantic.to_json(),
    }
    return ok({"learnware_info": info})
