"""check, submit, list, show, update, withdraw, restore, delete, export on a real dock."""

import getpass
import shlex

import pytest

from beimingwu.learnware import open_archive


@pytest.fixture(scope="module")
def packed(tmp_path_factory, owner, write_module):
    """Return a function that packs a model of which only the body of `predict` is given."""
    from beimingwu import pack, read_specification

    def pack_model(body):
        folder = tmp_path_factory.mktemp("other") / "model"
        write_module(folder, body)
        return pack(
            folder,
            read_specification(owner.spec),
            path=folder.parent / "other.zip",
            name="Another model",
            description="It answers in its own way.",
            scenarios="Others",
            license="MIT",
            task="Regression",
            outputs=["noise"],
        )

    return pack_model


@pytest.fixture(scope="module")
def bad(packed):
    """Return an archive that every cheap check passes and whose model answers no numbers."""
    return packed("return np.full((len(X), 1), np.nan)")


@pytest.fixture(scope="module")
def random(packed):
    """Return an archive whose model answers at random."""
    return packed("return np.random.default_rng().random((len(X), 1))")


@pytest.fixture
def dock(run, owner, tmp_path):
    """Return a dock with the owner's learnware, 00000001, to be changed by a test."""
    folder = tmp_path / "dock"
    assert run("submit", owner.archive, "--dock", folder).status == 0
    return folder


@pytest.fixture
def other(owner, tmp_path):
    """Return the owner's archive with other words."""
    from dataclasses import replace

    with open_archive(owner.archive) as opened:
        semantic = opened.semantic()
    file = tmp_path / "other.json"
    file.write_text(replace(semantic, name="Price of a house").dumps())
    return file


def test_check_says_what_a_dock_would_say_and_leaves_nothing(run, owner, own_dock):
    ran = run("check", owner.archive, "--format", "json")
    assert ran.status == 0
    assert [(step["name"], step["state"]) for step in ran.json] == [
        ("archive", "passed"),
        ("manifest", "passed"),
        ("semantic", "passed"),
        ("statistical", "passed"),
        ("usability", "passed"),
    ]
    assert not own_dock.exists()


def test_check_tells_which_rule_a_model_breaks_and_what_to_do(run, bad):
    ran = run("check", bad)
    assert ran.status == 7
    assert ran.lines[-1].startswith("✗ usability")
    assert ran.err == (
        "Error: predict returned NaN or infinity on data like the learnware's own.\n"
        "Look at how the model treats its input; every answer must be a finite number.\n"
    )


def test_a_failed_check_is_json_as_well(run, bad):
    ran = run("check", bad, "--format", "json")
    assert ran.status == 7
    assert ran.json[-1]["code"] == "usability.not_finite"


def test_a_warning_is_told_with_what_to_do_and_keeps_nobody_from_publishing(run, random, tmp_path):
    warning = (
        "predict returned other answers when it was asked the same again. "
        "Fix the random state, and switch dropout off: model.eval()."
    )
    ran = run("check", random)
    assert ran.status == 0
    assert ran.lines[-1].startswith("! usability") and ran.lines[-1].endswith(warning)
    dock = tmp_path / "dock"
    assert run("submit", random, "--dock", dock).status == 0
    shown = run("show", "00000001", "--dock", dock)
    assert "usability    warned" in shown.out and warning in shown.out


def test_a_file_that_is_no_archive_is_refused_in_two_lines(run, owner):
    for command in ("check", "submit"):
        ran = run(command, owner.table)
        assert (ran.status, ran.out) == (5, "")
        assert len(ran.err.splitlines()) == 2


def test_a_file_that_is_not_there_is_named(run, tmp_path):
    for words in (["check", "gone.zip"], ["submit", "gone.zip"]):
        ran = run(*words)
        assert ran.status != 0
        assert "gone.zip" in ran.err.splitlines()[0] and len(ran.err.splitlines()) == 2


def test_submit_tells_every_step_and_shows_the_learnware(run, owner, tmp_path):
    ran = run("submit", owner.archive, "--dock", tmp_path / "dock")
    marked = [line.split()[1] for line in ran.err.splitlines() if line.startswith("✓")]
    assert marked == [
        "archive",
        "manifest",
        "semantic",
        "statistical",
        "usability",
        "accommodate",
    ]
    assert "state     published" in ran.out
    assert ran.next == f"beimingwu show 00000001 --dock {tmp_path / 'dock'}"


def test_a_rejected_submission_is_no_success_and_can_be_looked_at(run, bad, tmp_path):
    dock = tmp_path / "dock"
    ran = run("submit", bad, "--dock", dock)
    assert (ran.status, ran.out) == (7, "")
    assert "00000001 is rejected" in ran.err
    assert ran.err.endswith("every answer must be a finite number.\n")

    shown = run("show", "00000001", "--dock", dock, "--format", "json").json
    assert shown["state"] == "rejected"
    assert shown["checks"][-1]["state"] == "failed"
    assert run("list", "--dock", dock, "--quiet").out == ""
    assert run("list", "--dock", dock, "--quiet", "--state", "rejected").out == "00000001\n"


