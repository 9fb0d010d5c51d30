"""Content-addressed files: each named by the SHA-256 of its bytes, whole or absent.

A blob is written to a temporary file of its own, fsynced and renamed into place, so a crash leaves
the old state or the new one. Readers verify what they read. Nothing here knows the catalogue: what
to keep is told to `sweep`, which the dock calls when no process is in the middle of a submission.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from beimingwu.errors import Conflict, DockDamaged, InvalidInput, TooLarge

_CHUNK = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = re.compile(r"[0-9a-f]{32}\.part")


@contextmanager
def noticing_a_full_disk() -> Iterator[None]:
    """Let whatever is written in the block end in an error of ours where the disk is full.

    Raises
    ------
    Conflict
        `dock.disk_full`.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Conflict(
            "There is no space left on the dock's disk.",
            remedy="Tell who runs this dock, and try it again later.",
            code="dock.disk_full",
        ) from None


@dataclass(frozen=True)
class Received:
    """A file of the dock's own that arrived whole, was hashed, and does not change any more."""

    path: Path
    digest: str
    size: int


Source = str | os.PathLike[str] | bytes | BinaryIO | Received


class Incoming:
    """A file that has arrived whole but is not a blob yet; it vanishes unless `keep` is called."""

    def __init__(self, path: Path, digest: str, size: int, home: Path) -> None:
        self.path = path
        self.digest = digest
        self.size = size
        self._home = home

    def keep(self) -> str:
        """Make it a blob, durably, and return its digest.

        Raises
        ------
        Conflict
            `dock.disk_full`.
        """
        shelf = self._home / self.digest[:2]
        with noticing_a_full_disk():
            if not shelf.exists():
                shelf.mkdir(exist_ok=True)
                sync_folder(self._home)
            # An equal blob may be there already; the same bytes anew heal a damaged one.
            self.path.replace(shelf / self.digest)
            sync_folder(shelf)
        return self.digest

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.path.unlink(missing_ok=True)


class Blobs:
    """The blob store in one folder.

    Parameters
    ----------
    folder
        The dock's folder; blobs live in `blobs/`, half-written things in `incoming/`.

    Examples
    --------
    >>> import tempfile
    >>> blobs = Blobs(Path(tempfile.mkdtemp()))
    >>> blobs.read(blobs.put(b"a specification"))
    b'a specification'
    """

    def __init__(self, folder: Path) -> None:
        self._home = folder / "blobs"
        self._incoming = folder / "incoming"
        self._home.mkdir(exist_ok=True)
        self._incoming.mkdir(exist_ok=True)

    def receive(self, source: Source, limit: int) -> Incoming:
        """Copy a path, bytes or an open binary file into the dock, hashing on the way.

        Raises
        ------
        TooLarge
            More than `limit` bytes; nothing stays behind.
        InvalidInput
            The path is not a readable file.
        Conflict
            `dock.disk_full`; nothing stays behind.
        """
        path = self._incoming / f"{uuid.uuid4().hex}.part"
        if isinstance(source, Received):
            # A second name for the same bytes: they are whole, hashed and on disk already.
            with noticing_a_full_disk():
                path.hardlink_to(source.path)
            return Incoming(path, source.digest, source.size, self._home)
        try:
            with noticing_a_full_disk():
                digest, size = _copy(_chunks(source), path, limit)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Incoming(path, digest, size, self._home)

    def put(self, content: bytes) -> str:
        """Store bytes and return their digest."""
        with self.receive(content, len(content)) as incoming:
            return incoming.keep()

    def read(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified against its name.

        Raises
        ------
        DockDamaged
            The blob is absent, or its bytes are not those it was named by.
        """
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise _missing(digest) from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(digest)
        return content

    def path(self, digest: str) -> Path:
        """Return the path of a blob, for who checks what is read against its name.

        Raises
        ------
        DockDamaged
            The blob is absent.
        """
        path = self._path(digest)
        if not path.is_file():
            raise _missing(digest)
        return path

    def verified(self, digest: str) -> Path:
        """Return the path of a blob after reading it once against its name (see `read`)."""
        path = self._path(digest)
        try:
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise _missing(digest) from None
        if actual != digest:
            raise _damaged(digest)
        return path

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Lend an empty temporary folder beside the blobs; what is left in it is removed."""
        folder = self._incoming / f"{uuid.uuid4().hex}.part"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, live: Collection[str]) -> int:
        """Remove every blob that is not in `live` and every half-written thing; return how many.

        Only names that this class makes are touched. The caller makes sure that nobody is writing.
        """
        removed = 0
        for entry in self._incoming.iterdir():
            if _TEMPORARY.fullmatch(entry.name):
                remove(entry)
                removed += 1
        for shelf in self._home.iterdir():
            for blob in shelf.iterdir() if shelf.is_dir() else ():
                if _DIGEST.fullmatch(blob.name) and blob.name not in live:
                    blob.unlink(missing_ok=True)
                    removed += 1
        return removed

    def discard(self, digests: Collection[str], is_live: Callable[[str], bool]) -> None:
        """Remove those of `digests` that are not live; the same care as for `sweep`."""
        for digest in digests:
            if not is_live(digest):
                self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._home / digest[:2] / digest


