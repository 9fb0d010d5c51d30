"""The tasks of benchmarks/scores.py: each real set as many owners, with features of one number.

An owner is a store, a station's season, a month and so on. Features stand in the order in which a
user of that set would have them, in its units; nothing is aligned between sets, and the first d are
used. Sets about one subject are never strangers to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beimingwu.config import settings
from beimingwu.specification import RKME, read_table, specify

Rows = NDArray[np.float64]
#: Rows of features, and whose each is.
Owned = tuple[pd.DataFrame, "pd.Series[str]"]

#: Every set has at least this many features.
FEATURES = 8
#: An owner has at least this many records, and at most so many are looked at.
FEWEST, MOST = 150, 1_000


@dataclass(frozen=True)
class Source:
    """Where the tasks of a set come from, and the subject they are about."""

    name: str
    subject: str
    read: Callable[[], Owned]

    def tasks(self, owners: int) -> list[Rows]:
        """Return the rows of at most `owners` owners, chosen by chance, the same in every run.

        Raises
        ------
        FileNotFoundError
            The set is not there.
        """
        draw = np.random.default_rng(0)
        frame, owner = self.read()
        rows = frame.to_numpy(dtype=np.float64)
        codes, _ = pd.factorize(owner, sort=True)
        chosen = draw.permutation(np.flatnonzero(np.bincount(codes) >= FEWEST))[:owners]
        own = (np.flatnonzero(codes == code) for code in sorted(chosen.tolist()))
        return [rows[np.sort(draw.permutation(which)[:MOST])] for which in own]


def specified(tasks: Sequence[Rows], features: int) -> list[RKME]:
    """Return the specification of the first features of each task."""
    return [specify(rows[:, :features]) for rows in tasks]


def in_deviations(specs: Sequence[RKME]) -> list[RKME]:
    """Return the specifications as if all owners of a set had standardised it together.

    A specification moves with the units of its data, so its points may be standardised instead.
    """
    rows = np.concatenate([spec.rows.astype(np.float64) for spec in specs])
    weights = np.concatenate([spec.weights for spec in specs]) / len(specs)
    mean = weights @ rows
    deviation = np.sqrt(weights @ (rows - mean) ** 2)
    deviation[deviation == 0.0] = 1.0
    return [
        RKME(((spec.rows - mean) / deviation).astype(np.float32), spec.weights, n=spec.n)
        for spec in specs
    ]


def _path(*parts: str) -> Path:
    path = Path(settings().data).joinpath(*parts)
    if not path.is_file():
        raise FileNotFoundError(f"no {path} (BEIMINGWU_DATA says where the real data is)")
    return path


def _table(*parts: str) -> pd.DataFrame:
    return read_table(_path(*parts))


def _mean_before(values: pd.Series[float], days: int) -> pd.Series[float]:
    return values.shift(1).rolling(days).mean()


def air() -> Owned:
    """Hours of a station's season."""
    frame = _table("beijing_air", "prsa_12_stations.csv.xz").dropna()
    columns = ["SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "WSPM", "hour", "RAIN"]
    return frame[columns], frame["station"] + (frame["month"] % 12 // 3).astype(str)


def bikes_washington() -> Owned:
    """Hours of a month."""
    frame = _table("bikes", "dc_hour.csv.xz")
    columns = ["hr", "temp", "atemp", "hum", "windspeed", "weathersit", "weekday", "workingday"]
    return frame[columns], frame["yr"].astype(str) + "-" + frame["mnth"].astype(str)


def bikes_seoul() -> Owned:
    """Hours of a month."""
    frame = pd.read_csv(_path("bikes", "SeoulBikeData.csv.xz"), encoding="latin-1")
    return frame.iloc[:, 3:12], frame["month"].astype(str)


def bikes_london() -> Owned:
    """Hours of a month."""
    frame = _table("bikes", "london_merged.csv.xz")
    when = pd.to_datetime(
        frame["date"] + " " + frame["time"].str.replace(".", ":"), format="%d-%m-%Y %I:%M:%S %p"
    )
    features = {
        "hour": when.dt.hour,
        "temperature": frame["real temp"],
        "felt": frame["temperature feels like"],
        "humidity": frame["humidity"],
        "wind": frame["wind_speed"],
        "weekday": when.dt.weekday,
        "weekend": frame["is_weekend"] == "Yes",
        "weather": pd.factorize(frame["weather_code"], sort=True)[0],
    }
    return pd.DataFrame(features), when.dt.strftime("%Y-%m")


def wine() -> Owned:
    """Wines of one colour and quality."""
    frame = _table("wine", "winequality.csv.xz")
    owner = frame["colour"] + frame["quality"].astype(str)
    return frame.drop(columns=["colour", "quality"]), owner


def walmart() -> Owned:
    """Weeks of a store's departments."""
    about = _table("walmart45", "features.csv.xz").drop(columns="IsHoliday")
    frame = _table("walmart45", "train.csv.xz").merge(about, on=["Store", "Date"])
    frame = frame.sort_values(["Store", "Dept", "Date"])
    sales = frame.groupby(["Store", "Dept"])["Weekly_Sales"]
    frame["last"] = sales.shift(1)
    frame["mean"] = sales.transform(_mean_before, 4)
    frame["week"] = pd.to_datetime(frame["Date"]).dt.isocalendar().week
    columns = ["last", "mean", "week", "Temperature", "Fuel_Price", "CPI", "Unemployment"]
    columns = [*columns, "IsHoliday", "Dept"]
    frame = frame.dropna(subset=columns)
    return frame[columns], frame["Store"].astype(str)


def future_sales() -> Owned:
    """Months of a shop's categories of items."""
    sales = _table("pfs25", "sales_train.csv.xz").merge(_table("pfs25", "items.csv.xz"))
    key = ["shop_id", "item_category_id", "date_block_num"]
    grouped = sales.groupby(key)
    frame = pd.DataFrame(
        {
            "sold": grouped["item_cnt_day"].sum(),
            "price": grouped["item_price"].mean(),
            "kinds": grouped["item_id"].nunique(),
        }
    ).reset_index()
    before = frame.groupby(key[:2])
    for months in (1, 2, 3):
        frame[f"sold {months} ago"] = before["sold"].shift(months)
    frame["price 1 ago"], frame["kinds 1 ago"] = before["price"].shift(1), before["kinds"].shift(1)
    frame["month"] = frame["date_block_num"] % 12
    columns = ["item_category_id", "month", "price 1 ago", "sold 1 ago", "sold 2 ago"]
    columns = [*columns, "sold 3 ago", "kinds 1 ago", "date_block_num"]
    frame = frame.dropna(subset=columns)
    return frame[columns], frame["shop_id"].astype(str)


def favorita() -> Owned:
    """Days of a store's families of goods."""
    frame = _table("favorita54", "sales_2017-06-13_2017-08-15.csv.xz")
    frame = frame.merge(_table("favorita54", "transactions.csv.xz"), on=["date", "store_nbr"])
    frame = frame.merge(_table("favorita54", "oil.csv.xz"), on="date", how="left")
    frame = frame.sort_values(["store_nbr", "family", "date"])
    frame["oil"] = frame["dcoilwtico"].ffill()
    frame["week before"] = frame.groupby(["store_nbr", "family"])["sales"].shift(7)
    when = pd.to_datetime(frame["date"])
    frame["weekday"], frame["day"] = when.dt.weekday, when.dt.day
    frame["code"] = pd.factorize(frame["family"], sort=True)[0]
    columns = ["transactions", "code", "promotion_active", "oil", "weekday", "day"]
    columns = [*columns, "week before", "is_holiday"]
    frame = frame.dropna(subset=columns)
    return frame[columns], frame["store_nbr"].astype(str)


def demand() -> Owned:
    """Days of one item in one store."""
    frame = _table("store_item_demand", "train.csv.xz").sort_values(["store", "item", "date"])
    sales = frame.groupby(["store", "item"])["sales"]
    for days in (7, 14, 28, 364):
        frame[f"{days} ago"] = sales.shift(days)
    frame["mean"] = sales.transform(_mean_before, 28)
    when = pd.to_datetime(frame["date"])
    frame["weekday"], frame["month"], frame["day"] = when.dt.weekday, when.dt.month, when.dt.day
    columns = ["month", "weekday", "7 ago", "364 ago", "mean", "14 ago", "28 ago", "day"]
    frame = frame.dropna(subset=columns)
    return frame[columns], frame["store"].astype(str) + "-" + frame["item"].astype(str)


def m5() -> Owned:
    """Days of a store's department."""
    calendar = _table("m5", "calendar.csv.xz")
    calendar["n"] = calendar["d"].str[2:].astype(int)
    calendar["event"] = calendar["event_name_1"].notna()
    frame = _table("m5", "store_dept_day.csv.xz")
    frame = frame.merge(calendar[["n", "wday", "month", "event", "snap_CA"]], on="n")
    frame = frame.sort_values(["store_id", "dept_id", "n"])
    sales = frame.groupby(["store_id", "dept_id"])["sales"]
    frame["28 ago"] = sales.shift(28)
    frame["mean"] = sales.transform(lambda own: own.shift(28).rolling(28).mean())
    frame["deviation"] = sales.transform(lambda own: own.shift(28).rolling(28).std())
    columns = ["28 ago", "wday", "month", "mean", "deviation", "snap_CA", "event", "n"]
    # Days before the 43rd are incomplete.
    frame = frame[frame["n"] >= 43].dropna(subset=columns)
    return frame[columns], frame["store_id"] + frame["dept_id"]


SOURCES = (
    Source("beijing_air", "air", air),
    Source("bikes, Washington", "bikes", bikes_washington),
    Source("bikes, Seoul", "bikes", bikes_seoul),
    Source("bikes, London", "bikes", bikes_london),
    Source("wine", "wine", wine),
    Source("walmart45", "walmart45", walmart),
    Source("pfs25", "pfs25", future_sales),
    Source("favorita54", "favorita54", favorita),
    Source("store_item_demand", "store_item_demand", demand),
    Source("m5", "m5", m5),
)
