"""`beimingwu pack`: models of several kinds, words by options or by a file."""

import json
import pickle

import numpy as np
import pytest

from beimingwu.learnware import open_archive

WORDS = ["--name", "A test model", "--description", "What the test needs."]
WORDS += ["--scenario", "Nature", "--scenario", "Health", "--license", "MIT"]

SUM = "return X.sum(axis=1, keepdims=True)"


@pytest.fixture
def pack(run, owner, home):
    """Return a function that packs a model with the owner's specification."""
    return lambda model, *words: run("pack", model, "--spec", owner.spec, *words)


def semantic_of(archive):
    with open_archive(archive) as opened:
        return opened.semantic()


def test_an_estimator_says_itself_what_need_not_be_typed(pack, owner):
    assert pack(owner.model, *WORDS).status == 0
    semantic = semantic_of("learnware.zip")
    assert (semantic.task, semantic.library, semantic.data) == (
        "Regression",
        "Scikit-learn",
        "Table",
    )
    assert semantic.scenarios == ("Nature", "Health")
    assert semantic.feature_names == ("rain", "wind", "temp")


def test_the_features_and_outputs_can_be_named(pack, owner):
    names = ("--input-names", "Regen, Wind,Wärme", "--output-names", "price in euro")
    assert pack(owner.model, *WORDS, *names).status == 0
    semantic = semantic_of("learnware.zip")
    assert semantic.feature_names == ("Regen", "Wind", "Wärme")
    assert semantic.output.names == ("price in euro",)


def test_the_words_can_come_from_a_file(pack, owner, home):
    pack(owner.model, *WORDS, "-o", "first.zip")
    words = semantic_of("first.zip")
    (home / "words.json").write_text(words.dumps())
    ran = pack(owner.model, "--semantic", "words.json", "--format", "json")
    assert semantic_of("learnware.zip") == words
    assert ran.json["name"] == "A test model"
    assert ran.json["archive"] == "learnware.zip"


def test_words_from_a_file_and_from_options_at_once_are_refused(pack, owner, home):
    pack(owner.model, *WORDS, "-o", "first.zip")
    (home / "words.json").write_text(semantic_of("first.zip").dumps())
    ran = pack(owner.model, "--semantic", "words.json", "--name", "Another name")
    assert ran.status == 3
    assert ran.err.splitlines()[-1] == "Give --semantic, or say it all by options."


def test_a_folder_with_a_module_of_ones_own_is_packed_without_running_it(pack, home, write_module):
    write_module(home / "model", f"{SUM}\n\nraise SystemExit('I was run')")
    ran = pack("model", *WORDS, "--task", "Regression", "--output-names", "sum")
    assert ran.status == 0
    with open_archive("learnware.zip") as opened:
        assert opened.manifest.class_name == "Model"
        assert semantic_of("learnware.zip").library == "Others"


def test_what_a_folder_does_not_show_is_asked_for_by_option(pack, home, write_module):
    write_module(home / "model", SUM)
    ran = pack("model", *WORDS)
    assert ran.status == 3
    assert "Missing: task" in ran.err
    assert ran.err.splitlines()[-1].startswith("Add --task")


def test_a_folder_with_several_models_is_asked_which(pack, home, write_module):
    write_module(home / "model", f"{SUM}\n\nclass Other(BaseModel):\n    pass")
    words = (*WORDS, "--task", "Regression", "--output-names", "sum")
    ran = pack("model", *words)
    assert ran.err.splitlines()[-1] == "Say which is the model with --class-name."
    assert pack("model", *words, "--class-name", "Other").status == 0


def test_an_onnx_file_is_packed(pack, owner, home):
    convert = pytest.importorskip("skl2onnx")
    model = pickle.loads(owner.model.read_bytes())
    onnx = convert.to_onnx(model, np.zeros((1, 3), dtype=np.float32))
    (home / "model.onnx").write_bytes(onnx.SerializeToString())
    ran = pack("model.onnx", *WORDS, "--task", "Regression", "--output-names", "price")
    assert ran.status == 0, ran.err


def test_a_joblib_file_is_loaded_by_joblib(pack, owner, home):
    joblib = pytest.importorskip("joblib")
    joblib.dump(pickle.loads(owner.model.read_bytes()), home / "model.joblib")
    assert pack("model.joblib", *WORDS).status == 0


def test_loading_a_pickle_says_that_it_runs_code(pack, owner):
    assert "runs the code in it" in pack(owner.model, *WORDS).err
    assert "runs the code in it" not in pack(owner.model, *WORDS, "--quiet").err


def test_the_requirements_can_be_given(pack, owner, home):
    (home / "needs.txt").write_text("numpy==2.0.0\nscikit-learn\n")
    ran = pack(owner.model, *WORDS, "--requirements", "needs.txt", "--format", "json")
    assert ran.json["requirements"] == ["numpy==2.0.0", "scikit-learn"]


def test_quiet_prints_the_archive_and_next_is_its_check(pack, owner):
    assert pack(owner.model, *WORDS, "-o", "x.zip", "--quiet").out == "x.zip\n"
    assert pack(owner.model, *WORDS, "-o", "x.zip").next == "beimingwu check x.zip"


def test_missing_words_are_named_by_their_options(pack, owner):
    ran = pack(owner.model, "--name", "A test model")
    assert ran.status == 2
    assert ran.err.splitlines()[0] == (
        "Error: What the learnware is for is not known: "
        "add --description, --scenario, --license, or --semantic FILE."
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.pkl", None, "There is no model 'gone.pkl'."),
        ("model.txt", b"", "'model.txt' is not a model that can be packed."),
        ("model.pkl", b"no pickle", "'model.pkl' cannot be loaded: UnpicklingError"),
        ("model.pkl", pickle.dumps({"a": 1}), "A model of class builtins.dict cannot be packed."),
    ],
)
def test_what_is_no_model_is_told_in_two_lines(pack, home, name, content, told):
    if content is not None:
        (home / name).write_bytes(content)
    ran = pack(name, *WORDS)
    assert ran.status == 3
    lines = [line for line in ran.err.splitlines() if not line.startswith("Loading")]
    assert lines[0].startswith(f"Error: {told}") and len(lines) == 2
    assert not (home / "learnware.zip").exists()


def test_a_word_outside_the_vocabulary_is_told_with_the_one_that_was_meant(pack, owner):
    ran = pack(owner.model, *WORDS, "--task", "Regresion")
    assert ran.status == 4
    assert ran.err.splitlines()[-1] == "Did you mean 'Regression'?"


def test_the_json_lists_every_file_that_leaves(pack, owner, home):
    told = pack(owner.model, *WORDS, "--format", "json").json
    with open_archive("learnware.zip") as opened:
        assert told["files"] == list(opened.names)
        assert told["sha256"] == opened.sha256
    assert told["size"] == (home / "learnware.zip").stat().st_size
    json.dumps(told)
