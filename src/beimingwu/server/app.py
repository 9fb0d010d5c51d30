"""The application: routes of version 1 and of 2024, within what surrounds them all."""

from __future__ import annotations

from fastapi import FastAPI

from beimingwu import __version__
from beimingwu.server import operations, problems
from beimingwu.server.metrics import Metrics
from beimingwu.server.middleware.bodies import Bodies
from beimingwu.server.middleware.protection import Protection
from beimingwu.server.middleware.requests import Requests
from beimingwu.server.openapi import describe
from beimingwu.server.permissions import require_declared
from beimingwu.server.service import Service
from beimingwu.server.v1 import ROUTERS
from beimingwu.server.v2024 import protocol_2024
from beimingwu.server.web import Web


def create_app(service: Service) -> FastAPI:
    """Return the application that serves a dock.

    Raises
    ------
    TypeError
        Some route does not declare who may call it.
    """
    app = FastAPI(
        title="Beimingwu",
        summary="A learnware dock.",
        version=__version__,
        # The schema is a route like any other (`openapi`), and documentation a page of its own.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.metrics = Metrics(service)
    problems.install(app)
    app.include_router(operations.router)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1", responses=problems.COMMON)
    app.mount("/api", protocol_2024(service))
    describe(app)
    require_declared(app)
    # The last is the outermost.
    app.add_middleware(Web, report=service.settings.web_reports)
    app.add_middleware(Bodies, limit=service.settings.request_max_bytes)
    app.add_middleware(Requests, metrics=app.state.metrics)
    app.add_middleware(Protection, https=service.https)
    return app
