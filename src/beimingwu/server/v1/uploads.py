"""Archives on their way: announced, sent in pieces of any size, completed by their digest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from starlette.requests import ClientDisconnect

from beimingwu.dock.uploads import Upload
from beimingwu.errors import InvalidInput
from beimingwu.server.middleware.bodies import allow_body
from beimingwu.server.permissions import WithWrite
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.views import Body, View

router = APIRouter(prefix="/uploads", tags=["uploads"])

UploadId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{32}$", examples=["0123456789abcdef0123456789abcdef"])
]
#: A piece is on disk, and acknowledged, in parts of this size.
_PART = 4 * 1024 * 1024
_PIECE = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


class NewUpload(Body):
    """An archive that is about to be sent."""

    size: int = Field(ge=1, le=2**53, examples=[48213], description="Its size in bytes.")


class Completion(Body):
    """What was sent."""

    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class UploadView(View):
    """An archive on its way."""

    id: str = Field(examples=["0123456789abcdef0123456789abcdef"])
    size: int = Field(examples=[48213])
    received: int = Field(
        examples=[16384], description="Bytes that arrived; the next piece begins there."
    )
    sha256: str | None = Field(examples=[None], description="Once it is complete.")
    created: datetime = Field(examples=["2026-11-23T21:55:43Z"])
    expires: datetime = Field(
        examples=["2026-11-24T21:55:43Z"], description="Dropped then, unless it goes on."
    )

    @classmethod
    def of(cls, upload: Upload) -> UploadView:
        """Show an upload."""
        return cls.model_validate(upload, from_attributes=True)


@router.post("", status_code=201, operation_id="createUpload", responses=documented(409))
def create_upload(
    caller: WithWrite, service: TheService, response: Response, new: NewUpload
) -> UploadView:
    """Announce an archive; whether it may be sent is known before a byte of it is."""
    upload = service.dock.uploads.create(caller.account.owner, new.size)
    response.headers["Location"] = f"/v1/uploads/{upload.id}"
    return UploadView.of(upload)


@router.get("/{id}", operation_id="getUpload", responses=documented(404))
def get_upload(
    caller: WithWrite, service: TheService, response: Response, id: UploadId
) -> UploadView:
    """Return how far an upload is."""
    response.headers["Cache-Control"] = "no-store"
    return UploadView.of(service.dock.uploads.show(caller.account.owner, id))


@router.patch(
    "/{id}",
    operation_id="appendToUpload",
    responses=documented(404, 409),
    openapi_extra={"requestBody": _PIECE},
)
async def append_to_upload(
    caller: WithWrite,
    service: TheService,
    request: Request,
    id: UploadId,
    upload_offset: Annotated[
        int, Header(ge=0, le=2**53, description="Where this piece begins: what was received.")
    ],
) -> UploadView:
    """Add a piece of any size at the end; what arrived of one that breaks off is kept."""
    if request.headers.get("content-type", "").split(";")[0] != "application/octet-stream":
        raise InvalidInput(
            "A piece of an upload is of the media type application/octet-stream.",
            remedy="Send it so, with the bytes of the archive as they are.",
            code="input.media_type",
        )
    uploads, owner = service.dock.uploads, caller.account.owner
    upload = await run_in_threadpool(uploads.show, owner, id)
    allow_body(request, upload.size)
    at = upload_offset
    async for part in _parts(request):
        upload = await run_in_threadpool(uploads.append, owner, id, at, part)
        at = upload.received
    return UploadView.of(upload)


@router.post("/{id}/complete", operation_id="completeUpload", responses=documented(404, 409))
def complete_upload(
    caller: WithWrite, service: TheService, id: UploadId, completion: Completion
) -> UploadView:
    """Say that all of it was sent; from then on it can be submitted. It may be said again."""
    done = service.dock.uploads.complete(caller.account.owner, id, completion.sha256)
    return UploadView.of(done)


@router.delete("/{id}", status_code=204, operation_id="dropUpload", responses=documented(404))
def drop_upload(caller: WithWrite, service: TheService, id: UploadId) -> None:
    """Forget an upload with all that arrived."""
    service.dock.uploads.drop(caller.account.owner, id)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in parts large enough to be worth a write; all that came if it broke off."""
    part, first = bytearray(), True
    try:
        async for chunk in request.stream():
            part += chunk
            while len(part) >= _PART:
                yield bytes(part[:_PART])
                del part[:_PART]
                first = False
    except ClientDisconnect:
        first = False  # Nobody is there any more to be answered; what arrived is kept.
    if part or first:
        yield bytes(part)
