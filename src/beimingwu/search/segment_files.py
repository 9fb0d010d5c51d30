"""Segments as files: written once and whole, mapped into memory, and never trusted unseen.

A segment is a folder of `.npy` columns and a `segment.json` that tells their sizes and checksums.
It is written under another name, synced, and renamed, so a folder of this name is complete. Small
columns are checked when a segment is opened, rows when a search first comes to them, points
whenever they are read.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import shutil
import uuid
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.cells import FEWEST_ROWS, Cells
from beimingwu.search.hearts import Hearts
from beimingwu.search.segment import Segment, cell_checks_of, damaged
from beimingwu.search.stack import Positions, Stack
from beimingwu.search.view import Parts

#: Learnwares copied at a time.
BLOCK = 4_096
#: Columns that are checked when they are opened; the last six are there where there are cells.
CHECKED = (
    "ids",
    "records",
    "checks",
    "codes",
    "self_inner",
    "sparse",
    "offsets",
    "by_id",
    "cell_offsets",
    "cell_centres",
    "cell_radii",
    "heart_places",
    "heart_along",
    "cell_checks",
)
UNCHECKED = ("points", "weights", "rows")
#: Room for the header of a column whatever its length; a multiple of 64, as the format wants.
HEADER = 128


def arranged(view: Parts, positions: Positions) -> tuple[Positions, Cells | None]:
    """Return the order in which a segment keeps these positions, and its cells if it is large."""
    if len(positions) < FEWEST_ROWS:
        return positions, None
    order, cells = Cells.of(view.rows(positions))
    return positions[order], cells


def write_segment(
    folder: Path,
    view: Parts,
    positions: Positions,
    cells: Cells | None = None,
    hearts: Hearts | None = None,
) -> Segment:
    """Write what stands at `positions` of a view as a segment, in this order, and open it."""
    name = f"segment-{uuid.uuid4().hex[:16]}"
    target = folder / f"{name}.new"
    target.mkdir(parents=True)
    columns: dict[str, _Column] = {}
    try:
        _write(columns, target, view, positions, cells, hearts)
        target.rename(folder / name)
    except BaseException:
        for column in columns.values():
            column.give_up()
        shutil.rmtree(target, ignore_errors=True)
        raise
    sync(folder)
    return open_segment(folder, name)


def open_segment(folder: Path, name: str) -> Segment:
    """Map a segment's files into memory.

    Raises
    ------
    DockDamaged
        They are not what was written.
    """
    try:
        told = read_told(folder / name / "segment.json")
        columns = {key: _mapped(folder / name, key, told[key], name) for key in CHECKED[:8]}
        columns |= {key: _mapped(folder / name, key, told[key], name) for key in UNCHECKED}
        cells = hearts = cell_checks = None
        if told["cell_offsets"] is not None:
            offsets, centres, radii, places, along, cell_checks = (
                _mapped(folder / name, key, told[key], name) for key in CHECKED[8:]
            )
            cells, hearts = Cells(offsets, centres, radii), Hearts(places, along)
        elif zlib.crc32(_bytes(columns["rows"])) != told["rows"]["check"]:
            raise damaged(name)
        descriptions = tuple(told["descriptions"])
    except FileNotFoundError:
        raise
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise damaged(name) from error
    stack = Stack(columns.pop("points"), columns.pop("weights"), np.array(columns.pop("offsets")))
    return Segment(
        stack=stack,
        descriptions=descriptions,
        cells=cells,
        hearts=hearts,
        cell_checks=cell_checks,
        name=name,
        mappings=(*_mapping_of(stack.rows), *_mapping_of(stack.weights)),
        **columns,
    )


def _write(
    columns: dict[str, _Column],
    target: Path,
    view: Parts,
    positions: Positions,
    cells: Cells | None,
    hearts: Hearts | None,
) -> None:
    descriptions: dict[str, int] = {}
    total = np.zeros(1, np.intp)
    for first in range(0, len(positions), BLOCK):
        segment = view.gather(positions[first : first + BLOCK])
        code_of = [
            descriptions.setdefault(told, len(descriptions)) for told in segment.descriptions
        ]
        ends = segment.stack.offsets + total[0]
        arrays: dict[str, NDArray[Any]] = {
            "ids": segment.ids,
            "records": segment.records,
            "checks": segment.checks,
            "codes": np.array(code_of, np.int32)[segment.codes],
            "self_inner": segment.self_inner,
            "sparse": segment.sparse,
            "offsets": ends[(1 if first else 0) :],
            "points": segment.stack.rows,
            "weights": segment.stack.weights,
            "rows": segment.rows,
        }
        total[0] = ends[-1]
        for key, array in arrays.items():
            if key not in columns:
                columns[key] = _Column(target / f"{key}.npy", array)
            columns[key].append(array)
    ids = view.ids(positions)
    _whole(columns, target, "by_id", np.argsort(ids, kind="stable"))
    if hearts is not None:
        _whole(columns, target, "heart_places", hearts.places)
        _whole(columns, target, "heart_along", hearts.along)
    if cells is not None:
        _whole(columns, target, "cell_offsets", cells.offsets)
        _whole(columns, target, "cell_centres", cells.centres)
        _whole(columns, target, "cell_radii", cells.radii)
    told: dict[str, Any] = dict.fromkeys(CHECKED)
    told |= {key: column.close() for key, column in columns.items()}
    if cells is not None:
        rows = np.load(target / "rows.npy", mmap_mode="r", allow_pickle=False)
        checks = _Column(target / "cell_checks.npy", np.empty(0, np.uint32))
        checks.append(cell_checks_of(rows, cells))
        told["cell_checks"] = checks.close()
    told["descriptions"] = list(descriptions)
    write_told(target / "segment.json", told)
    sync(target)


def _whole(columns: dict[str, _Column], target: Path, key: str, array: NDArray[Any]) -> None:
    columns[key] = _Column(target / f"{key}.npy", array)
    columns[key].append(array)


class _Column:
    """A `.npy` file that grows by its first axis; its length is written when it is closed."""

    def __init__(self, path: Path, like: NDArray[Any]) -> None:
        self._file = path.open("wb")
        self._file.write(bytes(HEADER))
        self._like, self._length, self._check = like[:0], 0, 0

    def append(self, array: NDArray[Any]) -> None:
        content = np.ascontiguousarray(array)
        self._check = zlib.crc32(_bytes(content), self._check)
        content.tofile(self._file)
        self._length += len(content)

    def close(self) -> dict[str, Any]:
        """Write the header, sync, and return what `segment.json` tells of the column."""
        shape = (self._length, *self._like.shape[1:])
        self._file.seek(0)
        self._file.write(_header(self._like.dtype, shape))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return {"dtype": str(self._like.dtype), "shape": shape, "check": self._check}

    def give_up(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):
            self._file.close()


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the first HEADER bytes of a `.npy` file."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    content = b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little")
    return content + header.encode().ljust(HEADER - 11) + b"\n"


def _mapped(folder: Path, key: str, told: dict[str, Any], name: str) -> NDArray[Any]:
    dtype, shape = np.dtype(told["dtype"]), tuple(told["shape"])
    path = folder / f"{key}.npy"
    with path.open("rb") as file:
        if file.read(HEADER) != _header(dtype, shape):
            raise damaged(name)
    if path.stat().st_size != HEADER + dtype.itemsize * math.prod(shape):
        raise damaged(name)
    array: NDArray[Any] = np.memmap(path, dtype, "r", HEADER, shape)
    if key in CHECKED:
        array = np.array(array)
        if zlib.crc32(_bytes(array)) != told["check"]:
            raise damaged(name)
    return array.view(np.ndarray)


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _mapping_of(array: Any) -> tuple[mmap.mmap, ...]:
    """Return the mapping that an array lies in, if any."""
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return () if array is None else (array,)


def write_told(path: Path, told: Any) -> None:
    """Write what can be JSON, below a line with its checksum."""
    body = json.dumps(told).encode()
    write_synced(path, b"%08x\n" % zlib.crc32(body) + body)


def read_told(path: Path) -> Any:
    """Read what `write_told` wrote.

    Raises
    ------
    DockDamaged
        The file is not what was written.
    """
    check, _, body = path.read_bytes().partition(b"\n")
    if check != b"%08x" % zlib.crc32(body):
        raise damaged(path.name)
    return json.loads(body)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file, and come back when the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Come back when the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
