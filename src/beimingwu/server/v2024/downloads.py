"""Learnwares as the zip that a dock serves, one or several, to whoever may see them.

Such a zip is made for each download and has no name any more by the time it is sent, so nothing is
left of it however that ends. What fails here has a status of its own: a client of 2024 saves
whatever comes with 200.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import weakref
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from beimingwu.dock.blobs import Received, noticing_a_full_disk
from beimingwu.errors import BeimingwuError, NotFound
from beimingwu.learnware.record import UNFINISHED
from beimingwu.server.files import file_answer
from beimingwu.server.permissions import Caller
from beimingwu.server.seeing import seen
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.callers import Anyone, AStranger
from beimingwu.server.v2024.envelope import MISSING, Refused, coded, ok
from beimingwu.server.v2024.sent import Sent

router = APIRouter(prefix="/engine")

_MOST = 10
#: Where zips are made; what is older than any packing takes was left by a process that died.
_PREFIX = ".serving-"
_LEFT_AFTER = 24 * 3600.0
_SEVERAL = "multiple_learnwares.zip"
Id = Annotated[str, Query()]
Ids = Annotated[list[str] | None, Query()]
Ticket = Annotated[str, Query()]


@router.get("/download_learnware", name="2024 download_learnware")
async def download_learnware(
    caller: Anyone, service: TheService, request: Request, learnware_id: Id = ""
) -> Response:
    """Return a learnware."""
    ids = await to_thread.run_sync(_allowed, service, caller, [learnware_id])
    return await _one(service, request, ids[0])


@router.get("/download_multi_learnware", name="2024 download_multi_learnware")
async def download_multi_learnware(
    caller: Anyone, service: TheService, request: Request, learnware_ids: Ids = None
) -> Response:
    """Return several learnwares in one zip."""
    ids = await to_thread.run_sync(_allowed, service, caller, learnware_ids or [""])
    return await _several(service, request, ids)


@router.post("/generate_download_token", name="2024 generate_download_token")
def generate_download_token(
    caller: Anyone, service: TheService, request: Request, sent: Sent
) -> JSONResponse:
    """Return a ticket by which these learnwares can be had for half an hour."""
    given = sent.get("learnware_ids")
    if not isinstance(given, list) or not given or not all(isinstance(id, str) for id in given):
        raise Refused(MISSING, "Request parameters error: learnware_ids is missing.")
    ids = _allowed(service, caller, given, status=200)
    return ok({"token": request.app.state.tickets.make(ids)}, None)


@router.get("/download_by_token", name="2024 download_by_token")
async def download_by_token(
    caller: AStranger, service: TheService, request: Request, token: Ticket = ""
) -> Response:
    """Return the first learnware of a ticket."""
    return await _one(service, request, _held(request, token)[0])


@router.get("/download_multi_learnware_by_token", name="2024 download_multi_learnware_by_token")
async def download_multi_learnware_by_token(
    caller: AStranger, service: TheService, request: Request, token: Ticket = ""
) -> Response:
    """Return the learnwares of a ticket in one zip."""
    return await _several(service, request, _held(request, token))


def sweep(folder: Path) -> None:
    """Remove what processes left in a dock's folder that died while they packed."""
    for one in folder.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            if one.stat().st_mtime < time.time() - _LEFT_AFTER:
                shutil.rmtree(one, ignore_errors=True)


def _allowed(
    service: Service, caller: Caller, ids: Sequence[str], status: int = 403
) -> tuple[str, ...]:
    """Return the ids, each once, if the caller may have these learnwares."""
    wanted = tuple(dict.fromkeys(ids))
    missing, many = (status, status) if status == 200 else (400, 400)
    if not all(wanted):
        raise Refused(MISSING, "Request parameters error: learnware_id is missing.", status=missing)
    if len(wanted) > _MOST:
        raise Refused(41, f"At most {_MOST} learnwares at a time.", status=many)
    for id in wanted:
        try:
            seen(service.dock, caller, id)
        except NotFound as error:
            # One that is not there and one that the caller may not see are told alike.
            if caller.is_admin:
                raise Refused(42, error.problem, status=404 if status != 200 else 200) from None
            code = 61 if caller.identity is None else 62
            raise Refused(code, "Permission denied, or no such learnware.", status=status) from None
    return wanted


def _held(request: Request, token: str) -> tuple[str, ...]:
    ids: tuple[str, ...] | None = request.app.state.tickets.holds(token)
    if ids is None:
        raise Refused(MISSING, "token not exist.", status=404)
    return ids


async def _one(service: Service, request: Request, id: str) -> Response:
    with coded((BeimingwuError, 42), status=409):
        raw = await to_thread.run_sync(_as_it_was_sent, service, id)
    if raw is not None:
        return file_answer(request, raw, f"{id}.zip", "application/zip")

    def pack(folder: Path) -> Path:
        return service.dock.export(id, folder / "one.zip")

    answer = await _packed(service, request, pack, f"{id}.zip")
    if "range" not in request.headers:
        service.accounts.tallies.add("download")
    return answer


def _as_it_was_sent(service: Service, id: str) -> Received | None:
    """Return the archive of a learnware that waits for its verification; None of any other."""
    if service.dock.show(id).state not in UNFINISHED:
        return None
    return service.dock.archive(id, newest=True)


async def _several(service: Service, request: Request, ids: Sequence[str]) -> Response:
    def pack(folder: Path) -> Path:
        target = folder / "several.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as several:
            for id in ids:
                one = service.dock.export(id, folder / f"{id}.zip")
                several.write(one, one.name)
                one.unlink()
        return target

    return await _packed(service, request, pack, _SEVERAL)


async def _packed(
    service: Service, request: Request, pack: Callable[[Path], Path], name: str
) -> Response:
    limiter = request.app.state.packing
    with coded((BeimingwuError, 42), status=409):
        file, packed = await to_thread.run_sync(_nameless, service, pack, limiter=limiter)
    try:
        answer = file_answer(request, packed, name, "application/zip")
    except BaseException:
        os.close(file)
        raise
    weakref.finalize(answer, os.close, file)
    return answer


def _nameless(service: Service, pack: Callable[[Path], Path]) -> tuple[int, Received]:
    """Return what was packed, opened, when its name is gone already."""
    with (
        noticing_a_full_disk(),
        tempfile.TemporaryDirectory(dir=service.dock.folder, prefix=_PREFIX) as folder,
    ):
        path = pack(Path(folder))
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    opened = Path(f"/proc/self/fd/{file}")
    with opened.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return file, Received(opened, digest, os.fstat(file).st_size)
