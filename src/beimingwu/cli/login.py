"""`beimingwu login`: sign this terminal in to a dock on a server."""

from __future__ import annotations

import click

from beimingwu.cli.options import DockChoice, command, dock_option, output_options
from beimingwu.cli.output import Facts, Output


@command(
    "login --dock https://dock.example.org",
    "login --dock https://dock.example.org --token-stdin",
)
@click.option(
    "--token-stdin", is_flag=True, help="Use the API token on stdin, instead of a browser."
)
@dock_option
@output_options
def login(token_stdin: bool, dock: DockChoice, output: Output) -> None:
    """Sign in to a dock on a server.

    It names a page to open in a browser; there you agree. What signs this terminal in is kept in a
    file that only you can read, until `beimingwu logout`.
    """
    from beimingwu.client import Client
    from beimingwu.client.credentials import keep_token

    url = server_of(dock)
    token = _typed() if token_stdin else _agreed(url, output)
    with Client(url, token) as client:
        account = client.whoami()
    kept = keep_token(url, token)
    facts = {"dock": url, "name": account["name"], "email": account["email"]}
    output.show({**facts, "kept": kept}, ids=[account["name"]], sections=[Facts(facts)])
    output.say(f"The token is kept in {kept}.")
    output.next("list", *dock.words)


def server_of(dock: DockChoice) -> str:
    """Return the address of the dock that is meant.

    Raises
    ------
    click.UsageError
        It is in a folder.
    """
    if not dock.is_remote:
        raise click.UsageError("Which dock? Name its address with --dock or BEIMINGWU_DOCK.")
    return dock.where


def _typed() -> str:
    import sys

    token = sys.stdin.read().strip()
    if not token:
        raise click.UsageError("There is no token on stdin.")
    return token


def _agreed(url: str, output: Output) -> str:
    from beimingwu.client.signing_in import Asked, sign_in

    def ask(asked: Asked) -> None:
        # Said even when quiet: without it nothing can go on.
        click.echo(f"Open {asked.url}", err=True)
        click.echo(f"and agree, if it shows the code {asked.code}.", err=True)

    with output.working("waiting for you to agree …"):
        return sign_in(url, ask)
