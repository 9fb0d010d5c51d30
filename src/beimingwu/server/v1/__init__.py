"""The routes of version 1, one module per resource; each has a `router`."""

from __future__ import annotations

from fastapi import APIRouter

from beimingwu.server.v1 import (
    account,
    accounts,
    admin,
    archives,
    devices,
    downloads,
    learnwares,
    reports,
    revisions,
    search,
    sessions,
    specifications,
    statistics,
    tokens,
    uploads,
    verification,
    vocabulary,
)

#: Every resource, in the order of the schema.
ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    sessions.router,
    account.router,
    tokens.router,
    devices.router,
    vocabulary.router,
    uploads.router,
    learnwares.router,
    revisions.router,
    verification.router,
    specifications.router,
    archives.router,
    downloads.router,
    search.router,
    reports.router,
    statistics.router,
    admin.router,
)
