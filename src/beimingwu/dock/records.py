"""What the catalogue hands out: frozen views of a learnware, its revisions and its checks."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, cast

from beimingwu.dock.schema import State
from beimingwu.errors import NotFound
from beimingwu.specification.semantic import SemanticSpecification

#: The steps that answer at once, before there is a row; the others run behind.
CHEAP = ("archive", "manifest", "semantic", "statistical")


@dataclass(frozen=True)
class Step:
    """One step of a submission: what was looked at, and what came of it.

    Parameters
    ----------
    name
        `archive`, `manifest`, `semantic`, `statistical`, `environment`, `usability` or
        `accommodate`.
    state
        Whether the learnware passed; `warned` where it did, and its owner should mend something.
    message
        One or two sentences for its owner.
    code
        Stable machine code: `ok`, or that of the rule it broke, or of the first warning.
    seconds
        How long the step took.
    remedy
        What to do about a failure or a warning.

    Examples
    --------
    >>> Step("manifest", "passed", "Model in __init__.py, 1 statistical specification.").code
    'ok'
    """

    name: str
    state: Literal["passed", "warned", "failed"]
    message: str
    code: str = "ok"
    seconds: float = 0.0
    remedy: str = ""

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Step:
        """Read what `to_json` wrote."""
        return cls(**{field.name: given[field.name] for field in fields(cls)})

    def to_json(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "name": self.name,
            "state": self.state,
            "message": self.message,
            "code": self.code,
            "seconds": round(self.seconds, 4),
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Event:
    """One change of a learnware's state, as the audit keeps it for good.

    Parameters
    ----------
    at
        When, in UTC.
    kind
        `submitted`, `verifying`, `interrupted` (the process that verified it died), `published`,
        `rejected`, `amended`, `withdrawn`, `restored` or `deleted`.
    revision
        Number of the revision it happened to.
    actor
        Who did it: the owner, or the process that verifies.
    detail
        More, such as the code of a rejection.
    """

    at: datetime
    kind: str
    revision: int
    actor: str
    detail: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "at": self.at.isoformat(),
            "kind": self.kind,
            "revision": self.revision,
            "actor": self.actor,
            "detail": dict(self.detail),
        }


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


@dataclass(frozen=True)
class LearnwareRecord:
    """What the dock says about a learnware without opening it.

    Parameters
    ----------
    id
        Eight digits.
    state
        Of the learnware; its newest revision may be on its way behind a published one.
    revision
        Number of the revision shown: the published one, or the newest where none is.
    size
        Bytes of the archive; `sha256` is its digest.
    steps
        The log of the checks of the revision shown.
    environment
        The lock of the packages it runs with; None where it was tried with the dock's own.
    """

    id: str
    name: str
    owner: str
    state: State
    revision: int
    semantic: SemanticSpecification
    kind: str
    dimension: int
    size: int
    sha256: str
    created: datetime
    changed: datetime
    steps: tuple[Step, ...]
    environment: Mapping[str, object] | None

    @classmethod
    def of(cls, revision: Revision, state: State, created: datetime) -> LearnwareRecord:
        """Return the record that shows `revision`."""
        return cls(
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

    def __repr__(self) -> str:
        return f"<learnware {self.id} {self.name!r}, {self.state}, revision {self.revision}>"

    def _repr_html_(self) -> str:
        facts = {
            "state": self.state,
            "revision": self.revision,
            "data": f"{self.semantic.data}, {self.dimension} values",
            "task": self.semantic.task,
            "library": self.semantic.library,
            "license": self.semantic.license,
            "owner": self.owner or "-",
        }
        rows = "".join(
            f"<tr><th>{name}</th><td>{html.escape(str(value))}</td></tr>"
            for name, value in facts.items()
        )
        title = html.escape(f"{self.id} {self.name}")
        return f"<table><caption>{title}</caption>{rows}</table>"


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
    if not (isinstance(id, str) and id.isascii() and id.isdigit() and id_of(int(id)) == id):
        raise NotFound(
            f"No learnware is called {id!r}.",
            remedy="An id is eight digits, such as 00000042; `list` shows them.",
            code="not_found.id",
        )
    return int(id)


def no_learnware(id: str) -> NotFound:
    """Return the error for an id that no learnware has, or that was deleted."""
    return NotFound(
        f"There is no learnware {id} in this dock.",
        remedy="Look for it with `list` or `search`; a deleted id is never used again.",
        code="not_found.learnware",
    )
