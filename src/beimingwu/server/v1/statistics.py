"""How much the dock holds, and how much it is used."""

from __future__ import annotations

import shutil

from fastapi import APIRouter, Response
from pydantic import Field

from beimingwu.server.metrics import STATES
from beimingwu.server.permissions import AnAdmin, Anyone
from beimingwu.server.service import TheService
from beimingwu.server.v1.views import View

router = APIRouter(tags=["statistics"])


class Statistics(View):
    """What anybody may know."""

    learnwares: int = Field(examples=[128], description="How many are published.")
    facets: dict[str, dict[str, int]] = Field(
        examples=[{"task": {"Regression": 70, "Classification": 58}}],
        description="How many of them have each value.",
    )


class FullStatistics(Statistics):
    """What admins may know."""

    states: dict[str, int] = Field(examples=[{"published": 128, "rejected": 3}])
    accounts: dict[str, int] = Field(examples=[{"active": 40, "unconfirmed": 2}])
    used: dict[str, int] = Field(
        examples=[{"search": 5120, "download": 640}], description="How often, since ever."
    )
    disk_free: int = Field(examples=[53687091200], description="In bytes, where the blobs are.")


@router.get("/statistics", operation_id="getStatistics")
def statistics(caller: Anyone, service: TheService, response: Response) -> Statistics:
    """Return how many learnwares are published, and what for."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return Statistics(learnwares=service.dock.count(), facets=service.dock.facets())


@router.get("/admin/statistics", operation_id="getFullStatistics", tags=["administration"])
def full_statistics(caller: AnAdmin, service: TheService) -> FullStatistics:
    """Return how many learnwares and accounts are in each state, and how often is asked."""
    dock = service.dock
    return FullStatistics(
        learnwares=dock.count(),
        facets=dock.facets(),
        states={state: dock.count(state=state) for state in STATES},
        accounts=service.accounts.people.counts(),
        used=service.accounts.tallies.totals(),
        disk_free=shutil.disk_usage(dock.folder).free,
    )
