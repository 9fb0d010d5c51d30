"""What the catalogue takes and hands out within the dock: drafts, and revisions with their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from beimingwu.errors import Conflict, NotFound
from beimingwu.learnware.record import LearnwareRecord, State, Step, require_id
from beimingwu.specification.semantic import SemanticSpecification

#: The steps that answer at once, before there is a row; the others run behind.
CHEAP = ("archive", "manifest", "semantic", "statistical")


@dataclass(frozen=True)
class Draft:
    """A submission that passed the cheap checks: its blobs are stored, its row is not.

    Parameters
    ----------
    archive_sha256, size
        The archive's blob and its length in bytes.
    specification_sha256
        The statistical specification's blob.
    semantic
        The semantic specification in force.
    kind, dimension
        What the statistical specification is of, and the number of values in one record.
    steps
        The cheap checks that it passed.
    environment
        The exact packages it runs with, where a revision before it was verified with them.
    """

    archive_sha256: str
    size: int
    specification_sha256: str
    semantic: SemanticSpecification
    kind: str
    dimension: int
    steps: tuple[Step, ...]
    environment: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Once:
    """A submission that may be asked for again, and is then the one that was made before.

    Parameters
    ----------
    key
        What its owner calls it.
    fingerprint
        SHA-256 of all that was asked; another one under the same key is refused.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True)
class Revision:
    """One immutable version of a learnware; only its state and its checks move on."""

    key: int
    learnware: str
    owner: str
    number: int
    state: State
    archive_sha256: str
    size: int
    specification_sha256: str
    semantic: SemanticSpecification
    kind: str
    dimension: int
    steps: tuple[Step, ...]
    environment: Mapping[str, object] | None
    claimant: str | None
    created: datetime
    changed: datetime

    @classmethod
    def from_row(cls, row: Mapping[str, Any], owner: str) -> Revision:
        """Read a row of the table `revision`."""
        return cls(
            key=row["id"],
            learnware=id_of(row["learnware"]),
            owner=owner,
            number=row["number"],
            state=cast(State, row["state"]),
            archive_sha256=row["archive_sha256"],
            size=row["size"],
            specification_sha256=row["specification_sha256"],
            semantic=SemanticSpecification.from_json(row["semantic"]),
            kind=row["kind"],
            dimension=row["dimension"],
            steps=tuple(Step.from_json(step) for step in row["checks"]),
            environment=json.loads(row["environment"]) if row["environment"] else None,
            claimant=row["claimant"],
            created=row["created"],
            changed=row["changed"],
        )


def record_of(revision: Revision, state: State, created: datetime) -> LearnwareRecord:
    """Return the record of a learnware that shows `revision`."""
    return LearnwareRecord(
        id=revision.learnware,
        name=revision.semantic.name,
        owner=revision.owner,
        state=state,
        revision=revision.number,
        semantic=revision.semantic,
        kind=revision.kind,
        dimension=revision.dimension,
        size=revision.size,
        sha256=revision.archive_sha256,
        created=created,
        changed=revision.changed,
        steps=revision.steps,
        environment=revision.environment,
    )


def id_of(number: int) -> str:
    """Return a learnware's public id.

    Examples
    --------
    >>> id_of(42)
    '00000042'
    """
    return f"{number:08d}"


def number_of(id: str) -> int:
    """Return the row number behind a public id.

    Raises
    ------
    NotFound
        No id looks like this.

    Examples
    --------
    >>> number_of("00000042")
    42
    """
    require_id(id)
    return int(id)


def no_revision(id: str, number: int) -> NotFound:
    """Return the error for a revision that a learnware does not have."""
    return NotFound(
        f"Learnware {id} has no revision {number}.",
        remedy=f"See what it has with `show {id}`.",
        code="not_found.revision",
    )


def updated(id: str) -> Conflict:
    """Return the error for a change that was made from what is not the newest any more."""
    return Conflict(
        f"Learnware {id} was updated by somebody else meanwhile.",
        remedy="Look at what it is now with `show`, then update again.",
        code="conflict.updated",
    )


def no_learnware(id: str) -> NotFound:
    """Return the error for an id that no learnware has, or that was deleted."""
    return NotFound(
        f"There is no learnware {id} in this dock.",
        remedy="Look for it with `list` or `search`; a deleted id is never used again.",
        code="not_found.learnware",
    )
