"""The command line: one module per command, each imported only when it is used.

`main` is the entry point of `beimingwu`. `output` is the one place that prints, `options` declares
what commands share, `failures` turns what goes wrong into two lines and an exit status.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process and exit."""
    import io
    import sys

    try:
        from beimingwu.cli.commands import beimingwu

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal that cannot show 北京 or ✓ gets a question mark, not an error.
                stream.reconfigure(errors="replace")
        beimingwu.main()
    except KeyboardInterrupt:
        sys.exit(130)  # Interrupted while this file was importing.


__all__ = ["main"]
