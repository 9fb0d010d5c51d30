"""The data of benchmarks/reduction.py: shapes with structure, controls without, and real sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beimingwu.config import settings

Rows = NDArray[np.float32]
#: Records held out for the membership attack.
HELD_OUT = 2_000


@dataclass(frozen=True)
class Shape:
    """How a shape of data is drawn or read, and the sizes at which it is measured."""

    draw: Callable[[int, int, np.random.Generator], NDArray[np.float64]]
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    dimensions: tuple[int, ...] = (10, 100)


@dataclass(frozen=True)
class Cell:
    """One shape at one size; the same cell is the same data in every run."""

    shape: str
    n: int
    d: int

    def draw(self) -> tuple[Rows, Rows]:
        """Return the records to reduce, and further records of the same source."""
        generator = np.random.default_rng(7)
        rows = SHAPES[self.shape].draw(self.n + HELD_OUT, self.d, generator).astype(np.float32)
        return rows[: self.n], rows[self.n :]


def chosen_cells(shapes: Sequence[str], most: int | None = None) -> Iterator[Cell]:
    """Yield the cells of these shapes, with at most `most` records each."""
    for name in shapes:
        for n in SHAPES[name].sizes:
            for d in SHAPES[name].dimensions:
                if most is None or n <= most:
                    yield Cell(name, n, d)


def clusters(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Twenty clusters of uneven size, each of rank five with a little noise."""
    k, rank = 20, min(5, d)
    centres = 1.5 * generator.standard_normal((k, d))
    axes = generator.standard_normal((k, rank, d)) / np.sqrt(rank)
    own = generator.choice(k, size=n, p=generator.dirichlet(np.full(k, 2.0)))
    rows = centres[own] + 0.2 * generator.standard_normal((n, d))
    for j in range(k):
        mine = own == j
        rows[mine] += generator.standard_normal((int(mine.sum()), rank)) @ axes[j]
    return rows


def heavy_tails(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Three common factors and noise of half their size, all Student t with 3 degrees."""
    loadings = generator.standard_normal((3, d))
    noise = 0.5 * generator.standard_t(3, size=(n, d))
    return generator.standard_t(3, size=(n, 3)) @ loadings + noise


def series(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Windows of d steps of an autocorrelated series (lag one: 0.97), in uneven units."""
    rows = generator.standard_normal((n, d))
    for j in range(1, d):
        rows[:, j] = 0.97 * rows[:, j - 1] + np.sqrt(1 - 0.97**2) * rows[:, j]
    return rows * generator.uniform(0.1, 20.0, d) + 10.0 * generator.standard_normal(d)


def normal(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Independent standard normal features."""
    return generator.standard_normal((n, d))


def student(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Independent Student t features with 3 degrees."""
    return generator.standard_t(3, size=(n, d))


def digits(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Scikit-learn's 1,797 handwritten digits of 64 pixels, shuffled."""
    from sklearn.datasets import load_digits

    rows: NDArray[np.float64] = load_digits().data
    return rows[generator.permutation(len(rows))[:n]]


def air(n: int, d: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Hourly air and weather of twelve Beijing stations (UCI, CC BY 4.0), where it is there."""
    from beimingwu.specification import read_table

    path = Path(settings().data) / "beijing_air" / "prsa_12_stations.csv.xz"
    if not path.is_file():
        raise FileNotFoundError(f"no {path} (BEIMINGWU_DATA says where the real data is)")
    unwanted = ("year", "month", "day", "hour", "wd", "station")
    table = read_table(path, drop=unwanted).dropna()
    rows: NDArray[np.float64] = np.asarray(table, dtype=np.float64)
    return rows[generator.permutation(len(rows))[:n]]


SHAPES = {
    "clusters": Shape(clusters),
    "heavy tails": Shape(heavy_tails),
    "series": Shape(series),
    "digits": Shape(digits, sizes=(1_400,), dimensions=(64,)),
    "air": Shape(air, sizes=(100_000,), dimensions=(11,)),
    "normal": Shape(normal),
    "student": Shape(student),
}
#: Controls: features independent of each other.
ISOTROPIC = ("normal", "student")
