"""From a fitted model of some library to the files of a learnware: one adapter per library.

An adapter saves the model in the form that its own library keeps stable (LightGBM's text,
XGBoost's UBJSON, an exported torch program, ONNX; a pickle for scikit-learn, which has none),
writes the module that reads it back, and tells the shapes. Libraries are recognised by the name of
the model's class, so that none is imported for another's sake.
"""

from __future__ import annotations

import io
import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidInput, MissingDependency
from beimingwu.learnware.modules import module_text
from beimingwu.learnware.pins import modules_of_pickle
from beimingwu.specification.rkme import RKME

#: A trial prediction on this many of the specification's own points finds shapes, and mistakes.
TRIAL_RECORDS = 4
_TRIAL_TEXTS = ["a short text", "another text", "a third one", "and a last"]


@dataclass(frozen=True)
class Adapted:
    """A model turned into files.

    Parameters
    ----------
    files
        Content, or path, by name in the archive; the module among them.
    packages
        Top-level modules that must be installed.
    library
        Of the semantic vocabulary.
    task
        Where the model shows it, else None.
    outputs
        Number of classes or targets, where known.
    classes, features
        Names of the classes and features, where the model knows them.
    """

    files: Mapping[str, bytes | Path]
    packages: frozenset[str]
    library: str
    task: str | None
    outputs: int | None
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = field(default=())


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
        return _adapt_onnx(Path(model), spec, shape)
    ancestry = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    for library, adapter in _ADAPTERS.items():
        if library in ancestry:
            return adapter(model, spec, shape)
    _refuse(
        f"A model of class {type(model).__module__}.{type(model).__qualname__} cannot be packed.",
        "pack.unknown_model",
        remedy="Pack a fitted scikit-learn, LightGBM or XGBoost model, a torch module, the path of "
        "an .onnx file, or a folder with a module of your own.",
    )


