"""Files of the operators, in folders one deep: a place is `folder/file`, and nothing else is one.

They lie in `datasets/` of the dock's folder. A name begins with a letter or digit and holds no
more than those, blanks, dots, dashes and underscores: none leads anywhere else.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from beimingwu.dock.blobs import Received, noticing_a_full_disk
from beimingwu.errors import BeimingwuError
from beimingwu.server.files import file_answer
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.callers import AnAdmin, Anyone, WithRead
from beimingwu.server.v2024.envelope import FAILED, Refused, coded, ok
from beimingwu.server.v2024.sent import Sent, file_in, form_of, text_in

router = APIRouter(prefix="/datasets")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}")
_PART = 1024 * 1024
Place = Annotated[str, Query()]


@router.post("/list_datasets", name="2024 list_datasets")
def list_datasets(caller: WithRead, service: TheService) -> JSONResponse:
    """Return the files of each folder."""
    folders = sorted(one for one in _home(service).glob("*") if one.is_dir())
    listed = {
        folder.name: sorted(file.name for file in folder.iterdir() if _NAME.fullmatch(file.name))
        for folder in folders
        if _NAME.fullmatch(folder.name)
    }
    return ok({"datasets": listed})


@router.get("/download_datasets", name="2024 download_datasets")
def download_datasets(
    caller: Anyone, service: TheService, request: Request, dataset: Place = ""
) -> Response:
    """Return a file."""
    path = _path(service, dataset, status=400)
    if not path.is_file():
        raise Refused(12, "Dataset not found.", status=404)
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    file = Received(path, digest, path.stat().st_size)
    return file_answer(request, file, path.name, "application/octet-stream")


@router.post("/delete_datasets", name="2024 delete_datasets")
def delete_datasets(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Delete a file, and its folder with the last."""
    path = _path(service, text_in(sent, "dataset", 11))
    if not path.is_file():
        raise Refused(11, "Dataset not found.")
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    return ok()


@router.post("/upload_dataset", name="2024 upload_dataset")
async def upload_dataset(caller: AnAdmin, service: TheService, request: Request) -> JSONResponse:
    """Keep a file that is in the form itself."""
    async with form_of(request, service.settings.archive_max_bytes + _PART) as form:
        path = _path(service, text_in(form, "file_path", 11))
        file = file_in(form, "file")
        if file is None:
            raise Refused(12, "Request parameters error: file is missing.")
        await run_in_threadpool(_keep, service, file.file, path)
    return ok()


@router.post("/add_dataset_uploaded", name="2024 add_dataset_uploaded")
def add_dataset_uploaded(caller: AnAdmin, service: TheService, sent: Sent) -> JSONResponse:
    """Keep a file whose pieces were sent as those of an archive."""
    md5, path = text_in(sent, "file_hash", 11).lower(), _path(service, text_in(sent, "filename"))
    owner, uploads = caller.account.owner, service.dock.uploads
    with coded((BeimingwuError, 12)):
        kept = uploads.seal(owner, md5, md5)
        with kept.path.open("rb") as file:
            _keep(service, file, path)
        uploads.drop(owner, kept.path.name)
    return ok()


def _home(service: Service) -> Path:
    return service.dock.folder / "datasets"


def _path(service: Service, place: str, status: int = 200) -> Path:
    parts = place.split("/")
    if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
        raise Refused(11, "A dataset is named `folder/file`.", status=status)
    return _home(service).joinpath(*parts)


def _keep(service: Service, file: BinaryIO, path: Path) -> None:
    """Write a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f".{uuid.uuid4().hex}.part"
    try:
        with noticing_a_full_disk(), partial.open("xb") as target:
            while piece := file.read(_PART):
                if shutil.disk_usage(path.parent).free < service.settings.free_min_bytes:
                    raise Refused(FAILED, "There is not enough space on the dock's disk.")
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
