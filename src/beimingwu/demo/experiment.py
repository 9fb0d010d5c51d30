"""The user of the demo: a station without labels looks for help, and we, who have them, compare.

Each task is one station's winter, summer or whole year. Everything the user gets comes from their
specification alone; labels are used only to measure, and for the user's own model to compare with.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beimingwu.demo.data import FEATURES, SEASONS, Hours, Stations, together
from beimingwu.demo.learnwares import new_model, without_station
from beimingwu.dock import Dock, LearnwareRecord
from beimingwu.search import SearchResult
from beimingwu.specification import specify

TASKS: Mapping[str, tuple[str, ...]] = {
    "winter": ("winter",),
    "summer": ("summer",),
    "whole year": SEASONS,
}
LABELS = (50, 100, 500)
DRAWS_OF_LABELS = 3

Predictions = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Outcome:
    """Root mean squared errors in µg/m³ of one user's task, and what was found for it."""

    station: str
    task: str
    random: float
    single: float
    mixture: float
    average: float
    oracle: float
    own: Mapping[int, float]
    result: SearchResult
    reason: str


def predictions_of_all(dock: Dock, hours: Hours) -> Predictions:
    """Return the predictions of every published learnware on `hours`, by id, for the oracle."""

    def predict(record: LearnwareRecord) -> NDArray[np.floating]:
        with dock.get(record.id) as learnware:
            return np.ravel(learnware.predict(hours.features)).astype(np.float64)

    records = dock.list(limit=None)
    # Starting a learnware's process is most of the work; as many at once as there are cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(predict, records))
    return {record.id: answer for record, answer in zip(records, answers, strict=True)}


def hold_out(
    dock: Dock, stations: Stations, station: str, predictions: Predictions
) -> list[Outcome]:
    """Run the three tasks of `station` on the dock without its own learnwares.

    Parameters
    ----------
    predictions
        Of the learnwares on all of the station's hours, season by season in the order of SEASONS.
    """
    year = stations[station]
    ends = np.cumsum([0] + [len(year[season]) for season in SEASONS])
    rows = {season: np.arange(*ends[i : i + 2]) for i, season in enumerate(SEASONS)}
    with without_station(dock, station, SEASONS):
        others = [predictions[record.id] for record in dock.list(limit=None)]
        return [
            _outcome(
                dock,
                station,
                task,
                together([year[season] for season in seasons]),
                [p[np.concatenate([rows[season] for season in seasons])] for p in others],
            )
            for task, seasons in TASKS.items()
        ]


def _outcome(
    dock: Dock,
    station: str,
    task: str,
    hours: Hours,
    of_all: Sequence[NDArray[np.floating]],
) -> Outcome:
    result = dock.search(specify(hours.features, features=FEATURES))
    with result.deploy(method="single") as reuser:
        single = reuser.predict(hours.features)
    with result.deploy() as reuser:
        mixture = reuser.predict(hours.features)
        reason = reuser.reason
    errors = [rmse(prediction, hours.target) for prediction in of_all]
    return Outcome(
        station=station,
        task=task,
        random=float(np.mean(errors)),
        single=rmse(single, hours.target),
        mixture=rmse(mixture, hours.target),
        average=rmse(np.mean(of_all, axis=0), hours.target),
        oracle=min(errors),
        own={labels: _own_model(hours, labels) for labels in LABELS},
        result=result,
        reason=reason,
    )


def _own_model(hours: Hours, labels: int) -> float:
    """Error of the user's own model with so many labels, on the hours it has not seen."""
    errors = []
    for draw in range(DRAWS_OF_LABELS):
        order = np.random.default_rng(draw).permutation(len(hours))
        seen, unseen = order[:labels], order[labels:]
        model = new_model().fit(hours.features[seen], hours.target[seen])  # type: ignore[attr-defined]
        errors.append(rmse(model.predict(hours.features[unseen]), hours.target[unseen]))
    return float(np.mean(errors))


def rmse(prediction: NDArray[np.floating], target: NDArray[np.floating]) -> float:
    """Return the root mean squared error.

    Examples
    --------
    >>> rmse(np.array([1.0, 3.0]), np.array([1.0, 1.0])).__round__(4)
    1.4142
    """
    return float(np.sqrt(np.mean((np.ravel(prediction) - np.ravel(target)) ** 2)))


def mean_of(outcomes: Sequence[Outcome], task: str, field: str | int) -> float:
    """Return the mean over stations of one column of the table; an int asks for so many labels."""
    values = [
        outcome.own[field] if isinstance(field, int) else getattr(outcome, field)
        for outcome in outcomes
        if outcome.task == task
    ]
    return float(np.mean(values))
