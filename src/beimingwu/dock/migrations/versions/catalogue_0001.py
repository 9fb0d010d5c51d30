"""The first catalogue: learnwares, their revisions, events, facets and full text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "learnware",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("current_revision", sa.Integer),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learnware"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_learnware_state", "learnware", ["state", "id"])
    op.create_index("ix_learnware_owner", "learnware", ["owner", "id"])
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("learnware", sa.Integer, nullable=False),
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
        sa.Column("claimant", sa.String(32)),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
        sa.ForeignKeyConstraint(["learnware"], ["learnware.id"], name="fk_revision_learnware"),
        sa.UniqueConstraint("learnware", "number", name="uq_revision_learnware"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revision_state", "revision", ["state", "id"])
    op.create_index("ix_revision_archive", "revision", ["archive_sha256"])
    op.create_index("ix_revision_specification", "revision", ["specification_sha256"])
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("learnware", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.ForeignKeyConstraint(["learnware"], ["learnware.id"], name="fk_event_learnware"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_learnware", "event", ["learnware", "id"])
    op.create_table(
        "facet",
        sa.Column("learnware", sa.Integer, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("learnware", "key", "value", name="pk_facet"),
        sa.ForeignKeyConstraint(["learnware"], ["learnware.id"], name="fk_facet_learnware"),
    )
    op.create_index("ix_facet_value", "facet", ["key", "value", "learnware"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE learnware_text USING fts5("
            "name, description, features, scenario, tokenize = 'trigram')"
        )
    else:
        op.create_table(
            "learnware_text",
            sa.Column("learnware", sa.Integer, autoincrement=False, nullable=False),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("description", sa.Text, nullable=False),
            sa.Column("features", sa.Text, nullable=False),
            sa.Column("scenario", sa.Text, nullable=False),
            sa.Column("grams", sa.ARRAY(sa.Integer), nullable=False),
            sa.PrimaryKeyConstraint("learnware", name="pk_learnware_text"),
            sa.ForeignKeyConstraint(
                ["learnware"], ["learnware.id"], name="fk_learnware_text_learnware"
            ),
        )
        op.create_index(
            "ix_learnware_text_grams", "learnware_text", ["grams"], postgresql_using="gin"
        )
