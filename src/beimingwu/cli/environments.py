"""`beimingwu environments`: what learnwares run in on this machine, and the room it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from beimingwu.cli.options import command, output_options
from beimingwu.cli.output import Output, Table, bytes_in_words

if TYPE_CHECKING:
    from beimingwu.runtime.environment import EnvironmentInfo, Environments

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
#: Enough of an id to tell environments apart by eye.
_SHOWN = 12


class Size(click.ParamType[int]):
    """A number of bytes, such as 500M or 5GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", str(value).strip().lower())
        if match is None:
            self.fail(f"{value!r} is not a size such as 500M or 5GiB.", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


@command(
    "environments ls",
    "environments prune --max-size 5GiB",
    "environments prune --all",
)
@click.argument("action", type=click.Choice(["ls", "prune"]), default="ls", metavar="[ls|prune]")
@click.option(
    "--max-size", type=Size(), metavar="SIZE", help="Prune to this; by default to the settings'."
)
@click.option("--all", "everything", is_flag=True, help="Prune all that are not in use.")
@output_options
def environments(action: str, max_size: int | None, everything: bool, output: Output) -> None:
    """List the environments that learnwares run in, or prune those unused for longest.

    An environment is made again when a learnware needs it. One that is in use stays. The size to
    prune to is that of all environments together with the packages kept to make more of them.
    """
    from beimingwu.runtime.environment import Environments

    if action == "ls" and (max_size is not None or everything):
        raise click.UsageError("--max-size and --all are for `environments prune`.")
    if max_size is not None and everything:
        raise click.UsageError("Give --max-size or --all, not both.")
    here = Environments()
    if action == "ls":
        _list(here, output)
    else:
        _prune(here, 0 if everything else max_size, everything, output)


def _list(here: Environments, output: Output) -> None:
    infos = here.list()
    table = Table(
        ("id", "python", "packages", "size", "used", "in use"),
        [_row(info) for info in infos],
        numbers=("size",),
        prose=("packages",),
    )
    ids = [info.id for info in infos]
    output.show([_json(info) for info in infos], ids=ids, sections=[table])
    room = here.room()
    if infos:
        output.say(f"{bytes_in_words(room.environments)} in all; files they share are there once.")
    else:
        output.say("There are no environments yet: one is made when a learnware first runs.")
    if room.packages:
        output.say(f"{bytes_in_words(room.packages)} of packages are kept to make more.")
    if room.total:
        output.say(f"They are in {here.folder.parent}.")
        output.next("environments", "prune")


def _prune(here: Environments, limit: int | None, everything: bool, output: Output) -> None:
    if everything:
        here.forget()
    with output.working("removing environments"):
        before = here.room().total
        removed = here.prune(limit)
        freed = before - here.room().total
    what = "Nothing had to be removed."
    if removed or freed > 0:
        what = f"{len(removed)} removed; {bytes_in_words(max(0, freed))} are free again."
    output.show(
        [_json(info) for info in removed], ids=[info.id for info in removed], sections=[what]
    )
    output.next("environments", "ls")


def _row(info: EnvironmentInfo) -> tuple[object, ...]:
    packages = [f"{name} {version}" for name, version in info.packages.items()]
    size = bytes_in_words(info.size)
    return info.id[:_SHOWN], info.python, packages, size, info.used, info.in_use


def _json(info: EnvironmentInfo) -> dict[str, object]:
    return {
        "id": info.id,
        "python": info.python,
        "packages": dict(info.packages),
        "bytes": info.size,
        "used": info.used,
        "in_use": info.in_use,
    }
