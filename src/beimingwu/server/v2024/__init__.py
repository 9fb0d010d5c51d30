"""The protocol of 2024 at /api: every route of it, on what version 1 is on too.

Its clients are those of the public `learnware` package and pages written for the dock of 2024. A
route answers in the shape that they read; where the old service did what is not safe, the answer
has that shape still.
"""

from __future__ import annotations

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from beimingwu.server.service import Service
from beimingwu.server.v2024 import (
    admin,
    auth,
    datasets,
    downloads,
    engine,
    envelope,
    health,
    search,
    tokens,
    uploads,
    user,
)
from beimingwu.server.v2024.tickets import Tickets

ROUTERS = (
    health.router,
    auth.router,
    user.router,
    tokens.router,
    uploads.router,
    engine.router,
    search.router,
    downloads.router,
    admin.router,
    datasets.router,
)
#: So many learnwares are packed for downloads at a time: it takes a processor and the disk.
_PACKED_AT_ONCE = 2


def protocol_2024(service: Service) -> FastAPI:
    """Return the application to be mounted at /api."""
    downloads.sweep(service.dock.folder)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.service = service
    app.state.tickets = Tickets()
    app.state.packing = CapacityLimiter(_PACKED_AT_ONCE)
    envelope.install(app)
    for router in ROUTERS:
        app.include_router(router)
    # Pages of any site may ask: a browser sends nothing here that it was not given by the page.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
    )
    return app
