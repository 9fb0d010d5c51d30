"""What commands share: their options, declared once, and how a command is made with examples.

The same thing has the same name everywhere: `--dock`, `--format`, `--quiet`, `--target`, `--drop`,
`--task` and so on. Nothing heavy is imported until a command asks for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from beimingwu.cli.output import Output, bytes_in_words

if TYPE_CHECKING:
    from beimingwu.client import Client
    from beimingwu.dock import Dock
    from beimingwu.search import SemanticFilter

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]

#: A path on this machine, kept as it was given.
FILE = click.Path(path_type=Path)


class NewFile(click.Path):
    """A file to write; its folder has to be there before any work is done for it."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        path = Path(value)
        if not path.parent.is_dir():
            self.fail(f"There is no folder {str(path.parent)!r} to write into.", param, ctx)
        return path


NEW_FILE = NewFile()


class ExampleCommand(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.examples = tuple(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and let an error know which command it is about."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line to copy."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  beimingwu {example}\n")


def command(
    *examples: str, name: str | None = None
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command; `examples` are what follows `beimingwu`."""
    return click.command(name, cls=ExampleCommand, examples=examples)


def output_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--format` and `--quiet`, as its argument `output`."""

    @click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="How the result is printed.",
    )
    @click.option("--quiet", "-q", is_flag=True, help="Print ids only, and say nothing.")
    @functools.wraps(function)
    def with_output(form: Literal["table", "json"], quiet: bool, **arguments: Any) -> None:
        function(output=Output(form, quiet), **arguments)

    return with_output


class Transfer:
    """How far what travels to a server, or from it, is."""

    def __init__(self) -> None:
        self._line = ""

    def __call__(self, what: str, done: int, size: int) -> None:
        """Be told."""
        self._line = f"{what} {bytes_in_words(done)} of {bytes_in_words(size)} …"
        if done == size:
            self._line = ""

    def or_else(self, otherwise: str) -> Callable[[], str]:
        """Return what tells it while it is on its way, and something else at other times."""
        return lambda: self._line or otherwise


@dataclass(frozen=True)
class DockChoice:
    """The dock that a command is about: in a folder, or on a server.

    Parameters
    ----------
    given
        Its folder or address; that of the settings for None.
    typed
        Whether it was typed, so that the next command has to name it again.
    transfer
        Told how far something is on its way.
    """

    given: str | None
    typed: bool
    transfer: Transfer = field(default_factory=Transfer)

    @property
    def words(self) -> tuple[str, ...]:
        """What to type to mean this dock again."""
        return ("--dock", str(self.given)) if self.typed else ()

    @property
    def where(self) -> str:
        """The folder or address, from the settings where none was given."""
        from beimingwu.config import settings

        return self.given or settings().dock

    @property
    def is_remote(self) -> bool:
        """Whether it is on a server."""
        return self.where.lower().startswith(("http://", "https://"))

    @property
    def place(self) -> Path:
        """The folder.

        Raises
        ------
        click.UsageError
            The dock is on a server, and this is for those who have its folder.
        """
        if self.is_remote:
            raise click.UsageError(f"This needs the folder of a dock; {self.where} is an address.")
        return Path(self.where)

    @contextmanager
    def opened(self, *, new: bool = False, verifying: bool = False) -> Iterator[Dock | Client]:
        """Open the dock for a command, wherever it is; `new` and `verifying` as for a folder."""
        if not self.is_remote:
            with self.opened_folder(new=new, verifying=verifying) as dock:
                yield dock
            return
        from beimingwu.client import Client

        with Client(self.where, on_progress=self.transfer) as client:
            yield client

    @contextmanager
    def opened_folder(self, *, new: bool = False, verifying: bool = False) -> Iterator[Dock]:
        """Open the dock in a folder.

        Parameters
        ----------
        new
            Whether the command may make a dock where there is none.
        verifying
            Whether it runs the checks of what was submitted; the others should not wait for them.

        Raises
        ------
        NotFound
            There is no dock in the folder.
        click.UsageError
            As `place`.
        """
        from beimingwu.dock import Dock
        from beimingwu.dock.belonging import holds_dock
        from beimingwu.errors import NotFound

        # Any other folder is left as it is: opening a dock makes its files there.
        if not new and not holds_dock(self.place.expanduser()):
            raise NotFound(
                f"There is no dock in {self.place}.",
                remedy="Check --dock and BEIMINGWU_DOCK; `beimingwu submit` makes a new one.",
                code="not_found.dock",
            )
        with Dock.open(self.place, workers=1 if verifying else 0) as dock:
            yield dock


def _dock_choice(ctx: click.Context, parameter: click.Parameter, value: str | None) -> DockChoice:
    source = ctx.get_parameter_source(parameter.name or "")
    return DockChoice(value, typed=source is click.core.ParameterSource.COMMANDLINE)


def dock_option(function: Function) -> Function:
    """Give a command `--dock`, as its argument `dock`, a `DockChoice`."""
    return click.option(
        "--dock",
        metavar="FOLDER|URL",
        envvar="BEIMINGWU_DOCK",
        show_envvar=True,
        callback=_dock_choice,
        help="The folder that holds the dock, or the address of one on a server.",
    )(function)


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are not features: the target, and others to leave out."""

    target: str | None = None
    drop: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """All of them."""
        return (*((self.target,) if self.target is not None else ()), *self.drop)

    @property
    def words(self) -> tuple[str, ...]:
        """What to type to mean these again."""
        target = ("--target", self.target) if self.target is not None else ()
        return (*target, *(word for name in self.drop for word in ("--drop", name)))


def column_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--target` and `--drop`, as its argument `columns`."""

    @click.option("--target", metavar="COLUMN", help="The column with the answers: not a feature.")
    @click.option(
        "--drop", metavar="COLUMN", multiple=True, help="Another column to leave out; repeatable."
    )
    @functools.wraps(function)
    def with_columns(target: str | None, drop: tuple[str, ...], **arguments: Any) -> None:
        function(columns=Columns(target, drop), **arguments)

    return with_columns


#: The option of each facet, and what its help says of the values.
_FACETS = {
    "task": ("--task", "Such as Classification or Regression"),
    "data": ("--data-type", "Table, Text or Image"),
    "library": ("--library", "Such as Scikit-learn or PyTorch"),
    "scenario": ("--scenario", "Such as Nature or Health"),
    "license": ("--license", "Such as MIT or Apache-2.0"),
}


@dataclass(frozen=True)
class Facets:
    """The facets and the text that were typed, before anything looked at them.

    Parameters
    ----------
    wanted, unwanted
        The values of each facet that were typed, by the facet's name.
    text
        The words.
    """

    wanted: Mapping[str, tuple[str, ...]]
    unwanted: Mapping[str, tuple[str, ...]]
    text: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What to type to mean these again."""
        options = {option: self.wanted[facet] for facet, (option, _) in _FACETS.items()}
        options |= {_not(option): self.unwanted[facet] for facet, (option, _) in _FACETS.items()}
        options["--text"] = (self.text,) if self.text else ()
        return tuple(
            word
            for option, values in options.items()
            for value in values
            for word in (option, value)
        )

    def filter(self) -> SemanticFilter:
        """Return the filter that they mean.

        Raises
        ------
        InvalidRequirement
            A value that the vocabulary does not have.
        """
        from beimingwu.search import SemanticFilter

        wanted: dict[str, Any] = dict(self.wanted)
        return SemanticFilter(**wanted, text=self.text, without=self.unwanted)


def facet_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the facets and `--text`, as its argument `facets`."""

    @functools.wraps(function)
    def with_facets(text: str, **arguments: Any) -> None:
        wanted = {facet: arguments.pop(f"wanted_{facet}") for facet in _FACETS}
        unwanted = {facet: arguments.pop(f"unwanted_{facet}") for facet in _FACETS}
        function(facets=Facets(wanted, unwanted, text), **arguments)

    decorators = [
        _facet(option, f"wanted_{facet}", f"{values}; repeatable.")
        for facet, (option, values) in _FACETS.items()
    ]
    decorators += [
        _facet(_not(option), f"unwanted_{facet}", "None with this value; repeatable.")
        for facet, (option, _) in _FACETS.items()
    ]
    decorators.append(
        click.option(
            "--text", default="", help="Words to look for in names, descriptions, features."
        )
    )
    # The one that is put on last is listed first.
    for decorate in reversed(decorators):
        with_facets = decorate(with_facets)
    return with_facets


def _not(option: str) -> str:
    return f"--not-{option[2:]}"


def _facet(option: str, name: str, help: str) -> Decorator[Callable[..., None]]:
    return click.option(option, name, multiple=True, metavar="VALUE", help=help)


def owner_name(given: str | None) -> str:
    """Return whose learnwares are meant: as given, of the settings, or of this system's user."""
    import getpass

    from beimingwu.config import settings

    if given is not None:
        return given
    try:
        return settings().owner or getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""  # A container may run as a user that has no name.


id_argument = click.argument("id", metavar="ID")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone.

    Raises
    ------
    click.UsageError
        The answer is no, or there is nobody to ask.
    """
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is here to ask: pass --yes.")
    if not click.confirm(question, err=True):
        raise click.UsageError("Nothing was done.")
