"""The index of all specifications in a dock: it is given ids and specifications, and is searched.

An island holds the specifications that are directly comparable: of one kind and one shape. Within
it, a learnware that names its features is compared only with requirements that mean the same
features in the same order. A search works on a snapshot, so it never sees half of a change nor
mixes two geometries; a snapshot is made by the first search after a change, in time proportional to
the island plus the kernel work for what is new.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from beimingwu.errors import InvalidRequirement, InvalidSpecification, NotFound
from beimingwu.search.geometry import (
    Geometry,
    Moments,
    measure,
    measure_each,
    scale_of_island,
)
from beimingwu.search.names import Naming
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import IslandInfo, Resolve, SearchResult
from beimingwu.search.snapshot import NONE_LEFT, Snapshot
from beimingwu.search.stack import Numbers, Stack
from beimingwu.specification.names import normal_names
from beimingwu.specification.rkme import RKME, GaussianKernel, Kind

Island = tuple[Kind, tuple[int, ...]]

#: Islands that a note lists.
LISTED = 5


@dataclass(frozen=True, eq=False)
class _Entry:
    spec: RKME
    features: tuple[str, ...]
    names: tuple[str, ...]
    mean: Numbers
    variance: Numbers


class _Members:
    """The entries of one island, and the snapshot made from them last."""

    def __init__(self) -> None:
        self.entries: dict[str, _Entry] = {}
        self.snapshot: Snapshot | None = None
        self.geometry: Geometry | None = None
        self.geometry_of: tuple[tuple[str, _Entry], ...] = ()
        self.measured: dict[str, tuple[float, float]] = {}


class Index:
    """Specifications by id, searched by distance.

    Safe to use from several threads: changes exclude each other, and a search keeps the snapshot
    that it began with.

    Examples
    --------
    >>> index = Index()
    >>> index.add("00000001", RKME(np.array([[0.0], [1.0]]), np.array([0.5, 0.5]), n=20))
    >>> index.add("00000002", RKME(np.array([[7.0], [9.0]]), np.array([0.5, 0.5]), n=20))
    >>> user = RKME(np.array([[7.0], [8.5]]), np.array([0.4, 0.6]), n=50)
    >>> index.search(user).best.id
    '00000002'
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._islands: dict[Island, _Members] = {}
        self._island_of: dict[str, Island] = {}

    def __len__(self) -> int:
        return len(self._island_of)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._island_of

    def add(self, id_: str, spec: RKME, features: Sequence[str] = ()) -> None:
        """Put a specification into its island, in the place of an earlier one of the same id.

        Parameters
        ----------
        id_
            Of the learnware.
        spec
            Its statistical specification.
        features
            The learnware's feature names; those of the specification where empty.

        Raises
        ------
        InvalidSpecification
            The number of names is not the number of features.
        """
        features = tuple(features) or spec.features
        if features and len(features) != spec.dimension:
            raise InvalidSpecification(
                f"Learnware {id_} has {spec.dimension} features and {len(features)} names.",
                remedy="Name every feature, in the order of the columns, or none.",
                code="specification.features",
            )
        entry = _Entry(spec, features, normal_names(features), *_mean_and_variance(spec))
        island: Island = (spec.kind, spec.shape)
        with self._lock:
            if id_ in self._island_of:
                self.remove(id_)
            members = self._islands.setdefault(island, _Members())
            members.entries[id_] = entry
            members.snapshot = None
            self._island_of[id_] = island

    def remove(self, id_: str) -> None:
        """Take a specification out.

        Raises
        ------
        NotFound
            The index has none of this id.
        """
        with self._lock:
            island = self._island_of.pop(id_, None)
            if island is None:
                raise NotFound(
                    f"The index has no specification of learnware {id_}.",
                    remedy="Only accommodated learnwares with a specification are in the index.",
                    code="not_found.specification",
                )
            members = self._islands[island]
            del members.entries[id_]
            members.measured.pop(id_, None)
            members.snapshot = None
            if not members.entries:
                del self._islands[island]

    @property
    def islands(self) -> tuple[IslandInfo, ...]:
        """The islands, the largest first."""
        with self._lock:
            infos = [
                IslandInfo(kind, shape, len(members.entries))
                for (kind, shape), members in self._islands.items()
            ]
        return tuple(sorted(infos, key=lambda info: (-info.size, info.kind, info.shape)))

    def search(
        self,
        wanted: RKME | Requirement,
        *,
        features: Sequence[str] = (),
        among: Collection[str] | None = None,
        limit: int = 10,
        max_learnwares: int = 5,
        resolve: Resolve | None = None,
    ) -> SearchResult:
        """Find the learnwares, and the mixture of learnwares, nearest to a specification.

        Exact: the singles are the `limit` of smallest squared MMD among all that are allowed, and
        the mixture is sought among all of them.

        Parameters
        ----------
        wanted
            The user's specification, or a requirement that has one.
        features
            The user's feature names; those of the requirement where empty.
        among
            Only these ids are allowed, before anything is ranked; None allows all.
        limit
            Most singles to return.
        max_learnwares
            Most members of a mixture; 1 seeks none.
        resolve
            How a match turns its id into a learnware.

        Raises
        ------
        InvalidRequirement
            No specification, a kind without a kernel, or a limit under 1.
        """
        requirement = Requirement.of(wanted)
        if features:
            requirement = replace(requirement, features=tuple(features))
        spec = _searchable(requirement)
        _at_least_one("limit", limit)
        _at_least_one("max_learnwares", max_learnwares)
        snapshot = self._snapshot((spec.kind, spec.shape))
        if snapshot is None:
            return SearchResult((), requirement, notes=self._nothing_comparable(spec, among))
        return snapshot.search(requirement, spec, among, limit, max_learnwares, resolve)

    def _snapshot(self, island: Island) -> Snapshot | None:
        with self._lock:
            members = self._islands.get(island)
            if members is None:
                return None
            if members.snapshot is None:
                members.snapshot = _snapshot_of(island, members)
            return members.snapshot

    def _nothing_comparable(self, spec: RKME, among: Collection[str] | None) -> tuple[str, ...]:
        """Return notes on what there is, and on whether the filter leaves any of it."""
        with self._lock:
            islands, none_left = self.islands, among is not None and self._has_none_of(among)
        what = IslandInfo(spec.kind, spec.shape, 0)
        note = f"No learnware here was made from {spec.kind} data of {what.record}"
        if not islands:
            return (f"{note}: nothing published has a statistical specification to compare with.",)
        listed = "; ".join(str(info) for info in islands[:LISTED])
        notes = (f"{note}. There {'is' if islands[0].size == 1 else 'are'} {listed}.",)
        return (*notes, NONE_LEFT) if none_left else notes

    def _has_none_of(self, ids: Collection[str]) -> bool:
        return self._island_of.keys().isdisjoint(ids)


