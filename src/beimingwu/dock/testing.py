"""The common test of all docks: run `check_dock` on yours; and small learnwares to fill one with.

It needs no test framework; each rule that is broken raises an `AssertionError` that names it. A
dock in a folder, and a client of a dock on a server, pass the same one.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from beimingwu.learnware.manifest import MANIFEST_NAME, Manifest, StatisticalEntry
from beimingwu.specification.files import dumps_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

_MODULE = """
import numpy as np


class Model:
    input_shape = ({inputs},)
    output_shape = (1,)

    def predict(self, X):
        return {answer}
"""
_SEMANTIC_NAME = "semantic_specification.json"


def a_semantic(inputs: int = 3, **changes: Any) -> SemanticSpecification:
    """Return the semantic specification of a regression over a small table.

    Parameters
    ----------
    inputs
        Number of its columns.
    changes
        Fields that differ.

    Examples
    --------
    >>> a_semantic(license="GPL-3.0").license
    'GPL-3.0'
    """
    values: dict[str, Any] = {
        "name": "Sums of columns",
        "description": "Adds up the columns of a small table.",
        "data": "Table",
        "task": "Regression",
        "library": "Others",
        "scenarios": ("Education",),
        "license": "MIT",
        "input": Dimensions.of([f"column {j}" for j in range(inputs)]),
        "output": Dimensions(1),
    }
    return SemanticSpecification(**{**values, **changes})


def a_specification(inputs: int = 3, centre: float = 0.0, seed: int = 0) -> RKME:
    """Return the specification of a normal distribution around a centre: twenty points.

    Examples
    --------
    >>> a_specification(inputs=2)
    RKME(table, 20 points of 2 features, for 400 records)
    """
    points = np.random.default_rng(seed).normal(centre, 1.0, (20, inputs))
    return RKME(points.astype(np.float32), np.full(20, 0.05), n=400)


def a_learnware(
    inputs: int = 3,
    centre: float = 0.0,
    seed: int = 0,
    answer: str = "X.sum(axis=1)",
    module: str | None = None,
    padding: int = 0,
    **changes: Any,
) -> bytes:
    """Return the archive of a learnware that answers with an expression of X; it needs numpy only.

    Parameters
    ----------
    inputs, centre, seed
        Of its specification.
    answer, module
        What its model computes; or all of its module.
    padding
        Bytes that cannot be compressed, to make it larger.
    changes
        Fields in which its semantic specification differs from `a_semantic`.

    Examples
    --------
    >>> a_learnware()[:2]
    b'PK'
    """
    specification = a_specification(inputs, centre, seed)
    entry = StatisticalEntry("RKMETableSpecification", "stat.json", {})
    manifest = Manifest("Model", statistical=(entry,), semantic_file=_SEMANTIC_NAME)
    files = {
        MANIFEST_NAME: manifest.dump(),
        "__init__.py": (module or _MODULE.format(inputs=inputs, answer=answer)).encode(),
        "stat.json": dumps_specification(specification),
        "requirements.txt": b"numpy\n",
        _SEMANTIC_NAME: a_semantic(inputs, **changes).dumps().encode(),
    }
    if padding:
        files["padding.bin"] = np.random.default_rng(seed).bytes(padding)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            # One date for all: equal learnwares are equal bytes.
            packed.writestr(zipfile.ZipInfo(name, (2024, 8, 25, 0, 0, 0)), content)
    return buffer.getvalue()
