"""A service in this process: bound, opened, announced once it answers, and stopped in order."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn

from beimingwu.config import Settings
from beimingwu.errors import InvalidInput
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service

#: Requests that run when the service is asked to stop have so long to end.
_GRACE = 10
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Ready:
    """A service that answers.

    Parameters
    ----------
    url
        Where.
    folder
        Its dock's.
    admin
        Address and password of the super admin, when this start made one; never to be had again.
    prints_mail
        Whether mails are printed to the log.
    reachable
        Whether links in mails begin with what somebody said, or with this very machine.
    """

    url: str
    folder: str
    admin: tuple[str, str] | None
    prints_mail: bool
    reachable: bool


def serve(settings: Settings, announce: Callable[[Ready], None]) -> None:
    """Serve the dock of the settings until this process is told to stop (SIGTERM, SIGINT).

    Parameters
    ----------
    announce
        Called once it answers.

    Raises
    ------
    InvalidInput
        It cannot listen there.
    """
    with _bound(settings) as bound, _told_to_stop():
        host, port = settings.host, bound.getsockname()[1]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        with logging_to_stderr(), open_service(settings, url) as service:
            admin = service.accounts.people.found_super_admin(settings.admin_email)
            ready = Ready(
                url,
                str(service.dock.folder),
                admin,
                prints_mail=service.accounts.post.prints,
                reachable=bool(settings.url) or host in _THIS_MACHINE,
            )
            _Server(_configured(service), lambda: announce(ready)).run(sockets=[bound])


class _Server(uvicorn.Server):
    """uvicorn, which says when it answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def _configured(service: Service) -> uvicorn.Config:
    proxies = service.settings.trusted_proxies.strip()
    return uvicorn.Config(
        create_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        # Only a proxy that is named may say who asks; otherwise anybody could be anybody.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE,
    )


@contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    """Lend a socket that listens; before anything else, so that its port is known."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidInput(
            f"The service cannot listen on {host}, port {port}: {why}.",
            remedy="Choose another with --host and --port; port 0 is any that is free.",
            code="input.listen",
        ) from None
    with bound:
        yield bound


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """Let a signal only stop the server: uvicorn raises it anew when it has ended.

    What follows in this process, closing the dock, would not come to its end otherwise.
    """

    def stay(number: int, frame: FrameType | None) -> None:
        return None

    before = {number: signal.signal(number, stay) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write what the service and uvicorn have to say to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("beimingwu", "uvicorn.error")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO if logger.name == "beimingwu" else logging.WARNING)
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
            logger.setLevel(level)
