"""Learnwares of docks on servers, kept on this machine by what they are: their SHA-256.

What is here needs no network: an archive, what is unpacked of it, and what a dock said of it last.
Several processes may use one cache at once. Everything in it can be fetched again, so it may be
deleted at any time; what was not used for longest goes first when it grows too large.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from beimingwu.errors import Unavailable
from beimingwu.learnware.archive import open_archive

#: What was used within this many seconds stays, however large the cache is.
_IN_USE = 24 * 3600.0


class Cache:
    """The cache in one folder.

    Parameters
    ----------
    folder
        It, made when it is first used.
    limit
        Bytes that it may hold.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def archive(self, digest: str, fetch: Callable[[Path], None]) -> Path:
        """Return the archive of a digest; `fetch` completes its partial file where it is absent.

        Raises
        ------
        Unavailable
            What was fetched is not what it should be, twice.
        """
        path = self._made("archives") / f"{digest}.zip"
        if not path.exists():
            self._fetched(path, digest, fetch)
            self._make_room()
        os.utime(path)
        return path

    def folder(self, digest: str, archive: Path) -> Path:
        """Return what the archive of a digest holds, unpacked."""
        folder = self._made("unpacked") / digest
        if not folder.exists():
            _require_whole(archive, digest)
            partial = folder.with_name(f"{secrets.token_hex(16)}.part")
            try:
                with open_archive(archive) as opened:
                    opened.extract(partial)
                try:
                    partial.rename(folder)
                except OSError:
                    # Another process unpacked the same bytes first: theirs is as good.
                    if not folder.exists():
                        raise
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        os.utime(folder)
        return folder

    def note(self, dock: str, name: str, value: Mapping[str, Any]) -> None:
        """Keep what a dock said under a name, in place of what it said before."""
        path = self._said(dock, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            partial.write_text(json.dumps(value), encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def noted(self, dock: str, name: str) -> dict[str, Any] | None:
        """Return what a dock said last under a name, None where nothing is kept."""
        try:
            said = json.loads(self._said(dock, name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return said if isinstance(said, dict) else None

    def forget(self, dock: str, name: str) -> None:
        """Forget what a dock said under a name."""
        self._said(dock, name).unlink(missing_ok=True)

    def _fetched(self, path: Path, digest: str, fetch: Callable[[Path], None]) -> None:
        partial = path.with_suffix(".part")
        with partial.open("ab") as held:
            # One process fetches, others wait; a part that was left is gone on with.
            fcntl.flock(held, fcntl.LOCK_EX)
            if path.exists():
                return
            fetch(partial)
            if _digest(partial) != digest:
                # Perhaps what was left was something else; once more from the beginning.
                os.truncate(partial, 0)
                fetch(partial)
            _require_whole(partial, digest)
            with partial.open("rb") as whole:
                os.fsync(whole.fileno())
            partial.replace(path)

    def _made(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _said(self, dock: str, name: str) -> Path:
        which = hashlib.sha256(dock.encode()).hexdigest()[:16]
        return self._folder / "docks" / which / f"{name}.json"

    def _make_room(self) -> None:
        """Remove what was not used for longest, until the rest is small enough."""
        entries = [*self._made("archives").iterdir(), *self._made("unpacked").iterdir()]
        sized = [(entry, entry.stat().st_mtime, _size(entry)) for entry in entries]
        total = sum(size for _, _, size in sized)
        for entry, used, size in sorted(sized, key=lambda one: one[1]):
            if total <= self._limit or time.time() - used < _IN_USE:
                return
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
            total -= size


def _require_whole(path: Path, digest: str) -> None:
    if _digest(path) != digest:
        path.unlink(missing_ok=True)
        raise Unavailable(
            "What was fetched is not what the dock promised: its SHA-256 is another.",
            remedy="Try it again; if it happens again, tell who runs the dock.",
            code="transfer.digest",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(entry: Path) -> int:
    if not entry.is_dir():
        return entry.stat().st_size
    return sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
