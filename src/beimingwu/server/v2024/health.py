"""Whether the service is alive, where the old one said so."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from beimingwu.server.v2024.callers import AStranger

router = APIRouter()


@router.get("/healthz", response_class=PlainTextResponse, name="2024 healthz")
def healthz(caller: AStranger) -> str:
    """Answer while the process is alive."""
    return "OK"
