"""`beimingwu specify`: what leaves the machine is shown, and nothing else leaves."""

import json

import numpy as np
import pytest

from beimingwu import disclosure_audit, read_specification
from beimingwu.specification import read_table


def test_all_that_leaves_is_told_as_json(run, owner, home):
    ran = run("specify", owner.table, "--target", "price", "--format", "json")
    spec = read_specification("stat.json")
    told = ran.json
    assert told["features"] == ["rain", "wind", "temp"] == list(spec.features)
    assert (told["points"], told["dimension"], told["records"]) == (len(spec), 3, 400)
    assert told["size"] == (home / "stat.json").stat().st_size
    assert told["left_out"] == ["price"]
    assert told["filled"] == {}
    audit = disclosure_audit(read_table(owner.table, drop=["price"]), spec)
    assert told["audit"]["clean"] is audit.clean is True
    assert told["audit"]["nearest"] == pytest.approx(audit.nearest)


def test_the_table_to_read_says_the_same_and_names_every_feature(run, owner, home):
    ran = run("specify", owner.table, "--target", "price")
    assert "40 weighted points of 3 features" in ran.out
    assert "clean: none of 40 points" in ran.out
    for feature in ("rain", "wind", "temp"):
        assert f"\n{feature} " in ran.out


def test_filled_values_are_counted_by_column(run, home):
    rows = np.random.default_rng(3).normal(size=(60, 2))
    lines = [f"{a},{b}" for a, b in rows]
    lines[4] = f",{rows[4, 1]}"
    (home / "gaps.csv").write_text("\n".join(["rain,wind", *lines]) + "\n")
    assert run("specify", "gaps.csv", "--format", "json").json["filled"] == {"rain": 1}
    assert "1 of rain" in run("specify", "gaps.csv").out


def test_the_size_is_the_most_points_and_the_random_state_fixes_them(run, owner, home):
    words = ("specify", owner.table, "--target", "price", "--size", 8)
    first = run(*words, "-o", "a.json", "--format", "json")
    run(*words, "-o", "b.json")
    run(*words, "--random-state", 1, "-o", "c.json")
    assert first.json["points"] == 8
    assert (home / "a.json").read_bytes() == (home / "b.json").read_bytes()
    assert (home / "a.json").read_bytes() != (home / "c.json").read_bytes()


def test_quiet_prints_the_file_only(run, owner, home):
    ran = run("specify", owner.table, "--target", "price", "-o", "my spec.json", "--quiet")
    assert (ran.out, ran.err) == ("my spec.json\n", "")


def test_the_next_command_names_the_file_so_that_a_shell_can_read_it(run, owner, home):
    ran = run("specify", owner.table, "--target", "price", "-o", "my spec.json")
    assert ran.next == "beimingwu search --spec 'my spec.json'"


def test_many_features_are_shown_in_part_and_the_rest_is_counted(run, home):
    rows = np.random.default_rng(3).normal(size=(40, 25))
    lines = [",".join(map(str, row)) for row in rows]
    (home / "wide.csv").write_text("\n".join([",".join(f"c{j}" for j in range(25)), *lines]))
    assert "… and 5 more features; the file holds them all." in run("specify", "wide.csv").out


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (
            ["no.csv"],
            3,
            "Error: There is no file 'no.csv'.\nGive the path of a CSV or Parquet file.\n",
        ),
        (
            ["few.csv"],
            3,
            "Error: A specification needs at least 20 records. Got 2 instead.\n"
            "Gather more records: fewer could not be described without showing them.\n",
        ),
        (
            ["few.csv", "--target", "price"],
            3,
            "Error: few.csv has no column 'price'.\nIts columns are: rain, wind.\n",
        ),
    ],
)
def test_what_is_wrong_with_the_table_is_told_in_two_lines(run, home, words, status, told):
    (home / "few.csv").write_text("rain,wind\n1,2\n3,4\n")
    ran = run("specify", *words)
    assert (ran.status, ran.out, ran.err) == (status, "", told)
    assert not (home / "stat.json").exists()


def test_all_columns_of_text_are_named_at_once_with_what_to_type(run, home):
    lines = [f"{number},a,2026-01-01" for number in range(40)]
    (home / "text.csv").write_text("\n".join(["rain,station,the day", *lines]))
    ran = run("specify", "text.csv")
    assert (ran.status, ran.err) == (
        3,
        "Error: Not every column of text.csv holds numbers: "
        "station (such as 'a'), the day (such as '2026-01-01').\n"
        "Leave out what is no feature: --drop station --drop 'the day'; or encode it as numbers.\n",
    )
    assert run("specify", "text.csv", "--drop", "station", "--drop", "the day").status == 0


def test_a_folder_that_is_not_there_is_told_before_any_work(run, owner, home):
    ran = run("specify", owner.table, "--target", "price", "-o", "no/stat.json")
    assert (ran.status, ran.err) == (
        2,
        "Error: Invalid value for '--output' / '-o': There is no folder 'no' to write into.\n"
        "`beimingwu specify --help` shows how it is used.\n",
    )


def test_a_parquet_file_is_read_as_well(run, home):
    pandas = pytest.importorskip("pandas")
    rows = np.random.default_rng(0).normal(size=(40, 2))
    pandas.DataFrame(rows, columns=["a", "b"]).to_parquet(home / "t.parquet")
    ran = run("specify", "t.parquet", "--format", "json")
    assert ran.json["features"] == ["a", "b"]


def test_no_record_of_the_table_stands_in_the_file(run, owner, home):
    run("specify", owner.table, "--target", "price")
    points = np.array(json.loads((home / "stat.json").read_text())["z"])
    rows = np.loadtxt(owner.table, delimiter=",", skiprows=1)[:, :3]
    distances = np.abs(points[:, None] - rows[None]).max(axis=2)
    assert distances.min() > 1e-3
