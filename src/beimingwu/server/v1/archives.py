"""The archive of a learnware as it was submitted, whole or from where a download left off."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from beimingwu.server.files import file_answer
from beimingwu.server.permissions import Anyone
from beimingwu.server.problems import documented
from beimingwu.server.seeing import seen
from beimingwu.server.service import TheService
from beimingwu.server.v1.learnware_views import Id

router = APIRouter(prefix="/learnwares/{id}/archive", tags=["archives"])

ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"description": "What is known of the archive, in the headers."},
    206: {"description": "What is known of the range."},
    304: {"description": "It is as the caller knows it."},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The archive; Repr-Digest holds its SHA-256, and so does the ETag.",
        "content": ZIP,
    },
    206: {"description": "The range that was asked for.", "content": ZIP},
    304: {"description": "It is as the caller knows it."},
}


@router.get(
    "",
    operation_id="getArchive",
    response_class=Response,
    responses={**documented(404, 409, 416), **_ANSWERS},
)
def get_archive(caller: Anyone, service: TheService, request: Request, id: Id) -> Response:
    """Return the archive of the revision in force; Range and If-Range get the rest of one."""
    seen(service.dock, caller, id)
    if "range" not in request.headers:
        service.accounts.tallies.add("download")
    return file_answer(request, service.dock.archive(id), f"{id}.zip", "application/zip")


@router.head(
    "",
    operation_id="headArchive",
    response_class=Response,
    responses={**documented(404, 409, 416), **_KNOWN},
)
def head_archive(caller: Anyone, service: TheService, request: Request, id: Id) -> Response:
    """Return what is known of the archive, without it."""
    seen(service.dock, caller, id)
    return file_answer(request, service.dock.archive(id), f"{id}.zip", "application/zip")
