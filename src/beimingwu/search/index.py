"""The index of all specifications in a dock: it is given ids and specifications, and is searched.

An island holds the specifications that are directly comparable: of one kind and one shape. Within
it, a learnware that names its features is compared only with requirements that mean the same
features in the same order. A search works on a view of its island (`view`), so it never sees half
of a change nor mixes two geometries. With a folder, what is large lives in files there, and a
process that opens it again has it at once; see `keeping`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from beimingwu.errors import InvalidRequirement, InvalidSpecification, NotFound
from beimingwu.search.island import Island, filled_islands
from beimingwu.search.keeping import Keeper, Mark
from beimingwu.search.query import NONE_LEFT, Query
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import IslandInfo, Resolve, SearchResult
from beimingwu.search.segment import ID_LENGTH, Entry
from beimingwu.specification.rkme import RKME, Kind
from beimingwu.specification.threads import one_thread

#: Islands that a note lists.
LISTED = 5
#: What is new is written when it is an eighth of the index, but not less nor more than this.
FEWEST_WRITTEN, MOST_UNWRITTEN = 64, 4_096

#: After a work that failed, as on a full disk, none is begun for so long: it may take minutes.
REST_SECONDS = 300.0

_log = logging.getLogger(__name__)


class Index:
    """Specifications by id, searched by distance.

    Safe to use from several threads: changes exclude each other, and a search keeps the view that
    it began with.

    Parameters
    ----------
    keeper
        The files of the index, from `keeping.Keeper.open`; in memory only where omitted.

    Examples
    --------
    >>> index = Index()
    >>> index.add("00000001", RKME(np.array([[0.0], [1.0]]), np.array([0.5, 0.5]), n=20))
    >>> index.add("00000002", RKME(np.array([[7.0], [9.0]]), np.array([0.5, 0.5]), n=20))
    >>> user = RKME(np.array([[7.0], [8.5]]), np.array([0.4, 0.6]), n=50)
    >>> index.search(user).best.id
    '00000002'
    """

    def __init__(self, keeper: Keeper | None = None) -> None:
        self._lock = threading.RLock()
        self._keeper = keeper
        self._islands: dict[tuple[Kind, tuple[int, ...]], Island] = {}
        for island in keeper.islands if keeper else ():
            self._islands[island.kind, island.shape] = island
        self._work: threading.Thread | None = None
        self._hindered = False
        self._rests_until = 0.0

    @classmethod
    def open(cls, folder: Path) -> tuple[Index, Mark | None]:
        """Open the index in a folder, and say which moment of the catalogue it stands for.

        Where there is none, or it is torn or of another format, it is empty and stands for none.
        """
        keeper = Keeper.open(folder)
        return cls(keeper), keeper.mark

    @classmethod
    def filled(cls, folder: Path, mark: Mark, entries: Iterable[Entry]) -> Index:
        """Make the index of a whole catalogue in a folder, without holding all of it in memory.

        Parameters
        ----------
        folder
            What is in it is thrown away.
        mark
            The moment of the catalogue.
        entries
            Every specification that is published at that moment.
        """
        keeper = Keeper.open(folder)
        with keeper.writing() as may:
            # Where another process is writing, this one keeps its own in memory.
            islands = filled_islands(entries, folder if may else None)
            keeper = Keeper(folder, mark, islands, keeper.seen)
            if may:
                keeper.write(islands, mark)
        return cls(keeper)

    def __len__(self) -> int:
        with self._lock:
            return sum(len(island) for island in self._islands.values())

    def __contains__(self, id_: object) -> bool:
        with self._lock:
            return isinstance(id_, str) and any(id_ in island for island in self._islands.values())

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
        if not id_.isascii() or not 0 < len(id_) <= ID_LENGTH:
            raise InvalidSpecification(
                f"An index holds ids of 1 to {ID_LENGTH} ASCII characters. Got {id_!r} instead.",
                remedy="Use the ids that the dock gives, such as 00000042.",
                code="specification.id",
            )
        with self._lock:
            self._take_out(id_)
            island = self._islands.setdefault(
                (spec.kind, spec.shape), Island(spec.kind, spec.shape)
            )
            island.add(Entry(id_, spec, features))

    def remove(self, id_: str) -> None:
        """Take a specification out.

        Raises
        ------
        NotFound
            The index has none of this id.
        """
        with self._lock:
            if not self._take_out(id_):
                raise NotFound(
                    f"The index has no specification of learnware {id_}.",
                    remedy="Only accommodated learnwares with a specification are in the index.",
                    code="not_found.specification",
                )

    def _take_out(self, id_: str) -> bool:
        for key, island in list(self._islands.items()):
            if island.remove(id_):
                if len(island) == 0 and not island.is_worked_on:
                    del self._islands[key]
                return True
        return False

    @property
    def islands(self) -> tuple[IslandInfo, ...]:
        """The islands, the largest first."""
        with self._lock:
            infos = [island.info for island in self._islands.values() if len(island)]
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
        with self._lock:
            island = self._islands.get((spec.kind, spec.shape))
            if island is None or len(island) == 0:
                return SearchResult((), requirement, notes=self._nothing_comparable(spec, among))
            view, info = island.view(), island.info
        self._tend(island)
        query = Query(view, info, requirement, spec, resolve)
        with one_thread:
            return query.answer(among, limit, max_learnwares)

    def _nothing_comparable(self, spec: RKME, among: Collection[str] | None) -> tuple[str, ...]:
        """Return notes on what there is, and on whether the filter leaves any of it."""
        islands = self.islands
        what = IslandInfo(spec.kind, spec.shape, 0)
        note = f"No learnware here was made from {spec.kind} data of {what.record}"
        if not islands:
            return (f"{note}: nothing published has a statistical specification to compare with.",)
        listed = "; ".join(str(info) for info in islands[:LISTED])
        notes = (f"{note}. There {'is' if islands[0].size == 1 else 'are'} {listed}.",)
        none_left = among is not None and not any(id_ in self for id_ in among)
        return (*notes, NONE_LEFT) if none_left else notes

    # Behind the scenes

    def _tend(self, island: Island) -> None:
        """Begin what an island needs done in the background, unless something is being done."""
        with self._lock:
            resting = time.monotonic() < self._rests_until
            if self._work is not None or resting or not island.wants_work:
                return
            self._hindered = False
            self._work = threading.Thread(target=self._work_on, args=[island], daemon=True)
            self._work.start()

    def _work_on(self, island: Island) -> None:
        made = None
        try:
            with self._may_write() as may:
                if not may:
                    self._hindered = True
                    return
                with self._lock:
                    if not island.wants_work:
                        return
                    view, journal = island.begin()
                try:
                    made = island.worked(view, self._keeper.folder if self._keeper else None)
                finally:
                    with self._lock:
                        island.end(journal, made)
                        if self._keeper is not None and self._keeper.mark is not None:
                            self._write(self._keeper, self._keeper.mark)
        except Exception:
            # Searches go on with what there is; whoever runs the dock should know.
            self._hindered = True
            self._rests_until = time.monotonic() + REST_SECONDS
            _log.exception("The index could not be made anew.")
        finally:
            self._work = None

    @contextmanager
    def _may_write(self) -> Iterator[bool]:
        if self._keeper is None:
            yield True
            return
        with self._keeper.writing() as may:
            yield may

    def settle(self) -> None:
        """Come back when nothing is left to be done in the background, or it cannot be done now."""
        tried = False
        while True:
            work = self._work
            if work is not None:
                work.join()
            with self._lock:
                wanting = [island for island in self._islands.values() if island.wants_work]
            if not wanting or (tried and self._hindered):
                return
            self._tend(wanting[0])
            tried = True

    def keep(self, mark: Mark, *, everything: bool = False) -> None:
        """Write what is new to the folder, when it is enough to be worth it.

        Parameters
        ----------
        mark
            The moment of the catalogue that the index has followed it to.
        everything
            Write whatever there is.
        """
        keeper = self._keeper
        if keeper is None:
            return
        with self._lock:
            unwritten = sum(island.unwritten for island in self._islands.values())
            enough = min(max(len(self) // 8, FEWEST_WRITTEN), MOST_UNWRITTEN)
            if not everything and unwritten < enough:
                return
            with keeper.writing() as may:
                if may:
                    self._write(keeper, mark)

    def _write(self, keeper: Keeper, mark: Mark) -> None:
        for island in self._islands.values():
            island.write(keeper.folder)
        keeper.write(list(self._islands.values()), mark)

    def clear(self) -> None:
        """Throw away what is in the folder."""
        if self._keeper is not None:
            self._keeper.clear()

    @property
    def is_outdated(self) -> bool:
        """Whether another process has written a newer index to the folder."""
        return self._keeper is not None and not self._keeper.is_current


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
