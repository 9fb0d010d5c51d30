"""From a fitted model of some library to the files of a learnware: one adapter per library.

An adapter saves the model in the form that its own library keeps stable, writes the module that
reads it back, and tells the shapes. Libraries are recognised by the name of the model's class, so
that none is imported for another's sake.
"""

from __future__ import annotations

from pathlib import Path

from beimingwu.learnware.adapted import Adapted, refuse
from beimingwu.learnware.estimators import adapt_sklearn
from beimingwu.learnware.networks import adapt_onnx, adapt_torch
from beimingwu.learnware.trees import adapt_lightgbm, adapt_xgboost
from beimingwu.specification.rkme import RKME

#: In this order: a LightGBM or XGBoost estimator descends from scikit-learn's classes too.
_ADAPTERS = {
    "lightgbm": adapt_lightgbm,
    "xgboost": adapt_xgboost,
    "torch": adapt_torch,
    "sklearn": adapt_sklearn,
}


def adapt(model: object, spec: RKME, input_shape: tuple[int, ...] | None) -> Adapted:
    """Return the files of a model of any library we know.

    Raises
    ------
    InvalidInput
        No adapter knows the model, or it does not fit the specification.
    MissingDependency
        Its library is needed to read it and absent.
    """
    shape = input_shape or (None if spec.kind == "text" else spec.shape)
    if isinstance(model, str | Path):
        return adapt_onnx(Path(model), spec, shape)
    ancestry = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    for library, adapter in _ADAPTERS.items():
        if library in ancestry:
            return adapter(model, spec, shape)
    refuse(
        f"A model of class {type(model).__module__}.{type(model).__qualname__} cannot be packed.",
        "pack.unknown_model",
        remedy="Pack a fitted scikit-learn, LightGBM or XGBoost model, a torch module, the path of "
        "an .onnx file, or a folder with a module of your own.",
    )
