"""The demo's data: hours of air quality and weather at twelve stations (examples/data)."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import NotFound

TARGET = "PM2.5"
#: PM10 is not among them: it contains PM2.5, so a model that sees it has little left to learn.
FEATURES = ("SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM", "hour")
SEASONS = ("winter", "spring", "summer", "autumn")

FILE = "beijing_air.csv.xz"
#: In the wheel the file lies beside this module; in the repository, where its licence is told.
FOLDERS = (Path(__file__).parent / "data", Path(__file__).parents[3] / "examples" / "data")


@dataclass(frozen=True)
class Hours:
    """Records of one station: `features` of shape (n, 10), `target` of shape (n,) in µg/m³."""

    features: NDArray[np.float32]
    target: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.target)


#: Station, then season.
Stations = Mapping[str, Mapping[str, Hours]]


def load_stations() -> Stations:
    """Read the extract that comes with Beimingwu.

    Raises
    ------
    NotFound
        The file is missing from this installation.

    Examples
    --------
    >>> stations = load_stations()
    >>> len(stations), list(stations["Dongsi"]), len(stations["Dongsi"]["winter"])
    (12, ['winter', 'spring', 'summer', 'autumn'], 1000)
    """
    rows: dict[str, dict[str, list[list[float]]]] = {}
    with lzma.open(_file(), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            season = SEASONS[int(row["month"]) % 12 // 3]
            values = [float(row[name]) for name in (*FEATURES, TARGET)]
            rows.setdefault(row["station"], {}).setdefault(season, []).append(values)
    return {
        station: {season: _hours(seasons[season]) for season in SEASONS}
        for station, seasons in sorted(rows.items())
    }


def together(parts: list[Hours]) -> Hours:
    """Return the records of several parts as one."""
    return Hours(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.target for part in parts]),
    )


def _hours(rows: list[list[float]]) -> Hours:
    table = np.array(rows, dtype=np.float32)
    return Hours(np.ascontiguousarray(table[:, :-1]), table[:, -1].copy())


def _file() -> Path:
    for folder in FOLDERS:
        if (folder / FILE).is_file():
            return folder / FILE
    raise NotFound(
        f"The demo's data {FILE} is not in this installation.",
        remedy="Install Beimingwu from its wheel, or run the demo in a clone of the repository.",
        code="not_found.demo_data",
    )
