from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from beimingwu.demo.data import FEATURES, SEASONS, Stations, load_stations, together
from beimingwu.demo.experiment import TASKS, hold_out, mean_of, predictions_of_all
from beimingwu.demo.learnwares import name_of, submit_learnwares
from beimingwu.demo.service import answer_of, connected, missing_package
from beimingwu.dock import Dock
from beimingwu.errors import Unavailable

DEVELOPERS = ("Dongsi", "Huairou")


@pytest.fixture(scope="module")
def stations() -> Stations:
    return load_stations()


@pytest.fixture(scope="module")
def dock(tmp_path_factory: pytest.TempPathFactory, stations: Stations) -> Iterator[Dock]:
    with Dock.open(tmp_path_factory.mktemp("demo") / "dock", workers=2) as opened:
        for submission in submit_learnwares(opened, stations, DEVELOPERS):
            assert submission is not None
            submission.wait()
        yield opened


def test_every_station_and_season_has_as_many_complete_hours(stations: Stations):
    assert len(stations) == 12
    for seasons in stations.values():
        assert tuple(seasons) == SEASONS
        for hours in seasons.values():
            assert hours.features.shape == (1000, len(FEATURES))
            assert np.isfinite(hours.features).all() and np.isfinite(hours.target).all()


def test_a_second_run_submits_nothing_again_even_after_one_that_was_killed(
    dock: Dock, stations: Stations
):
    assert list(submit_learnwares(dock, stations, DEVELOPERS)) == [None] * 8
    # A run that is killed while it holds a station out leaves its learnwares withdrawn.
    dock.withdraw("00000003")
    assert list(submit_learnwares(dock, stations, DEVELOPERS)) == [None] * 8
    assert len(dock) == 8


def test_a_held_out_station_finds_help_in_the_right_season_and_leaves_the_dock_as_it_was(
    dock: Dock, stations: Stations
):
    before = [(record.id, record.state) for record in dock.list(state=None)]
    year = stations["Dongsi"]
    predictions = predictions_of_all(dock, together([year[season] for season in SEASONS]))
    outcomes = hold_out(dock, stations, "Dongsi", predictions)
    assert [outcome.task for outcome in outcomes] == list(TASKS)
    names = {record.id: record.name for record in dock.list()}
    for outcome, season in zip(outcomes[:2], ("winter", "summer"), strict=True):
        assert names[outcome.result[0].id] == name_of("Huairou", season)
        assert outcome.single <= outcome.random
        assert outcome.oracle <= outcome.single
        assert outcome.reason
    assert mean_of(outcomes, "winter", 500) < mean_of(outcomes, "winter", 50)
    assert [(record.id, record.state) for record in dock.list(state=None)] == before


def test_over_the_network_a_station_submits_and_a_user_gets_what_the_folder_gives(
    dock: Dock, stations: Stations
):
    season = {"Wanliu": {"winter": stations["Wanliu"]["winter"]}}
    with connected(dock, "Wanliu") as client:
        [submission] = submit_learnwares(dock, season, ["Wanliu"], client)
        assert submission is not None
        submission.wait()
        hours = stations["Tiantan"]["winter"]
        near, far = answer_of(dock, hours), answer_of(client, hours)
    assert submission.id in near.single
    assert dock.show(submission.id).owner.startswith("account:")
    assert near.found_the_same(far)
    assert near.difference(far) == 0.0
    # What was submitted over the network is there like the rest, and the account is kept.
    with pytest.raises(KeyboardInterrupt), connected(dock, "Wanliu") as client:
        assert list(submit_learnwares(dock, season, ["Wanliu"], client)) == [None]
        raise KeyboardInterrupt
    with socket.socket() as call, pytest.raises(ConnectionRefusedError):
        call.connect(("127.0.0.1", urlsplit(client.url).port))


def test_a_service_that_cannot_start_says_why(dock: Dock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BEIMINGWU_SANDBOX", "paper")
    with pytest.raises(Unavailable, match="paper"), connected(dock, "Wanliu"):
        pass


def test_what_a_service_needs_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch):
    assert missing_package() is None
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert missing_package() == "uvicorn"


def test_the_extract_is_beside_its_licence():
    folder = Path(__file__).parents[2] / "examples" / "data"
    assert "CC BY 4.0" in (folder / "README.md").read_text(encoding="utf-8")