def _snapshot_of(island: Island, members: _Members) -> Snapshot:
    """Measure what is new in the island, and freeze it; see `geometry` for the rules."""
    items = tuple(sorted(members.entries.items()))
    ids = tuple(id_ for id_, _ in items)
    specs = [entry.spec for _, entry in items]
    stack = Stack.of(specs)
    moments = Moments(
        np.array([entry.mean for _, entry in items]),
        np.array([entry.variance for _, entry in items]),
    )
    scale, base = scale_of_island(moments)
    geometry, kernel = members.geometry, GaussianKernel.multiscale(scale)
    if geometry is None or not _same(geometry.kernel.scale, scale):
        members.measured.clear()
        geometry = None
    _measure_new(stack, ids, members, kernel)
    self_inner, sparse = np.array([members.measured[id_] for id_ in ids]).T
    if geometry is None or members.geometry_of != items[:base]:
        records = np.array([spec.n for spec in specs[:base]], dtype=np.float64)
        geometry = measure(stack.first(base), kernel, self_inner[:base], sparse[:base], records)
    members.geometry, members.geometry_of = geometry, items[:base]
    return Snapshot(
        info=IslandInfo(*island, len(ids), geometry.version),
        ids=ids,
        positions=dict(zip(ids, range(len(ids)), strict=True)),
        specs=tuple(specs),
        features=tuple(entry.features for _, entry in items),
        naming=Naming.of([entry.names for _, entry in items]),
        means=moments.means,
        stack=stack,
        geometry=geometry,
        self_inner=self_inner,
        covering=geometry.covering_density(self_inner, sparse),
    )


def _same(scale: Numbers | None, other: Numbers) -> bool:
    return scale is not None and np.array_equal(scale, other)


def _measure_new(
    stack: Stack, ids: tuple[str, ...], members: _Members, kernel: GaussianKernel
) -> None:
    new = np.array([i for i, id_ in enumerate(ids) if id_ not in members.measured], dtype=np.intp)
    if len(new):
        measured = np.array(measure_each(stack, new, kernel)).T.tolist()
        for i, (self_inner, sparse) in zip(new.tolist(), measured, strict=True):
            members.measured[ids[i]] = (self_inner, sparse)


def _mean_and_variance(spec: RKME) -> tuple[Numbers, Numbers]:
    rows, mean = spec.rows.astype(np.float64), spec.mean
    with np.errstate(over="ignore"):
        variance = np.maximum(spec.weights @ (rows - mean) ** 2, 0.0)
    return mean, np.nan_to_num(variance)


def _searchable(requirement: Requirement) -> RKME:
    spec = requirement.specification
    if spec is None:
        raise InvalidRequirement(
            "A statistical search needs a specification of the user's data.",
            remedy="Make one with specify(X), or search the dock by tags and text.",
            code="requirement.no_specification",
        )
    if spec.kind == "image":
        raise InvalidRequirement(
            "Image specifications are not compared: their kernel is not a Gaussian of the pixels.",
            remedy="Search by tags and text, with the data type Image.",
            code="requirement.no_kernel",
        )
    return spec


def _at_least_one(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidRequirement(
            f"`{name}` must be an int in the range [1, inf). Got {value!r} instead.",
            remedy=f"Pass {name}=1 or more.",
            code=f"requirement.{name}",
        )
