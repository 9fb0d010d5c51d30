"""`beimingwu admin`: the accounts of a dock, and its backup, by whoever runs it.

These commands work on the dock's folder, whether a service runs on it or not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beimingwu.cli.options import (
    DockChoice,
    ExampleCommand,
    command,
    dock_option,
    output_options,
)
from beimingwu.cli.output import Facts, Output, Table, bytes_in_words

if TYPE_CHECKING:
    from beimingwu.accounts import Account, Accounts

_ROLES = click.Choice(["user", "admin", "super_admin"])
_SCOPES = click.Choice(["read", "write", "account", "admin"])


class ExampleGroup(click.Group):
    """A group whose help ends with the first example of each of its commands."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line to copy."""
        with formatter.section("Examples"):
            for example in _first_examples(self):
                formatter.write(f"  beimingwu {example}\n")


def _first_examples(group: click.Group) -> Iterator[str]:
    for one in group.commands.values():
        if isinstance(one, click.Group):
            yield from _first_examples(one)
        elif isinstance(one, ExampleCommand):
            yield one.examples[0]


@click.group(cls=ExampleGroup)
def admin() -> None:
    """Look after a dock: its accounts and tokens, its backup and its blobs."""


@admin.group(cls=ExampleGroup)
def user() -> None:
    """Add, list, promote and suspend accounts."""


@admin.group(cls=ExampleGroup)
def token() -> None:
    """Make API tokens."""


email_argument = click.argument("email", metavar="EMAIL")
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@command("admin user add ada@example.org --name 'Ada Lovelace' --password-stdin", name="add")
@email_argument
@click.option("--name", required=True, metavar="NAME", help="What others see of the account.")
@click.option("--role", type=_ROLES, default="user", show_default=True, help="What it may do.")
@password_option
@dock_option
@output_options
def add_user(
    email: str, name: str, role: str, password_stdin: bool, dock: DockChoice, output: Output
) -> None:
    """Make an account that may be used at once.

    The password is asked for, or read from standard input; it is never an argument, which other
    users of this machine could see.
    """
    from beimingwu.accounts import OPERATOR, Role

    password = _password(password_stdin)
    with _accounts(dock, new=True) as accounts:
        added = accounts.people.add(email, name, password, OPERATOR, Role.of(role))
    _show(added, output)
    output.next("admin", "token", "add", added.email, "--name", "laptop", *dock.words)


@command(
    "admin user list", "admin user list --role admin", "admin user list --text ada", name="list"
)
@click.option("--text", default="", help="Only those whose name or address holds this.")
@click.option("--role", type=_ROLES, help="Only those of this role.")
@click.option(
    "--state",
    type=click.Choice(["unconfirmed", "active", "suspended"]),
    help="Only those in this state.",
)
@dock_option
@output_options
def list_users(text: str, role: str | None, state: Any, dock: DockChoice, output: Output) -> None:
    """List the accounts."""
    from beimingwu.accounts import Role

    with _accounts(dock) as accounts:
        found = accounts.people.list(text, role=Role.of(role) if role else None, state=state)
    rows = [(one.id, one.email, one.name, one.role.word, one.state, one.created) for one in found]
    table = Table(("id", "e-mail", "name", "role", "state", "created"), rows, numbers=("id",))
    output.show([_json(one) for one in found], ids=[one.email for one in found], sections=[table])
    if not found:
        output.say("There are no such accounts.")


@command("admin user role ada@example.org admin", name="role")
@email_argument
@click.argument("role", type=_ROLES, metavar="[user|admin|super_admin]")
@dock_option
@output_options
def set_role(email: str, role: str, dock: DockChoice, output: Output) -> None:
    """Give an account another role."""
    from beimingwu.accounts import OPERATOR, Role

    with _accounts(dock) as accounts:
        account = accounts.people.of_email(email)
        changed = accounts.people.set_role(account.id, Role.of(role), OPERATOR)
    _show(changed, output)


@command(
    "admin user suspend ada@example.org --reason 'Its token was published.'",
    "admin user suspend ada@example.org --undo",
    name="suspend",
)
@email_argument
@click.option("--reason", default="", help="Why; its owner and the admins can read it.")
@click.option("--undo", is_flag=True, help="Let it be used again.")
@dock_option
@output_options
def suspend(email: str, reason: str, undo: bool, dock: DockChoice, output: Output) -> None:
    """Let nobody use an account; its learnwares stay as they are."""
    from beimingwu.accounts import OPERATOR

    with _accounts(dock) as accounts:
        account = accounts.people.of_email(email)
        if undo:
            changed = accounts.people.reinstate(account.id, OPERATOR)
        else:
            changed = accounts.people.suspend(account.id, OPERATOR, reason)
    _show(changed, output)


@command("admin user password admin@localhost", name="password")
@email_argument
@password_option
@dock_option
@output_options
def set_password(email: str, password_stdin: bool, dock: DockChoice, output: Output) -> None:
    """Give an account another password, such as a super admin that lost its own."""
    from beimingwu.accounts import OPERATOR

    with _accounts(dock) as accounts:
        account = accounts.people.of_email(email)
        accounts.people.set_password(account.id, _password(password_stdin), OPERATOR)
    _show(account, output)


