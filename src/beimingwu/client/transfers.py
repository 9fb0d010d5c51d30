"""Archives on their way to a server and back, from where a broken connection left them."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from beimingwu.client.cache import Cache
from beimingwu.client.connection import TRIES, Connection
from beimingwu.errors import BeimingwuError, Conflict, InvalidInput, NotFound, Unavailable

Source = str | os.PathLike[str] | bytes | BinaryIO
#: Told what is done, how many bytes of it, and how many there are in all.
Progress = Callable[[str, int, int], None]

_PIECE = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
_BYTES = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Outgoing:
    """An archive that is to be sent."""

    file: BinaryIO
    size: int
    digest: str


@contextmanager
def outgoing(source: Source) -> Iterator[Outgoing]:
    """Lend an archive to be sent: a path, bytes, or an open binary file.

    Raises
    ------
    InvalidInput
        The path is not a readable file.
    """
    with _opened(source) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        size = file.seek(0, os.SEEK_END)
        yield Outgoing(file, size, digest)


def send(connection: Connection, cache: Cache, archive: Outgoing, progress: Progress) -> str:
    """Upload an archive, and return the upload's id.

    An upload of the same archive that was broken off, even by the end of its process, is gone on
    with.

    Raises
    ------
    BeimingwuError
        The server refuses it.
    Unavailable
        The connection broke again and again; the next call goes on from there.
    """
    name = f"upload-{archive.digest}"
    at = _begun(connection, cache.noted(connection.url, name), archive)
    if at is None:
        made = connection.send(
            "POST", "/v1/uploads", json={"size": archive.size}, repeatable=True
        ).json()
        cache.note(connection.url, name, {"id": made["id"]})
        at = made["id"], 0
    id, received = at
    _send_rest(connection, id, received, archive, progress)
    connection.send(
        "POST",
        f"/v1/uploads/{id}/complete",
        json={"sha256": archive.digest},
        repeatable=True,
    )
    return id


def ended(connection: Connection, cache: Cache, archive: Outgoing) -> None:
    """Forget the upload of an archive, which was submitted or refused."""
    name = f"upload-{archive.digest}"
    begun = cache.noted(connection.url, name)
    cache.forget(connection.url, name)
    if begun is not None:
        with suppress(BeimingwuError):
            connection.send("DELETE", f"/v1/uploads/{begun.get('id')}")


def fetch(
    connection: Connection, path: str, size: int, digest: str, target: Path, progress: Progress
) -> None:
    """Bring a file to its whole size by what a server sends, going on where it ends.

    Raises
    ------
    Conflict
        `input.no_space`: the disk is too full for it.
    Unavailable
        The connection broke again and again; the next call goes on from there.
    """
    _require_room(target, size)
    fruitless = 0
    while (there := target.stat().st_size) != size:
        if there > size:
            os.truncate(target, 0)
            continue
        try:
            _fetch_rest(connection, path, there, digest, size, target, progress)
        except Unavailable:
            # As long as something arrives, it goes on.
            fruitless = 0 if target.stat().st_size > there else fruitless + 1
            if fruitless == TRIES:
                raise
            time.sleep(0.25 * 2.0**fruitless)
            continue
        if target.stat().st_size == there:
            return  # There is no more: its digest shows that it is not whole.


def _begun(
    connection: Connection, noted: dict[str, object] | None, archive: Outgoing
) -> tuple[str, int] | None:
    """Return the upload that was begun, and how far it is; None where there is none any more."""
    if noted is None:
        return None
    try:
        upload = connection.get(f"/v1/uploads/{noted.get('id')}").json()
    except (NotFound, InvalidInput):
        return None
    return (upload["id"], upload["received"]) if upload["size"] == archive.size else None


def _send_rest(
    connection: Connection, id: str, received: int, archive: Outgoing, progress: Progress
) -> None:
    fruitless = 0
    progress("sending", received, archive.size)
    while received < archive.size:
        archive.file.seek(received)
        piece = archive.file.read(_PIECE)
        headers = {**_BYTES, "Upload-Offset": str(received)}
        try:
            answer = connection.send("PATCH", f"/v1/uploads/{id}", content=piece, headers=headers)
            received, fruitless = answer.json()["received"], 0
        except (Unavailable, Conflict) as error:
            # It broke, or the server had more than we knew: it says how far it is.
            if not isinstance(error, Unavailable) and error.code != "conflict.offset":
                raise
            before, received = received, connection.get(f"/v1/uploads/{id}").json()["received"]
            fruitless = 0 if received > before else fruitless + 1
            if fruitless == TRIES:
                raise
            time.sleep(0.25 * 2.0**fruitless)
        progress("sending", received, archive.size)


def _fetch_rest(
    connection: Connection,
    path: str,
    there: int,
    digest: str,
    size: int,
    target: Path,
    progress: Progress,
) -> None:
    headers = {"Range": f"bytes={there}-", "If-Range": f'"{digest}"'} if there else {}
    with (
        connection.stream(path, {**headers, "Accept-Encoding": "identity"}) as answer,
        target.open("r+b") as file,
    ):
        # 200 is the whole: what was left here was of something else.
        file.seek(there if answer.status_code == 206 else 0)
        file.truncate()
        for chunk in answer.iter_bytes(_CHUNK):
            file.write(chunk)
            progress("fetching", file.tell(), size)


def _require_room(target: Path, size: int) -> None:
    needed = size - target.stat().st_size
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise Conflict(
            f"{needed:,} bytes are to be fetched, and {str(target.parent)!r} has room for "
            f"{free:,} bytes.",
            remedy="Make space on that disk, or set BEIMINGWU_CACHE to a folder on another.",
            code="input.no_space",
        )


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        try:
            file = Path(source).open("rb")  # noqa: SIM115 - only opening it is tried
        except OSError as error:
            raise InvalidInput(
                f"The archive {str(source)!r} cannot be read: {error.strerror}.",
                remedy="Give the path of a learnware archive, as `beimingwu pack` writes it.",
                code="input.archive",
            ) from None
        with file:
            yield file
    else:
        # It may be a pipe, and what is sent has to be known in size, and read again.
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(source, copy, _CHUNK)
            copy.seek(0)
            yield copy
