"""The usability check: the learnware runs, apart from us, on data like its own training data.

Inputs are drawn from the learnware's own statistical specification, so they are what it claims to
be good for. What comes back is held against what the semantic specification declares.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import CheckFailed, GuestFailed
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification

_ROWS = 64
#: The answers to one batch of the check; several are held and compared at once.
_MOST_BYTES = 128 * 2**20
#: Characters of an answer that a message repeats.
_SHOWN = 60
#: An answer is the same when it is within this of the other, relative to the answers' size.
_TOLERANCE = 1e-3
_TEXTS = (
    "A short sentence.",
    "北京的空气质量今天很好。",
    "The quick brown fox jumps over the lazy dog, and then it rains for the rest of the week. " * 4,
    "12.5 mm",
    "naïve façade – “quoted”",
)

Inputs = NDArray[Any] | list[str]


class Running(Protocol):
    """What this check needs of a learnware that runs."""

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of one record, where the learnware says."""

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """Shape of one answer, where the learnware says."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Answer for each record."""


@dataclass(frozen=True)
class Warned:
    """What a published learnware does that its owner should mend, how, and a stable code."""

    problem: str
    remedy: str
    code: str


@dataclass(frozen=True)
class Usability:
    """What was tried: how many records, the shape of one answer and the time it took."""

    rows: int
    answer_shape: tuple[int, ...]
    row_seconds: float
    warnings: tuple[Warned, ...] = ()


def check_usability(
    model: Running, semantic: SemanticSpecification, specification: RKME
) -> Usability:
    """Run a started learnware on sampled and edge inputs.

    What makes its answers useless is refused. What its users can live with, as those of the docks
    of 2024 did, is a warning: answers that vary, and inputs that it fails on, of no records or of
    float64.

    Raises
    ------
    CheckFailed
        Codes `usability.input_shape`, `.answers_too_large`, `.not_numbers`, `.output_shape`,
        `.dimension`, `.not_finite`, `.labels`.
    GuestFailed
        Its own code failed.
    """
    _check_input_shape(model, semantic)
    inputs = sampled_inputs(specification, model.input_shape)
    answers = _answers(model, inputs)
    _check_shape(answers, model.output_shape, semantic)
    _check_values(answers, semantic)
    started = time.perf_counter()
    again = _answers(model, inputs)
    row_seconds = (time.perf_counter() - started) / len(inputs)
    found = [_batch(model, inputs, answers), *_edges(model, inputs, answers)]
    if not _same(answers, again):  # Then nothing else that differs says anything.
        found = [_NOT_DETERMINISTIC, *(warned for warned in found if warned not in _DIFFERENCES)]
    warnings = tuple(warned for warned in found if warned is not None)
    return Usability(len(inputs), answers.shape[1:], row_seconds, warnings)


def _batch(model: Running, inputs: Inputs, answers: NDArray[Any]) -> Warned | None:
    """Ask for the second record alone, and for the first two of them twice."""
    same = True
    for rows in ([1], [0, 1, 0, 1]):
        batch = [inputs[row] for row in rows] if isinstance(inputs, list) else inputs[rows]
        again = _answers(model, batch)
        same = same and _same(answers[rows], again)
    return None if same else _BATCH


def _edges(model: Running, inputs: Inputs, answers: NDArray[Any]) -> Iterator[Warned | None]:
    """Ask the same in float64, and ask nothing; a list of no texts cannot be told from numbers."""
    if isinstance(inputs, list):
        return
    try:
        if not _same(answers, _answers(model, inputs.astype(np.float64))):
            yield _TYPE
    except GuestFailed as error:
        yield _fails_on("numbers of type float64", error, "float64")
    try:
        _answers(model, inputs[:0])
    except GuestFailed as error:
        yield _fails_on("an empty batch", error, "empty_batch")


def _fails_on(what: str, error: GuestFailed, code: str) -> Warned:
    if error.code == "guest.cancelled":
        raise error  # It says nothing about the learnware.
    reason = error.problem.partition("\n")[0]
    remedy = {
        "float64": "Convert the input in predict, such as by np.asarray(X, dtype=np.float32).",
        "empty_batch": "Return an array of no answers where predict is given no records.",
    }[code]
    return Warned(f"predict fails on {what}: {reason}", remedy, f"usability.{code}")


def sampled_inputs(specification: RKME, input_shape: tuple[int, ...] | None) -> Inputs:
    """Return inputs that follow a specification, as the learnware takes them.

    A text specification embeds sentences and cannot be turned back into any, so fixed ones are
    used. An image specification holds images of one size; they are resized to the model's.
    """
    if specification.kind == "text":
        return [*_TEXTS]
    drawn = specification.sample(_ROWS, random_state=0).astype(np.float32, copy=False)
    if specification.kind == "image" and input_shape and len(input_shape) == 3:
        return _resized(drawn, input_shape)
    return drawn


