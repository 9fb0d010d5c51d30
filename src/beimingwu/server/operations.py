"""Whether the service is alive and ready, and its measurements, for those who run it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from beimingwu.server.permissions import Anyone
from beimingwu.server.service import TheService

router = APIRouter(include_in_schema=False)


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz(caller: Anyone) -> str:
    """Answer while the process is alive."""
    return "OK"


@router.get("/readyz", response_class=PlainTextResponse)
def readyz(caller: Anyone, service: TheService) -> str:
    """Answer while the database answers too."""
    service.accounts.is_ready()
    return "OK"
