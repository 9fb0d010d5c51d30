"""Who may see a learnware: everybody one that is published, its owner and the admins any.

For whoever may not see it, it is not there.
"""

from __future__ import annotations

from dataclasses import replace

from beimingwu.accounts.records import actor_told
from beimingwu.dock import Dock
from beimingwu.dock.records import no_learnware
from beimingwu.learnware.record import Event, LearnwareRecord
from beimingwu.server.permissions import Caller


def is_insider(caller: Caller, record: LearnwareRecord) -> bool:
    """Tell whether the caller owns a learnware, or looks after the dock."""
    return caller.owns(record.owner) or caller.is_admin


def seen(dock: Dock, caller: Caller, id: str) -> LearnwareRecord:
    """Return the record of a learnware that the caller may see.

    Raises
    ------
    NotFound
        There is none, or none for this caller.
    """
    record = dock.show(id)
    if record.state != "published" and not is_insider(caller, record):
        raise no_learnware(id)
    return record


def owned(dock: Dock, caller: Caller, id: str) -> LearnwareRecord:
    """Return the record of a learnware that the caller may change.

    Raises
    ------
    NotFound, Forbidden
        There is none for this caller; or it is somebody else's.
    """
    record = seen(dock, caller, id)
    caller.require_owner(record.owner)
    return record


def events_told(dock: Dock, caller: Caller, id: str) -> list[Event]:
    """Return what happened to a learnware of the caller's, also to one that is deleted.

    What an admin did stands there as an admin's; which one, admins can see.

    Raises
    ------
    NotFound, Forbidden
        As `owned`.
    """
    events = dock.events(id)
    if events[-1].kind != "deleted":
        owned(dock, caller, id)
    elif not caller.owns(events[0].actor) and not caller.is_admin:
        raise no_learnware(id)
    if caller.is_admin:
        return list(events)
    reader = caller.account.owner
    return [replace(event, actor=actor_told(event.actor, reader)) for event in events]