def _resized(images: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return images of another size by the nearest pixel, shape `(len(images), *shape)`."""
    axes = [
        np.arange(size) * had // size for size, had in zip(shape, images.shape[1:], strict=True)
    ]
    return np.ascontiguousarray(images[np.ix_(np.arange(len(images)), *axes)])


def _answers(model: Running, inputs: Inputs) -> NDArray[Any]:
    # That there is one answer per record is the runtime's own rule: guest.reply_length.
    answers = np.asarray(model.predict(inputs))
    if answers.nbytes > _MOST_BYTES:
        _refuse(
            f"predict returned {answers.nbytes / 2**20:,.0f} MiB for {len(inputs)} records; "
            f"{_MOST_BYTES / 2**20:,.0f} MiB are allowed in a check.",
            "Return one answer per record, and no more than its users need.",
            "answers_too_large",
        )
    return answers[:, None] if answers.ndim == 1 else answers


def _check_input_shape(model: Running, semantic: SemanticSpecification) -> None:
    if semantic.data != "Table" or semantic.input is None:
        return
    expected = (semantic.input.dimension,)
    if model.input_shape != expected:
        _refuse(
            f"The model's input_shape is {model.input_shape}, and Input.Dimension is "
            f"{semantic.input.dimension}.",
            f"Set input_shape to {expected} in the model, or correct Input.Dimension.",
            "input_shape",
        )


def _check_shape(
    answers: NDArray[Any], declared: tuple[int, ...] | None, semantic: SemanticSpecification
) -> None:
    if declared is not None and answers.shape[1:] != tuple(declared):
        _refuse(
            f"The model's output_shape is {tuple(declared)}, and predict returned answers of shape "
            f"{answers.shape[1:]}.",
            "Correct output_shape, or what predict returns.",
            "output_shape",
        )
    if semantic.output is None:
        return
    dimension, width = semantic.output.dimension, answers.shape[1:]
    allowed = [(dimension,)] if semantic.task == "Regression" else [(1,), (dimension,)]
    if width not in allowed:
        _refuse(
            f"predict returned answers of shape {width}, and Output.Dimension is {dimension}.",
            f"Return answers of shape {' or '.join(map(str, allowed))}, or correct the semantic "
            "specification.",
            "dimension",
        )


def _check_values(answers: NDArray[Any], semantic: SemanticSpecification) -> None:
    if semantic.task not in ("Classification", "Regression", "Feature Extraction"):
        return
    if answers.dtype.kind not in "biuf":
        _refuse(
            f"predict returned values of type {answers.dtype.name[:_SHOWN]}{_such_as(answers)}.",
            "Return numbers; for classes their index, counted from 0.",
            "not_numbers",
        )
    if not np.isfinite(answers).all():
        _refuse(
            "predict returned NaN or infinity on data like the learnware's own.",
            "Look at how the model treats its input; every answer must be a finite number.",
            "not_finite",
        )
    if semantic.task == "Classification" and semantic.output and answers.shape[1:] == (1,):
        _check_labels(answers, semantic.output.dimension)


def _such_as(answers: NDArray[Any]) -> str:
    """Show the beginning of the first answer, where it can be shown."""
    try:
        shown = repr(answers[:1].reshape(-1)[:1].tolist()[0])
    except (SystemError, ValueError, IndexError):
        return ""  # Text of characters that there are none of.
    return f", such as {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}"


def _check_labels(answers: NDArray[Any], classes: int) -> None:
    strange = answers[(answers < 0) | (answers >= classes) | (answers != np.floor(answers))]
    if strange.size:
        _refuse(
            f"predict returned the label {strange.flat[0]:g}, and there are {classes} classes.",
            f"Return labels 0 to {classes - 1}, or one probability per class.",
            "labels",
        )


_NOT_DETERMINISTIC = Warned(
    "predict returned other answers when it was asked the same again.",
    "Fix the random state, and switch dropout off: model.eval().",
    "usability.not_deterministic",
)
_BATCH = Warned(
    "predict answers a record differently depending on the records beside it.",
    "Use statistics of the training data, not of the batch: model.eval() for batch normalisation.",
    "usability.depends_on_batch",
)
_TYPE = Warned(
    "predict answers the same numbers differently as float64 than as float32.",
    "Convert the input in predict, such as by np.asarray(X, dtype=np.float32).",
    "usability.depends_on_type",
)
_DIFFERENCES = (_BATCH, _TYPE)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        return np.array_equal(one, other)
    size = max((float(np.abs(row).max(initial=0.0)) for row in one), default=0.0)
    # Row by row: a comparison takes many times the memory of what it compares.
    return all(
        np.allclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE * size, equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


def _refuse(problem: str, remedy: str, code: str) -> NoReturn:
    raise CheckFailed(problem, remedy=remedy, code=f"usability.{code}")