def test_the_same_archive_is_not_taken_twice(run, owner, dock):
    ran = run("submit", owner.archive, "--dock", dock)
    assert ran.status == 9
    assert "00000001" in ran.err


def test_words_from_a_file_go_before_those_in_the_archive(run, owner, other, tmp_path):
    words = ("submit", owner.archive, "--semantic", other, "--dock", tmp_path / "dock")
    assert run(*words, "--format", "json").json["name"] == "Price of a house"


def test_list_knows_whose_a_learnware_is(run, owner, dock):
    assert run("list", "--dock", dock, "--format", "json").json[0]["owner"] == getpass.getuser()
    run("submit", owner.archive, "--owner", "somebody", "--dock", dock)
    assert run("list", "--mine", "--dock", dock, "--quiet").lines == ["00000001"]
    assert run("list", "--owner", "somebody", "--dock", dock, "--quiet").lines == ["00000002"]
    assert run("list", "--dock", dock, "--quiet").lines == ["00000002", "00000001"]


def test_list_pages_by_limit_and_after(run, owner, dock):
    run("submit", owner.archive, "--owner", "somebody", "--dock", dock)
    words = ("list", "--dock", dock, "--quiet")
    assert run(*words, "--limit", 1).lines == ["00000002"]
    assert run(*words, "--limit", 1, "--after", "00000002").lines == ["00000001"]
    assert run(*words, "--limit", 0).lines == ["00000002", "00000001"]


@pytest.mark.parametrize(
    ("facet", "found"),
    [
        (["--task", "Regression"], True),
        (["--task", "Classification"], False),
        (["--task", "Classification", "--task", "Regression"], True),
        (["--scenario", "Nature"], False),
        (["--library", "Others", "--license", "MIT", "--data-type", "Table"], True),
        (["--not-task", "Classification", "--not-data-type", "Image"], True),
        (["--not-task", "Regression"], False),
        (["--task", "Regression", "--not-license", "MIT"], False),
        (["--not-library", "PyTorch", "--not-scenario", "Nature"], True),
        (["--text", "temperature"], True),
        (["--text", "temprature"], True),
        (["--text", "helicopter"], False),
    ],
)
def test_list_finds_what_has_the_facets_and_the_text(run, published, facet, found):
    ran = run("list", *facet, "--dock", published, "--quiet")
    assert (ran.out == "00000001\n") is found


def test_facets_are_counted_beside_the_others(run, published):
    ran = run("list", "--facets", "--task", "Classification", "--dock", published)
    assert ["task", "Regression", "1"] in [line.split() for line in ran.lines]
    assert not [line for line in ran.lines if line.startswith("scenario")]
    counts = run("list", "--facets", "--dock", published, "--format", "json").json
    assert counts["scenario"] == {"Business": 1}


def test_a_facet_that_is_excluded_is_repeated_by_the_next_command(run, published):
    words = ("--not-license", "GPL-3.0", "--not-data-type", "Image", "--text", "temprature")
    ran = run("list", "--facets", *words, "--dock", published)
    assert ["license", "MIT", "1"] in [line.split() for line in ran.lines]
    again = shlex.split(ran.next)[1:]
    assert run(*again, "--quiet").lines == ["00000001"]
    none = run("list", "--facets", "--not-license", "MIT", "--dock", published, "--format", "json")
    assert set(map(len, none.json.values())) == {0}


def test_list_says_what_a_misspelt_word_was_read_as_and_which_facet_is_meant(run, published):
    ran = run("list", "--text", "temprature", "--dock", published)
    note = "No learnware says 'temprature': searched for 'temperature' instead."
    assert ran.err.splitlines()[0] == note
    assert run("list", "--text", "mit", "--dock", published).err.splitlines()[0] == (
        "Did you mean the license 'MIT' by 'mit'? That finds 1 learnware."
    )
    assert run("list", "--text", "temperature", "--dock", published).err.startswith("Next: ")
    counted = run("list", "--facets", "--text", "temprature", "--dock", published)
    assert counted.err.splitlines()[0] == note


def test_a_facet_that_no_learnware_can_have_is_told(run, published):
    excluded = run("list", "--not-task", "Regresion", "--dock", published)
    assert excluded.status == 6
    assert "Did you mean 'Regression'?" in excluded.err.splitlines()[1]
    ran = run("list", "--task", "Regresion", "--dock", published)
    assert ran.status == 6
    assert "Did you mean 'Regression'?" in ran.err.splitlines()[1]


def test_an_empty_dock_says_so_and_what_to_do(run, tmp_path):
    from beimingwu import Dock

    Dock.open(tmp_path, workers=0).close()
    ran = run("list", "--dock", tmp_path)
    assert (ran.out, ran.err) == (
        "",
        f"The dock is empty.\nNext: beimingwu submit learnware.zip --dock {tmp_path}\n",
    )


