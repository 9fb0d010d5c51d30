"""Files of the dock as answers: whole or from where the caller left off, never whole in memory."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from beimingwu.dock.blobs import Received
from beimingwu.errors import Conflict
from beimingwu.server.conditions import is_known

_CHUNK = 1024 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def file_answer(request: Request, file: Received, name: str, media_type: str) -> Response:
    """Return the answer that holds a file, or the one range of it that was asked for.

    Several ranges at once are answered with the whole, as RFC 9110 allows.

    Parameters
    ----------
    name
        What a browser saves it as.

    Raises
    ------
    Conflict
        `range.unsatisfiable`: the range begins after the end.
    """
    etag = f'"{file.digest}"'
    headers = {
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(file.digest)).decode()}:",
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",
    }
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    asked = _asked(request, etag, file.size)
    start, end = asked or (0, file.size)
    headers["Content-Length"] = str(end - start)
    if asked is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    if request.method == "HEAD":
        status = 200 if asked is None else 206
        return Response(status_code=status, headers=headers, media_type=media_type)
    return StreamingResponse(
        _bytes(file.path, start, end),
        status_code=200 if asked is None else 206,
        headers=headers,
        media_type=media_type,
    )


def _asked(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Return the range that was asked for, from its first byte to after its last."""
    found = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if found is None or not any(found.groups()) or condition not in (None, etag):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), size if not last else min(int(last) + 1, size)
    if last and first and int(last) < int(first):
        return None
    if start >= end:
        raise Conflict(
            f"The file has {size:,} bytes, and the range begins after them.",
            remedy="Ask for a range within it, or for all of it.",
            code="range.unsatisfiable",
        )
    return start, end


def _bytes(path: Path, start: int, end: int) -> Iterator[bytes]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while start < end:
            chunk = os.pread(file, min(_CHUNK, end - start), start)
            if not chunk:
                return  # Shorter than the catalogue says: the caller sees that it ends too soon.
            start += len(chunk)
            yield chunk
    finally:
        os.close(file)
