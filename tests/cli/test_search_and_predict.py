"""`beimingwu search` and `beimingwu predict` on a dock with learnwares that differ."""

import csv
import io
import shlex

import numpy as np
import pytest

from beimingwu import Dock, pack, specify


@pytest.fixture(scope="module")
def climates(tmp_path_factory, write_module):
    """Return a dock: 00000001 knows one climate, 00000002 another, 00000003 says warm or cold."""
    folder = tmp_path_factory.mktemp("climates")
    made = {
        "cold climate": (-4.0, "Regression", ["degrees"], "return np.full((len(X), 1), -4.0)"),
        "warm climate": (4.0, "Regression", ["degrees"], "return np.full((len(X), 1), 4.0)"),
        "warm or cold": (
            0.0,
            "Classification",
            ["cold", "warm"],
            "assert np.isfinite(X).all(); return (X[:, 2:] > 0).astype(int)",
        ),
    }
    return filled_dock(folder, write_module, made)


@pytest.fixture(scope="module")
def animals(tmp_path_factory, write_module):
    """Return a dock: 00000001 tells cat from dog where it is cold, 00000002 ant from cat."""
    folder = tmp_path_factory.mktemp("animals")
    made = {
        "cat or dog": (-4.0, "Classification", ["cat", "dog"], "return np.full(len(X), 1)"),
        "ant or cat": (4.0, "Classification", ["ant", "cat"], "return np.full(len(X), 0)"),
    }
    return filled_dock(folder, write_module, made)


def filled_dock(folder, write_module, made):
    with Dock.open(folder / "dock") as dock:
        for name, (centre, task, outputs, body) in made.items():
            archive = pack(
                write_module(folder / name, body),
                specify(records(centre), features=["rain", "wind", "temp"]),
                path=folder / f"{name}.zip",
                name=name,
                description="Made for a test.",
                scenarios="Nature",
                license="MIT",
                task=task,
                outputs=outputs,
            )
            dock.submit(archive).wait()
    return folder / "dock"


def records(centre: float, seed: int = 0, count: int = 300) -> np.ndarray:
    return np.random.default_rng(seed).normal([0.0, 0.0, centre], size=(count, 3))


def write(path, rows, names="rain,wind,temp"):
    lines = [",".join(f"{value:.6f}" for value in row) for row in rows]
    path.write_text("\n".join([names, *lines]) + "\n")
    return path


@pytest.fixture
def cold(home):
    return write(home / "cold.csv", records(-4.0, seed=7))


@pytest.fixture
def both(home):
    rows = np.concatenate([records(-4.0, seed=7), records(4.0, seed=8)])
    return write(home / "both.csv", rows)


def answers(ran):
    return list(csv.DictReader(io.StringIO(ran.out)))


def test_the_nearest_learnware_comes_first_with_its_score_mmd_and_coverage(run, climates, cold):
    ran = run("search", "--data", cold, "--task", "Regression", "--dock", climates)
    header, first, second = [line for line in ran.lines if line.startswith(("id", "0000"))][:3]
    assert header.split() == ["id", "name", "score", "mmd", "coverage"]
    assert first.startswith("00000001  cold climate")
    assert second.startswith("00000002  warm climate")
    assert ran.next == f"beimingwu predict --auto {cold} --task Regression --dock {climates}"


def test_a_specification_finds_what_the_data_finds(run, climates, cold, home):
    run("specify", cold)
    by_data = run("search", "--data", cold, "--dock", climates, "--format", "json").json
    by_spec = run("search", "--spec", "stat.json", "--dock", climates, "--format", "json")
    assert by_spec.json == by_data
    assert by_data["searched"] == {"kind": "table", "dimension": 3, "size": 3}
    assert by_data["single"][0].keys() >= {"id", "score", "mmd", "coverage"}
    assert by_spec.next == f"beimingwu predict --spec stat.json data.csv --dock {climates}"


def test_two_climates_are_served_by_a_mixture_with_weights(run, climates, both):
    words = ("search", "--data", both, "--task", "Regression", "--dock", climates)
    mixture = run(*words, "--format", "json").json["mixture"]
    assert sorted(member["id"] for member in mixture["members"]) == ["00000001", "00000002"]
    assert sum(member["weight"] for member in mixture["members"]) == pytest.approx(1.0)
    shown = run(*words)
    assert "Together: score" in shown.out and "share of your data" in shown.out
    single = run(*words, "--max-learnwares", 1, "--format", "json").json
    assert single["mixture"] is None


def test_a_dock_where_nothing_fits_says_so(run, climates, home):
    far = write(home / "far.csv", records(500.0))
    ran = run("search", "--data", far, "--dock", climates, "--format", "json")
    assert ran.json["fits"] is False
    assert any("fits" in note for note in ran.json["notes"])
    assert ran.next.startswith("beimingwu show")


