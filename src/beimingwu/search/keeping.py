"""The index in a folder: what it holds at one moment of the catalogue, and how that is replaced.

A *manifest* names the segments and geometries in force and the catalogue's moment they stand for.
It is written whole and renamed, after everything that it names is on the disk; so a process that is
killed at any moment leaves the manifest before or the manifest after. What it does not name is
swept by the next writer. Only one process writes at a time; others go on reading what they have.
Whatever is in doubt is thrown away, since all of it can be made again from the catalogue.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beimingwu.errors import DockDamaged
from beimingwu.search.geometry_files import read_geometry, write_geometry
from beimingwu.search.island import Island
from beimingwu.search.segment import damaged
from beimingwu.search.segment_files import (
    open_segment,
    read_told,
    sync,
    write_synced,
    write_told,
)
from beimingwu.search.view import Part, View

#: Changes whenever files of an earlier Beimingwu are not what this one would make.
FORMAT = 2
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Mark:
    """A moment of the catalogue: its change sequence, and what tells that catalogue from others."""

    sequence: int
    fingerprint: str


class Keeper:
    """The files of an index.

    Parameters
    ----------
    folder
        Where they are.
    mark
        The moment of the catalogue that they stand for; None where there are none.
    islands
        What they hold.
    """

    def __init__(
        self, folder: Path, mark: Mark | None, islands: Sequence[Island], seen: tuple[int, ...]
    ) -> None:
        self.folder, self.mark, self.islands = folder, mark, tuple(islands)
        #: Tells the manifest that was read, or written, from any other.
        self.seen = seen

    @classmethod
    def open(cls, folder: Path) -> Keeper:
        """Open the index in a folder; an empty one where there is none, or it cannot be trusted."""
        folder.mkdir(parents=True, exist_ok=True)
        # A writer may replace the manifest, and sweep what it named, while it is being read.
        for _ in range(5):
            seen = _seen(folder)
            with suppress(FileNotFoundError, DockDamaged):
                return cls(folder, *_read(folder), seen)
            if _seen(folder) == seen:
                break
        return cls(folder, None, (), _seen(folder))

    @property
    def is_current(self) -> bool:
        """Whether no other process has replaced the manifest since."""
        return _seen(self.folder) == self.seen

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Tell whether this process alone may write now, and keep it so."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            yield _locked(descriptor) and self.is_current
        finally:
            os.close(descriptor)

    def write(self, islands: Sequence[Island], mark: Mark) -> None:
        """Replace the manifest by one that names what islands hold, all of it written; sweep."""
        told, kept = [], {MANIFEST, "lock"}
        for island in islands:
            view = island.measured
            if view is None:
                continue
            geometry = write_geometry(self.folder, view.geometry)
            segments = [(part.segment.name, self._gone(part)) for part in view.parts]
            kept |= {geometry, *(name for pair in segments for name in pair if name)}
            told.append(
                {
                    "kind": island.kind,
                    "shape": island.shape,
                    "geometry": geometry,
                    "segments": segments,
                }
            )
        new = self.folder / f"{MANIFEST}.new"
        moment = [mark.sequence, mark.fingerprint]
        write_told(new, {"format": FORMAT, "mark": moment, "islands": told})
        sync(self.folder)
        new.replace(self.folder / MANIFEST)
        sync(self.folder)
        self.mark, self.seen = mark, _seen(self.folder)
        _sweep(self.folder, kept)

    def clear(self) -> None:
        """Throw the index away."""
        with suppress(FileNotFoundError):
            (self.folder / MANIFEST).unlink()

    def _gone(self, part: Part) -> str:
        """Write which learnwares of a part are gone; the name of the file, empty where none is."""
        if part.alive is None:
            return ""
        gone = np.flatnonzero(~part.alive).astype(np.int64)
        content = gone.tobytes()
        name = f"gone-{part.segment.name.split('-')[1]}-{zlib.crc32(content):08x}"
        if not (self.folder / name).exists():
            write_synced(self.folder / f"{name}.new", content)
            (self.folder / f"{name}.new").replace(self.folder / name)
        return name


def _read(folder: Path) -> tuple[Mark, list[Island]]:
    try:
        told = read_told(folder / MANIFEST)
        if told["format"] != FORMAT:
            raise damaged(MANIFEST)
        return Mark(*told["mark"]), [_island(folder, each) for each in told["islands"]]
    except FileNotFoundError:
        raise
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise damaged(MANIFEST) from error


def _island(folder: Path, told: dict[str, Any]) -> Island:
    geometry = read_geometry(folder, told["geometry"])
    parts = tuple(_part(folder, name, gone) for name, gone in told["segments"])
    if any(part.segment.rows.shape[1] != geometry.projection.rank + 1 for part in parts):
        raise damaged(MANIFEST)
    return Island(told["kind"], tuple(told["shape"]), View(parts, geometry))


def _part(folder: Path, name: str, gone: str) -> Part:
    part = Part(open_segment(folder, name))
    if not gone:
        return part
    content = (folder / gone).read_bytes()
    if not gone.endswith(f"{zlib.crc32(content):08x}"):
        raise damaged(gone)
    return part.without(np.frombuffer(content, np.int64).astype(np.intp))


def _locked(descriptor: int) -> bool:
    """Lock a file, unless somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _seen(folder: Path) -> tuple[int, ...]:
    """Return what changes whenever the manifest is replaced."""
    try:
        told = (folder / MANIFEST).stat()
    except FileNotFoundError:
        return ()
    return told.st_ino, told.st_mtime_ns, told.st_size


def _sweep(folder: Path, kept: set[str]) -> None:
    """Remove what the manifest does not name: left by killed writers, or replaced."""
    for entry in folder.iterdir():
        if entry.name in kept:
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
