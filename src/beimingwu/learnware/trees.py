"""The adapters for LightGBM and XGBoost, saved in the formats that the two keep stable."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from beimingwu.learnware.adapted import (
    Adapted,
    refuse,
    require_feature_order,
    require_features,
    trial_records,
)
from beimingwu.learnware.modules import module_text
from beimingwu.specification.rkme import RKME


def adapt_lightgbm(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    """Save a LightGBM estimator or booster, up to its best iteration.

    Raises
    ------
    InvalidInput
        It was fitted on other features, on categories, or answers no probabilities.
    """
    _require_table(spec, "LightGBM")
    booster = getattr(model, "booster_", model)
    require_features(booster.num_feature(), spec)
    if booster.pandas_categorical:
        _refuse_categories("LightGBM")
    named = getattr(model, "feature_names_in_", None) is not None or model is booster
    names = tuple(booster.feature_name()) if named else ()
    names = () if names[:1] == ("Column_0",) else names
    # LightGBM replaces blanks in names; the specification has them as they were.
    require_feature_order(names, spec, same=lambda name: name.replace(" ", "_"))
    source = booster.model_to_string()
    objective = next(
        (line[10:] for line in source.splitlines() if line.startswith("objective=")), ""
    )
    answer = np.asarray(booster.predict(trial_records(spec, spec.shape)))
    predict, count = _tree_answer(objective.split(" ")[0], answer)
    text = module_text(
        what=f"A LightGBM {type(model).__name__}",
        imports=("lightgbm",),
        load='self.model = lightgbm.Booster(model_file=str(folder / "model.txt"))',
        predict=f"answer = self.model.predict(np.asarray(X))\n{predict}",
        input_shape=shape,
        output_shape=(count,),
    )
    return _adapted_trees(
        model, text, {"model.txt": source.encode()}, "lightgbm", objective, count, spec.features
    )


def adapt_xgboost(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    """Save an XGBoost estimator or booster, up to its best iteration.

    Raises
    ------
    InvalidInput
        It was fitted on other features, on categories, or answers no probabilities.
    """
    _require_table(spec, "XGBoost")
    import xgboost

    booster = model.get_booster() if hasattr(model, "get_booster") else model
    require_features(booster.num_features(), spec)
    if "c" in (booster.feature_types or ()):
        _refuse_categories("XGBoost")
    require_feature_order(tuple(booster.feature_names or ()), spec)
    best = booster.attr("best_iteration")
    if best is not None:
        booster = booster[: int(best) + 1]
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    trial = xgboost.DMatrix(trial_records(spec, spec.shape))
    answer = booster.predict(trial, validate_features=False)
    predict, count = _tree_answer(objective, answer)
    text = module_text(
        what=f"An XGBoost {type(model).__name__}",
        imports=("xgboost",),
        load='self.model = xgboost.Booster(model_file=str(folder / "model.ubj"))',
        predict="records = xgboost.DMatrix(np.asarray(X))\n"
        f"answer = self.model.predict(records, validate_features=False)\n{predict}",
        input_shape=shape,
        output_shape=(count,),
    )
    files = {"model.ubj": bytes(booster.save_raw("ubj"))}
    return _adapted_trees(model, text, files, "xgboost", objective, count, spec.features)


def _tree_answer(objective: str, answer: NDArray[np.generic]) -> tuple[str, int]:
    """Return the end of `predict` and the number of outputs, for LightGBM and XGBoost alike."""
    if objective in ("binary", "binary:logistic"):
        return "return np.column_stack([1 - answer, answer])", 2
    return "return answer", 1 if answer.ndim == 1 else answer.shape[1]


def _adapted_trees(
    model: Any,
    text: str,
    files: dict[str, bytes],
    library: str,
    objective: str,
    count: int,
    features: tuple[str, ...],
) -> Adapted:
    classifies = objective.split(" ")[0].startswith(("binary", "multi"))
    classes = tuple(map(str, getattr(model, "classes_", ())))
    if bool(classes) > classifies or (classes and len(classes) != count):
        refuse(
            f"A {type(model).__name__} with the objective {objective!r} answers no probabilities.",
            "pack.objective",
            remedy="Train it with the library's own objective for classification.",
        )
    return Adapted(
        files={"__init__.py": text.encode(), **files},
        packages=frozenset({"numpy", library}),
        library="Others",
        task="Classification" if classifies else "Regression",
        outputs=None if classifies and count == 1 else count,
        classes=classes,
        features=features,
    )


def _require_table(spec: RKME, library: str) -> None:
    if spec.kind != "table":
        refuse(
            f"{library} predicts on tables. The specification is of kind {spec.kind!r}.",
            "pack.kind",
            remedy="Specify the table of features that the model was fitted on.",
        )


def _refuse_categories(library: str) -> NoReturn:
    refuse(
        f"The {library} model was fitted on categories of a data frame, which arrays do not hold.",
        "pack.categories",
        remedy="Turn categories into numbers before fitting.",
    )