def test_a_text_finds_by_words_alone(run, climates):
    ran = run("search", "--text", "cold climate", "--dock", climates, "--format", "json")
    assert ran.json["single"][0]["id"] == "00000001"
    assert ran.json["single"][0]["score"] is None


def test_a_misspelt_text_finds_what_was_meant_and_says_so(run, climates):
    ran = run("search", "--text", "cold climte", "--dock", climates)
    assert "00000001" in ran.out
    assert "No learnware says 'climte': searched for 'climate' instead." in ran.out


def test_what_is_excluded_is_not_found(run, climates, cold):
    words = ("search", "--data", cold, "--dock", climates, "--quiet")
    assert "00000003" in run(*words).lines
    assert "00000003" not in run(*words, "--not-task", "Classification").lines
    assert run(*words, "--not-scenario", "Nature").lines == []


def test_quiet_gives_ids_and_limit_bounds_them(run, climates, cold):
    words = ("search", "--data", cold, "--dock", climates, "--quiet")
    assert run(*words, "--limit", 1).out == "00000001\n"
    assert run(*words, "--license", "BSD-3-Clause").out == ""


def test_a_table_of_other_features_finds_nothing_and_is_told_what_there_is(run, climates, home):
    wide = write(home / "wide.csv", np.random.default_rng(0).normal(size=(60, 2)), "a,b")
    ran = run("search", "--data", wide, "--dock", climates)
    assert ran.status == 0
    assert "3 learnwares of 3 features" in ran.out


def test_one_learnware_answers_in_csv(run, climates, cold):
    ran = run("predict", "--learnware", "00000002", cold, "--dock", climates)
    assert ran.status == 0
    assert [float(row["prediction"]) for row in answers(ran)] == pytest.approx([4.0] * 300)
    assert "Using 00000002 (warm climate). As asked." in ran.err


def test_auto_uses_what_fits_and_says_why(run, climates, both):
    words = ("predict", "--auto", both, "--task", "Regression", "--dock", climates)
    ran = run(*words, "--format", "json")
    assert sorted(ran.json["learnwares"]) == ["00000001", "00000002"]
    assert ran.json["reason"] and ran.json["reason"] in ran.err
    expected = [-4.0] * 300 + [4.0] * 300
    close = np.isclose(ran.json["prediction"], expected, atol=0.5)
    assert close.mean() > 0.95


def test_a_specification_can_choose_for_a_table(run, climates, cold, both, home):
    run("specify", cold)
    words = ("predict", "--spec", "stat.json", both, "--task", "Regression", "--dock", climates)
    assert run(*words, "--format", "json").json["learnwares"] == ["00000001"]


def test_several_learnwares_answer_together_by_the_method_asked_for(run, climates, cold):
    words = (
        "predict",
        "-l",
        "00000001",
        "-l",
        "00000002",
        cold,
        "--dock",
        climates,
        "--format",
        "json",
    )
    assert run(*words, "--method", "averaging").json["prediction"] == pytest.approx([0.0] * 300)
    gated = run(*words, "--method", "job_selector").json["prediction"]
    assert np.mean(gated) == pytest.approx(-4.0, abs=0.2)


def test_nothing_that_fits_is_refused_and_the_nearest_can_be_asked_for(run, climates, home):
    far = write(home / "far.csv", records(500.0))
    ran = run("predict", "--auto", far, "--dock", climates)
    assert (ran.status, ran.out) == (6, "")
    what, remedy = ran.err.splitlines()
    assert what.startswith(f"Error: No learnware in this dock fits {far}.")
    assert remedy.startswith(
        "To use the nearest all the same: beimingwu predict --learnware 0000000"
    )


def test_a_column_of_text_is_no_matter_where_columns_are_taken_by_name(run, climates, home):
    lines = ["station,temp,wind,rain", *(f"a,{t},0,0" for t in range(-20, 20))]
    (home / "text.csv").write_text("\n".join(lines))
    named = run("predict", "--learnware", "00000003", "text.csv", "--dock", climates)
    assert [row["label"] for row in answers(named)] == ["cold"] * 21 + ["warm"] * 19
    found = run("predict", "--auto", "text.csv", "--dock", climates)
    assert found.status == 3 and "--drop station" in found.err


def test_columns_are_taken_by_name_whatever_their_order(run, climates, home):
    rows = records(0.0, seed=9)
    straight = write(home / "straight.csv", rows)
    turned = write(
        home / "turned.csv",
        np.column_stack([rows[:, 2], np.arange(300), rows[:, 1], rows[:, 0]]),
        "temp,number,wind,rain",
    )
    first = run("predict", "--learnware", "00000003", straight, "--dock", climates)
    second = run("predict", "--learnware", "00000003", turned, "--dock", climates)
    assert first.out == second.out and len(answers(first)) == 300


