"""The adapters for torch modules and ONNX files, neither of which needs its source to run."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

from beimingwu.errors import MissingDependency
from beimingwu.learnware.adapted import Adapted, output_shape, refuse, trial_records
from beimingwu.learnware.modules import module_text
from beimingwu.specification.rkme import RKME


def adapt_torch(model: Any, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    """Export a torch module for any number of records; it answers as it does in `eval` mode.

    Raises
    ------
    InvalidInput
        The module takes texts, or torch cannot export it.
    """
    if shape is None:
        refuse(
            "A torch module does not take texts.",
            "pack.kind",
            remedy="Pack a folder with a module that turns texts into tensors.",
        )
    program, answer, kind = _exported(model, spec, shape)
    outputs = output_shape(answer)
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
        files={"__init__.py": text.encode(), "model.pt2": program},
        packages=frozenset({"numpy", "torch"}),
        library="PyTorch",
        task=None,
        outputs=outputs[0] if len(outputs) == 1 else None,
    )


def _exported(model: Any, spec: RKME, shape: tuple[int, ...]) -> tuple[bytes, Any, Any]:
    """Return the exported program, the answer of a trial, and the type of number it takes."""
    import torch

    try:
        module = copy.deepcopy(model).cpu().eval()
        kinds = [value.dtype for value in module.parameters() if value.is_floating_point()]
        kind = kinds[0] if kinds else torch.float32
        records = torch.as_tensor(trial_records(spec, shape), dtype=kind)
        with torch.no_grad():
            answer = module(records).numpy()
        batch = torch.export.Dim("batch")
        program = torch.export.export(module, (records,), dynamic_shapes=({0: batch},))
        data = io.BytesIO()
        torch.export.save(program, data)
    except Exception as error:
        refuse(
            f"The torch module cannot be exported for records of shape {shape}: "
            f"{str(error).partition(chr(10))[0]}",
            "pack.does_not_export",
            remedy="Give input_shape= where it differs from the specification's, or pack a folder "
            "with a module of your own.",
        )
    return data.getvalue(), answer, kind


def adapt_onnx(path: Path, spec: RKME, shape: tuple[int, ...] | None) -> Adapted:
    """Take an ONNX file as it is; it answers with probabilities where it has any.

    Raises
    ------
    InvalidInput
        Not an ONNX file that runs by itself on the specification's records.
    MissingDependency
        onnxruntime is not installed.
    """
    if path.suffix != ".onnx" or not path.is_file():
        refuse(
            f"{str(path)!r} is neither an .onnx file nor a folder.",
            "pack.no_file",
            remedy="Give the path of a model that exists.",
        )
    if shape is None:
        refuse(
            "An ONNX model is packed for numbers, not texts.",
            "pack.kind",
            remedy="Pack a folder with a module that turns texts into numbers.",
        )
    taken, number, name, answers = _onnx_trial(_onnx_session(path), spec, shape)
    answer = answers[name]
    outputs = output_shape(answer)
    text = module_text(
        what="An ONNX model",
        imports=("onnxruntime",),
        load="self.session = onnxruntime.InferenceSession(\n"
        '    str(folder / "model.onnx"), providers=["CPUExecutionProvider"]\n)',
        predict=f"records = np.asarray(X, dtype=np.{number})\n"
        f"return self.session.run([{name!r}], {{{taken!r}: records}})[0]",
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
        return onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:
        refuse(
            f"{str(path)!r} is not an ONNX model that runs by itself: {error}",
            "pack.onnx",
            remedy="Export it as one file, its weights inside.",
        )


def _onnx_trial(
    session: Any, spec: RKME, shape: tuple[int, ...]
) -> tuple[str, str, str, dict[str, Any]]:
    """Return the input's name and type of number, the output to answer with, and all answers."""
    given = session.get_inputs()
    number = {"tensor(float)": "float32", "tensor(double)": "float64"}.get(given[0].type)
    if len(given) != 1 or number is None:
        refuse(
            f"The ONNX model takes {', '.join(f'{one.name}: {one.type}' for one in given)}.",
            "pack.onnx_input",
            remedy="Export it with one input of floats.",
        )
    try:
        found = session.run(None, {given[0].name: trial_records(spec, shape).astype(number)})
    except Exception as error:
        refuse(
            f"The ONNX model does not take records of shape {shape}: {error}",
            "pack.does_not_predict",
            remedy="Make the specification from the features that the model was trained on.",
        )
    if any(isinstance(answer, list) for answer in found):
        refuse(
            "The ONNX model answers with a list of mappings.",
            "pack.onnx_output",
            remedy="Convert it with zipmap=False, so that its probabilities are one array.",
        )
    answers = {one.name: answer for one, answer in zip(session.get_outputs(), found, strict=True)}
    # Probabilities before labels, else whatever comes first.
    floats = [name for name, answer in answers.items() if answer.dtype.kind == "f"]
    return given[0].name, number, (floats or list(answers))[0], answers
