"""A part of an island that no longer changes: specifications, and where each of them lies.

A segment is a few arrays, one entry for each learnware, in memory or mapped from files; see
`segment_files`. What several learnwares have in common besides their numbers (names of features,
languages of a text) is held once, as a *description*.
"""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import DockDamaged
from beimingwu.search.cells import Cells
from beimingwu.search.hearts import Hearts
from beimingwu.search.projection import Rows
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.specification.rkme import RKME, Floats, Kind

#: Specifications read from a mapping before its pages are given back. Each may map megabytes.
MOST_MAPPED = 256
#: Ids are ASCII and no longer than this.
ID_LENGTH = 16
Ids = NDArray[np.bytes_]


@dataclass(frozen=True, eq=False)
class Entry:
    """A specification, and the names of its learnware's features, before it is measured."""

    id: str
    spec: RKME
    features: tuple[str, ...]

    @property
    def description(self) -> str:
        """What it has in common with others, as JSON."""
        return json.dumps([self.features, dict(self.spec.details)], sort_keys=True)


@dataclass(frozen=True, eq=False)
class Segment:
    """N specifications of one island, measured under one geometry.

    Parameters
    ----------
    ids
        Shape `(N,)`, bytes.
    stack
        Their points and weights.
    records
        Shape `(N,)`: the number of records each stands for.
    checks
        Shape `(N,)`: CRC-32 of the points and weights of each.
    codes, descriptions
        Learnware i has `descriptions[codes[i]]`.
    self_inner, sparse
        `<P,P>` and sparse density of each, shape `(N,)`; see `geometry.measure_each`.
    rows
        Shape `(N, r + 1)`; see `projection`.
    cells, hearts, cell_checks
        Where the rows stand in the order of cells; what the specification in the middle of each
        tells of the others; and the CRC-32 of each cell's rows in a file.
    by_id
        The positions in ascending order of id, where they are known.
    name
        Of its files; empty in memory.
    mappings, reads
        Those of its points and weights, and what was read since they were last given back.
    """

    ids: Ids
    stack: Stack
    records: NDArray[np.int64]
    checks: NDArray[np.uint32]
    codes: NDArray[np.int32]
    descriptions: tuple[str, ...]
    self_inner: Numbers
    sparse: Numbers
    rows: Rows
    cells: Cells | None = None
    hearts: Hearts | None = None
    cell_checks: NDArray[np.uint32] | None = None
    by_id: Positions | None = None
    name: str = ""
    mappings: tuple[mmap.mmap, ...] = ()
    reads: list[int] = field(default_factory=list, init=False)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Segment:
        """Return a segment of entries, not measured yet."""
        stack = Stack.of([entry.spec for entry in entries])
        told = [entry.description for entry in entries]
        codes = {description: code for code, description in enumerate(dict.fromkeys(told))}
        nothing = np.zeros(len(entries))
        return cls(
            ids=np.array([entry.id.encode("ascii") for entry in entries], dtype=f"S{ID_LENGTH}"),
            stack=stack,
            records=np.array([entry.spec.n for entry in entries], dtype=np.int64),
            checks=checks_of(stack),
            codes=np.array([codes[description] for description in told], dtype=np.int32),
            descriptions=tuple(codes),
            self_inner=nothing,
            sparse=nothing,
            rows=np.zeros((len(entries), 1), np.float32),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def measured(self, self_inner: Numbers, sparse: Numbers, rows: Rows) -> Segment:
        """Return the segment with other measures, and without cells."""
        return replace(
            self,
            self_inner=self_inner,
            sparse=sparse,
            rows=rows,
            cells=None,
            hearts=None,
            cell_checks=None,
        )

    @cached_property
    def id_order(self) -> Positions:
        """The positions in ascending order of id."""
        return np.argsort(self.ids, kind="stable") if self.by_id is None else self.by_id

    @cached_property
    def _sorted_ids(self) -> Ids:
        return self.ids[self.id_order]

    @cached_property
    def _seen(self) -> NDArray[np.bool_]:
        return np.zeros(0 if self.cells is None else len(self.cells), dtype=bool)

    def check_cells(self, which: Positions | None = None) -> None:
        """See that the rows of these cells are what was written, or of all, those not seen before.

        Raises
        ------
        DockDamaged
            They are not.
        """
        if self.cells is None or self.cell_checks is None:
            return
        which = np.arange(len(self.cells)) if which is None else which
        for c in which[~self._seen[which]].tolist():
            rows = self.rows[self.cells.offsets[c] : self.cells.offsets[c + 1]]
            if zlib.crc32(_bytes(rows)) != self.cell_checks[c]:
                raise damaged(self.name)
            self._seen[c] = True

    def positions_of(self, ids: Ids) -> Positions:
        """Return where those of `ids` that are here stand; ids that are elsewhere are left out."""
        if len(self) == 0 or len(ids) == 0:
            return np.empty(0, np.intp)
        places = np.minimum(np.searchsorted(self._sorted_ids, ids), len(self) - 1)
        return np.asarray(self.id_order[places[self._sorted_ids[places] == ids]])

    def chosen(self, which: Positions) -> Segment:
        """Return a copy of the chosen, in the order given, in memory.

        Raises
        ------
        DockDamaged
            The points in a file are not those that were written.
        """
        stack = self._read(which)
        if self.name and not np.array_equal(checks_of(stack), self.checks[which]):
            raise damaged(self.name)
        return Segment(
            ids=self.ids[which],
            stack=stack,
            records=self.records[which],
            checks=self.checks[which],
            codes=self.codes[which],
            descriptions=self.descriptions,
            self_inner=self.self_inner[which],
            sparse=self.sparse[which],
            rows=self.rows[which],
        )

    def _read(self, which: Positions) -> Stack:
        """Read some, and give mapped pages back as it goes: the kernel maps many more than that."""
        if not self.mappings:
            return self.stack.chosen(which)
        parts = []
        for first in range(0, max(len(which), 1), MOST_MAPPED):
            some = which[first : first + MOST_MAPPED]
            parts.append(self.stack.chosen(some))
            self.reads.append(len(some))
            if sum(self.reads) >= MOST_MAPPED:
                self.reads.clear()
                for mapping in self.mappings:
                    mapping.madvise(mmap.MADV_DONTNEED)
        return Stack.joined(parts)

    def specification(self, i: int, kind: Kind, shape: tuple[int, ...]) -> RKME:
        """Return one specification; its features are those of its learnware."""
        begin, end = self.stack.offsets[i], self.stack.offsets[i + 1]
        features, details = json.loads(self.descriptions[self.codes[i]])
        return RKME(
            self.stack.rows[begin:end].reshape(-1, *shape),
            self.stack.weights[begin:end],
            n=int(self.records[i]),
            kind=kind,
            features=tuple(features),
            details=details,
        )

    def features(self, i: int) -> tuple[str, ...]:
        """Return the names of one learnware's features, as it gave them."""
        return tuple(json.loads(self.descriptions[self.codes[i]])[0])


def joined(segments: Sequence[Segment]) -> Segment:
    """Return one segment in memory of several that are measured alike, one after the other."""
    if len(segments) == 1:
        return segments[0]
    told = [description for segment in segments for description in segment.descriptions]
    code_of = {description: code for code, description in enumerate(dict.fromkeys(told))}
    recoded = [
        np.array([code_of[told] for told in segment.descriptions], np.int32)[segment.codes]
        for segment in segments
    ]
    checks = [segment.checks for segment in segments]
    if len({segment.stack.rows.dtype for segment in segments}) > 1:
        # The points of some become float64 here, and their bytes others.
        wide = [
            Stack(s.stack.rows.astype(np.float64), s.stack.weights, s.stack.offsets)
            for s in segments
        ]
        checks = [checks_of(stack) for stack in wide]
    return Segment(
        ids=np.concatenate([segment.ids for segment in segments]),
        stack=Stack.joined([segment.stack for segment in segments]),
        records=np.concatenate([segment.records for segment in segments]),
        checks=np.concatenate(checks),
        codes=np.concatenate(recoded),
        descriptions=tuple(code_of),
        self_inner=np.concatenate([segment.self_inner for segment in segments]),
        sparse=np.concatenate([segment.sparse for segment in segments]),
        rows=np.concatenate([segment.rows for segment in segments]),
    )


def checks_of(stack: Stack) -> NDArray[np.uint32]:
    """Return the CRC-32 of each specification's points and weights, shape `(N,)`."""
    rows, weights = _bytes(stack.rows), _bytes(stack.weights)
    row, weight = stack.rows[:1].nbytes, stack.weights.itemsize
    found = [
        zlib.crc32(weights[weight * a : weight * b], zlib.crc32(rows[row * a : row * b]))
        for a, b in pairwise(stack.offsets.tolist())
    ]
    return np.array(found, dtype=np.uint32)


def cell_checks_of(rows: Rows, cells: Cells) -> NDArray[np.uint32]:
    """Return the CRC-32 of the rows of each cell, shape `(K,)`."""
    ends: list[int] = cells.offsets.tolist()
    found = [zlib.crc32(_bytes(rows[a:b])) for a, b in pairwise(ends)]
    return np.array(found, dtype=np.uint32)


def damaged(name: str) -> DockDamaged:
    """Return the error of a file of the index that is not what was written."""
    return DockDamaged(
        f"The index file {name!r} is not what was written to it.",
        remedy="Nothing is lost: the index is made again from the catalogue.",
        code="dock.index_damaged",
    )


def _bytes(values: Floats) -> memoryview:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
