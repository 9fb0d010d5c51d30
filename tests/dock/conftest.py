"""Small learnwares for the dock's tests: real archives whose model needs numpy only."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beimingwu.dock import Dock, Step
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.records import Draft
from beimingwu.dock.testing import a_semantic, a_specification
from beimingwu.specification.files import dumps_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification

SUMS = """
import numpy as np


class Model:
    input_shape = ({inputs},)
    output_shape = (1,)

    def predict(self, X):
        return {answer}
"""
MANIFEST = """
model: {class_name: Model}
stat_specifications:
  - module_path: learnware.specification
    class_name: RKMETableSpecification
    file_name: stat.json
    kwargs: {}
"""


def an_archive(
    inputs: int = 3,
    centre: float = 0.0,
    seed: int = 0,
    answer: str = "X.sum(axis=1)",
    module: str | None = None,
    specification: bytes | None = None,
    **files: bytes,
) -> bytes:
    """The zip of a learnware that answers with an expression of X."""
    content = {
        "learnware.yaml": MANIFEST.encode(),
        "__init__.py": (module or SUMS.format(inputs=inputs, answer=answer)).encode(),
        "stat.json": specification or dumps_specification(a_specification(inputs, centre, seed)),
        "requirements.txt": b"numpy\n",
        **files,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in content.items():
            # One date for all: equal learnwares are equal bytes.
            packed.writestr(zipfile.ZipInfo(name, (2024, 8, 25, 0, 0, 0)), data)
    return buffer.getvalue()


@pytest.fixture
def archive() -> Callable[..., bytes]:
    return an_archive


@pytest.fixture
def semantic() -> Callable[..., SemanticSpecification]:
    return a_semantic


@pytest.fixture
def specification() -> Callable[..., RKME]:
    return a_specification


@pytest.fixture
def shared_dock(postgresql: Any, empty_dock: str) -> Iterator[str]:
    """The URL of a catalogue without learnwares, for what only PostgreSQL has."""
    with postgresql.database(empty_dock) as url:
        yield url


@pytest.fixture
def dock(tmp_path: Path, database: str) -> Iterator[Dock]:
    with Dock.open(tmp_path / "dock") as opened:
        yield opened


@pytest.fixture
def submitted(dock: Dock) -> Callable[..., str]:
    """Submit a learnware and return its id once it is published."""

    def submit(name: str = "Sums of columns", owner: str = "", **kind: Any) -> str:
        about = {key: kind.pop(key) for key in tuple(kind) if key in _SEMANTIC}
        wanted = a_semantic(kind.get("inputs", 3), name=name, **about)
        return dock.submit(an_archive(**kind), wanted, owner=owner).wait().id

    return submit


_SEMANTIC = ("task", "data", "library", "scenarios", "license", "description", "input", "output")


def a_draft(digest: str = "a", **changes: Any) -> Draft:
    """What the cheap checks hand to the catalogue; no blobs behind it."""
    return Draft(
        archive_sha256=digest * 64 if len(digest) == 1 else digest,
        size=1000,
        specification_sha256="f" * 64,
        semantic=a_semantic(**changes),
        kind="table",
        dimension=3,
        steps=(Step("archive", "passed", "1,000 bytes."),),
    )


@pytest.fixture
def draft() -> Callable[..., Draft]:
    return a_draft


@pytest.fixture
def catalogue(tmp_path: Path, database: str) -> Iterator[Catalogue]:
    opened = Catalogue(database or tmp_path / "catalogue.sqlite")
    yield opened
    opened.close()


def publish(catalogue: Catalogue, digest: str, **changes: Any) -> str:
    """Put a published learnware into a catalogue without running anything."""
    entered = catalogue.submit("", a_draft(digest, **changes))
    claimed = catalogue.claim(entered.key, "me", lambda name: False)
    assert claimed is not None
    assert catalogue.publish(claimed, Step("accommodate", "passed", "Published."))
    return entered.learnware


@pytest.fixture(scope="session")
def published() -> Callable[..., str]:
    return publish