class Unpacked:
    """Archives unpacked for running, one folder per archive digest; a cache, safe to delete."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._home = folder / "unpacked"
        self._home.mkdir(exist_ok=True)
        self._blobs = blobs

    def folder(self, digest: str, unpack: Callable[[Path, Path], object]) -> Path:
        """Return the folder of an archive; `unpack(archive, empty_folder)` fills it when absent."""
        home = self._home / digest
        if home.exists():
            return home
        with self._blobs.workspace() as workspace:
            filled = workspace / digest
            unpack(self._blobs.verified(digest), filled)
            _sync_tree(filled)
            try:
                filled.rename(home)
            except OSError:
                # Another thread or process unpacked the same bytes first: theirs is as good.
                if not home.exists():
                    raise
        return home

    def sweep(self, live: Collection[str]) -> None:
        """Remove the folders of archives that are not in `live`."""
        for entry in self._home.iterdir():
            if _DIGEST.fullmatch(entry.name) and entry.name not in live:
                remove(entry)

    def discard(self, digests: Collection[str], is_live: Callable[[str], bool]) -> None:
        """Remove the folders of those of `digests` that are not live."""
        for digest in digests:
            if not is_live(digest):
                remove(self._home / digest)


def remove(path: Path) -> None:
    """Remove a file or a whole folder, whichever it is, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename is on disk only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    """Make the content of a folder durable, so that after a power cut it is whole or absent."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def _copy(chunks: Iterator[bytes], path: Path, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    f"The archive is larger than {limit:,} bytes.",
                    remedy="Send a smaller one, or raise BEIMINGWU_ARCHIVE_MAX_BYTES here.",
                    code="too_large.archive",
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _chunks(source: str | os.PathLike[str] | bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, (str, os.PathLike)):
        try:
            with Path(source).open("rb") as file:
                yield from iter(lambda: file.read(_CHUNK), b"")
        except OSError as error:
            raise InvalidInput(
                f"The archive {str(source)!r} cannot be read: {error.strerror}.",
                remedy="Give the path of a learnware archive, as `beimingwu pack` writes it.",
                code="input.archive",
            ) from None
    else:
        yield from iter(lambda: source.read(_CHUNK), b"")


def _missing(digest: str) -> DockDamaged:
    return DockDamaged(
        f"The blob {digest} is gone from the dock's folder.",
        remedy="Restore the folder `blobs` from a backup, or submit the learnware again.",
        code="dock.blob_missing",
    )


def _damaged(digest: str) -> DockDamaged:
    return DockDamaged(
        f"The blob {digest} does not hold the bytes it was named by.",
        remedy="Restore the file from a backup, or submit the learnware again.",
        code="dock.blob_damaged",
    )
