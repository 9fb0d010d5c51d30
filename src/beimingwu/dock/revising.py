"""A further revision of a learnware: of a new archive, or of new words for the present one."""

from __future__ import annotations

import time
from dataclasses import replace

from beimingwu.dock.blobs import Source
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.checks import check_statistical
from beimingwu.dock.pointset import loads_pointset
from beimingwu.dock.records import CHEAP, Draft, Revision
from beimingwu.dock.storage import Storage
from beimingwu.learnware.record import Step
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification


def revise(
    catalogue: Catalogue,
    storage: Storage,
    latest: Revision,
    archive: Source | None,
    semantic: SemanticSpecification | None,
    verifier: str | None,
    actor: str,
) -> Revision:
    """Enter the revision that follows `latest`; see `Dock.update`."""
    with storage.storing() as stored:
        if archive is not None:
            draft = storage.draft(stored, archive, semantic, otherwise=latest.semantic)
            return catalogue.revise(latest.learnware, draft, latest, verifier, actor)
        base = catalogue.current(latest.learnware)
        specification = loads_pointset(storage.blobs.read(base.specification_sha256))
        draft = amended(base, semantic or base.semantic, specification)
        if needs_verification(base.semantic, draft.semantic):
            return catalogue.revise(latest.learnware, unverified(draft), latest, verifier, actor)
        return catalogue.amend(latest.learnware, draft, latest, actor)


def amended(base: Revision, semantic: SemanticSpecification, specification: RKME) -> Draft:
    """Return the draft of `base` under another semantic specification, checked against it.

    Raises
    ------
    InvalidSpecification
        The statistical specification is not of what the new semantic one says.
    """
    started = time.perf_counter()
    check_statistical(specification, semantic)
    step = Step(
        "semantic",
        "passed",
        f"{semantic.name}: {semantic.data}, {semantic.task}; amended after revision {base.number}.",
        seconds=time.perf_counter() - started,
    )
    return Draft(
        archive_sha256=base.archive_sha256,
        size=base.size,
        specification_sha256=base.specification_sha256,
        semantic=semantic,
        kind=base.kind,
        dimension=base.dimension,
        steps=tuple(step if had.name == "semantic" else had for had in base.steps),
        environment=base.environment,
    )


def unverified(draft: Draft) -> Draft:
    """Return a draft whose model is still to be tried: only the cheap checks are behind it."""
    steps = tuple(step for step in draft.steps if step.name in CHEAP)
    return replace(draft, steps=steps, environment=None)


def needs_verification(before: SemanticSpecification, after: SemanticSpecification) -> bool:
    """Tell whether the model has to be tried again: it is to take or answer something else.

    Examples
    --------
    >>> from dataclasses import replace
    >>> semantic = SemanticSpecification(
    ...     name="Sentiment", description="Whether a review is kind.", data="Text",
    ...     task="Classification", library="Others", scenarios="Business", license="MIT",
    ...     output=Dimensions(2))
    >>> needs_verification(semantic, replace(semantic, name="Kindness"))
    False
    >>> needs_verification(semantic, replace(semantic, output=Dimensions(3)))
    True
    """
    return _shape(before) != _shape(after)


def _shape(semantic: SemanticSpecification) -> tuple[object, ...]:
    return (semantic.data, semantic.task, _size(semantic.input), _size(semantic.output))


def _size(side: Dimensions | None) -> int | None:
    return None if side is None else side.dimension
