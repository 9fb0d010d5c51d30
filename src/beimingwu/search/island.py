"""One island of the index: what is in it, changed one learnware at a time and searched as a view.

What is added waits until the next search, which measures all of it at once. Small segments are
joined to larger ones as in a merge sort, so adding costs little and a search meets few segments.
The geometry of a small island follows its members at once; that of a large one is made anew in the
background when the island has doubled, or when its projection leaves over too much of what is new.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from beimingwu.search.building import Plan, measured_by, settled
from beimingwu.search.geometry import FEWEST_PROJECTED
from beimingwu.search.result import IslandInfo
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.segment_files import write_segment
from beimingwu.search.view import Part, Parts, View, encoded
from beimingwu.specification.rkme import Kind

#: Segments in memory are joined up to this many learnwares.
MOST_IN_MEMORY = 4_096
#: What is new may be left over by the projection this much more than the foundation was.
RESIDUAL_DRIFT = 2.0
#: New learnwares that can tell of a drift.
ENOUGH_NEW = 1_024
#: Written segments are joined when there are so many of about one size.
ALIKE = 4
#: An island that has grown by this is measured anew.
GROWTH = 2.0


class Island:
    """The specifications of one kind and shape. Not safe for threads: the index guards it."""

    def __init__(self, kind: Kind, shape: tuple[int, ...], written: View | None = None) -> None:
        self.kind, self.shape = kind, shape
        #: What is measured; what waits is not in it.
        self.measured = written
        self._waiting: dict[str, Entry] = {}
        self._unsettled = False
        self._journal: list[dict[str, Entry | None]] = []

    def __len__(self) -> int:
        return len(self._waiting) + (self.measured.living if self.measured else 0)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._waiting or self._place(id_) is not None

    @property
    def info(self) -> IslandInfo:
        """Kind, shape, size, and the geometry in force."""
        version = self.measured.geometry.version if self.measured else ""
        return IslandInfo(self.kind, self.shape, len(self), version)

    def add(self, entry: Entry) -> None:
        """Put an entry in, in the place of one of the same id."""
        self.remove(entry.id)
        self._waiting[entry.id] = entry
        for journal in self._journal:
            journal[entry.id] = entry

    def remove(self, id_: str) -> bool:
        """Take an entry out, and tell whether it was in."""
        for journal in self._journal:
            journal[id_] = None
        if self._waiting.pop(id_, None) is not None:
            return True
        place = self._place(id_)
        if place is None or self.measured is None:
            return False
        p, position = place
        parts = list(self.measured.parts)
        parts[p] = parts[p].without(np.array([position]))
        self.measured = View(tuple(part for part in parts if part.living), self.measured.geometry)
        self._unsettled = True
        return True

    def view(self) -> View:
        """Return the island as it is now, with all that waited measured."""
        if self.measured is not None and not self._waiting and not self._unsettled:
            return self.measured
        fresh = [Segment.of(some) for some in _by_precision(self._waiting.values())]
        if self.measured is None or len(self) < FEWEST_PROJECTED:
            self.measured = self._followed(fresh)
        else:
            self.measured = _grown(self.measured, fresh)
        self._waiting, self._unsettled = {}, False
        return self.measured

    def _followed(self, fresh: list[Segment]) -> View:
        """Return a small island as its members now ask for it."""
        before = self.measured.parts if self.measured else ()
        everything = Parts((*before, *Parts.of(*fresh).parts))
        plan = Plan.of(everything)
        if self.measured is not None and plan.is_of(self.measured.geometry):
            return _grown(self.measured, fresh)
        return measured_by(plan.made(), everything)

    @property
    def is_worked_on(self) -> bool:
        """Whether something is being made of it in the background."""
        return bool(self._journal)

    @property
    def wants_work(self) -> bool:
        """Whether there is something to do for it in the background."""
        alike = self.measured is not None and bool(_alike(self.measured))
        return not self._journal and (self._is_outgrown or alike)

    def worked(self, view: View, folder: Path | None) -> View:
        """Return what a work makes of a view: another geometry, or fewer segments."""
        if self._is_outgrown:
            return measured_by(Plan.of(view).made(), view, folder)
        alike = _alike(view)
        if not alike:
            return view
        some = View(tuple(view.parts[p] for p in alike), view.geometry)
        others = tuple(part for p, part in enumerate(view.parts) if p not in alike)
        return View((*others, *settled(some, folder).parts), view.geometry)

    @property
    def _is_outgrown(self) -> bool:
        """Whether a large island has outgrown its geometry."""
        if self.measured is None or len(self) < FEWEST_PROJECTED:
            return False
        geometry = self.measured.geometry
        if len(self) >= GROWTH * geometry.members or geometry.projection.rank == 0:
            return True
        new = self.measured.living - geometry.members
        return new >= ENOUGH_NEW and _left_over(self.measured, new) > (
            RESIDUAL_DRIFT * geometry.residual
        )

    @property
    def unwritten(self) -> int:
        """Number of learnwares that are in memory only."""
        parts = self.measured.parts if self.measured else ()
        unwritten = sum(part.living for part in parts if not part.segment.name)
        return len(self._waiting) + unwritten

    def write(self, folder: Path) -> None:
        """Write what is in memory only."""
        if len(self) == 0:
            return
        view = self.view()
        written = [part for part in view.parts if part.segment.name]
        unwritten = tuple(part for part in view.parts if not part.segment.name)
        if unwritten:
            written += settled(View(unwritten, view.geometry), folder).parts
            self.measured = View(tuple(written), view.geometry)

    def begin(self) -> tuple[View, dict[str, Entry | None]]:
        """Begin a work on what is here now; what changes meanwhile is written into the journal."""
        view, journal = self.view(), dict[str, Entry | None]()
        self._journal.append(journal)
        return view, journal

    def end(self, journal: dict[str, Entry | None], made: View | None) -> None:
        """End a work: take what it made, and repeat on it what changed meanwhile."""
        self._journal.remove(journal)
        if made is None:
            return
        self.measured, self._waiting = made, {}
        for id_, entry in list(journal.items()):
            self.remove(id_)
            if entry is not None:
                self.add(entry)

    def _place(self, id_: str) -> tuple[int, int] | None:
        """Return the part and the position in it where an id stands."""
        wanted = encoded([id_])
        for p, part in enumerate(self.measured.parts if self.measured else ()):
            found = part.find(wanted)
            if len(found):
                return p, int(found[0])
        return None


def filled_islands(entries: Iterable[Entry], folder: Path | None) -> list[Island]:
    """Return the islands of many entries, read once; in memory only a few at a time."""
    waiting: dict[tuple[Kind, tuple[int, ...], str], list[Entry]] = {}
    spilled: dict[tuple[Kind, tuple[int, ...]], list[Segment]] = {}

    def spill(key: tuple[Kind, tuple[int, ...], str]) -> None:
        segment = Segment.of(waiting.pop(key))
        if folder is not None:
            segment = write_segment(folder, Parts.of(segment), np.arange(len(segment)))
        spilled.setdefault(key[:2], []).append(segment)

    for entry in entries:
        key = (entry.spec.kind, entry.spec.shape, entry.spec.points.dtype.name)
        waiting.setdefault(key, []).append(entry)
        if len(waiting[key]) == MOST_IN_MEMORY:
            spill(key)
    for key in list(waiting):
        spill(key)
    islands = []
    for (kind, shape), segments in spilled.items():
        parts = Parts.of(*segments)
        islands.append(Island(kind, shape, measured_by(Plan.of(parts).made(), parts, folder)))
    return islands


def _grown(view: View, fresh: list[Segment]) -> View:
    """Return a view with more segments, the small ones at its end joined."""
    parts = [*view.parts, *(Part(view.geometry.measured(segment)) for segment in fresh)]
    while len(parts) > 1 and _may_join(parts[-2], parts[-1]):
        parts[-2:] = settled(View(tuple(parts[-2:]), view.geometry)).parts
    return View(tuple(parts), view.geometry)


def _alike(view: View) -> set[int]:
    """Return written segments worth joining: many of about one size, or one mostly gone."""
    sizes: dict[tuple[int, str], set[int]] = {}
    for p, part in enumerate(view.parts):
        if part.segment.name:
            if 2 * part.living < len(part):
                return {p}
            precision = part.segment.stack.rows.dtype.name
            sizes.setdefault((part.living.bit_length() // 2, precision), set()).add(p)
    return next((some for some in sizes.values() if len(some) >= ALIKE), set())


def _may_join(left: Part, right: Part) -> bool:
    if left.segment.name or right.segment.name:
        return False
    if left.segment.stack.rows.dtype != right.segment.stack.rows.dtype:
        return False
    small = left.living + right.living <= MOST_IN_MEMORY
    return small and left.living <= 2 * right.living


def _left_over(view: View, newest: int) -> float:
    """Return the mean share that the projection leaves over of the newest learnwares."""
    shares = [
        np.square(part.segment.rows[-newest:, -1]) / part.segment.self_inner[-newest:]
        for part in view.parts
        if not part.segment.name
    ]
    return float(np.mean(np.concatenate(shares))) if shares else 0.0


def _by_precision(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the entries with points in float32, and those in float64."""
    several: dict[str, list[Entry]] = {}
    for entry in entries:
        several.setdefault(entry.spec.points.dtype.name, []).append(entry)
    return list(several.values())
