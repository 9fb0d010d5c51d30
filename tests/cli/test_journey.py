"""The whole way of a learnware by the command line, each command in a process of its own."""

import csv
import json

import numpy as np
import pytest


@pytest.fixture
def ran(process, home):
    """Return a function that runs a command to its end, which has to be a good one."""

    def finished(*words: object) -> tuple[str, str]:
        with process(*words) as running:
            out, err = running.communicate(timeout=120)
        assert running.returncode == 0, err
        return out, err

    return finished


def test_a_learnware_goes_from_a_table_to_a_stranger_s_answers_and_back(ran, home, owner, mine):
    _, err = ran("specify", owner.table, "--target", "price", "-o", "stat.json")
    assert "Next: beimingwu search --spec stat.json" in err

    words = ["--name", "Price of a flat", "--description", "The price from the weather."]
    words += ["--scenario", "Business", "--license", "MIT"]
    _, err = ran("pack", owner.model, "--spec", "stat.json", *words)
    assert "Next: beimingwu check learnware.zip" in err

    out, err = ran("check", "learnware.zip")
    assert [line.split()[1] for line in out.splitlines()] == [
        "archive",
        "manifest",
        "semantic",
        "statistical",
        "usability",
    ]
    assert "Next: beimingwu submit learnware.zip" in err

    out, err = ran("submit", "learnware.zip", "--dock", "dock", "--quiet")
    assert (out, err) == ("00000001\n", "")

    out, err = ran("search", "--data", mine, "--dock", "dock", "--format", "json")
    found = json.loads(out)
    assert found["fits"] and found["single"][0]["id"] == "00000001"
    assert f"Next: beimingwu predict --auto {mine} --dock dock" in err

    out, _ = ran("show", "00000001", "--dock", "dock")
    assert "Price of a flat" in out and "usability    passed" in out

    _, err = ran("predict", "--auto", mine, "-o", "answers.csv", "--dock", "dock")
    assert "Using 00000001 (Price of a flat)." in err
    with (home / "answers.csv").open() as file:
        answers = [float(row["prediction"]) for row in csv.DictReader(file)]
    rows = np.loadtxt(mine, delimiter=",", skiprows=1)
    np.testing.assert_allclose(answers, rows @ [1.0, 2.0, 3.0], atol=1e-6)

    out, err = ran("withdraw", "00000001", "--dock", "dock")
    assert out == "00000001 is withdrawn.\n"
    assert "Next: beimingwu restore 00000001 --dock dock" in err
    assert ran("list", "--dock", "dock", "--quiet") == ("", "")
