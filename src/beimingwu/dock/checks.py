"""The checks that answer at once: archive, manifest, semantic and statistical specification.

Nothing here runs the learnware or imports what its manifest names. A refusal is the error itself,
raised in the submitter's call, before the catalogue knows anything.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from beimingwu.errors import InvalidSpecification
from beimingwu.learnware.archive import Archive, open_archive
from beimingwu.learnware.record import Step
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification

#: What a user may pass as a semantic specification: ours, or the JSON of 2024.
Semantic = SemanticSpecification | Mapping[str, object] | str | bytes

_KIND_OF_DATA = {"Table": "table", "Text": "text", "Image": "image"}


@dataclass(frozen=True)
class Inspected:
    """An archive that passed: its two specifications, and the log."""

    semantic: SemanticSpecification
    specification: RKME
    steps: tuple[Step, ...]


def inspect(
    path: Path,
    semantic: SemanticSpecification | None,
    otherwise: SemanticSpecification | None = None,
) -> Inspected:
    """Run the cheap checks over an archive.

    Parameters
    ----------
    path
        The archive.
    semantic
        The semantic specification to use instead of the one embedded in the archive.
    otherwise
        The one to use when the archive has none either.

    Raises
    ------
    InvalidArchive, InvalidSpecification, TooLarge
        The first rule that is broken.
    """
    log = _Log()
    with closing(open_archive(path)) as archive:
        log.passed("archive", f"{archive.size:,} bytes, read safely to the end.")
        manifest = archive.manifest
        requirements = archive.requirements()
        log.passed(
            "manifest",
            f"{manifest.class_name} in {manifest.module_path}; "
            f"{len(manifest.statistical)} statistical specification(s); {requirements.kind}.",
        )
        chosen = semantic or _embedded(archive, otherwise)
        log.passed("semantic", f"{chosen.name}: {chosen.data}, {chosen.task}.")
        specification = archive.specification()
    check_statistical(specification, chosen)
    log.passed("statistical", f"{specification!r}.")
    return Inspected(chosen, specification, tuple(log.steps))


def read_semantic(given: Semantic | None) -> SemanticSpecification | None:
    """Return the semantic specification that a caller passed, None for none.

    Raises
    ------
    InvalidSpecification
        It breaks its rules.
    """
    if given is None or isinstance(given, SemanticSpecification):
        return given
    return SemanticSpecification.from_json(given)


def check_statistical(specification: RKME, semantic: SemanticSpecification) -> None:
    """Refuse a statistical specification that is not of what the semantic one says.

    Raises
    ------
    InvalidSpecification
        Codes `statistical.kind`, `statistical.dimension`, `statistical.self_distance`.
    """
    expected = _KIND_OF_DATA[semantic.data]
    if specification.kind != expected:
        raise InvalidSpecification(
            f"The statistical specification is of kind {specification.kind!r}, and the data type "
            f"of the learnware is {semantic.data!r}.",
            remedy=f"Make a specification of kind {expected!r}, or correct the data type.",
            code="statistical.kind",
        )
    if semantic.input is not None and semantic.data == "Table":
        _check_dimension(specification, semantic.input.dimension)
    if specification.kernel is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            distance = specification.mmd2(specification)
        # A distance of NaN compares false with everything, so ask for what is wanted.
        if not np.isfinite(distance) or not np.isfinite(specification.inner(specification)):
            raise InvalidSpecification(
                "The specification's distance to itself is not finite: its values are too large.",
                remedy="Bring the features to a sensible scale and make the specification again.",
                code="statistical.self_distance",
            )


def _check_dimension(specification: RKME, declared: int) -> None:
    if specification.shape != (declared,):
        raise InvalidSpecification(
            f"The statistical specification has shape {specification.shape} per record, and "
            f"Input.Dimension is {declared}.",
            remedy="Make the specification from the columns that the model takes, or correct "
            "Input.Dimension.",
            code="statistical.dimension",
        )


def _embedded(archive: Archive, otherwise: SemanticSpecification | None) -> SemanticSpecification:
    semantic = archive.semantic() or otherwise
    if semantic is None:
        raise InvalidSpecification(
            "The learnware has no semantic specification: none was given and none is embedded.",
            remedy="Pass `semantic=`, or name a file under semantic_specification in the manifest.",
            code="semantic.missing",
        )
    return semantic


class _Log:
    """Collects passed steps with the time since the one before."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._since = time.perf_counter()

    def passed(self, name: str, message: str) -> None:
        now = time.perf_counter()
        self.steps.append(Step(name, "passed", message, seconds=now - self._since))
        self._since = now
