"""What a dock says about its learnwares: their states, checks and events, in frozen views.

A dock in a folder and a client of one on a server hand out the same ones.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from beimingwu.errors import NotFound
from beimingwu.specification.semantic import SemanticSpecification

#: Where a learnware stands, and each of its revisions.
State = Literal[
    "uploaded", "verifying", "published", "rejected", "withdrawn", "quarantined", "deleted"
]
#: A revision in one of these waits for its verification.
UNFINISHED: tuple[State, ...] = ("uploaded", "verifying")


def require_id(id: str) -> None:
    """Refuse what is no id of a learnware: eight digits, or more where there are so many.

    Raises
    ------
    NotFound
        No id looks like this.

    Examples
    --------
    >>> require_id("00000042")
    """
    # No database counts further than this; and Python reads no longer numbers than some.
    digits = isinstance(id, str) and len(id) <= 10 and id.isascii() and id.isdigit()
    if not (digits and f"{int(id):08d}" == id and int(id) < 2**31):
        raise NotFound(
            f"No learnware is called {id!r}.",
            remedy="An id is eight digits, such as 00000042; `list` shows them.",
            code="not_found.id",
        )


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
        `rejected`, `amended`, `withdrawn`, `restored`, `quarantined`, `released` or `deleted`.
    revision
        Number of the revision it happened to.
    actor
        Who did it: the owner, the process that verifies, or an admin (of a service, which tells the
        owner no more than that).
    detail
        More, such as the code of a rejection.
    """

    at: datetime
    kind: str
    revision: int
    actor: str
    detail: Mapping[str, object]

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Event:
        """Read what `to_json` wrote."""
        values = {field.name: given[field.name] for field in fields(cls)}
        return cls(**{**values, "at": datetime.fromisoformat(given["at"])})

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
    def from_json(cls, given: Mapping[str, Any]) -> LearnwareRecord:
        """Read what `to_json` wrote; what else stands there is passed over."""
        return cls(
            **{
                **{field.name: given[field.name] for field in fields(cls)},
                "semantic": SemanticSpecification.from_json(given["semantic"]),
                "created": datetime.fromisoformat(given["created"]),
                "changed": datetime.fromisoformat(given["changed"]),
                "steps": tuple(Step.from_json(step) for step in given["steps"]),
            }
        )

    def to_json(self) -> dict[str, object]:
        """Return a JSON object; `semantic` is in the form of 2024."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "semantic": self.semantic.to_json(),
            "created": self.created.isoformat(),
            "changed": self.changed.isoformat(),
            "steps": [step.to_json() for step in self.steps],
            "environment": None if self.environment is None else dict(self.environment),
        }

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
