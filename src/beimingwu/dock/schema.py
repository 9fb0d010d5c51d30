"""The tables of the catalogue, as SQLAlchemy Core.

What is here describes the newest schema; `migrations` brings a database to it, and a test compares
the two. Portable SQL only: SQLite's full-text table is kept by `fulltext`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from beimingwu.learnware.record import State

#: The blobs of a revision in one of these are kept.
KEPT: tuple[State, ...] = ("uploaded", "verifying", "published", "withdrawn", "quarantined")
#: The newest migration; read from the database to know whether Alembic is needed at all.
NEWEST = "0004"


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, so it is taken off and put on again."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Store UTC without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Read UTC with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

learnware = sa.Table(
    "learnware",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    # The revision that `get` serves. No foreign key: revision refers here, and a circle would need
    # ALTER TABLE … ADD CONSTRAINT, which SQLite has not.
    sa.Column("current_revision", sa.Integer),
    sa.Column("created", Instant, nullable=False),
    sa.Index("ix_learnware_state", "state", "id"),
    sa.Index("ix_learnware_owner", "owner", "id"),
    # AUTOINCREMENT: an id is never used again, even if its row were gone.
    sqlite_autoincrement=True,
)

revision = sa.Table(
    "revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("learnware", sa.ForeignKey("learnware.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("archive_sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("semantic", sa.JSON, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("dimension", sa.Integer, nullable=False),
    sa.Column("specification_sha256", sa.String(64), nullable=False),
    sa.Column("checks", sa.JSON, nullable=False),
    sa.Column("environment", sa.Text),
    # The open dock that verifies it, or will (see `locks`); null when whoever comes first.
    sa.Column("claimant", sa.String(32)),
    sa.Column("created", Instant, nullable=False),
    sa.Column("changed", Instant, nullable=False),
    sa.UniqueConstraint("learnware", "number"),
    sa.Index("ix_revision_state", "state", "id"),
    sa.Index("ix_revision_archive", "archive_sha256"),
    sa.Index("ix_revision_specification", "specification_sha256"),
    sqlite_autoincrement=True,
)

event = sa.Table(
    "event",
    metadata,
    # Grows with every change of state: indexes follow the dock by it.
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("learnware", sa.ForeignKey("learnware.id"), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_event_learnware", "learnware", "id"),
    sqlite_autoincrement=True,
)

facet = sa.Table(
    "facet",
    metadata,
    sa.Column("learnware", sa.ForeignKey("learnware.id"), primary_key=True),
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("value", sa.String(64), primary_key=True),
    sa.Index("ix_facet_value", "key", "value", "learnware"),
)

# Archives on their way to the dock over the network, and what was submitted under a key.

upload = sa.Table(
    "upload",
    metadata,
    # Also the name of its file: 32 digits that nobody guesses.
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    # Bytes that are on disk; the file may be longer where a process died.
    sa.Column("received", sa.BigInteger, nullable=False),
    # Of all of it, once that was found to be what the sender sent.
    sa.Column("sha256", sa.String(64)),
    sa.Column("created", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Index("ix_upload_owner", "owner"),
    sa.Index("ix_upload_expires", "expires"),
)

submission_key = sa.Table(
    "submission_key",
    metadata,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("revision", sa.ForeignKey("revision.id"), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Index("ix_submission_key_created", "created"),
)

# Who may use the dock over the network; `accounts` reads and writes these.

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    # Lower case; null once the account is deleted, whose row stays for what refers to it.
    sa.Column("email", sa.String(254)),
    sa.Column("name", sa.String(64), nullable=False),
    # The name as it must be unique, only of accounts whose address is confirmed: a name that was
    # merely asked for tells nobody anything.
    sa.Column("name_key", sa.String(200)),
    sa.Column("role", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("password", sa.String(200)),
    sa.Column("created", Instant, nullable=False),
    sa.UniqueConstraint("email"),
    sa.UniqueConstraint("name_key"),
    sa.Index("ix_account_state", "state", "id"),
    sqlite_autoincrement=True,
)

# Of every secret below only the SHA-256 is kept: what is in the database lets nobody in.

token = sa.Table(
    "token",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("expires", Instant),
    sa.Column("used", Instant),
    sa.UniqueConstraint("digest"),
    sa.Index("ix_token_account", "account", "id"),
    sqlite_autoincrement=True,
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    # What the browser calls itself, so that its owner knows which session to end.
    sa.Column("agent", sa.String(200), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("used", Instant, nullable=False),
    sa.UniqueConstraint("digest"),
    sa.Index("ix_session_account", "account", "id"),
    sqlite_autoincrement=True,
)

link = sa.Table(
    "link",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.UniqueConstraint("digest"),
    sa.Index("ix_link_account", "account"),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("user_code", sa.String(64), nullable=False),
    sa.Column("client", sa.String(100), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("account", sa.ForeignKey("account.id")),
    sa.Column("created", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("asked", Instant),
    sa.UniqueConstraint("digest"),
    sa.UniqueConstraint("user_code"),
)

account_event = sa.Table(
    "account_event",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("account", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_account_event_account", "account", "id"),
    sqlite_autoincrement=True,
)

report = sa.Table(
    "report",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("learnware", sa.ForeignKey("learnware.id"), nullable=False),
    # Who reports; null for somebody without an account.
    sa.Column("account", sa.ForeignKey("account.id")),
    sa.Column("contact", sa.String(254), nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("closed", Instant),
    sa.Column("closer", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("ix_report_state", "state", "id"),
    sa.Index("ix_report_learnware", "learnware"),
    sqlite_autoincrement=True,
)

# How often something was done (a search, a download), by day of UTC.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)
