"""`beimingwu logout`: forget what signs this terminal in."""

from __future__ import annotations

from beimingwu.cli.login import server_of
from beimingwu.cli.options import DockChoice, command, dock_option, output_options
from beimingwu.cli.output import Output


@command("logout --dock https://dock.example.org")
@dock_option
@output_options
def logout(dock: DockChoice, output: Output) -> None:
    """Forget the token of a dock on a server.

    The token itself holds until it is revoked there, or ends.
    """
    from beimingwu.client.credentials import forget_token

    url = server_of(dock)
    forgotten = forget_token(url)
    said = f"Signed out of {url}." if forgotten else f"Nobody was signed in to {url} here."
    output.show({"dock": url, "forgotten": forgotten}, ids=[url], sections=[said])
