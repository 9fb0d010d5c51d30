"""Making a view of an island: its geometry, and every specification measured under it.

What is made depends only on which specifications are in the island. A small island is made in
memory in the blink of an eye; a large one in blocks, onto the disk where there is a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from beimingwu.search.cells import Cells
from beimingwu.search.geometry import (
    Geometry,
    digest_of,
    founded,
    moments_of,
)
from beimingwu.search.hearts import Hearts, along_heart
from beimingwu.search.segment import Segment
from beimingwu.search.segment_files import arranged, write_segment
from beimingwu.search.stack import Positions
from beimingwu.search.units import Units
from beimingwu.search.view import Part, Parts, View

#: Specifications that stand for all of a larger island.
FOUNDATION = 8_192
#: Specifications measured at once.
BLOCK = 4_096


@dataclass(frozen=True, eq=False)
class Plan:
    """What the geometry of an island is to be made from."""

    foundation: Segment
    units: Units
    members: int

    @classmethod
    def of(cls, parts: Parts) -> Plan:
        """Return the plan that what is in the island asks for; see `geometry` for the rules."""
        everyone = parts.living_positions()
        everyone = everyone[np.argsort(parts.ids(everyone), kind="stable")]
        first = everyone[: 1 << (len(everyone).bit_length() - 1)]
        sample = parts.gather(_thinned(everyone))
        moments = moments_of(sample.stack)
        if len(everyone) <= FOUNDATION:
            foundation = sample.chosen(np.arange(len(first)))
            units = Units.of(foundation.stack, moments.first(len(first)))
        else:
            foundation = parts.gather(_thinned(first))
            units = Units.of(foundation.stack, moments_of(foundation.stack))
        if not units.serve(sample.stack, moments):
            foundation, units = sample, Units.of(sample.stack, moments)
        return cls(foundation, units, len(everyone))

    def made(self) -> Geometry:
        """Make the geometry."""
        return founded(self.foundation, self.units.kernel, self.members)

    def is_of(self, geometry: Geometry) -> bool:
        """Tell whether a geometry is the one that this would make."""
        scale = geometry.kernel.scale
        same = scale is not None and np.array_equal(scale, self.units.scale)
        return same and geometry.foundation == digest_of(self.foundation)


def _thinned(positions: Positions) -> Positions:
    """Return positions evenly spaced among these, at most FOUNDATION."""
    if len(positions) <= FOUNDATION:
        return positions
    return positions[np.linspace(0, len(positions) - 1, FOUNDATION).round().astype(np.intp)]


def measured_by(geometry: Geometry, parts: Parts, folder: Path | None = None) -> View:
    """Return all that is in the island measured under a geometry, on the disk or in memory."""
    measured = [
        Part(_measured(geometry, part.segment), part.alive) for part in parts.parts if part.living
    ]
    return settled(View(tuple(measured), geometry), folder)


def _measured(geometry: Geometry, segment: Segment) -> Segment:
    self_inner, sparse = np.empty(len(segment)), np.empty(len(segment))
    rows = np.empty((len(segment), geometry.projection.rank + 1), np.float32)
    for first in range(0, len(segment), BLOCK):
        which = np.arange(first, min(first + BLOCK, len(segment)))
        block = geometry.measured(segment.chosen(which))
        self_inner[which], sparse[which], rows[which] = block.self_inner, block.sparse, block.rows
    return segment.measured(self_inner, sparse, rows)


def settled(view: View, folder: Path | None = None) -> View:
    """Return a view in as few segments as can be, one for each precision, without the gone.

    Raises
    ------
    DockDamaged
        Something in a file is not what was written.
    """
    for part in view.parts:
        # What is copied gets a checksum of its own, which must not vouch for another's damage.
        part.segment.check_cells()
    positions = view.living_positions()
    part_of = np.searchsorted(view.starts, positions, side="right") - 1
    precise = np.array([part.segment.stack.rows.dtype == np.float64 for part in view.parts])
    chosen = (positions[~precise[part_of]], positions[precise[part_of]])
    parts = [Part(_settled(view, some, folder)) for some in chosen if len(some)]
    return View(tuple(parts), view.geometry)


def _settled(view: View, positions: Positions, folder: Path | None) -> Segment:
    positions, cells = arranged(view, positions)
    hearts = None if cells is None else _hearts_of(view, positions, cells)
    if folder is not None:
        return write_segment(folder, view, positions, cells, hearts)
    return replace(view.gather(positions), cells=cells, hearts=hearts)


def _hearts_of(view: View, positions: Positions, cells: Cells) -> Hearts:
    """Return what the heart of each cell tells of the specifications in the cell."""
    places = np.empty(len(cells), np.intp)
    along = np.empty(len(positions), np.float32)
    for c, (first, last) in enumerate(pairwise(cells.offsets.tolist())):
        segment = view.gather(positions[first:last])
        middle = int(np.argmin(np.square(segment.rows - cells.centres[c]).sum(axis=1)))
        places[c] = first + middle
        products = segment.stack.inner_products(
            segment.stack.weighted(middle), np.arange(last - first), view.geometry.kernel
        )
        along[first:last] = along_heart(products, segment.rows, segment.rows[middle])
    return Hearts(places, along)