def test_looking_makes_no_dock(run, own_dock):
    for words in (["list"], ["show", "00000001"], ["search"], ["withdraw", "00000001"]):
        ran = run(*words)
        assert ran.status == 8
        assert ran.err == (
            f"Error: There is no dock in {own_dock}.\n"
            "Check --dock and BEIMINGWU_DOCK; `beimingwu submit` makes a new one.\n"
        )
        assert not own_dock.exists()


def test_looking_makes_no_dock_of_a_folder_that_is_none(run, tmp_path):
    for words in (["list"], ["show", "00000001"], ["search"], ["withdraw", "00000001"]):
        ran = run(*words, "--dock", tmp_path)
        assert ran.status == 8
        assert ran.err.startswith(f"Error: There is no dock in {tmp_path}.\n")
        assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_names_no_dock(run, home, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_DOCK", "")
    # Where users' own docks are, on Linux and elsewhere.
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("HOME", str(home))
    ran = run("list")
    assert ran.status == 8
    assert f"There is no dock in {home}" in ran.err
    assert f"There is no dock in {home}.\n" not in ran.err
    assert list(home.iterdir()) == []


def test_the_dock_of_the_environment_is_used_and_not_named_again(run, published, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_DOCK", str(published))
    assert run("list").next == "beimingwu show 00000001"


def test_show_tells_the_words_and_the_log(run, published):
    ran = run("show", "00000001", "--dock", published)
    assert "The price from rain, wind and temperature." in ran.out
    assert "features  rain, wind, temp" in ran.out
    assert "usability    passed" in ran.out
    assert [line.split()[2] for line in ran.out.splitlines()[-3:]] == [
        "submitted",
        "verifying",
        "published",
    ]
    assert ran.next == f"beimingwu predict --learnware 00000001 data.csv --dock {published}"


@pytest.mark.parametrize("id", ["00000099", "seven", "../../etc"])
@pytest.mark.parametrize("command", ["show", "withdraw", "restore"])
def test_an_id_that_is_not_there_is_told_in_two_lines(run, published, command, id):
    ran = run(command, id, "--dock", published)
    assert (ran.status, ran.out) == (8, "")
    assert id in ran.err.splitlines()[0] and len(ran.err.splitlines()) == 2


def test_withdraw_hides_and_restore_publishes_again(run, dock):
    assert run("withdraw", "00000001", "--dock", dock, "--quiet").out == "00000001\n"
    assert run("list", "--dock", dock, "--quiet").out == ""
    assert run("withdraw", "00000001", "--dock", dock).status == 9
    ran = run("restore", "00000001", "--dock", dock, "--format", "json")
    assert ran.json == {"id": "00000001", "state": "published"}
    assert run("list", "--dock", dock, "--quiet").out == "00000001\n"


def test_update_makes_a_new_revision(run, dock, other):
    ran = run("update", "00000001", "--semantic", other, "--dock", dock, "--format", "json")
    assert (ran.json["name"], ran.json["revision"]) == ("Price of a house", 2)


def test_an_update_that_is_rejected_leaves_the_learnware_as_it_was(run, dock, bad):
    ran = run("update", "00000001", "--archive", bad, "--dock", dock)
    assert ran.status == 7
    shown = run("show", "00000001", "--dock", dock, "--format", "json").json
    assert (shown["state"], shown["revision"]) == ("published", 1)


def test_delete_asks_and_nobody_to_ask_is_no(run, dock):
    ran = run("delete", "00000001", "--dock", dock, input="y\n")
    assert ran.status == 2
    assert "Delete 00000001 (Price of a flat) for good?" in ran.err and "--yes" in ran.err
    assert run("list", "--dock", dock, "--quiet").out == "00000001\n"


def test_delete_is_for_good(run, dock):
    assert run("delete", "00000001", "--yes", "--dock", dock).out == "00000001 is deleted.\n"
    assert run("show", "00000001", "--dock", dock).status == 8


def test_an_exported_learnware_passes_the_checks_again(run, dock, tmp_path):
    file = tmp_path / "exported.zip"
    ran = run("export", "00000001", file, "--dock", dock, "--format", "json")
    assert ran.json == {"id": "00000001", "file": str(file), "size": file.stat().st_size}
    with open_archive(file) as opened:
        assert opened.manifest.id == "00000001"
    assert run("check", file).status == 0


def test_version_says_what_is_installed_and_where_the_dock_is(run, own_dock):
    from beimingwu import __version__

    told = run("version", "--format", "json").json
    assert (told["beimingwu"], told["dock"]) == (__version__, str(own_dock))
    assert run("version", "--quiet").out == f"{__version__}\n"
    assert run("--version").out == f"beimingwu {__version__}\n"
