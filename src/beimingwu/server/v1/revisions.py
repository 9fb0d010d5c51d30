"""The versions of a learnware: what it is now, what it was, and what it may become."""

from __future__ import annotations

from fastapi import APIRouter

from beimingwu.dock.records import no_revision
from beimingwu.server.permissions import Anyone, Caller
from beimingwu.server.problems import documented
from beimingwu.server.seeing import is_insider, seen
from beimingwu.server.service import Service, TheService
from beimingwu.server.v1.learnware_views import Id, Number, RevisionView

router = APIRouter(prefix="/learnwares/{id}/revisions", tags=["revisions"])


@router.get("", operation_id="listRevisions", responses=documented(404))
def list_revisions(caller: Anyone, service: TheService, id: Id) -> list[RevisionView]:
    """Return the revisions of a learnware, the first first; the one in force, to strangers."""
    return _visible(service, caller, id)


@router.get("/{number}", operation_id="getRevision", responses=documented(404))
def get_revision(caller: Anyone, service: TheService, id: Id, number: Number) -> RevisionView:
    """Return a revision of a learnware."""
    for revision in _visible(service, caller, id):
        if revision.number == number:
            return revision
    raise no_revision(id, number)


def _visible(service: Service, caller: Caller, id: str) -> list[RevisionView]:
    record = seen(service.dock, caller, id)
    return [
        RevisionView.of(revision)
        for revision in service.dock.revisions(id)
        if is_insider(caller, record) or revision.number == record.revision
    ]
