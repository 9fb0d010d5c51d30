"""The one place that prints: data on stdout, talk on stderr.

A command describes its result once, as JSON, as ids and as sections to read; `Output` prints the
form that was asked for. Whatever a stranger wrote (names, messages of a learnware) is stripped of
control characters before it reaches a terminal.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from rich.text import Text

#: Wide enough that no line of a table is cut where its reader is a program.
_UNLIMITED = 1_000_000


@dataclass(frozen=True)
class Facts:
    """Names and values, one a line."""

    facts: Mapping[str, object]


@dataclass(frozen=True)
class Table:
    """Columns and rows under an optional title.

    The columns in `numbers` stand to the right; only those in `prose` are broken into lines where
    a terminal is narrow.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    numbers: Sequence[str] = ()
    prose: Sequence[str] = ("name",)


Section = Facts | Table | str


@dataclass(frozen=True)
class Output:
    """How a command speaks.

    Parameters
    ----------
    format
        Of the data on stdout: to read, or JSON.
    quiet
        Whether only ids are printed, and nothing is said.
    """

    format: Literal["table", "json"] = "table"
    quiet: bool = False

    def show(self, value: object, *, ids: Sequence[object], sections: Sequence[Section]) -> None:
        """Print the result of a command.

        Parameters
        ----------
        value
            It as JSON.
        ids
            What `--quiet` prints, one a line.
        sections
            It as text to read; empty ones are left out.
        """
        if self.quiet:
            for id in ids:
                click.echo(printable(str(id)))
        elif self.format == "json":
            click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_as_json))
        else:
            _print_sections([section for section in sections if _holds_something(section)])

    def line(self, text: str) -> None:
        """Print one line of a result that grows while one waits; only where it is to be read."""
        if self.shows_lines:
            click.echo(printable(text))

    @property
    def shows_lines(self) -> bool:
        """Whether a result is read line by line as it grows."""
        return self.format == "table" and not self.quiet

    def say(self, text: str) -> None:
        """Say something to the person."""
        if not self.quiet:
            click.echo(printable(text), err=True)

    def next(self, *words: object) -> None:
        """Say which command comes next, ready to be copied."""
        import shlex

        self.say(f"Next: beimingwu {shlex.join(str(word) for word in words)}")

    @contextmanager
    def working(self, what: str | Callable[[], str]) -> Iterator[None]:
        """Show that something is going on, at a terminal only; a function is asked again often."""
        if self.quiet or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(_Live(what)):
            yield


@dataclass(frozen=True)
class _Live:
    """A line that rich renders anew each time it draws."""

    what: str | Callable[[], str]

    def __rich__(self) -> Text:
        from rich.text import Text

        now = self.what if isinstance(self.what, str) else self.what()
        return Text(printable(now), overflow="ellipsis", no_wrap=True)


def printable(text: str) -> str:
    """Return `text` without what could steer a terminal or turn the direction of reading.

    Examples
    --------
    >>> printable("PM2.5 of 北京")
    'PM2.5 of 北京'
    >>> printable("evil" + chr(27) + "[31m")
    'evil\N{REPLACEMENT CHARACTER}[31m'
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if _steers(character) else character for character in text
    )


def cell(value: object) -> str:
    """Return how a value stands in a table.

    Examples
    --------
    >>> cell(0.25), cell(None), cell(True), cell(1234567)
    ('0.25', '-', 'yes', '1,234,567')
    """
    match value:
        case None | "" | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M")
        case tuple() | list():
            return ", ".join(map(str, value))
        case _:
            return " ".join(printable(str(value)).split())


def bytes_in_words(size: int) -> str:
    """Return a size to read.

    Examples
    --------
    >>> bytes_in_words(512), bytes_in_words(12_345)
    ('512 B', '12.1 KiB')
    """
    amount, units = float(size), ["B", "KiB", "MiB", "GiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.0f} B" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def _steers(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cc":
        return character not in "\n\t"
    bidirectional = unicodedata.bidirectional(character)
    return bidirectional in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _holds_something(section: Section) -> bool:
    match section:
        case Facts(facts):
            return bool(facts)
        case Table(rows=rows):
            return bool(rows)
        case _:
            return bool(section)


def _print_sections(sections: Sequence[Section]) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=_UNLIMITED, highlight=False, markup=False, emoji=False)
    for position, section in enumerate(sections):
        if position:
            click.echo()
        if isinstance(section, str):
            click.echo(printable(section))
            continue
        with console.capture() as captured:
            console.print(_as_table(section))
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _as_table(section: Facts | Table) -> object:
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        title=getattr(section, "title", "") or None,
        title_justify="left",
        title_style="bold",
        show_header=isinstance(section, Table),
        header_style="bold",
    )
    if isinstance(section, Facts):
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for name, value in section.facts.items():
            table.add_row(Text(name), Text(cell(value)))
        return table
    for column in section.columns:
        justify: Literal["right", "left"] = "right" if column in section.numbers else "left"
        stiff = column not in section.prose
        table.add_column(Text(column), justify=justify, overflow="fold", no_wrap=stiff)
    for row in section.rows:
        table.add_row(*(Text(cell(value)) for value in row))
    return table
