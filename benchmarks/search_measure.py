"""What benchmarks/search.py measures of one dock, in a process that has just been started.

So the resident memory is that of a process that opens a dock and searches it. Searches are timed
one by one, in wall and in CPU milliseconds, after others have warmed the dock up; what they find is
compared with every learnware that was allowed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beimingwu.search import Index, SearchResult
from beimingwu.search.keeping import Keeper
from beimingwu.search.single import Asked, squared_distances_from
from beimingwu.search.stack import Positions
from beimingwu.search.view import View
from beimingwu.specification import RKME
from search_docks import BLOCK, FAMILIES, Tasks, dock

LIMIT = 10
#: Searches that warm a dock up, and searches compared under each filter.
WARMING, FILTERED = 60, 40
SHARES = (0.01, 0.001)
#: Inner products worked out where searches are compared with everything, and fewest searches.
COMPARED, FEWEST_COMPARED = 200_000, 2
#: Distances nearer to each other than this are equal.
TIE = 1e-9
#: Whole searches, mixtures included, and flat scans.
WHOLE = 12
#: The files of a segment that hold the points themselves.
POINT_FILES = ("points.npy", "weights.npy")


@dataclass(frozen=True)
class Times:
    """Milliseconds of searches, and learnwares opened by each."""

    cpu_p50: float
    cpu_p95: float
    wall_p50: float
    wall_p95: float
    opened_p50: float
    opened_most: float

    @classmethod
    def of(cls, searches: Sequence[Timed]) -> Times:
        """Summarise searches."""
        cpu, wall, opened = np.array([(s.cpu, s.wall, s.opened) for s in searches]).T
        figures = [
            *np.quantile(cpu, [0.5, 0.95]),
            *np.quantile(wall, [0.5, 0.95]),
            np.median(opened),
            opened.max(),
        ]
        return cls(*map(float, figures))


@dataclass(frozen=True)
class Resident:
    """Megabytes of this process: the most it has had, and of what kinds it is now."""

    most: float
    own: float
    of_files: float

    @classmethod
    def now(cls) -> Resident:
        """Return the memory of this process."""
        told = Path("/proc/self/status").read_text()
        figures = [told.partition(f"{k}:")[2].split()[0] for k in ("VmHWM", "RssAnon", "RssFile")]
        return cls(*(int(figure) / 1024 for figure in figures))


@dataclass(frozen=True)
class Filtered:
    """Searches among a share of the dock, beside the same searches among all of it."""

    share: float
    times: Times
    unfiltered: Times
    exact: int
    compared: int

    @property
    def ratio(self) -> float:
        """How many times slower than unfiltered, at the median."""
        return self.times.cpu_p50 / self.unfiltered.cpu_p50


@dataclass(frozen=True)
class Measured:
    """What was measured of a dock of `n` learnwares, sizes in bytes of each.

    The memory is that after the searches for unseen tasks, for mixed ones, and for mixtures.
    """

    n: int
    build_seconds: float | None
    open_seconds: float
    resident_unseen: Resident
    resident_mixed: Resident
    resident_whole: Resident
    index_bytes: float
    point_bytes: float
    unseen: Times
    mixed: Times
    whole: Times
    flat_cpu_ms: float
    flat_wall_ms: float
    exact: int
    compared: int
    filtered: tuple[Filtered, ...]


@dataclass(frozen=True)
class Timed:
    """One search: its milliseconds, what it opened, and what it found."""

    cpu: float
    wall: float
    opened: int
    result: SearchResult


@dataclass(frozen=True)
class Users:
    """Requirements that no search has seen: tasks of one family each, and mixtures of several."""

    warming: list[RKME]
    unseen: list[RKME]
    mixed: list[RKME]

    @classmethod
    def of(cls, tasks: Tasks, count: int, seed: int) -> Users:
        """Draw `count` of each."""
        draw = np.random.default_rng([1, seed])

        def some(count: int, *parts: int) -> list[RKME]:
            return [
                tasks.user(draw.choice(FAMILIES, parts[i % len(parts)], False).tolist(), draw)
                for i in range(count)
            ]

        return cls(some(WARMING, 1), some(count, 1), some(count, 2, 3, 5))


def measured(folder: Path, n: int, dimension: int, searches: int) -> Measured:
    """Make the dock where it is not there yet, and measure it."""
    tasks = Tasks(dimension)
    users = Users.of(tasks, searches, n)
    build_seconds = _seconds_to_make(folder, tasks, n)
    begun = time.perf_counter()
    index, _ = Index.open(folder)
    open_seconds = time.perf_counter() - begun
    for user in users.warming:
        index.search(user, limit=LIMIT, max_learnwares=1)
    unseen = [_timed(index, user) for user in users.unseen]
    after_unseen = Resident.now()
    mixed = [_timed(index, user) for user in users.mixed]
    after_mixed = Resident.now()
    whole = [_timed(index, user, max_learnwares=5) for user in users.mixed[: WHOLE + 1]][1:]
    after_whole = Resident.now()

    view = view_of(folder)
    flat = [_flat_scan(view, user) for user in users.unseen[: WHOLE + 1]][1:]
    exact = _compared(view, [*users.unseen, *users.mixed], [*unseen, *mixed])
    return Measured(
        n=n,
        build_seconds=build_seconds,
        open_seconds=open_seconds,
        resident_unseen=after_unseen,
        resident_mixed=after_mixed,
        resident_whole=after_whole,
        index_bytes=_bytes(folder, of_points=False) / n,
        point_bytes=_bytes(folder, of_points=True) / n,
        unseen=Times.of(unseen),
        mixed=Times.of(mixed),
        whole=Times.of(whole),
        flat_cpu_ms=float(np.median([cpu for cpu, _ in flat])),
        flat_wall_ms=float(np.median([wall for _, wall in flat])),
        exact=sum(exact),
        compared=len(exact),
        filtered=tuple(_filtered(index, view, share, users.unseen[:FILTERED]) for share in SHARES),
    )


def _seconds_to_make(folder: Path, tasks: Tasks, n: int) -> float | None:
    """Make the dock in another process, so that its memory is not counted; None where it is there.

    The seconds are kept beside it.
    """
    told = folder.with_suffix(".json")
    begun = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as another:
        made = another.submit(make_dock, folder, tasks.dimension, n).result()
    if made:
        told.write_text(json.dumps(time.perf_counter() - begun))
    return float(json.loads(told.read_text())) if told.exists() else None


def make_dock(folder: Path, dimension: int, n: int) -> bool:
    """Make a dock where it is not there yet, and tell whether that was so."""
    return dock(folder, Tasks(dimension), n)[1]


def _timed(
    index: Index, user: RKME, among: list[str] | None = None, max_learnwares: int = 1
) -> Timed:
    cpu, wall = time.process_time(), time.perf_counter()
    result = index.search(user, among=among, limit=LIMIT, max_learnwares=max_learnwares)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    opened = result.certificate.opened if result.certificate else 0
    return Timed(1e3 * cpu, 1e3 * wall, opened, result)


def view_of(folder: Path) -> View:
    """Return all of a dock as it is on the disk."""
    (island,) = Keeper.open(folder).islands
    if island.measured is None:
        raise SystemExit(f"The dock in {folder} is empty.")
    return island.measured


def _flat_scan(view: View, user: RKME) -> tuple[float, float]:
    """Return CPU and wall milliseconds of a bound for every row, without cells."""
    row = Asked.by(view, user).row
    cpu, wall = time.process_time(), time.perf_counter()
    for part in view.parts:
        bounds = part.segment.self_inner - 2.0 * (part.segment.rows @ row)
        np.argpartition(bounds, LIMIT)
    return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)


def _compared(view: View, users: list[RKME], found: list[Timed]) -> list[bool]:
    """Compare some of the searches with everything."""
    step = max(len(users) // max(COMPARED // view.living, FEWEST_COMPARED), 1)
    pairs = zip(users[::step], found[::step], strict=True)
    return [_is_exact(view, None, user, timed.result) for user, timed in pairs]


def _is_exact(view: View, among: list[str] | None, user: RKME, result: SearchResult) -> bool:
    """Compare a search with all that was allowed; equal distances may stand in either order."""
    positions = view.living_positions()
    if among is not None:
        positions = np.flatnonzero(np.concatenate([m for m in view.among(among) if m is not None]))
    mmd2, ids = all_distances(view, positions, user)
    order = np.lexsort([ids, mmd2])[:LIMIT]
    found = np.array([match.mmd or 0.0 for match in result.single]) ** 2
    if len(found) != len(order) or not np.allclose(found, mmd2[order], rtol=0.0, atol=TIE):
        return False
    distance = dict(zip(ids.tolist(), mmd2.tolist(), strict=True))
    return all(
        abs(distance[match.id.encode()] - at) < TIE
        for match, at in zip(result.single, found, strict=True)
    )


def all_distances(
    view: View, positions: Positions, user: RKME
) -> tuple[NDArray[np.float64], NDArray[np.bytes_]]:
    """Return the squared distance of each of these learnwares, and its id."""
    kernel, mmd2 = view.geometry.kernel, []
    own = user.inner(user, kernel)
    for first in range(0, len(positions), BLOCK):
        segment = view.gather(positions[first : first + BLOCK])
        products = segment.stack.inner_products(user, np.arange(len(segment)), kernel)
        mmd2.append(squared_distances_from(own, products, segment.self_inner))
    return np.concatenate(mmd2), view.ids(positions)


def _filtered(index: Index, view: View, share: float, users: list[RKME]) -> Filtered:
    """Search among a random share of the dock."""
    draw = np.random.default_rng(int(1.0 / share))
    chosen = draw.choice(view.living, max(int(share * view.living), LIMIT), replace=False)
    among = [id_.decode() for id_ in view.ids(np.sort(chosen)).tolist()]
    for user in users[:2]:
        _timed(index, user, among)
    # In turns, so that both meet the same machine.
    pairs = [(_timed(index, user), _timed(index, user, among)) for user in users]
    some = list(zip(users, pairs, strict=True))[:: max(len(users) * len(among) // COMPARED, 1)]
    exact = sum(_is_exact(view, among, user, filtered.result) for user, (_, filtered) in some)
    return Filtered(
        share,
        Times.of([filtered for _, filtered in pairs]),
        Times.of([unfiltered for unfiltered, _ in pairs]),
        exact,
        len(some),
    )


def _bytes(folder: Path, *, of_points: bool) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if (path.name in POINT_FILES) == of_points)
