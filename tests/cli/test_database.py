"""The same commands on a dock whose catalogue is on PostgreSQL, and on one that is away."""

import pytest


@pytest.fixture
def catalogue(postgresql, empty_dock, monkeypatch):
    with postgresql.database(empty_dock) as url:
        monkeypatch.setenv("BEIMINGWU_DATABASE", url)
        yield url


def test_a_dock_whose_catalogue_is_elsewhere_is_found_and_told_apart(
    run, owner, tmp_path, catalogue, monkeypatch
):
    place = ("--dock", tmp_path / "dock")
    assert run("list", *place).status == 8
    assert run("submit", owner.archive, *place).status == 0
    assert run("list", *place, "--quiet").out.strip() == "00000001"
    monkeypatch.delenv("BEIMINGWU_DATABASE")
    ran = run("list", *place)
    assert ran.status == 9
    assert "BEIMINGWU_DATABASE" in ran.err


def test_a_database_that_is_away_is_told_in_two_lines_without_its_password(
    run, owner, tmp_path, monkeypatch
):
    monkeypatch.setenv("BEIMINGWU_DATABASE", "postgresql://ada:secret@127.0.0.1:1/dock")
    ran = run("submit", owner.archive, "--dock", tmp_path / "dock")
    assert ran.status == 19
    assert len(ran.err.strip().splitlines()) == 2
    assert "secret" not in ran.out + ran.err


def test_a_check_has_a_catalogue_of_its_own(run, owner, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_DATABASE", "postgresql://127.0.0.1:1/dock")
    assert run("check", owner.archive).status == 0
