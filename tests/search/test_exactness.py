"""The certified search is what a comparison with every learnware gives, whatever the data is like.

For each shape of data 200 random queries, with limits and filters of every size, are asked of
islands in four states: compared whole, in several segments in memory, measured anew and in cells,
and mapped from files. See `SMALL` in conftest: what large islands have, these have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from beimingwu.search import Index
from beimingwu.search.keeping import Mark
from beimingwu.search.segment import Entry
from beimingwu.specification import RKME

QUERIES = 50
Generator = np.random.Generator
Draw = Callable[[Generator], RKME]


@dataclass(frozen=True)
class Shape:
    """Learnwares that a dock of this shape holds, and users who ask it."""

    count: int
    learnware: Callable[[Generator, int], RKME]
    user: Draw | None = None
    #: What the digits of the coordinates leave of a squared distance.
    tolerance: float = 1e-10

    def asked(self, generator: Generator, specs: list[RKME]) -> RKME:
        """Return a user: of their own, a learnware's, or data near a learnware's."""
        if self.user is not None:
            return self.user(generator)
        how = generator.integers(4)
        if how == 0:
            return specs[generator.integers(len(specs))]
        if how == 1:
            near = specs[generator.integers(len(specs))]
            noise = 0.1 * near.rows.std(axis=0) * generator.standard_normal(near.rows.shape)
            return spec_of(near.rows + noise, generator)
        return self.learnware(generator, int(generator.integers(10_000)))


def spec_of(rows: np.ndarray, generator: Generator, dtype: type = np.float32) -> RKME:
    weights = generator.dirichlet(np.full(len(rows), 5.0))
    return RKME(rows.astype(dtype), weights, n=int(generator.integers(20, 5_000)))


def clustered(generator: Generator, i: int) -> RKME:
    centre = 12.0 * np.random.default_rng(i % 6).standard_normal(4)
    return spec_of(centre + generator.normal(0, 0.5, 4) + generator.normal(0, 1, (8, 4)), generator)


def uniform(generator: Generator, i: int) -> RKME:
    low = generator.uniform(0.0, 0.8, 5)
    return spec_of(generator.uniform(low, low + generator.uniform(0.1, 0.5), (9, 5)), generator)


def heavy_tailed(generator: Generator, i: int) -> RKME:
    return spec_of(generator.standard_t(1.5, 3) + generator.standard_t(1.5, (12, 3)), generator)


def duplicated(generator: Generator, i: int) -> RKME:
    same = np.random.default_rng(i % 12)
    return spec_of(same.normal(0, 2, 3) + same.normal(0, 1, (7, 3)), same)


def raw(generator: Generator, i: int) -> RKME:
    """Years, pressures, incomes, shares and a constant, as they come."""
    columns = [
        1990 + generator.uniform(0, 30) + generator.normal(0, 5, 10),
        101_325 + generator.normal(0, 300) + generator.normal(0, 800, 10),
        generator.lognormal(10 + generator.normal(0, 0.5), 0.8, 10),
        generator.beta(1 + i % 4, 40, 10),
        np.full(10, 7.0),
    ]
    return spec_of(np.column_stack(columns), generator)


def line(generator: Generator, i: int) -> RKME:
    return spec_of(generator.normal(0, 4) + generator.normal(0, 1, (10, 1)), generator)


def wide(generator: Generator, i: int) -> RKME:
    return spec_of(generator.normal(0, 1, 500) + generator.normal(0, 1, (5, 500)), generator)


def of_two_precisions(generator: Generator, i: int) -> RKME:
    rows = generator.normal(0, 2, 3) + generator.normal(0, 1, (int(generator.integers(3, 14)), 3))
    return spec_of(rows, generator, np.float64 if i % 3 else np.float32)


def from_far_away(generator: Generator) -> RKME:
    rows = generator.normal(0, 1, (8, 3))
    away = 10.0 ** generator.integers(1, 26) * generator.choice([-1.0, 1.0], 3)
    rows = rows * away if generator.integers(2) else rows + away
    return spec_of(rows, generator, np.float64)


def at_home(generator: Generator, i: int) -> RKME:
    return spec_of(generator.normal(0, 2, 3) + generator.normal(0, 1, (8, 3)), generator)


def with_an_outlier(generator: Generator, i: int) -> RKME:
    """Each has a record, of little weight, that no one has looked at: a sentinel, a slip."""
    spec = at_home(generator, i)
    rows = spec.rows.astype(np.float64)
    rows[0, i % 3] = (-1.0) ** i * 10.0 ** generator.integers(2, 5)
    return RKME(rows, spec.weights, n=spec.n)


SHAPES = {
    "clustered": Shape(150, clustered),
    "uniform": Shape(150, uniform),
    "heavy-tailed": Shape(150, heavy_tailed),
    "duplicates": Shape(150, duplicated),
    "one learnware": Shape(1, clustered),
    "raw features": Shape(150, raw),
    "one feature": Shape(150, line),
    "500 features": Shape(110, wide),
    "two precisions": Shape(150, of_two_precisions),
    "far away users": Shape(150, at_home, from_far_away),
    # Of a square of 10^8 the eighth decimal is the last.
    "outliers": Shape(150, with_an_outlier, tolerance=1e-8),
}


def entries(specs: Mapping[str, RKME]) -> Iterator[Entry]:
    return (Entry(id_, spec, ()) for id_, spec in specs.items())


def whole(specs: dict[str, RKME], folder: Path) -> Index:
    """Too few for a projection: everything is compared."""
    index = Index()
    for gone in list(specs)[40:]:
        del specs[gone]
    for id_, spec in specs.items():
        index.add(id_, spec)
    return index


def in_segments(specs: dict[str, RKME], folder: Path) -> Index:
    """Most are there when the island is measured, others come and go one after another."""
    index = Index()
    ids = list(specs)
    for i, id_ in enumerate(ids):
        index.add(id_, specs[id_])
        # Each batch is less than half of the one before, so they are not joined.
        if len(ids) - i in (45, 18, 6, 1):
            index.search(specs[id_], limit=1, max_learnwares=1)
            index.settle()
            for gone in ids[i - 3 : i]:
                index.remove(gone)
                del specs[gone]
    return index


def measured_anew(specs: dict[str, RKME], folder: Path) -> Index:
    """All are measured under one new geometry and stand in cells; a few are gone."""
    index = Index()
    for id_, spec in specs.items():
        index.add(id_, spec)
    index.settle()
    index.search(spec, limit=1, max_learnwares=1)
    index.settle()
    for gone in list(specs)[1:-1:9]:
        index.remove(gone)
        del specs[gone]
    return index


def in_files(specs: dict[str, RKME], folder: Path) -> Index:
    """Most are mapped from a folder; some of them are gone, some came after, some again."""
    ids, mark = list(specs), Mark(1, "this catalogue")
    early = {id_: specs[id_] for id_ in ids[: max(2 * len(ids) // 3, 1)]}
    Index.filled(folder, mark, entries(early))
    index, _ = Index.open(folder)
    for i, id_ in enumerate(ids[len(early) :]):
        index.add(id_, specs[id_])
        if i % 11 == 10:
            index.keep(mark, everything=True)
    for gone in ids[1:-1:7]:
        index.remove(gone)
        del specs[gone]
    index.add(ids[0], specs[ids[-1]])
    specs[ids[0]] = specs[ids[-1]]
    index.keep(mark, everything=True)
    return Index.open(folder)[0]


def filters(generator: Generator, ids: list[str]) -> frozenset[str] | None:
    """Return a filter that leaves all, half, a tenth, one, or none of them."""
    how = generator.integers(8)
    if how < 3:
        return None
    few = (0, 1, 2, len(ids) // 10, len(ids) // 2)[how - 3]
    chosen = generator.permutation(ids)[:few].tolist()
    return frozenset([*chosen, "somewhere else"])


@pytest.mark.parametrize(("state", "has"), [(in_segments, 3), (measured_anew, 1), (in_files, 2)])
def test_the_islands_have_what_large_ones_have(state, has, small, tmp_path):
    generator = np.random.default_rng(1)
    specs = {f"{i:08d}": clustered(generator, i) for i in range(1, 151)}
    index = state(specs, tmp_path)
    proofs = [index.search(spec, max_learnwares=1, limit=3).certificate for spec in specs.values()]
    assert sum(proof.opened < proof.compared / 2 for proof in proofs) > len(proofs) / 2
    (island,) = index._islands.values()
    parts = island.view().parts
    assert len(parts) >= has
    assert any(part.alive is not None for part in parts)
    assert any(part.segment.cells and part.segment.hearts for part in parts)
    assert island.view().geometry.projection.rank == 5
    assert any(part.segment.name for part in parts) is (state is in_files)


@pytest.mark.parametrize("state", [whole, in_segments, measured_anew, in_files])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_certified_matches_are_those_of_brute_force(shape, state, small, brute_force, tmp_path):
    kind = SHAPES[shape]
    generator = np.random.default_rng([list(SHAPES).index(shape), len(state.__name__)])
    specs = {f"{i:08d}": kind.learnware(generator, i) for i in range(1, kind.count + 1)}
    index = state(specs, tmp_path)
    assert len(index) == len(specs)
    everyone = brute_force(specs)
    for _ in range(QUERIES):
        user = kind.asked(generator, list(specs.values()))
        limit = int(generator.choice([1, 2, 5, 10, 30, len(specs) + 7]))
        among = filters(generator, list(specs))
        result = index.search(user, among=among, limit=limit, max_learnwares=1)
        if among is None:
            everyone.check(result, user, limit, kind.tolerance)
        else:
            allowed = {id_: spec for id_, spec in specs.items() if id_ in among}
            brute_force(allowed).check(result, user, limit, kind.tolerance)
