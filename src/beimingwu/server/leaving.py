"""Somebody leaves the dock, or takes along what it keeps about them."""

from __future__ import annotations

from beimingwu.accounts import Account, Actor
from beimingwu.accounts.records import actor_told
from beimingwu.learnware.record import Event
from beimingwu.server.service import Service


def everything_about(service: Service, account: Account) -> dict[str, object]:
    """Return all that is kept about an account and its learnwares, as JSON without secrets."""
    learnwares = service.dock.list(owner=account.owner, state=None, limit=None)

    def told(event: Event) -> dict[str, object]:
        return {**event.to_json(), "actor": actor_told(event.actor, account.owner)}

    return {
        **service.accounts.export(account.id),
        "learnwares": [
            {
                "id": record.id,
                "state": record.state,
                "created": record.created.isoformat(),
                "size": record.size,
                "sha256": record.sha256,
                "semantic": record.semantic.to_json(),
                "events": [told(event) for event in service.dock.events(record.id)],
            }
            for record in learnwares
        ],
    }


def delete_account(service: Service, account: Account, actor: Actor) -> None:
    """Delete an account and its learnwares.

    The learnwares go first: whatever ends this early, somebody still owns what is left, and can
    begin again.

    Raises
    ------
    Conflict
        It is the last super admin.
    """
    service.accounts.people.require_deletable(account.id)
    _delete_learnwares(service, account, actor)
    service.accounts.people.delete(account.id, actor)
    # What was submitted meanwhile.
    _delete_learnwares(service, account, actor)


def _delete_learnwares(service: Service, account: Account, actor: Actor) -> None:
    for record in service.dock.list(owner=account.owner, state=None, limit=None):
        service.dock.delete(record.id, actor=actor.name)
