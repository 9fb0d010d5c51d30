"""What the routes are about, put together once: the dock, its accounts, and the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from beimingwu.accounts import Accounts
from beimingwu.config import Settings
from beimingwu.dock import Dock
from beimingwu.server.housekeeping import housekeeping
from beimingwu.server.searching import Searchers
from beimingwu.server.work import Work


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
    searchers: Searchers

    @property
    def https(self) -> bool:
        """Whether people reach it by https, though perhaps through a proxy."""
        return self.url.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of a session's cookie; by https one that no other host can set."""
        return "__Host-beimingwu_session" if self.https else "beimingwu_session"


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
    with Dock.open(settings.dock, database=settings.database, workers=0) as dock:
        work = Work(dock, settings.workers)
        dock.hand_over(work)
        work.start()
        where = (settings.url or url).rstrip("/")
        accounts = Accounts(dock.database, settings, where)
        searchers = Searchers(dock, settings.searchers)
        with housekeeping(accounts), closing(searchers):
            yield Service(dock, accounts, settings, where, searchers)


def _service(request: Request) -> Service:
    found = request.app.state.service
    assert isinstance(found, Service)  # noqa: S101
    return found


#: The service, as a parameter of a route.
TheService = Annotated[Service, Depends(_service)]
