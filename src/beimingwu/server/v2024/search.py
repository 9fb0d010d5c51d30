"""Search as clients of 2024 ask for it: a form in, two lists out, with relative scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData

from beimingwu.dock import Dock
from beimingwu.errors import BeimingwuError, InvalidRequirement
from beimingwu.search import Requirement, SemanticFilter
from beimingwu.search.semantic import json_object
from beimingwu.server.permissions import Caller
from beimingwu.server.service import Service, TheService
from beimingwu.server.v2024.callers import Anyone
from beimingwu.server.v2024.envelope import MISSING, Refused, ok
from beimingwu.server.v2024.matching import scores_shown
from beimingwu.server.v2024.sent import LONGEST_PAGE, file_in, form_of, lenient, text_or_none
from beimingwu.server.v2024.showing import item, page_of, paging, usernames
from beimingwu.specification.files import read_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import VOCABULARIES

router = APIRouter(prefix="/engine")

#: Scores are relative to the nearest so many, which in most docks are all.
_COMPARED = 1000
_FURTHEST_PAGE = 2**31
_OTHERS = "Others"


@dataclass(frozen=True)
class Asked:
    """What a form asks for.

    Parameters
    ----------
    limit
        Of a page; None for everything on one, as far as a page goes.
    verified
        Whether it looks among what is published, or for an admin among all else.
    id
        What the ids of an admin's hits hold.
    """

    filter: SemanticFilter
    specification: RKME | None
    limit: int | None
    page: int
    verified: bool
    id: str


@dataclass(frozen=True)
class Found:
    """The ids and scores of a page, those of a mixture, and how many there are in all."""

    single: tuple[tuple[str, float], ...]
    multi: tuple[tuple[str, float], ...]
    count: int


@router.post("/search_learnware", name="2024 search_learnware")
async def search_learnware(caller: Anyone, service: TheService, request: Request) -> JSONResponse:
    """Identify the learnwares, and the mixture of learnwares, that serve a requirement."""
    room = service.settings.specification_max_bytes + 2 * 1024 * 1024
    async with form_of(request, room) as form:
        file = file_in(form, "statistical_specification")
        content = None if file is None else await file.read()
        asked = await to_thread.run_sync(_asked, caller, form, content)
    try:
        found = await service.searchers.run(_found, asked)
    except BeimingwuError as error:
        raise Refused(41, f"Engine search learnware error. {error.problem}") from None
    return ok(await to_thread.run_sync(_answer, service, asked, found), "Ok")


def _asked(caller: Caller, form: FormData, content: bytes | None) -> Asked:
    semantic = text_or_none(form, "semantic_specification")
    if not semantic:
        raise Refused(MISSING, "Request parameters error: semantic_specification is missing.")
    limit = lenient(form.get("limit"))
    if limit is not None and limit < 1:
        raise Refused(52, "Limit must be greater than 0.")
    verified = text_or_none(form, "is_verified") != "false"
    id = text_or_none(form, "learnware_id") or ""
    if (not verified or id) and not caller.is_admin:
        raise Refused(61, "Permission denied: this is for admins.")
    try:
        wanted = _wanted(semantic)
    except InvalidRequirement as error:
        raise Refused(41, f"Semantic specification error: {error.problem}") from None
    specification = None
    if content is not None:
        try:
            specification = read_specification(content)
        except BeimingwuError as error:
            raise Refused(41, f"Statistical specification error. {error.problem}") from None
    page = min(max(lenient(form.get("page")) or 0, 0), _FURTHEST_PAGE)
    most = None if limit is None else min(limit, LONGEST_PAGE)
    return Asked(wanted, specification, most, page if limit else 0, verified, id)


def _wanted(semantic: str) -> SemanticFilter:
    """Return the filter that a semantic specification means as a query.

    Of what was typed only the name was ever looked for. A learnware that says nothing of its model,
    as none did before release 0.4.0, is among the others.
    """
    query = {key: of for key, of in json_object(semantic).items() if key != "Description"}
    wanted = SemanticFilter.from_json(query)
    if _OTHERS not in wanted.model:
        return wanted
    unwanted = tuple(value for value in VOCABULARIES["Model"] if value not in wanted.model)
    return replace(wanted, model=(), without={"model": unwanted})


def _answer(service: Service, asked: Asked, found: Found) -> dict[str, Any]:
    if asked.limit is not None:
        service.accounts.tallies.add("search")
    answer = {
        "learnware_list_multi": _items(service, found.multi),
        "learnware_list_single": _items(service, found.single),
        "is_hetero": False,
    }
    if asked.limit is not None:
        answer |= paging(found.count, asked.limit, asked.page)
    return answer


def _found(dock: Dock, asked: Asked) -> Found:
    limit = asked.limit or LONGEST_PAGE
    if not asked.verified:
        return _paged([(id, 0) for id in _unverified(dock, asked)], (), limit, asked.page)
    if asked.specification is not None:
        single, multi = _compared(dock, asked)
        return _paged(single, multi, limit, asked.page)
    count = dock.count(asked.filter)
    if asked.id:
        ids = _ids(dock, asked.filter, count)
        return _paged([(id, 0) for id in ids if asked.id in id], (), limit, asked.page)
    begin = asked.page * limit
    # Every id before the page is passed over.
    ids = _ids(dock, asked.filter, min(begin + limit, count)) if begin < count else []
    return Found(tuple((id, 0) for id in ids[begin:]), (), count)


def _compared(dock: Dock, asked: Asked) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Return the single learnwares that are shown, and the members of the mixture."""
    requirement = Requirement(asked.specification, asked.filter)
    result = dock.search(requirement, limit=_COMPARED)
    mixture = result.mixture
    scores = scores_shown(
        [float(match.mmd or 0.0) ** 2 for match in result.single],
        None if mixture is None or len(mixture) < 2 else float(mixture.mmd) ** 2,
    )
    single = [
        (match.id, score)
        for match, score in zip(result.single, scores.single, strict=False)
        if asked.id in match.id
    ]
    if mixture is None or scores.mixture is None:
        return single, []
    return single, [(match.id, scores.mixture) for match in mixture]


def _ids(dock: Dock, wanted: SemanticFilter, most: int) -> list[str]:
    if most < 1:
        return []
    return [match.id for match in dock.search(wanted, limit=most)]


def _unverified(dock: Dock, asked: Asked) -> list[str]:
    """Return what satisfies the filter and is not published, the newest first."""
    found: list[str] = []
    for state in ("uploaded", "verifying", "rejected", "withdrawn", "quarantined"):
        records = dock.list(asked.filter, state=state, limit=None)
        found += [record.id for record in records if asked.id in record.id]
    return sorted(set(found), reverse=True)


def _paged(
    single: Sequence[tuple[str, float]], multi: Iterable[tuple[str, float]], limit: int, page: int
) -> Found:
    """Return a page; the mixture is on the first."""
    shown = tuple(multi) if page == 0 else ()
    return Found(tuple(page_of(single, limit, page)), shown, len(single))


def _items(service: Service, found: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    matching = dict(found)
    records = service.dock.records(matching)
    names = usernames(service, {record.owner for record in records})
    return [item(record, names[record.owner], matching[record.id]) for record in records]
