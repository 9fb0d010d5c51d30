"""Whether the service is alive and ready, and its measurements, for those who run it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from beimingwu.server.permissions import AnAdmin, Anyone
from beimingwu.server.service import TheService

router = APIRouter(include_in_schema=False)


@router.get("/healthz", response_class=PlainTextResponse)
def healthz(caller: Anyone) -> str:
    """Answer while the process is alive."""
    return "OK"


@router.get("/readyz", response_class=PlainTextResponse)
def readyz(caller: Anyone, service: TheService) -> str:
    """Answer while the database answers too."""
    service.accounts.is_ready()
    return "OK"


@router.get("/metrics")
def metrics(caller: AnAdmin, request: Request) -> Response:
    """Return the measurements; Prometheus reads them with a token of the scope `admin`."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
