"""Learnwares that clients of 2024 submit and update: in pieces named by an MD5, or in one form.

Whatever way an archive comes, its pieces are kept as those of an upload are, within the quota of
their owner, and it is submitted only if its MD5 is the one it was announced by.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from beimingwu.dock.blobs import Received
from beimingwu.dock.keys import note_md5, of_md5
from beimingwu.dock.submission import Submission
from beimingwu.dock.uploads import named
from beimingwu.errors import (
    Conflict,
    Forbidden,
    InvalidArchive,
    InvalidInput,
    InvalidSpecification,
    NotFound,
    TooLarge,
)
from beimingwu.server.permissions import Caller
from beimingwu.server.seeing import owned
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.callers import ToSend, WithWrite
from beimingwu.server.v2024.envelope import FAILED, MISSING, Refused, coded, ok, told
from beimingwu.server.v2024.sent import Sent, file_in, form_of, number_in, text_in
from beimingwu.specification.semantic import (
    DATA_WITH_INPUT,
    TASKS_WITH_OUTPUT,
    SemanticSpecification,
)

router = APIRouter(prefix="/user")

_MIB = 1024 * 1024
#: The client sends pieces of 1 MiB; others may take larger ones.
_LARGEST_PIECE = 16 * _MIB
_PART = 4 * _MIB
_MD5 = re.compile(r"[0-9a-f]{32}")
_DUPLICATE = 61
_REFUSALS = (
    ("conflict.duplicate", _DUPLICATE),
    (InvalidArchive, 51),
    (InvalidSpecification, 51),
    (TooLarge, 51),
    (InvalidInput, 51),
    (Conflict, 51),
)


@router.post("/chunked_upload", name="2024 chunked_upload")
async def chunked_upload(caller: ToSend, service: TheService, request: Request) -> JSONResponse:
    """Take a piece of an archive; sent again, it is taken again."""
    async with form_of(request, _LARGEST_PIECE + _MIB) as form:
        md5, begin = _md5_in(form), number_in(form, "chunk_begin", most=2**53)
        file = file_in(form, "chunk_file")
        if file is None:
            raise Refused(MISSING, "Request parameters error: chunk_file is missing.")
        piece = await file.read()
    await run_in_threadpool(_put, service, caller.account.owner, md5, begin, piece)
    return ok()


@router.post("/add_learnware_uploaded", name="2024 add_learnware_uploaded")
def add_learnware_uploaded(caller: WithWrite, service: TheService, sent: Sent) -> JSONResponse:
    """Submit an archive whose pieces were sent."""
    md5, semantic = _md5_in(sent), _semantic_in(sent)
    owner = caller.account.owner
    _require_unknown(service, owner, md5)
    with coded(*_REFUSALS):
        try:
            archive = service.dock.uploads.seal(owner, md5, md5)
        except NotFound as error:
            # The same request may have been answered meanwhile.
            _require_unknown(service, owner, md5)
            raise Refused(51, told(error)) from None
    return ok({"learnware_id": _submitted(service, owner, md5, archive, semantic).id})


@router.post("/add_learnware", name="2024 add_learnware")
async def add_learnware(caller: WithWrite, service: TheService, request: Request) -> JSONResponse:
    """Submit an archive that is in the form itself."""
    async with form_of(request, service.settings.archive_max_bytes + 2 * _MIB) as form:
        semantic, file = _semantic_in(form), file_in(form, "learnware_file")
        if file is None:
            raise Refused(MISSING, "Request parameters error: learnware_file is missing.")
        submission = await run_in_threadpool(
            _added, service, caller.account.owner, file.file, semantic
        )
    return ok({"learnware_id": submission.id}, "Add success.")


@router.post("/update_learnware", name="2024 update_learnware")
async def update_learnware(
    caller: WithWrite, service: TheService, request: Request
) -> JSONResponse:
    """Make a further revision; the one before stays in force until it is published."""
    async with form_of(request, service.settings.archive_max_bytes + 2 * _MIB) as form:
        id, semantic = text_in(form, "learnware_id"), _semantic_in(form)
        # Pages send a text of this name, with nothing in it, where the archive stays as it is.
        file = file_in(form, "learnware_file")
        source = file.file if file is not None and file.size else None
        await run_in_threadpool(_updated, service, caller, id, source, semantic)
    return ok()


def _put(service: Service, owner: str, md5: str, begin: int, piece: bytes) -> None:
    if begin == 0 and of_md5(service.dock.database, owner, md5):
        raise Refused(51, "Learnware file already exist.")
    with coded((NotFound, 51), *_REFUSALS):
        service.dock.uploads.put(owner, md5, begin, piece)


def _added(
    service: Service, owner: str, file: BinaryIO, semantic: SemanticSpecification
) -> Submission:
    md5, archive = _kept(service, owner, file)
    try:
        _require_unknown(service, owner, md5)
    except Refused:
        _forget(service, owner, md5)
        raise
    return _submitted(service, owner, md5, archive, semantic)


def _updated(
    service: Service,
    caller: Caller,
    id: str,
    file: BinaryIO | None,
    semantic: SemanticSpecification,
) -> None:
    with coded((NotFound, 71), (Forbidden, FAILED)):
        owned(service.dock, caller, id)
    owner = caller.account.owner
    md5, archive = ("", None) if file is None else _kept(service, owner, file)
    try:
        with coded(("conflict.verifying", 51), (NotFound, 71), *_REFUSALS):
            actor = caller.actor.name
            service.dock.update(id, archive=archive, semantic=semantic, actor=actor)
    except Refused as refused:
        if service.dock.submission(id).state in ("uploaded", "verifying"):
            raise Refused(51, "Learnware is verifying.") from None
        raise refused from None
    finally:
        if md5:
            _forget(service, owner, md5)
    if md5 and caller.owns(service.dock.show(id).owner):
        note_md5(service.dock.database, owner, md5, service.dock.revisions(id)[-1])


def _submitted(
    service: Service, owner: str, md5: str, archive: Received, semantic: SemanticSpecification
) -> Submission:
    try:
        with coded(*_REFUSALS):
            submission = service.dock.submit(archive, semantic, owner=owner)
        note_md5(service.dock.database, owner, md5, service.dock.revisions(submission.id)[-1])
    except FileNotFoundError:
        # The same archive was submitted, and forgotten, by a request at the same time.
        raise _known() from None
    except Refused as refused:
        # That request may be about to remember the archive; what is left of it ends by itself.
        if refused.code != _DUPLICATE:
            _forget(service, owner, md5)
        raise
    _forget(service, owner, md5)
    return submission


def _kept(service: Service, owner: str, file: BinaryIO) -> tuple[str, Received]:
    """Keep a file as an upload, within its owner's quota, and return its MD5 with it."""
    uploads = service.dock.uploads
    whole = hashlib.md5(usedforsecurity=False)
    while piece := file.read(_PART):
        whole.update(piece)
    md5, at = whole.hexdigest(), file.seek(0)
    with coded((NotFound, 51), *_REFUSALS):
        while piece := file.read(_PART):
            uploads.put(owner, md5, at, piece)
            at += len(piece)
        return md5, uploads.seal(owner, md5, md5)


