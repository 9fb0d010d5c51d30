"""Several learnwares as one zip, written while it is sent."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from typing_extensions import Buffer

from beimingwu.dock.blobs import Received
from beimingwu.learnware.record import LearnwareRecord
from beimingwu.server.permissions import Anyone
from beimingwu.server.problems import documented
from beimingwu.server.seeing import seen
from beimingwu.server.service import TheService
from beimingwu.server.v1.archives import ZIP

router = APIRouter(prefix="/downloads", tags=["archives"])

_MOST = 100
_CHUNK = 1024 * 1024
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
Ids = Annotated[
    list[Annotated[str, Query(pattern=r"^[0-9]{8}$")]],
    Query(min_length=1, max_length=_MOST, description="The learnwares; repeatable."),
]


@router.get(
    "",
    operation_id="downloadLearnwares",
    response_class=StreamingResponse,
    responses={
        **documented(404, 409),
        200: {
            "description": "A zip with `ID.zip`, the archive, and `ID.json`, what the dock says.",
            "content": ZIP,
        },
    },
)
def download_learnwares(caller: Anyone, service: TheService, id: Ids) -> StreamingResponse:
    """Return several learnwares at once."""
    records = [seen(service.dock, caller, one) for one in dict.fromkeys(id)]
    # All are found before the first byte, so that what is sent is whole.
    archives = [service.dock.archive(record.id) for record in records]
    for _ in records:
        service.accounts.tallies.add("download")
    return StreamingResponse(
        _zip(records, archives),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="learnwares.zip"'},
    )


def _zip(records: Sequence[LearnwareRecord], archives: Sequence[Received]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:
        for record, archive in zip(records, archives, strict=True):
            told = {**record.to_json(), "steps": []}
            packed.writestr(_member(f"{record.id}.json"), json.dumps(told, ensure_ascii=False))
            member = _member(f"{record.id}.zip")
            member.file_size = archive.size
            with archive.path.open("rb") as source, packed.open(member, "w") as target:
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
                    yield pipe.taken()
    yield pipe.taken()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.external_attr = 0o644 << 16
    return member


class _Pipe(io.RawIOBase):
    """A file that can only be written to, and what was written is taken away."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: Buffer) -> int:
        self._written.append(bytes(content))
        return len(self._written[-1])

    def taken(self) -> bytes:
        content, self._written = b"".join(self._written), []
        return content
