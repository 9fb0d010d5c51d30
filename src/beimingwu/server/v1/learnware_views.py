"""How learnwares, their revisions, verifications and events are shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field

from beimingwu.dock.records import Revision
from beimingwu.dock.submission import Submission
from beimingwu.learnware.record import Event, LearnwareRecord, State, Step
from beimingwu.server.permissions import Caller
from beimingwu.server.seeing import is_insider
from beimingwu.server.service import Service
from beimingwu.server.v1.views import View

#: The id of a learnware in a path, and the number of one of its revisions.
Id = Annotated[str, Path(pattern=r"^[0-9]{8}$", examples=["00000042"])]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
Digest = Annotated[
    str,
    Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]),
]
Moment = Annotated[datetime, Field(examples=["2026-11-23T21:55:43Z"])]

SEMANTIC_EXAMPLE: dict[str, Any] = {
    "Data": {"Type": "Class", "Values": ["Table"]},
    "Task": {"Type": "Class", "Values": ["Regression"]},
    "Library": {"Type": "Class", "Values": ["Scikit-learn"]},
    "Scenario": {"Type": "Tag", "Values": ["Nature"]},
    "License": {"Type": "Class", "Values": ["MIT"]},
    "Name": {"Type": "String", "Values": "Air in spring"},
    "Description": {"Type": "String", "Values": "PM2.5 from the weather of a station."},
    "Input": {"Dimension": 2, "Description": {"0": "temperature", "1": "wind"}},
    "Output": {"Dimension": 1, "Description": {"0": "PM2.5"}},
}
Semantic = Annotated[
    dict[str, Any],
    Field(
        examples=[SEMANTIC_EXAMPLE],
        description="What a learnware is for, in the form of 2024; see getVocabulary for values.",
    ),
]


class StepView(View):
    """One check of a verification, and what came of it."""

    name: str = Field(examples=["usability"])
    state: Literal["passed", "warned", "failed"] = Field(examples=["passed"])
    message: str = Field(examples=["Answered 64 records drawn from its specification."])
    code: str = Field(examples=["ok"])
    seconds: float = Field(examples=[0.31])
    remedy: str = Field(examples=[""])

    @classmethod
    def of(cls, step: Step) -> StepView:
        """Show a step."""
        return cls.model_validate(step, from_attributes=True)


class LearnwareView(View):
    """A learnware as the dock tells of it: the published revision, or the newest where none is."""

    id: str = Field(examples=["00000042"])
    name: str = Field(examples=["Air in spring"])
    owner: str = Field(examples=["account:7"])
    owner_name: str = Field(examples=["Ada Lovelace"])
    state: State = Field(examples=["published"])
    revision: int = Field(examples=[1])
    semantic: Semantic
    kind: str = Field(examples=["table"])
    dimension: int = Field(examples=[2])
    size: int = Field(examples=[48213], description="Bytes of the archive.")
    sha256: Digest
    created: Moment
    changed: Moment
    steps: list[StepView] = Field(description="The log of the checks; for its owner only.")
    environment: dict[str, Any] | None = Field(
        examples=[None], description="The exact packages that it was verified with."
    )


class RevisionView(View):
    """One version of a learnware; only its state moves on."""

    learnware: str = Field(examples=["00000042"])
    number: int = Field(examples=[1])
    state: State = Field(examples=["published"])
    name: str = Field(examples=["Air in spring"])
    semantic: Semantic
    size: int = Field(examples=[48213])
    sha256: Digest
    created: Moment
    changed: Moment

    @classmethod
    def of(cls, revision: Revision) -> RevisionView:
        """Show a revision."""
        return cls(
            learnware=revision.learnware,
            number=revision.number,
            state=revision.state,
            name=revision.semantic.name,
            semantic=revision.semantic.to_json(),
            size=revision.size,
            sha256=revision.archive_sha256,
            created=revision.created,
            changed=revision.changed,
        )


class VerificationView(View):
    """How the verification of a revision stands."""

    learnware: str = Field(examples=["00000042"])
    revision: int = Field(examples=[1])
    state: State = Field(examples=["verifying"])
    doing: str = Field(
        examples=["Resolved 12 packages"], description="What its step is busy with, where known."
    )
    steps: list[StepView]

    @classmethod
    def of(cls, submission: Submission) -> VerificationView:
        """Show how a submission stands."""
        return cls(
            learnware=submission.id,
            revision=submission.number,
            state=submission.state,
            doing=submission.doing,
            steps=[StepView.of(step) for step in submission.steps],
        )


class LearnwareEventView(View):
    """Something that happened to a learnware."""

    at: Moment
    kind: str = Field(examples=["published"])
    revision: int = Field(examples=[1])
    actor: str = Field(
        examples=["account:7"],
        description="The account of the owner, or `admin`; which admin, admins are told.",
    )
    detail: dict[str, Any] = Field(examples=[{}])

    @classmethod
    def of(cls, event: Event) -> LearnwareEventView:
        """Show an event."""
        return cls.model_validate(event, from_attributes=True)


def shown(
    service: Service, caller: Caller, records: Iterable[LearnwareRecord]
) -> list[LearnwareView]:
    """Show learnwares to a caller, with the names of their owners."""
    records = list(records)
    names = service.accounts.people.names({record.owner for record in records})
    return [_view(caller, record, names.get(record.owner, record.owner)) for record in records]


def _view(caller: Caller, record: LearnwareRecord, owner_name: str) -> LearnwareView:
    told = {**record.to_json(), "owner_name": owner_name}
    if not is_insider(caller, record):
        told["steps"] = []
    return LearnwareView.model_validate(told)