@command(
    "admin token add ada@example.org --name laptop",
    "admin token add ada@example.org --name backup --scope read --days 30 --quiet",
    name="add",
)
@email_argument
@click.option("--name", required=True, metavar="NAME", help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    type=_SCOPES,
    multiple=True,
    default=("read", "write"),
    show_default=True,
    help="What it allows; may be given several times.",
)
@click.option("--days", type=click.IntRange(1, 36500), help="It ends after so many days.")
@dock_option
@output_options
def add_token(
    email: str,
    name: str,
    scopes: Sequence[str],
    days: int | None,
    dock: DockChoice,
    output: Output,
) -> None:
    """Make an API token for an account; it is printed this once."""
    from datetime import UTC, datetime, timedelta

    from beimingwu.accounts import OPERATOR, Scope

    expires = datetime.now(UTC) + timedelta(days=days) if days else None
    with _accounts(dock) as accounts:
        account = accounts.people.of_email(email)
        secret, made = accounts.tokens.create(
            account, name, set(map(Scope, scopes)), OPERATOR, expires=expires
        )
    value = {
        "token": secret,
        "id": made.id,
        "name": made.name,
        "scopes": [str(scope) for scope in made.scopes],
        "expires": made.expires,
    }
    output.show(value, ids=[secret], sections=[Facts(value)])
    output.say("The token is not shown again, so keep it.")


@command("admin backup /backups/monday", "admin backup monday --dock shared", name="backup")
@click.argument("target", type=click.Path(path_type=Path), metavar="FOLDER")
@dock_option
@output_options
def backup(target: Path, dock: DockChoice, output: Output) -> None:
    """Copy the dock into a new folder, also while a service runs on it.

    Every blob is verified on its way. What is being uploaded is left out.
    """
    from beimingwu.config import settings
    from beimingwu.dock.backup import back_up

    with output.working("copying"):
        made = back_up(_whole(dock.place), _whole(target), settings().database)
    value = {"backup": made.folder, "blobs": made.blobs, "bytes": made.size}
    size = bytes_in_words(made.size)
    output.show(value, ids=[made.folder], sections=[f"{made.blobs} blobs, {size}: {made.folder}"])
    output.next("admin", "restore", target, "--dock", "NEW_FOLDER")


@command("admin restore /backups/monday --dock restored", name="restore")
@click.argument("source", type=click.Path(path_type=Path), metavar="FOLDER")
@dock_option
@output_options
def restore(source: Path, dock: DockChoice, output: Output) -> None:
    """Bring a backup back, as the dock in an empty folder.

    The catalogue goes into the PostgreSQL database that BEIMINGWU_DATABASE names, if any, wherever
    it was before: so a dock moves from a folder to a server, and back.
    """
    from beimingwu.config import settings
    from beimingwu.dock.backup import restore as brought_back

    folder = _whole(dock.place)
    with output.working("copying"):
        made = brought_back(_whole(source), folder, settings().database)
    value = {"dock": folder, "blobs": made.blobs, "bytes": made.size, "of": made.created}
    size = bytes_in_words(made.size)
    output.show(value, ids=[folder], sections=[f"{made.blobs} blobs, {size}: {folder}"])
    output.next("list", *dock.words)


@command("admin verify", "admin verify --dock shared --format json", name="verify")
@dock_option
@output_options
def verify(dock: DockChoice, output: Output) -> None:
    """Read every blob of the dock against its digest.

    The exit status is 13 where one is missing or damaged.
    """
    from beimingwu.dock.backup import verify_blobs
    from beimingwu.errors import DockDamaged

    with dock.opened_folder() as opened, output.working("reading"):
        read = list(verify_blobs(opened.folder, opened.database))
    bad = [one for one in read if one.problem]
    value = {"blobs": len(read), "damaged": {one.digest: one.problem for one in bad}}
    output.show(
        value,
        ids=[one.digest for one in bad],
        sections=[
            f"{len(read)} blobs, {len(bad)} of them missing or damaged.",
            Table(("blob", "problem"), [(one.digest, one.problem) for one in bad]),
        ],
    )
    if bad:
        raise DockDamaged(
            f"{len(bad)} of {len(read)} blobs are missing or damaged.",
            remedy="Restore them from a backup, or submit their learnwares again.",
            code="dock.blobs_damaged",
        )


for _one in (add_user, list_users, set_role, set_password, suspend):
    user.add_command(_one)
token.add_command(add_token)
for _one in (backup, restore, verify):
    admin.add_command(_one)


@contextmanager
def _accounts(dock: DockChoice, *, new: bool = False) -> Iterator[Accounts]:
    from beimingwu.config import settings
    from beimingwu.errors import MissingDependency

    try:
        from beimingwu.accounts import Accounts
    except ImportError as error:
        raise MissingDependency(
            f"Accounts need the package {error.name}, which is not installed.",
            remedy="Install it with: pip install 'beimingwu[server]'.",
        ) from None
    with dock.opened_folder(new=new) as opened:
        accounts = Accounts(opened.database, settings())
        try:
            yield accounts
        finally:
            accounts.close()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _whole(path: Path) -> Path:
    return path.expanduser().absolute()


def _show(account: Account, output: Output) -> None:
    value = _json(account)
    output.show(value, ids=[account.id], sections=[Facts(value)])


def _json(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "role": account.role.word,
        "state": account.state,
        "created": account.created,
    }
