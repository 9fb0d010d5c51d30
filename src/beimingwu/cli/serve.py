"""`beimingwu serve`: a dock that many people share, over the network."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beimingwu.cli.options import FILE, DockChoice, command, dock_option, output_options
from beimingwu.cli.output import Facts, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from beimingwu.config import Settings
    from beimingwu.server.running import Ready


@command(
    "serve",
    "serve --dock shared --host 0.0.0.0 --port 80",
    "serve --settings /etc/beimingwu.toml",
)
@dock_option
@click.option("--host", metavar="ADDRESS", help="Where to listen; on this machine alone otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), help="8088 otherwise; 0 is any free one.")
@click.option(
    "--settings",
    "file",
    type=FILE,
    metavar="FILE",
    help="A file of settings, in TOML; BEIMINGWU_SETTINGS otherwise.",
)
@output_options
def serve(
    dock: DockChoice, host: str | None, port: int | None, file: Path | None, output: Output
) -> None:
    """Serve a dock over HTTP, until this is interrupted.

    A folder without a dock becomes a new one. The first start makes the account of a super admin
    and prints its password, this once.
    """
    from beimingwu.config import settings

    if file is not None:
        os.environ["BEIMINGWU_SETTINGS"] = str(file)
    serve_until_stopped = _imported()
    chosen = settings()
    chosen = replace(
        chosen,
        dock=str(dock.place),
        host=host or chosen.host,
        port=chosen.port if port is None else port,
    )
    serve_until_stopped(chosen, lambda ready: _announce(ready, output))


def _imported() -> Callable[[Settings, Callable[[Ready], None]], None]:
    """Import the service.

    What it is made of stays as long as it runs. To look for garbage in that, as Python would again
    and again while it imports, and later, costs a sixth of the start and finds none.
    """
    import gc

    from beimingwu.errors import MissingDependency

    gc.disable()
    try:
        from beimingwu.server.running import serve as serve_until_stopped
    except ImportError as error:
        raise MissingDependency(
            f"A service needs the package {error.name}, which is not installed.",
            remedy="Install it with: pip install 'beimingwu[server]'.",
        ) from None
    finally:
        gc.freeze()
        gc.enable()
    return serve_until_stopped


def _announce(ready: Ready, output: Output) -> None:
    import sys

    value: dict[str, object] = {"url": ready.url, "dock": ready.folder}
    if ready.admin is not None:
        value |= {"admin": ready.admin[0], "password": ready.admin[1]}
    # The password is on its own line when nothing else is said: this is the one time to see it.
    secret = () if ready.admin is None else (ready.admin[1],)
    output.show(value, ids=[ready.url, *secret], sections=[Facts(value)])
    sys.stdout.flush()
    if ready.admin is not None:
        output.say("This is the super admin; the password is not shown again, so keep it.")
    if not ready.reachable:
        output.say("Set BEIMINGWU_URL to where people reach it: links in mails begin with that.")
    if ready.prints_mail:
        output.say("Mails are printed here, since BEIMINGWU_SMTP_HOST is not set.")
    output.say("Stop it with Ctrl-C.")