def _adapt_sklearn(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    _require_features(getattr(model, "n_features_in_", None), spec)
    names = tuple(map(str, getattr(model, "feature_names_in_", ())))
    _require_feature_order(names, spec)
    records, frame = _trial_of_sklearn(model, spec, names)
    classes = tuple(map(str, _classes(model)))
    if hasattr(model, "predict_proba"):
        call, task = "np.asarray(self.model.predict_proba(X))", "Classification"
        answer = model.predict_proba(records)
    elif classes:
        call, task = (
            "np.searchsorted(self.model.classes_, self.model.predict(X))",
            "Classification",
        )
        answer = np.searchsorted(model.classes_, model.predict(records))
    elif hasattr(model, "predict"):
        call, task = "np.asarray(self.model.predict(X))", "Regression"
        answer = model.predict(records)
    else:
        call, task = "np.asarray(self.model.transform(X))", "Feature Extraction"
        answer = model.transform(records)
        if hasattr(answer, "toarray"):
            call, answer = "self.model.transform(X).toarray()", answer.toarray()
    outputs = _output_shape(answer, len(records))
    data = pickle.dumps(model, protocol=4)
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
    return Adapted(
        files={"__init__.py": text.encode(), "model.pkl": data},
        packages=frozenset(packages),
        library="Scikit-learn",
        task=task,
        outputs=len(classes) if task == "Classification" else outputs[0],
        classes=classes,
        features=names,
    )


def _trial_of_sklearn(model: Any, spec: RKME, names: tuple[str, ...]) -> tuple[Any, bool]:
    """Return records the model predicts on, and whether they must be a data frame."""
    answer = getattr(model, "predict", None) or getattr(model, "transform", None)
    if answer is None:
        _refuse(
            f"A {type(model).__name__} neither predicts nor transforms.",
            "pack.unknown_model",
            remedy="Pack a fitted estimator.",
        )
    records: Any = _TRIAL_TEXTS if spec.kind == "text" else spec.points[:TRIAL_RECORDS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer(records)
            return records, False
        except Exception as error:
            first = error
        if names and spec.kind == "table":
            import pandas as pd

            try:
                frame = pd.DataFrame(records, columns=list(names))
                answer(frame)
                return frame, True
            except Exception as error:
                first = error
    _refuse(
        f"The model does not predict on records like the specification's: {first}",
        "pack.does_not_predict",
        remedy="Fit the model, and make the specification from the same features it was fitted on.",
    )


def _classes(model: Any) -> NDArray[np.generic]:
    classes = getattr(model, "classes_", ())
    if isinstance(classes, list):
        _refuse(
            "A classifier with several outputs cannot be packed as one learnware.",
            "pack.several_outputs",
            remedy="Pack one classifier per output.",
        )
    return np.asarray(classes)


def _adapt_lightgbm(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    _require_table(spec, "LightGBM")
    booster = getattr(model, "booster_", model)
    _require_features(booster.num_feature(), spec)
    if booster.pandas_categorical:
        _refuse_categories("LightGBM")
    named = getattr(model, "feature_names_in_", None) is not None or model is booster
    names = tuple(booster.feature_name()) if named else ()
    names = () if names[:1] == ("Column_0",) else names
    # LightGBM replaces blanks in names; the specification has them as they were.
    _require_feature_order(names, spec, same=lambda name: name.replace(" ", "_"))
    source = booster.model_to_string()
    objective = next(
        (line[10:] for line in source.splitlines() if line.startswith("objective=")), ""
    )
    answer = np.asarray(booster.predict(spec.points[:TRIAL_RECORDS]))
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


def _adapt_xgboost(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    _require_table(spec, "XGBoost")
    import xgboost

    booster = model.get_booster() if hasattr(model, "get_booster") else model
    _require_features(booster.num_features(), spec)
    if "c" in (booster.feature_types or ()):
        _refuse_categories("XGBoost")
    _require_feature_order(tuple(booster.feature_names or ()), spec)
    best = booster.attr("best_iteration")
    if best is not None:
        booster = booster[: int(best) + 1]
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    trial = xgboost.DMatrix(spec.points[:TRIAL_RECORDS])
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
        _refuse(
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


def _adapt_torch(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    if shape is None:
        _refuse(
            "A torch module does not take texts.",
            "pack.kind",
            remedy="Pack a folder with a module that turns texts into tensors.",
        )
    import copy

    import torch

    module = copy.deepcopy(model).cpu().eval()
    kinds = [value.dtype for value in module.parameters() if value.is_floating_point()]
    kind = kinds[0] if kinds else torch.float32
    records = torch.as_tensor(_trial_records(spec, shape), dtype=kind)
    try:
        with torch.no_grad():
            answer = module(records).numpy()
        batch = torch.export.Dim("batch")
        program = torch.export.export(module, (records,), dynamic_shapes=({0: batch},))
        data = io.BytesIO()
        torch.export.save(program, data)
    except Exception as error:
        _refuse(
            f"The torch module cannot be exported for records of shape {shape}: "
            f"{str(error).partition(chr(10))[0]}",
            "pack.does_not_export",
            remedy="Give input_shape= where it differs from the specification's, or pack a folder "
            "with a module of your own.",
        )
    outputs = _output_shape(answer, len(records))
    text = module_text(
        what=f"A torch {type(model).__name__}, exported",
        imports=("torch",),
        load='self.model = torch.export.load(folder / "model.pt2").module()',
        predict=f"records = torch.as_tensor(np.asarray(X), dtype={kind})\n"
        "with torch.no_grad():\n    return self.model(records).numpy()",
        input_shape=shape,
        output_shape=outputs,
    )
    return Adapted(
        files={"__init__.py": text.encode(), "model.pt2": data.getvalue()},
        packages=frozenset({"numpy", "torch"}),
        library="PyTorch",
        task=None,
        outputs=outputs[0] if len(outputs) == 1 else None,
    )


def _adapt_onnx(path: Path, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    if path.suffix != ".onnx" or not path.is_file():
        _refuse(
            f"{str(path)!r} is neither an .onnx file nor a folder.",
            "pack.no_file",
            remedy="Give the path of a model that exists.",
        )
    if shape is None:
        _refuse(
            "An ONNX model is packed for numbers, not texts.",
            "pack.kind",
            remedy="Pack a folder with a module that turns texts into numbers.",
        )
    session = _onnx_session(path)
    given = session.get_inputs()
    number = {"tensor(float)": "float32", "tensor(double)": "float64"}.get(given[0].type)
    if len(given) != 1 or number is None:
        _refuse(
            f"The ONNX model takes {', '.join(f'{one.name}: {one.type}' for one in given)}.",
            "pack.onnx_input",
            remedy="Export it with one input of floats.",
        )
    records = _trial_records(spec, shape).astype(number)
    try:
        answers = session.run(None, {given[0].name: records})
    except Exception as error:
        _refuse(
            f"The ONNX model does not take records of shape {shape}: {error}",
            "pack.does_not_predict",
            remedy="Make the specification from the features that the model was trained on.",
        )
    name, answer = _onnx_answer([one.name for one in session.get_outputs()], answers)
    outputs = _output_shape(answer, len(records))
    text = module_text(
        what="An ONNX model",
        imports=("onnxruntime",),
        load="self.session = onnxruntime.InferenceSession(\n"
        '    str(folder / "model.onnx"), providers=["CPUExecutionProvider"]\n)',
        predict=f"records = np.asarray(X, dtype=np.{number})\n"
        f"return self.session.run([{name!r}], {{{given[0].name!r}: records}})[0]",
        input_shape=shape,
        output_shape=outputs,
    )
    return Adapted(
        files={"__init__.py": text.encode(), "model.onnx": path},
        packages=frozenset({"numpy", "onnxruntime"}),
        library="Others",
        task="Classification" if len(answers) > 1 and len(outputs) == 1 else None,
        outputs=outputs[0] if len(outputs) == 1 else None,
    )


def _onnx_session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingDependency(
            "Packing an ONNX model needs onnxruntime.", remedy="pip install onnxruntime"
        ) from None
    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        _refuse(
            f"{str(path)!r} is not an ONNX model that runs by itself: {error}",
            "pack.onnx",
            remedy="Export it as one file, its weights inside.",
        )


def _onnx_answer(names: list[str], answers: list[Any]) -> tuple[str, Any]:
    """Choose the output to answer with: probabilities before labels, else the first."""
    if any(isinstance(answer, list) for answer in answers):
        _refuse(
            "The ONNX model answers with a list of mappings.",
            "pack.onnx_output",
            remedy="Convert it with zipmap=False, so that its probabilities are one array.",
        )
    arrays = list(zip(names, answers, strict=True))
    floats = [(name, answer) for name, answer in arrays if answer.dtype.kind == "f"]
    return (floats or arrays)[0]


def _trial_records(spec: RKME, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Return the specification's first points, or zeros where the model takes other records."""
    if spec.shape == shape:
        return np.resize(spec.points, (TRIAL_RECORDS, *shape)).astype(np.float32)
    return np.zeros((TRIAL_RECORDS, *shape), dtype=np.float32)


def _output_shape(answer: Any, records: int) -> tuple[int, ...]:
    answer = np.asarray(answer)
    if answer.shape[:1] != (records,) or answer.ndim > 4:
        _refuse(
            f"The model answers {records} records with an array of shape {answer.shape}.",
            "pack.output_shape",
            remedy="It must give one answer per record.",
        )
    return tuple(int(size) for size in answer.shape[1:]) or (1,)


def _require_table(spec: RKME, library: str) -> None:
    if spec.kind != "table":
        _refuse(
            f"{library} predicts on tables. The specification is of kind {spec.kind!r}.",
            "pack.kind",
            remedy="Specify the table of features that the model was fitted on.",
        )


def _require_features(count: int | None, spec: RKME) -> None:
    if count is not None and count != spec.dimension:
        _refuse(
            f"The model was fitted on {count} features. The specification has {spec.dimension}.",
            "pack.feature_count",
            remedy="Make the specification from the same features, in the same order.",
        )


def _require_feature_order(
    names: tuple[str, ...], spec: RKME, *, same: Any = lambda name: name
) -> None:
    expected = tuple(same(name) for name in spec.features)
    if names and expected and tuple(same(name) for name in names) != expected:
        _refuse(
            f"The model was fitted on the features {', '.join(names[:6])} …; the specification "
            f"names {', '.join(spec.features[:6])} ….",
            "pack.feature_names",
            remedy="Make the specification from the same features, in the same order.",
        )


def _refuse_categories(library: str) -> NoReturn:
    _refuse(
        f"The {library} model was fitted on categories of a data frame, which arrays do not hold.",
        "pack.categories",
        remedy="Turn categories into numbers before fitting.",
    )


def _refuse(problem: str, code: str, *, remedy: str) -> NoReturn:
    raise InvalidInput(problem, remedy=remedy, code=code)


_ADAPTERS = {
    "lightgbm": _adapt_lightgbm,
    "xgboost": _adapt_xgboost,
    "torch": _adapt_torch,
    "sklearn": _adapt_sklearn,
}
