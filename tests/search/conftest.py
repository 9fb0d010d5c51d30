"""Factories of specifications and docks, given as fixtures so that tests name only what matters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beimingwu.search import Index, SearchResult
from beimingwu.search.keeping import MANIFEST, Mark
from beimingwu.search.projection import Projection
from beimingwu.search.segment import Entry
from beimingwu.search.segment_files import read_told
from beimingwu.specification import RKME, GaussianKernel

MakeSpec = Callable[..., RKME]
MakeIndex = Callable[..., Index]


def make_spec(
    centre: float | Sequence[float] | np.ndarray,
    *,
    dimension: int = 3,
    points: int = 30,
    spread: float = 1.0,
    seed: int = 0,
    n: int = 3_000,
    features: tuple[str, ...] = (),
) -> RKME:
    """Return points drawn around `centre`, with uneven weights."""
    generator = np.random.default_rng(seed)
    where = np.broadcast_to(np.asarray(centre, dtype=np.float64), (dimension,))
    rows = where + spread * generator.standard_normal((points, dimension))
    weights = generator.dirichlet(np.full(points, 20.0))
    return RKME(rows.astype(np.float32), weights, n=n, features=features)


def mixed(parts: Sequence[RKME], shares: Sequence[float], n: int = 5_000) -> RKME:
    """Return the specification of data that came from `parts` in the given shares."""
    return RKME(
        np.concatenate([part.points for part in parts]),
        np.concatenate([share * part.weights for part, share in zip(parts, shares, strict=True)]),
        n=n,
    )


def index_of(specs: Sequence[RKME]) -> Index:
    """Return an index of `specs` under the ids 00000001, 00000002 …"""
    index = Index()
    for i, spec in enumerate(specs, start=1):
        index.add(f"{i:08d}", spec)
    return index


def varied_specs(count: int, dimension: int = 3, seed: int = 0, apart: float = 3.0) -> list[RKME]:
    """Return specifications of unlike places, sizes and spreads."""
    generator = np.random.default_rng(seed)
    return [
        make_spec(
            generator.normal(0.0, apart, dimension),
            dimension=dimension,
            points=int(generator.integers(5, 40)),
            spread=float(generator.uniform(0.5, 1.5)),
            seed=1_000 * seed + i,
        )
        for i in range(count)
    ]


#: With these an island of a hundred has all that one of a hundred thousand has: a projection that
#: leaves something over, several segments, cells that are never looked into, and their hearts.
SMALL = {
    "FEWEST_PROJECTED": 48,
    "FEWEST_ROWS": 40,
    "PER_ROOT": 1.0,
    "FIRST_LOOK": 12,
    "OPENED_AT_ONCE": 6,
    "MOST_IN_MEMORY": 48,
    "ENOUGH_NEW": 32,
    "FOUNDATION": 64,
    "PAIRS": 200,
    "FEWEST_WRITTEN": 8,
}
LANDMARKS, RANK = 40, 5


def make_small(setattr: Callable[[Any, str, Any], None]) -> None:
    """Make the rooms of search take a hundred learnwares for a large island."""
    rooms = [room for name, room in sys.modules.items() if name.startswith("beimingwu.search.")]
    for name, value in SMALL.items():
        having = [room for room in rooms if hasattr(room, name)]
        assert having, f"nothing is called {name}"
        for room in having:
            setattr(room, name, value)
    # A process that is killed loses nothing that it wrote; only a machine that stops would.
    setattr(os, "fsync", lambda descriptor: None)
    setattr(Projection.fitted.__func__, "__defaults__", (LANDMARKS, RANK))  # type: ignore[attr-defined]


@pytest.fixture(name="small")
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch.setattr)


class BruteForce:
    """Compares a user with every specification, one by one."""

    def __init__(self, specs: Mapping[str, RKME]) -> None:
        self.specs = specs
        self._kernel: GaussianKernel | None = None
        self._own: dict[str, float] = {}

    def __call__(self, user: RKME, kernel: GaussianKernel) -> dict[str, float]:
        """Return the squared distances by id: `RKME.mmd2` with what does not change kept."""
        if kernel is not self._kernel:
            self._kernel = kernel
            self._own = {id_: spec.inner(spec, kernel) for id_, spec in self.specs.items()}
        own = user.inner(user, kernel)
        return {
            id_: max(own - 2.0 * user.inner(spec, kernel) + self._own[id_], 0.0)
            for id_, spec in self.specs.items()
        }

    def check(self, result: SearchResult, user: RKME, limit: int, tolerance: float = 1e-10) -> None:
        """See that a result is what a comparison with every specification gives, and its proof."""
        if not self.specs:
            assert len(result) == 0
            return
        distances = self(user, result.kernel)
        some = next(iter(self.specs))
        assert distances[some] == user.mmd2(self.specs[some], result.kernel)
        expected = sorted((round(mmd2, 12), id_) for id_, mmd2 in distances.items())[:limit]
        found = [(match.mmd**2, match.id) for match in result]
        assert [mmd2 for mmd2, _ in found] == pytest.approx(
            [mmd2 for mmd2, _ in expected], abs=tolerance
        )
        for (mmd2, id_), (_, wanted) in zip(found, expected, strict=True):
            assert distances[id_] == pytest.approx(mmd2, abs=tolerance)
            # Only what is within rounding of each other may change places.
            assert id_ == wanted or abs(distances[id_] - distances[wanted]) <= tolerance
        assert len({id_ for _, id_ in found}) == len(found)
        ranked = [(match.mmd, match.id) for match in result]
        assert ranked == sorted(ranked)
        self._check_proof(result, distances)

    @staticmethod
    def _check_proof(result: SearchResult, distances: dict[str, float]) -> None:
        proof = result.certificate
        assert proof.compared == len(distances)
        assert len(result) <= proof.opened <= proof.compared
        assert proof.farthest == result.single[-1].mmd
        assert proof.next_bound >= proof.farthest or len(result) == proof.compared
        nearer = sum(np.sqrt(mmd2) < proof.next_bound - 1e-6 for mmd2 in distances.values())
        assert nearer <= proof.opened
        if proof.opened == proof.compared == len(result):
            assert proof.next_bound == np.inf


@pytest.fixture(scope="session", name="brute_force")
def _brute_force() -> type[BruteForce]:
    return BruteForce


class History:
    """What a catalogue went through: at each moment a learnware came, and some went or changed."""

    @staticmethod
    def mark(moment: int) -> Mark:
        return Mark(moment, "this catalogue")

    @staticmethod
    @cache
    def spec(seed: int) -> RKME:
        centre = np.random.default_rng(seed % 7).normal(0.0, 4.0, 3)
        return make_spec(centre + 0.01 * (seed % 50), points=8, seed=seed, n=500)

    @classmethod
    def events(cls, moment: int) -> dict[str, RKME | None]:
        """Return what was published, None for what was withdrawn, at a moment."""
        told: dict[str, RKME | None] = {f"{moment:08d}": cls.spec(moment)}
        if moment % 4 == 0:
            told[f"{moment - 2:08d}"] = None
        if moment % 9 == 0:
            told[f"{moment - 5:08d}"] = cls.spec(1_000 + moment)
        return told

    @classmethod
    def published(cls, moment: int) -> dict[str, RKME]:
        """Return what is published at a moment."""
        everything: dict[str, RKME | None] = {}
        for each in range(1, moment + 1):
            everything |= cls.events(each)
        return {id_: spec for id_, spec in sorted(everything.items()) if spec is not None}

    @classmethod
    def follow(cls, index: Index, since: int, moment: int) -> None:
        """Bring an index from one moment to a later one."""
        touched = {id_ for each in range(since + 1, moment + 1) for id_ in cls.events(each)}
        now = cls.published(moment)
        for id_ in sorted(touched):
            if id_ in index:
                index.remove(id_)
            if id_ in now:
                index.add(id_, now[id_])

    @classmethod
    def filled(cls, folder: Path, moment: int) -> Index:
        """Make the index of a moment."""
        entries = (Entry(id_, spec, ()) for id_, spec in cls.published(moment).items())
        return Index.filled(folder, cls.mark(moment), entries)

    @classmethod
    def opened(cls, folder: Path, moment: int) -> Index:
        """Open what is in the folder, or make it anew, and bring it to a moment."""
        index, mark = Index.open(folder)
        if mark is None:
            return cls.filled(folder, moment)
        cls.follow(index, mark.sequence, moment)
        return index

    @classmethod
    def check(cls, index: Index, moment: int) -> None:
        """See that an index is what is published at a moment, and answers so."""
        specs = cls.published(moment)
        assert len(index) == len(specs)
        compared = BruteForce(specs)
        for seed, limit in ((2_000, 5), (2_003, len(specs))):
            user = cls.spec(seed)
            compared.check(index.search(user, limit=limit, max_learnwares=1), user, limit)

    @staticmethod
    def left_over(folder: Path) -> set[str]:
        """Return the names in a folder that its manifest does not name."""
        told = read_told(folder / MANIFEST)
        named = {MANIFEST, "lock"}
        for island in told["islands"]:
            named |= {island["geometry"], *(name for pair in island["segments"] for name in pair)}
        return {entry.name for entry in folder.iterdir()} - named


@pytest.fixture(scope="session", name="history")
def _history() -> type[History]:
    return History


@pytest.fixture(scope="session", name="make_spec")
def _make_spec() -> MakeSpec:
    return make_spec


@pytest.fixture(scope="session", name="index_of")
def _index_of() -> MakeIndex:
    return index_of


@pytest.fixture(scope="session", name="mixed")
def _mixed() -> Callable[..., RKME]:
    return mixed


@pytest.fixture(scope="session", name="varied_specs")
def _varied_specs() -> Callable[..., list[RKME]]:
    return varied_specs
