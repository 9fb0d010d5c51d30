"""The developers of the demo: each station trains a model per season and submits it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from beimingwu.client import Client, RemoteSubmission
from beimingwu.demo.data import FEATURES, TARGET, Hours, Stations
from beimingwu.dock import Dock, Submission
from beimingwu.errors import MissingDependency
from beimingwu.learnware import pack
from beimingwu.specification import Dimensions, SemanticSpecification, specify


def name_of(station: str, season: str) -> str:
    """Return the learnware's name in the dock."""
    return f"{TARGET} at {station} in {season}"


def submit_learnwares(
    dock: Dock, stations: Stations, names: Sequence[str], client: Client | None = None
) -> Iterator[Submission | RemoteSubmission | None]:
    """Train, specify, pack and submit the learnwares of `names`, one at a time.

    Yields the submission of each, whose verification goes on in the dock meanwhile; None where the
    dock has it already from an earlier run, which may have been killed anywhere.

    Parameters
    ----------
    client
        They are sent to the same dock through this one, where it is given.
    """
    present = {record.name: record for record in dock.list(limit=None, state=None)}
    with tempfile.TemporaryDirectory(prefix="beimingwu-demo-") as folder:
        for station in names:
            for season, hours in stations[station].items():
                record = present.get(name_of(station, season))
                if record is None or record.state == "rejected":
                    yield (client or dock).submit(_learnware(station, season, hours, Path(folder)))
                elif record.state == "withdrawn":
                    dock.restore(record.id)
                    yield None
                else:
                    yield None if record.state == "published" else dock.submission(record.id)


@contextmanager
def without_station(dock: Dock, station: str, seasons: Sequence[str]) -> Iterator[None]:
    """Hold one station out: its learnwares are withdrawn, and published again at the end."""
    own = {name_of(station, season) for season in seasons}
    withdrawn = [record.id for record in dock.list(limit=None) if record.name in own]
    for learnware_id in withdrawn:
        dock.withdraw(learnware_id)
    try:
        yield
    finally:
        for learnware_id in withdrawn:
            dock.restore(learnware_id)


def new_model() -> object:
    """Return the untrained model that the stations and the user's own attempt share."""
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError:
        raise MissingDependency(
            "The demo trains its models with scikit-learn, which is not installed.",
            remedy="pip install 'beimingwu[demo]'",
        ) from None
    return HistGradientBoostingRegressor(max_iter=100, min_samples_leaf=10, random_state=0)


def _learnware(station: str, season: str, hours: Hours, folder: Path) -> Path:
    model = new_model().fit(hours.features, hours.target)  # type: ignore[attr-defined]
    specification = specify(hours.features, features=FEATURES)
    return pack(
        model,
        specification,
        _semantic(station, season, len(hours)),
        folder / f"{station}-{season}.zip",
    )


def _semantic(station: str, season: str, records: int) -> SemanticSpecification:
    return SemanticSpecification(
        name=name_of(station, season),
        description=(
            f"Predicts the concentration of {TARGET} in µg/m³ from other pollutants, the weather "
            f"and the hour. Gradient-boosted trees, trained on {records:,} hours of the station "
            f"{station} in Beijing in {season}, 2013 to 2017."
        ),
        data="Table",
        task="Regression",
        library="Scikit-learn",
        scenarios="Nature",
        license="CC-BY-4.0",
        input=Dimensions(len(FEATURES), dict(enumerate(FEATURES))),
        output=Dimensions(1, {0: f"{TARGET} in µg/m³"}),
    )
