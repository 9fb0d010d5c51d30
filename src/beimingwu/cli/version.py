"""`beimingwu version`: what is installed, and where the dock is."""

from __future__ import annotations

from beimingwu.cli.options import DockChoice, command, dock_option, output_options
from beimingwu.cli.output import Facts, Output


@command("version", "version --format json")
@dock_option
@output_options
def version(dock: DockChoice, output: Output) -> None:
    """Print what is installed, and where the dock is."""
    import platform
    import sys

    from beimingwu import __version__

    facts = {
        "beimingwu": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "dock": dock.where,
    }
    output.show(facts, ids=[__version__], sections=[Facts(facts)])
