"""The routes of version 1, one module per resource; each has a `router`."""

from __future__ import annotations

from fastapi import APIRouter

from beimingwu.server.v1 import vocabulary

#: Every resource, in the order of the schema.
ROUTERS: tuple[APIRouter, ...] = (vocabulary.router,)
