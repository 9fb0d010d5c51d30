"""An island at one moment: a geometry, the segments measured under it, and which are alive.

A *position* counts through all segments, one after the other. A view never changes, so a search
that began with it never sees half of a change, nor two geometries.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.geometry import Geometry
from beimingwu.search.projection import Rows
from beimingwu.search.segment import ID_LENGTH, Ids, Segment, joined
from beimingwu.search.stack import Positions
from beimingwu.specification.names import normal_names

T = TypeVar("T", bound=np.generic)
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Part:
    """A segment, and which of its learnwares are in the island still; all where `alive` is None."""

    segment: Segment
    alive: Mask | None = None

    def __len__(self) -> int:
        return len(self.segment)

    @cached_property
    def living(self) -> int:
        """Number of learnwares that are in the island still."""
        return len(self) if self.alive is None else int(np.count_nonzero(self.alive))

    def without(self, positions: Positions) -> Part:
        """Return the part with some learnwares gone from the island."""
        alive = np.ones(len(self), dtype=bool) if self.alive is None else self.alive.copy()
        alive[positions] = False
        return Part(self.segment, alive)

    def find(self, ids: Ids) -> Positions:
        """Return where those of `ids` that are here, and alive, stand."""
        found = self.segment.positions_of(ids)
        return found if self.alive is None else found[self.alive[found]]


@dataclass(frozen=True, eq=False)
class Parts:
    """Segments end to end, and which of their learnwares are in the island still."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, *segments: Segment) -> Parts:
        """Return segments of which everything is in the island."""
        return cls(tuple(Part(segment) for segment in segments))

    @cached_property
    def living(self) -> int:
        """Number of learnwares in the island."""
        return sum(part.living for part in self.parts)

    @cached_property
    def starts(self) -> Positions:
        """The position at which each part begins, and one more: where the last ends."""
        return np.concatenate([np.zeros(1, np.intp), np.cumsum([len(p) for p in self.parts])])

    @cached_property
    def feature_names(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """The normal names of the features of each description of each part."""
        return tuple(
            tuple(normal_names(tuple(json.loads(told)[0])) for told in part.segment.descriptions)
            for part in self.parts
        )

    def everything(self) -> list[Mask | None]:
        """Return, for each part, which of its learnwares are alive."""
        return [part.alive for part in self.parts]

    def among(self, ids: Collection[str]) -> list[Mask | None]:
        """Return, for each part, which of its learnwares are alive and have one of these ids."""
        wanted = encoded(ids)
        masks: list[Mask | None] = []
        for part in self.parts:
            mask = np.zeros(len(part), dtype=bool)
            mask[part.find(wanted)] = True
            masks.append(mask)
        return masks

    def living_positions(self) -> Positions:
        """Return the positions of all that are in the island."""
        everyone = [
            np.ones(len(part), dtype=bool) if part.alive is None else part.alive
            for part in self.parts
        ]
        return np.flatnonzero(np.concatenate([np.zeros(0, dtype=bool), *everyone]))

    def gather(self, positions: Positions) -> Segment:
        """Return a copy of what stands at `positions`, in that order.

        Raises
        ------
        DockDamaged
            The points in a file are not those that were written.
        """
        part_of = np.searchsorted(self.starts, positions, side="right") - 1
        found: list[Segment] = []
        order: list[Positions] = []
        for p in np.unique(part_of).tolist():
            mine = np.flatnonzero(part_of == p)
            found.append(self.parts[p].segment.chosen(positions[mine] - self.starts[p]))
            order.append(mine)
        if len(found) == 1:
            return found[0]
        back: Positions = np.argsort(np.concatenate(order), kind="stable")
        return joined(found).chosen(back)

    def ids(self, positions: Positions) -> Ids:
        """Return the ids at `positions`."""
        columns = [part.segment.ids for part in self.parts]
        return self._taken(columns, positions, np.empty(len(positions), dtype=f"S{ID_LENGTH}"))

    def rows(self, positions: Positions) -> Rows:
        """Return the rows at `positions`, shape `(len(positions), r + 1)`."""
        columns = [part.segment.rows for part in self.parts]
        width = columns[0].shape[1] if columns else 1
        return self._taken(columns, positions, np.empty((len(positions), width), np.float32))

    def _taken(
        self, columns: list[NDArray[T]], positions: Positions, out: NDArray[T]
    ) -> NDArray[T]:
        part_of = np.searchsorted(self.starts, positions, side="right") - 1
        for p in np.unique(part_of).tolist():
            mine = part_of == p
            out[mine] = columns[p][positions[mine] - self.starts[p]]
        return out


@dataclass(frozen=True, eq=False)
class View(Parts):
    """The parts of an island, all measured under one geometry."""

    geometry: Geometry


def encoded(ids: Collection[str]) -> Ids:
    """Return ids as the segments hold them; those that no segment can hold are left out."""
    array = np.array(list(ids), dtype=np.str_)
    if len(array) == 0:
        return np.empty(0, dtype=f"S{ID_LENGTH}")
    if array.dtype.itemsize > 4 * ID_LENGTH or not _ascii(array):
        array = np.array([id_ for id_ in ids if id_.isascii() and len(id_) <= ID_LENGTH] or [""])
    return array.astype(f"S{ID_LENGTH}")


def _ascii(array: NDArray[np.str_]) -> bool:
    return bool((array.view(np.uint32) < 128).all())


def decoded(ids: Ids) -> Sequence[str]:
    """Return ids as they were given."""
    return [id_.decode("ascii") for id_ in ids.tolist()]