def test_columns_without_those_names_are_told_in_two_lines(run, climates, home):
    # As many columns as features: by position they would be answered, and wrongly.
    other = write(home / "other.csv", records(0.0), "price,rain,wind")
    ran = run("predict", "--learnware", "00000001", other, "--dock", climates)
    assert (ran.status, ran.out) == (3, "")
    what, remedy = [line for line in ran.err.splitlines() if not line.startswith("Using")]
    assert what.endswith("no column for temp. It has price, rain, wind.")
    assert "rain, wind, temp" in remedy


def test_classes_are_named(run, climates, cold):
    rows = answers(run("predict", "--learnware", "00000003", cold, "--dock", climates))
    assert rows[0] == {"prediction": "0", "label": "cold"}


def test_classes_of_several_learnwares_are_named_as_each_of_them_names_its_own(run, animals, both):
    ran = run("predict", "--auto", both, "--dock", animals)
    assert "00000001 (cat or dog)" in ran.err and "00000002 (ant or cat)" in ran.err
    told = [row["label"] for row in answers(ran)]
    assert told[:300].count("dog") > 285 and told[300:].count("ant") > 285
    assert "cat" not in told


def test_missing_values_are_left_to_the_learnware_unless_fill_is_asked_for(run, climates, home):
    rows = records(-4.0)
    gaps = write(home / "gaps.csv", rows)
    lines = gaps.read_text().splitlines()
    lines[5] = ",1.0,-4.0"
    gaps.write_text("\n".join(lines) + "\n")
    ran = run("predict", "--learnware", "00000003", gaps, "--dock", climates)
    assert ran.status == 11
    assert ran.err.splitlines()[-1] == (
        "There are missing values in the table; perhaps it needs --fill."
    )
    filled = run("predict", "--learnware", "00000003", gaps, "--fill", "--dock", climates)
    assert filled.status == 0 and "1 of rain" in filled.err


def test_the_answers_can_go_to_a_file(run, climates, cold, home):
    printed = run("predict", "--learnware", "00000001", cold, "--dock", climates)
    ran = run(
        "predict", "--learnware", "00000001", cold, "-o", "a.csv", "--dock", climates, "--quiet"
    )
    assert (ran.out, ran.err) == ("a.csv\n", "")
    assert (home / "a.csv").read_text() == printed.out


def test_the_data_never_reaches_the_dock_by_a_search(run, climates, home):
    secret = 3.141592653589793
    rows = records(-4.0, seed=3)
    rows[17] = [secret, secret, secret]
    table = write(home / "secret.csv", rows)
    before = {path: path.stat().st_mtime_ns for path in climates.rglob("*") if path.is_file()}
    run("search", "--data", table, "--dock", climates)
    after = [path for path in climates.rglob("*") if path.is_file()]
    new = [path for path in after if path.stat().st_mtime_ns != before.get(path)]
    assert not [path for path in new if b"3.14159" in path.read_bytes()]


def test_an_archive_answers_without_any_dock(run, climates, cold):
    archive = climates.parent / "warm climate.zip"
    ran = run("predict", "--learnware", archive, cold)
    assert ran.status == 0, ran.err
    assert [float(row["prediction"]) for row in answers(ran)] == pytest.approx([4.0] * 300)
    assert f"Using {archive} (warm climate). As asked." in ran.err
    assert ran.next == f"beimingwu submit '{archive}'"


def test_an_archive_and_a_learnware_of_the_dock_answer_together(run, climates, cold):
    archive = climates.parent / "cold climate.zip"
    words = ("--learnware", archive, "--learnware", "00000002", cold, "--dock", climates)
    ran = run("predict", *words, "--method", "averaging", "--format", "json")
    assert ran.status == 0, ran.err
    assert ran.json["learnwares"] == [str(archive), "00000002"]
    assert ran.json["prediction"] == pytest.approx([0.0] * 300)


def test_what_is_neither_an_id_nor_an_archive_is_told_in_two_lines(run, climates, cold):
    ran = run("predict", "--learnware", "seven", cold, "--dock", climates)
    assert (ran.status, ran.out) == (8, "")
    assert "'seven'" in ran.err and len(ran.err.splitlines()) == 2
    ran = run("predict", "--learnware", "00000099", cold, "--dock", climates)
    assert (ran.status, ran.out) == (8, "")


def test_the_nearest_is_asked_for_by_the_very_words_of_the_refusal(run, climates, home):
    far = write(home / "far away.csv", records(500.0))
    refused = run("predict", "--auto", far, "--dock", climates, "--task", "Regression")
    *_, words = refused.err.splitlines()[-1].partition(": beimingwu ")
    assert run(*shlex.split(words)).status == 0
