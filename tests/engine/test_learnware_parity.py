"""Our archives in the public engine, and its archives here: loaded, and predicting alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge

from beimingwu.learnware import Learnware, pack
from beimingwu.specification import RKME, Dimensions, SemanticSpecification

pytestmark = pytest.mark.engine

FEATURES = ("rain", "wind", "sun")
RECORDS = np.random.default_rng(0).normal(size=(80, len(FEATURES)))
TARGETS = RECORDS @ np.array([1.0, -2.0, 0.5])
CLASSES = np.digitize(TARGETS, [-1.0, 1.0])


def a_ridge() -> Any:
    return Ridge().fit(RECORDS, TARGETS)


def a_boosted() -> Any:
    options = {"n_estimators": 5, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
    return lightgbm.LGBMRegressor(**options).fit(RECORDS, TARGETS)


def a_forest() -> Any:
    return RandomForestClassifier(10, random_state=0).fit(RECORDS, CLASSES)


def the_specification() -> RKME:
    weights = np.full(len(RECORDS), 1 / len(RECORDS))
    return RKME(RECORDS.astype(np.float32), weights, n=len(RECORDS), features=FEATURES)


def the_semantic(task: str) -> SemanticSpecification:
    return SemanticSpecification(
        name="Weather, anywhere",
        description="A small learnware that both docks have to read.",
        data="Table",
        task=task,
        library="Scikit-learn",
        scenarios="Nature",
        license="MIT",
        input=Dimensions.of(FEATURES),
        output=Dimensions(3 if task == "Classification" else 1),
    )


@pytest.mark.parametrize(
    ("model", "task", "answers"),
    [
        (a_ridge(), "Regression", "predict"),
        (a_boosted(), "Regression", "predict"),
        (a_forest(), "Classification", "predict_proba"),
    ],
    ids=["ridge", "lightgbm", "forest"],
)
def test_a_learnware_of_ours_passes_the_engines_checkers_and_predicts_alike(
    engine: Any, tmp_path: Path, model: Any, task: str, answers: str
) -> None:
    semantic = the_semantic(task)
    archive = pack(model, the_specification(), semantic, tmp_path / "ours.zip")
    data, predicted = tmp_path / "data.npy", tmp_path / "predicted.npy"
    np.save(data, RECORDS)
    seen = engine.ask(
        "try_learnware",
        archive=str(archive),
        semantic=semantic.to_json(),
        data=str(data),
        target=str(predicted),
    )
    assert seen["semantic"][0] == 0, seen["semantic"][1]
    assert seen["statistical"][0] == 1, seen["statistical"][1]
    assert seen["kinds"] == ["RKMETableSpecification"]
    with Learnware.open(archive) as learnware:
        ours = learnware.predict(RECORDS)
    theirs = np.load(predicted)
    assert ours.shape == theirs.shape
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert theirs == pytest.approx(getattr(model, answers)(RECORDS))


def test_a_learnware_of_the_engines_template_is_loaded_here_and_predicts_alike(
    engine: Any, tmp_path: Path
) -> None:
    data, pickled, predicted = (tmp_path / name for name in ("data.npy", "model.pkl", "out.npy"))
    np.save(data, RECORDS)
    engine.ask("fit_and_pickle", data=str(data), target=str(pickled), predicted=str(predicted))
    stat, archive = tmp_path / "stat.json", tmp_path / "theirs.zip"
    engine.ask("generate", data=str(data), target=str(stat), reduced_set_size=20)
    engine.ask(
        "template",
        archive=str(archive),
        pickled=str(pickled),
        shapes=[[len(FEATURES)], [1]],
        stat=str(stat),
    )
    with Learnware.open(archive, semantic=the_semantic("Regression")) as learnware:
        assert learnware.specification.shape == (len(FEATURES),)
        assert len(learnware.specification) == 20
        ours = learnware.predict(RECORDS)
    assert ours == pytest.approx(np.load(predicted), rel=1e-9)
