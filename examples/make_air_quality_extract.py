"""Draw `examples/data/beijing_air.csv.xz` from the full data set (see examples/data/README.md).

usage: python examples/make_air_quality_extract.py prsa_12_stations.csv.xz
"""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

import pandas as pd

HOURS_PER_STATION_AND_SEASON = 1_000
COLUMNS = [
    "station", "year", "month", "day", "hour",
    "PM2.5", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM",
]  # fmt: skip
TARGET = Path(__file__).parent / "data" / "beijing_air.csv.xz"


def main(source: str) -> None:
    """Keep complete hours only, and as many of each station and season."""
    hours = pd.read_csv(source)[COLUMNS].dropna()
    season = hours["month"] % 12 // 3
    drawn = hours.groupby([hours["station"], season]).sample(
        HOURS_PER_STATION_AND_SEASON, random_state=0
    )
    drawn = drawn.sort_values(["station", "year", "month", "day", "hour"])
    with lzma.open(TARGET, "wt", preset=9 | lzma.PRESET_EXTREME, newline="\n") as file:
        drawn.to_csv(file, index=False, float_format="%g")


if __name__ == "__main__":
    main(sys.argv[1])
