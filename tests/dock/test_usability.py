"""A learnware runs on data like its own, and each way to fail has its code; with real processes."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("answer", "about", "code"),
    [
        (module("X.sum(axis=1)", input_shape="(4,)"), {}, "usability.input_shape"),
        (module("X.sum(axis=1)", output_shape="(2,)"), {}, "usability.output_shape"),
        (module("X[:, :2]"), {}, "usability.dimension"),
        (module("X / 0"), {"output": Dimensions(3)}, "usability.not_finite"),
        (module("['high'] * len(X)"), {}, "usability.not_numbers"),
        (module("np.full(len(X), 3)"), CLASSES, "usability.labels"),
        (module("np.full(len(X), -1)"), CLASSES, "usability.labels"),
        (module("np.full(len(X), 0.5)"), CLASSES, "usability.labels"),
        (module("X[:, 0] + self.calls"), {}, "usability.not_deterministic"),
        (module("X[:, 0] - X[:, 0].mean()"), {}, "usability.depends_on_batch"),
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
    assert [step.name for step in submission.steps[-2:]] == ["usability", "accommodate"]


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