def _forget(service: Service, owner: str, md5: str) -> None:
    with suppress(NotFound):
        service.dock.uploads.drop(owner, named(owner, md5))


def _require_unknown(service: Service, owner: str, md5: str) -> None:
    if of_md5(service.dock.database, owner, md5):
        raise _known()


def _known() -> Refused:
    return Refused(_DUPLICATE, "Learnware file already exist.")


def _md5_in(given: Mapping[str, Any]) -> str:
    md5 = text_in(given, "file_hash").lower()
    if not _MD5.fullmatch(md5):
        raise Refused(MISSING, "Request parameters error: file_hash is no MD5.")
    return md5


def _semantic_in(given: Mapping[str, Any]) -> SemanticSpecification:
    """Return the semantic specification that a client sent as a text.

    Raises
    ------
    Refused
        41: not even of the shape; 51: of the shape, and breaks a rule.
    """
    text = text_in(given, "semantic_specification", 41)
    try:
        shape = json.loads(text)
        data, task = (_one(shape[key]["Values"]) for key in ("Data", "Task"))
        if data in DATA_WITH_INPUT:
            _require_dimension(shape["Input"])
        if task in TASKS_WITH_OUTPUT:
            _require_dimension(shape["Output"])
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Refused(41, "Semantic specification error") from None
    with coded((InvalidSpecification, 51), (TooLarge, 51)):
        return SemanticSpecification.from_json(text)


def _one(values: list[Any]) -> Any:
    [value] = values
    return value


def _require_dimension(side: Any) -> None:
    declared = json.loads(side) if isinstance(side, str) else side
    declared["Dimension"]
