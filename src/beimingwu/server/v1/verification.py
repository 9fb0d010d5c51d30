"""How a submission comes along: its log now, or each step of it as it ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from beimingwu.dock.submission import Submission
from beimingwu.errors import BeimingwuError
from beimingwu.learnware.record import UNFINISHED
from beimingwu.server.permissions import WithRead
from beimingwu.server.problems import documented
from beimingwu.server.seeing import owned
from beimingwu.server.service import TheService
from beimingwu.server.v1.learnware_views import Id, Number, StepView, VerificationView

router = APIRouter(prefix="/learnwares/{id}/revisions/{number}/verification", tags=["verification"])

#: Between two looks, and between two signs of life on a silent stream, in seconds.
_LOOK_AGAIN, _SIGN_OF_LIFE = 0.25, 15.0
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/event-stream": {
                # Of each event, as those read it who test by this schema.
                "schema": {
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {
                        "id": {"type": "string", "pattern": "^[0-9]+$"},
                        "event": {"enum": ["step", "doing", "end"]},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                },
                "example": 'id: 1\nevent: step\ndata: {"name": "archive", "state": "passed"}\n\n'
                'event: end\ndata: {"state": "published"}\n\n',
            }
        },
        "description": "Events `step`, `doing` and, as the last, `end` with the state it came to.",
    }
}


@router.get("", operation_id="getVerification", responses=documented(404))
def get_verification(
    caller: WithRead, service: TheService, id: Id, number: Number
) -> VerificationView:
    """Return how the verification of a revision stands; for its owner."""
    owned(service.dock, caller, id)
    return VerificationView.of(service.dock.submission(id, number))


@router.get(
    "/events",
    operation_id="followVerification",
    response_class=StreamingResponse,
    responses={**documented(404), **_STREAM},
)
def follow_verification(
    caller: WithRead,
    service: TheService,
    request: Request,
    id: Id,
    number: Number,
    last_event_id: Annotated[int, Header(ge=0, le=1000, description="Steps known already.")] = 0,
) -> StreamingResponse:
    """Send each step of a verification as it ends, as server-sent events; for its owner."""
    owned(service.dock, caller, id)
    submission = service.dock.submission(id, number)
    return StreamingResponse(
        _events(submission, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(submission: Submission, told: int) -> AsyncIterator[str]:
    doing, heard = "", time.monotonic()
    while True:
        try:
            now = await run_in_threadpool(VerificationView.of, submission)
        except BeimingwuError as gone:
            yield _event("end", {"state": "deleted", "code": gone.code})
            return
        for position, step in enumerate(now.steps[told:], start=told + 1):
            yield _step(position, step)
        told = max(told, len(now.steps))
        if now.state not in UNFINISHED:
            yield _event("end", {"state": now.state})
            return
        if now.doing != doing:
            doing, heard = now.doing, time.monotonic()
            yield _event("doing", {"doing": doing})
        elif time.monotonic() - heard > _SIGN_OF_LIFE:
            heard = time.monotonic()
            yield ": still at it\n\n"
        await asyncio.sleep(_LOOK_AGAIN)


def _step(position: int, step: StepView) -> str:
    return f"id: {position}\n{_event('step', step.model_dump())}"


def _event(name: str, data: dict[str, object]) -> str:
    # JSON has no line breaks of its own, so it is one line of data.
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
