"""Archives as they were made in 2024, and what a dock of today says to each of them.

The generator below writes what the old tools wrote: a module that imports `learnware.model`, a
pickled scikit-learn model of the digits, old JSON, and the two kinds of requirements. All four
variants ask for the same packages in the end, so one environment serves them.
"""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from beimingwu.dock import Dock
from beimingwu.errors import BeimingwuError, CheckFailed, InvalidArchive

pytestmark = pytest.mark.network

DIGITS, LABELS = load_digits(return_X_y=True)
MODEL_CLASS = """
import os

import joblib
import numpy as np
from learnware.model import BaseModel


class DigitsModel(BaseModel):
    def __init__(self, input_shape=(64,), output_shape=(10,)):
        super(DigitsModel, self).__init__(input_shape=input_shape, output_shape=output_shape)
        dir_path = os.path.dirname(os.path.abspath(__file__))
        self.model = joblib.load(os.path.join(dir_path, "model.out"))

    def fit(self, X: np.ndarray, y: np.ndarray):
        pass

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(X)

    def finetune(self, X: np.ndarray, y: np.ndarray):
        pass
"""
MANIFEST = """
model:
  class_name: DigitsModel
  kwargs: {}
stat_specifications:
  - module_path: learnware.specification
    class_name: RKMETableSpecification
    file_name: stat.json
    kwargs: {}
"""
TEMPLATE_MANIFEST = """
name: digits
model:
  class_name: DigitsModel
  module_path: __init__.py
  kwargs:
    input_shape: !!python/tuple
    - 64
    output_shape: !!python/tuple
    - 10
stat_specifications:
- class_name: RKMEStatSpecification
  file_name: stat.json
  kwargs: {}
  module_path: learnware.specification
semantic_specification:
  file_name: semantic_specification.json
"""
REQUIREMENTS = f"learnware==0.3.2\nscikit-learn=={sklearn.__version__}\n"
#: Exported by conda on Windows, where the model was made.
ENVIRONMENT = f"""
name: learnware_digits
channels:
  - defaults
dependencies:
  - ca-certificates=2023.08.22=haa95532_0
  - python=3.8.18=h1aa4202_0
  - pywin32=305=py38h2bbff1b_0
  - scikit-learn={sklearn.__version__}=py38hf11a4ad_1
  - threadpoolctl=3.99.0=pyh0d69192_0
  - vc=14.2=h21ff451_1
  - vs2015_runtime=14.27.29016=h5e58377_2
  - pip:
      - learnware==0.3.2
"""


def semantic() -> dict[str, Any]:
    """Describe the model as the old form did."""
    chosen = {
        "Data": "Table",
        "Task": "Classification",
        "Library": "Scikit-learn",
        "License": "MIT",
    }
    return {
        **{key: {"Type": "Class", "Values": [value]} for key, value in chosen.items()},
        "Scenario": {"Type": "Tag", "Values": ["Education"]},
        "Name": {"Type": "String", "Values": "Digits"},
        "Description": {"Type": "String", "Values": "Reads handwritten digits, 8 x 8 pixels."},
        "Input": {"Dimension": 64, "Description": {"0": "the pixel in the corner"}},
        "Output": {"Dimension": 10, "Description": {"0": "probability of a zero"}},
    }


def statistical() -> bytes:
    """Describe the digits as the old engine did: all public attributes, in compact JSON."""
    points = DIGITS[:100]
    attributes = {
        "z": points.tolist(),
        "beta": [1 / len(points)] * len(points),
        "gamma": 0.1,
        "num_points": len(DIGITS),
        "type": "RKMETableSpecification",
    }
    return json.dumps(attributes, separators=(",", ":")).encode()


@functools.cache
def weights() -> bytes:
    """Pickle a model of the digits."""
    file = io.BytesIO()
    joblib.dump(LinearDiscriminantAnalysis().fit(DIGITS, LABELS), file)
    return file.getvalue()


def files(**changed: bytes | str | None) -> dict[str, bytes | str]:
    """Return the files of an old learnware, with some changed, added or (None) left out."""
    all_files: dict[str, bytes | str | None] = {
        "learnware.yaml": MANIFEST,
        "__init__.py": MODEL_CLASS,
        "model.out": weights(),
        "stat.json": statistical(),
        "requirements.txt": REQUIREMENTS,
        **changed,
    }
    return {name: content for name, content in all_files.items() if content is not None}


