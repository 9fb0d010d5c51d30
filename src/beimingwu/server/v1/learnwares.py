"""Learnwares: listed, counted, submitted, shown, changed, withdrawn, restored, deleted."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from beimingwu.dock.records import Once
from beimingwu.dock.submission import Submission
from beimingwu.errors import InvalidInput, NotFound
from beimingwu.learnware.record import LearnwareRecord, State
from beimingwu.search.semantic import KEYS, SemanticFilter
from beimingwu.server.conditions import IF_MATCH, etag_of, is_known, require_match
from beimingwu.server.paging import LIMIT, link_next
from beimingwu.server.permissions import Anyone, Caller, WithRead, WithWrite
from beimingwu.server.problems import documented
from beimingwu.server.seeing import events_told, owned, seen
from beimingwu.server.service import Service, TheService
from beimingwu.server.v1.learnware_views import (
    Id,
    LearnwareEventView,
    LearnwareView,
    Semantic,
    VerificationView,
    shown,
)
from beimingwu.server.v1.views import Body
from beimingwu.specification.semantic import VOCABULARIES

router = APIRouter(prefix="/learnwares", tags=["learnwares"])

StateWord = Literal[
    "published", "uploaded", "verifying", "rejected", "withdrawn", "quarantined", "any"
]
_Values = Annotated[list[str], Field(max_length=50)]
_Unwanted = Annotated[list[str], Field(max_length=50, description="None with one of these.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[\x20-\x7e]{1,150}$",
        examples=["f5b6d7d1-77b5-4f3a-9d0c-0d2f6f1d8a11"],
        description="A name for this very submission: sent again, it is not made again.",
    ),
]
IfMatch = Annotated[
    str | None, Header(description="The ETag of what is changed; * for whatever it is now.")
]


def _values_of(key: str) -> Any:
    """Describe values of a facet; one that is none is refused by name, and with what was meant."""
    values: dict[str, Any] = {"type": "string", "enum": list(VOCABULARIES[key])}
    return Field([], json_schema_extra={"items": values})


class Wanted(BaseModel):
    """What learnwares have to be like; several values of one facet are alternatives."""

    model_config = ConfigDict(extra="forbid")

    data: _Values = _values_of("Data")
    task: _Values = _values_of("Task")
    library: _Values = _values_of("Library")
    license: _Values = _values_of("License")
    model: _Values = _values_of("Model")
    scenario: _Values = _values_of("Scenario")
    not_data: _Unwanted = _values_of("Data")
    not_task: _Unwanted = _values_of("Task")
    not_library: _Unwanted = _values_of("Library")
    not_license: _Unwanted = _values_of("License")
    not_model: _Unwanted = _values_of("Model")
    not_scenario: _Unwanted = _values_of("Scenario")
    text: str = Field("", max_length=1000, description="Words of names, descriptions and features.")

    def filter(self) -> SemanticFilter:
        """Return the filter that this means."""
        wanted: dict[str, Any] = {key: tuple(getattr(self, key)) for key in KEYS}
        unwanted = {key: tuple(getattr(self, f"not_{key}")) for key in KEYS}
        return SemanticFilter(**wanted, text=self.text, without=unwanted)


class Counted(Wanted):
    """What learnwares to count."""

    state: StateWord = Field(
        "published", description="Any but published is of the caller's own learnwares alone."
    )
    owner: str = Field("", max_length=200, description="Only this owner's; `me` is the caller.")


class Listed(Counted):
    """What learnwares to list, and from where on."""

    limit: int = Field(LIMIT, ge=1, le=1000, description="How many to return at most.")
    after: str | None = Field(
        None, pattern=r"^[0-9]{8}$", description="The last id of the page before."
    )


class Count(BaseModel):
    """How many there are."""

    count: int = Field(examples=[1204])


class SuggestionView(BaseModel):
    """What may have been meant by something in a text."""

    typed: str = Field(examples=["rianfall"])
    meant: str = Field(examples=["rainfall"])
    facet: str = Field(examples=[""], description="The facet that has this value, if it is one.")
    learnwares: int = Field(examples=[12], description="How many are found with it.")
    followed: bool = Field(
        examples=[True],
        description="Whether lists and searches read the text so, as no learnware says the other.",
    )


class NewLearnware(Body):
    """A learnware to be verified and published."""

    upload: str = Field(
        pattern=r"^[0-9a-f]{32}$",
        examples=["0123456789abcdef0123456789abcdef"],
        description="A complete upload of its archive.",
    )
    semantic: Semantic | None = Field(
        None, description="Used instead of the one that the archive holds, if any."
    )


class LearnwareChange(Body):
    """What a further revision differs in."""

    upload: str | None = Field(None, pattern=r"^[0-9a-f]{32}$", examples=[None])
    semantic: Semantic | None = None


@router.get("", operation_id="listLearnwares")
def list_learnwares(
    caller: Anyone,
    service: TheService,
    request: Request,
    response: Response,
    wanted: Annotated[Listed, Query()],
) -> list[LearnwareView]:
    """Return learnwares, the best match of the text or else the newest first."""
    state, owner = _whose(caller, wanted)
    records = service.dock.list(
        wanted.filter(), limit=wanted.limit, after=wanted.after, state=state, owner=owner
    )
    if len(records) == wanted.limit:
        link_next(request, response, after=records[-1].id)
    return shown(service, caller, records)


@router.get("/count", operation_id="countLearnwares")
def count_learnwares(
    caller: Anyone, service: TheService, wanted: Annotated[Counted, Query()]
) -> Count:
    """Return how many learnwares listLearnwares goes through."""
    state, owner = _whose(caller, wanted)
    return Count(count=service.dock.count(wanted.filter(), state=state, owner=owner))


@router.get("/facets", operation_id="getFacets")
def get_facets(
    caller: Anyone, service: TheService, wanted: Annotated[Wanted, Query()]
) -> dict[str, dict[str, int]]:
    """Count the published learnwares by facet and value, within the other facets."""
    return service.dock.facets(wanted.filter())


@router.get("/suggestions", operation_id="getSuggestions")
def get_suggestions(
    caller: Anyone, service: TheService, wanted: Annotated[Wanted, Query()]
) -> list[SuggestionView]:
    """Return what the text is read as, and where it finds few, what finds more."""
    return [SuggestionView(**asdict(one)) for one in service.dock.did_you_mean(wanted.filter())]


@router.post("", status_code=202, operation_id="submitLearnware", responses=documented(404, 409))
def submit_learnware(
    caller: WithWrite,
    service: TheService,
    response: Response,
    new: NewLearnware,
    idempotency_key: IdempotencyKey = None,
) -> VerificationView:
    """Submit an archive that was uploaded: what can be seen at once is checked, the rest behind."""
    owner = caller.account.owner
    # An upload is submitted once, so it is a key of its own where no other is given.
    once = Once(f"key:{idempotency_key}" if idempotency_key else f"upload:{new.upload}", _hash(new))
    submission = service.dock.asked(owner, once)
    if submission is None:
        archive = service.dock.uploads.archive(owner, new.upload)
        submission = service.dock.submit(archive, new.semantic, owner=owner, once=once)
        _used(service, owner, new.upload)
    return _accepted(response, submission)


@router.get(
    "/{id}",
    operation_id="getLearnware",
    response_model=LearnwareView,
    responses={**documented(404), 304: {"description": "It is as the caller knows it."}},
)
def get_learnware(
    caller: Anyone, service: TheService, request: Request, response: Response, id: Id
) -> Any:
    """Return what the dock says about a learnware; its ETag is for changing it."""
    record = seen(service.dock, caller, id)
    response.headers["ETag"] = etag = _etag(service, record)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    if is_known(request, etag):
        return Response(status_code=304, headers=dict(response.headers))
    return shown(service, caller, [record])[0]


@router.patch(
    "/{id}",
    status_code=202,
    operation_id="updateLearnware",
    responses=documented(404, 409, *IF_MATCH),
)
def update_learnware(
    caller: WithWrite,
    service: TheService,
    request: Request,
    response: Response,
    id: Id,
    change: LearnwareChange,
    if_match: IfMatch = None,
) -> VerificationView:
    """Make a further revision; the one before stays in force until it is published.

    New words that leave data, task and dimensions as they are are in force at once.
    """
    record = owned(service.dock, caller, id)
    if change.upload is None and change.semantic is None:
        raise InvalidInput(
            f"Nothing was given to update learnware {id} with.",
            remedy="Send `upload`, `semantic`, or both.",
            code="input.nothing_to_update",
        )
    newest = service.dock.submission(id).number
    require_match(request, _etag(service, record), needed=True)
    owner = caller.account.owner
    archive = service.dock.uploads.archive(owner, change.upload) if change.upload else None
    submission = service.dock.update(
        id, archive=archive, semantic=change.semantic, newest=newest, actor=caller.actor.name
    )
    if change.upload:
        _used(service, owner, change.upload)
    return _accepted(response, submission)


@router.delete(
    "/{id}",
    status_code=204,
    operation_id="deleteLearnware",
    responses=documented(404, *IF_MATCH),
)
def delete_learnware(
    caller: WithWrite, service: TheService, request: Request, id: Id, if_match: IfMatch = None
) -> None:
    """Delete a learnware for good; its id is never given again."""
    record = owned(service.dock, caller, id)
    require_match(request, _etag(service, record), needed=False)
    service.dock.delete(id, actor=caller.actor.name)


@router.post(
    "/{id}/withdraw",
    operation_id="withdrawLearnware",
    responses=documented(404, 409, *IF_MATCH),
)
def withdraw_learnware(
    caller: WithWrite, service: TheService, request: Request, id: Id, if_match: IfMatch = None
) -> LearnwareView:
    """Take a learnware from everybody but its owner; restoreLearnware undoes it."""
    record = owned(service.dock, caller, id)
    require_match(request, _etag(service, record), needed=False)
    service.dock.withdraw(id, actor=caller.actor.name)
    return shown(service, caller, [service.dock.show(id)])[0]


@router.post(
    "/{id}/restore",
    operation_id="restoreLearnware",
    responses=documented(404, 409, *IF_MATCH),
)
def restore_learnware(
    caller: WithWrite, service: TheService, request: Request, id: Id, if_match: IfMatch = None
) -> LearnwareView:
    """Publish a withdrawn learnware again."""
    record = owned(service.dock, caller, id)
    require_match(request, _etag(service, record), needed=False)
    service.dock.restore(id, actor=caller.actor.name)
    return shown(service, caller, [service.dock.show(id)])[0]


@router.get("/{id}/events", operation_id="listLearnwareEvents", responses=documented(404))
def list_learnware_events(
    caller: WithRead, service: TheService, id: Id
) -> list[LearnwareEventView]:
    """Return every change of a learnware's state, the first first; for its owner, also later."""
    return [LearnwareEventView.of(event) for event in events_told(service.dock, caller, id)]


def _whose(caller: Caller, wanted: Counted) -> tuple[State | None, str | None]:
    """Return the state and the owner that a list is of: what is not published is its owner's."""
    owner = caller.account.owner if wanted.owner == "me" else wanted.owner or None
    if wanted.state != "published" and not caller.is_admin:
        if owner is None:
            owner = caller.account.owner
        caller.require_owner(owner)
    return None if wanted.state == "any" else wanted.state, owner


def _etag(service: Service, record: LearnwareRecord) -> str:
    newest = service.dock.submission(record.id)
    return etag_of([record.to_json(), newest.number, newest.state])


def _hash(new: NewLearnware) -> str:
    text = json.dumps(new.model_dump(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _used(service: Service, owner: str, upload: str) -> None:
    """Forget an upload whose archive is a learnware's now."""
    with suppress(NotFound):
        service.dock.uploads.drop(owner, upload)


def _accepted(response: Response, submission: Submission) -> VerificationView:
    path = f"/v1/learnwares/{submission.id}/revisions/{submission.number}/verification"
    response.headers["Location"] = path
    return VerificationView.of(submission)
