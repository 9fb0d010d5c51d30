"""What the routes are about, put together once: the dock, its accounts, and the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from beimingwu.accounts import Accounts
from beimingwu.config import Settings
from beimingwu.dock import Dock
from beimingwu.dock.database import Database
from beimingwu.dock.dock import CATALOGUE


@dataclass(frozen=True)
class Service:
    """One running service; `open_service` makes it and lets go of it again.

    Parameters
    ----------
    url
        Where people reach it, without a slash at its end; links in mails begin with it.
    """

    dock: Dock
    accounts: Accounts
    settings: Settings
    url: str


@contextmanager
def open_service(settings: Settings, url: str = "") -> Iterator[Service]:
    """Open the dock of the settings as a service.

    Parameters
    ----------
    url
        Where it is reached when the settings do not say so.

    Raises
    ------
    DockDamaged, InvalidInput, SandboxUnavailable
        As `Dock.open`.
    """
    with Dock.open(settings.dock) as dock:
        database = Database(Path(dock.folder) / CATALOGUE)
        try:
            where = (settings.url or url).rstrip("/")
            yield Service(dock, Accounts(database, settings), settings, where)
        finally:
            database.close()


def _service(request: Request) -> Service:
    found = request.app.state.service
    assert isinstance(found, Service)  # noqa: S101
    return found


#: The service, as a parameter of a route.
TheService = Annotated[Service, Depends(_service)]
