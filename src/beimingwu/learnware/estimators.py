"""The adapter for scikit-learn: estimators and pipelines, as pickles.

scikit-learn has no format of its own that outlives a process; a pickle is what it documents. It is
only ever read by the guest.
"""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beimingwu.learnware.adapted import (
    TRIAL_RECORDS,
    Adapted,
    output_shape,
    refuse,
    require_feature_order,
    require_features,
)
from beimingwu.learnware.modules import module_text
from beimingwu.learnware.pins import modules_of_pickle
from beimingwu.specification.rkme import RKME

_TRIAL_TEXTS = ["a short text", "another text", "a third one", "and a last"]


def adapt_sklearn(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    """Pickle an estimator or pipeline; a classifier answers probabilities where it has any.

    Raises
    ------
    InvalidInput
        It is not fitted, was fitted on other features, or cannot be pickled.
    """
    require_features(getattr(model, "n_features_in_", None), spec)
    names = tuple(map(str, getattr(model, "feature_names_in_", ())))
    require_feature_order(names, spec)
    classes = tuple(map(str, _classes(model)))
    method = _method_of_sklearn(model)
    answer, frame = _trial_of_sklearn(getattr(model, method), spec, names)
    call = f"np.asarray(self.model.{method}(X))"
    if classes and method == "predict":
        call = "np.searchsorted(self.model.classes_, self.model.predict(X))"
    elif hasattr(answer, "toarray"):
        call, answer = f"self.model.{method}(X).toarray()", answer.toarray()
    outputs = output_shape(answer)
    data = _pickled(model)
    prepare = f"X = pd.DataFrame(np.asarray(X), columns={list(names)!r})\n" if frame else ""
    text = module_text(
        what=f"A scikit-learn {type(model).__name__}",
        imports=("pickle", *(("pandas as pd",) if frame else ())),
        load='with (folder / "model.pkl").open("rb") as file:\n    self.model = pickle.load(file)',
        predict=f"{prepare}return {call}",
        input_shape=shape,
        output_shape=outputs,
    )
    packages = modules_of_pickle(data) | {"numpy"} | ({"pandas"} if frame else set())
    tasks = {"predict": "Regression", "transform": "Feature Extraction"}
    return Adapted(
        files={"__init__.py": text.encode(), "model.pkl": data},
        packages=frozenset(packages),
        library="Scikit-learn",
        task="Classification" if classes else tasks.get(method),
        outputs=len(classes) or outputs[0],
        classes=classes,
        features=names,
    )


def _pickled(model: Any) -> bytes:
    try:
        return pickle.dumps(model, protocol=4)
    except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
        # The last three are what pickle raises for local functions, open files and deep nesting.
        refuse(
            f"The {type(model).__name__} cannot be pickled: {error}",
            "pack.not_picklable",
            remedy="Put its functions into a module of your own, and pack the folder that holds it "
            "(a lambda has no name to find it by).",
        )


def _method_of_sklearn(model: Any) -> str:
    """Return the method that answers: probabilities where there are any."""
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(model, method):
            return method
    refuse(
        f"A {type(model).__name__} neither predicts nor transforms.",
        "pack.unknown_model",
        remedy="Pack a fitted estimator.",
    )


def _trial_of_sklearn(answer: Any, spec: RKME, names: tuple[str, ...]) -> tuple[Any, bool]:
    """Return what the model answers, and whether it must be given a data frame."""
    records: Any = np.resize(spec.points, (TRIAL_RECORDS, *spec.shape))
    if spec.kind == "text":
        records = _TRIAL_TEXTS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return answer(records), False
        except Exception as error:
            problem = error
        if names and spec.kind == "table":
            import pandas as pd

            try:
                return answer(pd.DataFrame(records, columns=list(names))), True
            except Exception as error:
                problem = error
    refuse(
        f"The model does not predict on records like the specification's: {problem}",
        "pack.does_not_predict",
        remedy="Fit the model, and make the specification from the same features it was fitted on.",
    )


def _classes(model: Any) -> NDArray[np.generic]:
    classes = getattr(model, "classes_", ())
    if isinstance(classes, list):
        refuse(
            "A classifier with several outputs cannot be packed as one learnware.",
            "pack.several_outputs",
            remedy="Pack one classifier per output.",
        )
    return np.asarray(classes)
