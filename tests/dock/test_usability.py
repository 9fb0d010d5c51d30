"""A learnware runs on data like its own, and each way to fail has its code; with real processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from beimingwu.dock import Dock
from beimingwu.dock.usability import sampled_inputs
from beimingwu.errors import CheckFailed
from beimingwu.specification.files import dumps_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

Archive = Callable[..., bytes]
Semantic = Callable[..., SemanticSpecification]
CLASSES = {"task": "Classification", "output": Dimensions(3)}

MODULE = """
import numpy as np


class Model:
    input_shape = {input_shape}
    output_shape = {output_shape}
    calls = 0

    def predict(self, X):
        self.calls += 1
        return {answer}
"""


def module(answer: str, output_shape: str = "None", input_shape: str = "(3,)") -> str:
    return MODULE.format(answer=answer, output_shape=output_shape, input_shape=input_shape)


@pytest.fixture
def database() -> str:
    """SQLite alone: what a learnware does is no matter of the catalogue."""
    return ""


@pytest.mark.parametrize(
    ("answer", "about", "code"),
    [
        (module("X.sum(axis=1)", input_shape="(4,)"), {}, "usability.input_shape"),
        (module("X.sum(axis=1)", output_shape="(2,)"), {}, "usability.output_shape"),
        (module("X[:, :2]"), {}, "usability.dimension"),
        (module("X / 0"), {"output": Dimensions(3)}, "usability.not_finite"),
        (module("['high'] * len(X)"), {}, "usability.not_numbers"),
        (module("np.zeros((len(X), 3_000_000), np.int8)"), {}, "usability.answers_too_large"),
        (module("np.full(len(X), 2**32 - 1, np.uint32).view('<U1')"), {}, "usability.not_numbers"),
        (module("np.full(len(X), 3)"), CLASSES, "usability.labels"),
        (module("np.full(len(X), -1)"), CLASSES, "usability.labels"),
        (module("np.full(len(X), 0.5)"), CLASSES, "usability.labels"),
        (module("X[:1, 0]"), {}, "guest.reply_length"),
        (module("1 / 0"), {}, "guest.raised"),
        ("import a_package_that_nobody_has", {}, "guest.import"),
        ("raise SystemExit", {}, "guest.raised"),
        ("import os; os.kill(os.getpid(), 9)", {}, "guest.ended"),
    ],
)
def test_what_is_not_usable_is_rejected_with_code_and_remedy(
    dock: Dock, archive: Archive, semantic: Semantic, answer: str, about: Any, code: str
) -> None:
    submission = dock.submit(archive(module=answer), semantic(**about))
    with pytest.raises(CheckFailed) as failed:
        submission.wait()
    assert failed.value.code == code
    assert failed.value.remedy
    assert submission.state == "rejected"
    assert dock.show(submission.id).steps[-1].message == failed.value.problem


@pytest.mark.parametrize(
    ("answer", "about"),
    [
        (module("X.sum(axis=1)", output_shape="(1,)"), {}),
        (module("X.sum(axis=1, keepdims=True)"), {}),
        (module("X.tolist()"), {"output": Dimensions(3)}),
        (module("np.clip(np.abs(X[:, 0]).astype(int), 0, 2)"), CLASSES),
        (module("np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)"), CLASSES),
        (module("X - 5"), CLASSES),
        (module("X[:, :2]"), {"task": "Feature Extraction", "output": None}),
        (module("['high'] * len(X)"), {"task": "Others", "output": None}),
    ],
)
def test_what_answers_as_declared_is_published(
    dock: Dock, archive: Archive, semantic: Semantic, answer: str, about: Any
) -> None:
    submission = dock.submit(archive(module=answer), semantic(**about)).wait()
    assert submission.state == "published"
    told = [(step.name, step.state, step.code) for step in submission.steps[-2:]]
    assert told == [("usability", "passed", "ok"), ("accommodate", "passed", "ok")]
    assert re.search(
        r"^Answered 64 records .*; start [\d.]+ s, \S+ ms a record, \d+ MiB at most\.$",
        submission.steps[-2].message,
    )


@pytest.mark.parametrize(
    ("answer", "code", "problem", "remedy"),
    [
        (
            module("X[:, 0] + self.calls"),
            "usability.not_deterministic",
            "predict returned other answers when it was asked the same again.",
            "Fix the random state, and switch dropout off: model.eval().",
        ),
        (
            module("X[:, 0] - X[:1, 0]"),
            "usability.depends_on_batch",
            "predict answers a record differently depending on the records beside it.",
            "Use statistics of the training data, not of the batch: model.eval() for batch "
            "normalisation.",
        ),
        (
            module("X[:, 0] + (1 if X.dtype == np.float64 else 0)"),
            "usability.depends_on_type",
            "predict answers the same numbers differently as float64 than as float32.",
            "Convert the input in predict, such as by np.asarray(X, dtype=np.float32).",
        ),
        (
            module("X[:, 0] + {'float32': 1}[str(X.dtype)]"),
            "usability.float64",
            "predict fails on numbers of type float64: The learnware failed to predict: KeyError: "
            "'float64'",
            "Convert the input in predict, such as by np.asarray(X, dtype=np.float32).",
        ),
        (
            module("X[:, 0] + 0 * X[0, 0]"),
            "usability.empty_batch",
            "predict fails on an empty batch: The learnware failed to predict: IndexError: index 0 "
            "is out of bounds for axis 0 with size 0",
            "Return an array of no answers where predict is given no records.",
        ),
        (
            module("X[:, 0] if len(X) else __import__('os')._exit(3)"),
            "usability.empty_batch",
            "predict fails on an empty batch: The learnware's process ended with status 3 during "
            "predict.",
            "Return an array of no answers where predict is given no records.",
        ),
    ],
)
def test_what_users_can_live_with_is_published_with_a_warning(
    dock: Dock,
    archive: Archive,
    semantic: Semantic,
    answer: str,
    code: str,
    problem: str,
    remedy: str,
) -> None:
    submission = dock.submit(archive(module=answer), semantic()).wait()
    assert submission.state == "published"
    step = submission.steps[-2]
    assert (step.name, step.state, step.code) == ("usability", "warned", code)
    assert step.message.startswith("Answered 64 records drawn from its specification")
    assert f"MiB at most. {problem}" in step.message
    assert step.remedy.startswith(remedy)


def test_every_warning_is_told_with_its_remedy(
    dock: Dock, archive: Archive, semantic: Semantic
) -> None:
    answer = module("X[:, 0] - X[0, 0] + {'float32': 1}[str(X.dtype)]")
    step = dock.submit(archive(module=answer), semantic()).wait().steps[-2]
    assert step.code == "usability.depends_on_batch"
    for told in ("depending on the records beside it", "of type float64", "on an empty batch"):
        assert told in step.message
    for mend in ("batch normalisation", "np.float32", "no answers"):
        assert mend in step.remedy


def test_a_text_learnware_is_tried_on_sentences(
    dock: Dock, archive: Archive, semantic: Semantic
) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4, 384)).astype(np.float32)
    spec = RKME(points, np.full(4, 0.25), n=40, kind="text", details={"language": ["en"]})
    manifest = (
        b"model: {class_name: Model}\nstat_specifications:\n"
        b"  - {class_name: RKMETextSpecification, file_name: stat.json, kwargs: {}}\n"
    )
    content = archive(
        module=module("np.array([len(text) % 2 for text in X])", input_shape="None"),
        specification=dumps_specification(spec),
        **{"learnware.yaml": manifest},
    )
    about = semantic(data="Text", input=None, task="Classification", output=Dimensions(2))
    assert dock.submit(content, about).wait().state == "published"


def test_images_are_resized_to_what_the_model_takes() -> None:
    images = np.arange(2 * 3 * 4 * 4, dtype=np.float32).reshape(2, 3, 4, 4)
    spec = RKME(images, np.array([0.5, 0.5]), n=0, kind="image", kernel=None)
    resized = sampled_inputs(spec, (1, 8, 2))
    assert isinstance(resized, np.ndarray)
    assert resized.shape == (64, 1, 8, 2)


def test_a_message_repeats_no_more_than_the_beginning_of_an_answer(
    dock: Dock, archive: Archive, semantic: Semantic
) -> None:
    submission = dock.submit(archive(module=module("['x' * 100_000] * len(X)")), semantic())
    with pytest.raises(CheckFailed) as failed:
        submission.wait()
    assert failed.value.code == "usability.not_numbers"
    assert "such as 'xxx" in failed.value.problem
    assert len(failed.value.problem) < 200