def zipped(content: dict[str, bytes | str], top: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(f"{top}{name}", data)
    return buffer.getvalue()


def flat() -> bytes:
    return zipped(files())


def in_a_top_folder() -> bytes:
    embedded = json.dumps(semantic(), indent=4)
    changed = {"learnware.yaml": TEMPLATE_MANIFEST, "semantic_specification.json": embedded}
    return zipped(files(**changed), top="digits/")


def from_conda_on_windows() -> bytes:
    return zipped(files(**{"requirements.txt": None, "environment.yaml": ENVIRONMENT}))


def of_several_modules() -> bytes:
    """Import among its files as packages do: from beside, from beneath and from above."""
    changed = {
        "__init__.py": "from .reader.core import DigitsModel\n",
        "places.py": 'WEIGHTS = "../model.out"\n',
        "reader/__init__.py": "",
        "reader/core.py": MODEL_CLASS.replace('"model.out"', "WEIGHTS").replace(
            "import numpy as np\n", "import numpy as np\nfrom ..places import WEIGHTS\n"
        ),
    }
    return zipped(files(**changed))


@pytest.fixture(scope="module")
def dock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dock]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEIMINGWU_PACKAGES", "own")
        with Dock.open(tmp_path_factory.mktemp("dock") / "dock") as opened:
            yield opened


@pytest.mark.parametrize(
    "variant",
    [flat, in_a_top_folder, from_conda_on_windows, of_several_modules],
    ids=lambda variant: variant.__name__,
)
def test_an_archive_of_2024_is_published_as_it_is(dock: Dock, variant: Any) -> None:
    submission = dock.submit(variant(), semantic()).wait()
    assert submission.state == "published"
    assert [step.name for step in submission.steps][-3:] == [
        "environment",
        "usability",
        "accommodate",
    ]
    with dock.get(submission.id) as learnware:
        read = np.argmax(learnware.predict(DIGITS), axis=1)
    assert np.mean(read == LABELS) > 0.9


def test_what_conda_pinned_for_another_system_is_told_line_by_line(dock: Dock) -> None:
    submission = dock.submit(from_conda_on_windows(), semantic()).wait()
    [told] = [step.message for step in submission.steps if step.name == "environment"]
    for sentence in (
        "environment.yaml: ca-certificates, vc, vs2015_runtime left out: no Python packages; "
        "wheels bring them.",
        "environment.yaml: `pywin32=305=py38h2bbff1b_0` is left out: it exists for other systems "
        "only.",
        "environment.yaml: `threadpoolctl=3.99.0=pyh0d69192_0`: it has no such version; "
        "threadpoolctl==3.* is taken.",
    ):
        assert sentence in told


def refusal(dock: Dock, archive: bytes) -> BeimingwuError:
    with pytest.raises((CheckFailed, InvalidArchive)) as refused:
        dock.submit(archive, semantic()).wait()
    return refused.value


REFUSED = {
    "a module imports a package that it does not ask for": (
        {"__init__.py": f"import lightgbm\n{MODEL_CLASS}"},
        "guest.import",
        "The learnware imports 'lightgbm', which is not installed here.",
        "Name its package in requirements.txt or environment.yaml; where learnwares run with "
        "BEIMINGWU_PACKAGES=current, install it.",
    ),
    "the statistical specification is not in the archive": (
        {"stat.json": None},
        "archive.no_statistical_file",
        "learnware.yaml names 'stat.json', which is not in the archive.",
        "Add the file, or correct learnware.yaml.",
    ),
    "the manifest names no statistical specification": (
        {"learnware.yaml": "model: {class_name: DigitsModel}\nstat_specifications: []\n"},
        "archive.no_specification",
        "The manifest names no statistical specification.",
        "Make one with `beimingwu specify` and name it under stat_specifications.",
    ),
    "a package exists as source only": (
        {"requirements.txt": f"{REQUIREMENTS}docopt==0.6.2\n"},
        "environment.source_only",
        "requirements.txt: `docopt==0.6.2` has no wheel: installing it would run code of its own.",
        "Ask for a version that has a wheel, or pack the module's files into the learnware.",
    ),
}


@pytest.mark.parametrize(
    ("changed", "code", "problem", "remedy"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_cannot_run_is_refused_with_a_sentence_of_its_own(
    dock: Dock, changed: dict[str, bytes | str | None], code: str, problem: str, remedy: str
) -> None:
    refused = refusal(dock, zipped(files(**changed)))
    assert (refused.code, refused.problem, refused.remedy) == (code, problem, remedy)
