"""Bringing a catalogue to the newest schema, by Alembic, inside the caller's transaction.

Alembic is imported only when a schema is made or upgraded; opening an up-to-date dock reads one row
instead (`catalogue.schema_version`). Each file in `versions/` is frozen once released.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Run every migration that the database behind `connection` lacks.

    Examples
    --------
    >>> with sa.create_engine("sqlite://").begin() as connection:
    ...     upgrade(connection)
    ...     connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    '0004'
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(__file__).parent))
    context = MigrationContext.configure(connection)
    lacking = list(script.iterate_revisions("head", context.get_current_revision() or "base"))
    with Operations.context(context):
        for step in reversed(lacking):
            step.module.upgrade()
    context.stamp(script, "head")
