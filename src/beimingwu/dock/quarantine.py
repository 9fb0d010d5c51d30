"""Taking a learnware from everybody but its owner and those who look after the dock.

Only an admin of a service does this; its owner can read who did it, and why, and may delete it.
"""

from __future__ import annotations

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.database import Database
from beimingwu.dock.records import number_of
from beimingwu.dock.rows import (
    learnware_state,
    note_event,
    served_revision,
    set_learnware,
    set_revision,
    wrong_state,
)


def quarantine(database: Database, id: str, actor: str, reason: str) -> None:
    """Take a published or withdrawn learnware out of reach.

    Parameters
    ----------
    actor, reason
        Who does it, and why: both stand in its events.

    Raises
    ------
    NotFound, Conflict
        No such learnware, or it is neither published nor withdrawn.
    """
    with database.writing() as connection:
        state = learnware_state(connection, number_of(id))
        if state not in ("published", "withdrawn"):
            raise wrong_state(id, state, "only a published or withdrawn one can be quarantined")
        current = served_revision(connection, id)
        set_revision(connection, current, state="quarantined")
        set_learnware(connection, current, state="quarantined")
        note_event(connection, current, "quarantined", actor, {"before": state, "reason": reason})


def release(database: Database, id: str, actor: str) -> None:
    """Undo `quarantine`: the learnware is again what it was before.

    Raises
    ------
    NotFound, Conflict
        No such learnware, or it is not quarantined.
    """
    with database.writing() as connection:
        state = learnware_state(connection, number_of(id))
        if state != "quarantined":
            raise wrong_state(id, state, "only a quarantined one can be released")
        before = connection.execute(
            sa.select(schema.event.c.detail)
            .where(schema.event.c.learnware == number_of(id), schema.event.c.kind == "quarantined")
            .order_by(schema.event.c.id.desc())
            .limit(1)
        ).scalar_one()["before"]
        current = served_revision(connection, id)
        set_revision(connection, current, state=before)
        set_learnware(connection, current, state=before)
        note_event(connection, current, "released", actor)
