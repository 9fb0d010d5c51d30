"""Reports of abuse: anybody may tell what is wrong with a learnware, and admins see to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from beimingwu.accounts.addresses import network_of, normal_email
from beimingwu.accounts.reports import Reason, Report
from beimingwu.dock.quarantine import quarantine
from beimingwu.dock.records import no_learnware
from beimingwu.server.paging import LIMIT, Limit, link_next
from beimingwu.server.permissions import AnAdmin, Anyone
from beimingwu.server.problems import documented
from beimingwu.server.service import TheService
from beimingwu.server.v1.admin import After, LearnwareId
from beimingwu.server.v1.views import Body, Key, View

router = APIRouter(tags=["reports"])

ReportStateWord = Literal["open", "dismissed", "upheld"]


class NewReport(Body):
    """What is wrong with a learnware."""

    learnware: LearnwareId
    reason: Reason = Field(examples=["license"])
    text: str = Field(
        min_length=10,
        max_length=4000,
        examples=["These are the weights of a model that may not be passed on."],
    )
    contact: str = Field(
        "",
        max_length=254,
        examples=["ada@example.org"],
        description="An e-mail address to ask back at; needed from nobody.",
    )


class Received(View):
    """That a report arrived."""

    id: int = Field(examples=[5])


class ReportView(View):
    """A report, as admins see it."""

    id: int = Field(examples=[5])
    learnware: LearnwareId
    account: int | None = Field(examples=[7])
    contact: str = Field(examples=["ada@example.org"])
    reason: Reason = Field(examples=["license"])
    text: str = Field(examples=["These are the weights of a model that may not be passed on."])
    state: ReportStateWord = Field(examples=["open"])
    created: datetime = Field(examples=["2026-11-23T21:55:43Z"])
    closed: datetime | None = Field(examples=[None])
    closer: str = Field(examples=[""])
    note: str = Field(examples=[""])

    @classmethod
    def of(cls, report: Report) -> ReportView:
        """Show a report."""
        return cls.model_validate(report, from_attributes=True)


class Closing(Body):
    """What came of a report: upheld, the learnware is quarantined."""

    outcome: Literal["dismissed", "upheld"]
    note: str = Field("", max_length=4000, examples=["The owner was told."])


@router.post("/reports", status_code=201, operation_id="reportAbuse", responses=documented(404))
def report_abuse(caller: Anyone, service: TheService, said: NewReport) -> Received:
    """Tell the admins what is wrong with a learnware."""
    service.accounts.rates.spend("report", network_of(caller.address))
    record = service.dock.show(said.learnware)
    if record.state != "published" and not caller.owns(record.owner):
        raise no_learnware(said.learnware)
    report = service.accounts.reports.enter(
        said.learnware,
        said.reason,
        said.text,
        account=caller.identity.account.id if caller.identity else None,
        contact=normal_email(said.contact) if said.contact else "",
    )
    return Received(id=report.id)


@router.get("/admin/reports", operation_id="listReports", tags=["administration"])
def list_reports(
    caller: AnAdmin,
    service: TheService,
    request: Request,
    response: Response,
    state: Annotated[ReportStateWord, Query(description="What came of them.")] = "open",
    after: After = 0,
    limit: Limit = LIMIT,
) -> list[ReportView]:
    """Return reports, the oldest first."""
    reports = service.accounts.reports.list(state, after=after, limit=limit)
    if len(reports) == limit:
        link_next(request, response, after=reports[-1].id)
    return [ReportView.of(report) for report in reports]


@router.get(
    "/admin/reports/{id}",
    operation_id="getReport",
    tags=["administration"],
    responses=documented(404),
)
def get_report(caller: AnAdmin, service: TheService, id: Key) -> ReportView:
    """Return a report."""
    return ReportView.of(service.accounts.reports.get(id))


@router.post(
    "/admin/reports/{id}/close",
    operation_id="closeReport",
    tags=["administration"],
    responses=documented(404, 409),
)
def close_report(caller: AnAdmin, service: TheService, id: Key, closing: Closing) -> ReportView:
    """Close a report; where it is upheld, the learnware is quarantined."""
    report = service.accounts.reports.get(id)
    if closing.outcome == "upheld" and report.state == "open":
        record = service.dock.show(report.learnware)
        if record.state != "quarantined":
            reason = str(report.reason)
            quarantine(service.dock.database, record.id, caller.actor.name, reason)
    closed = service.accounts.reports.close(id, closing.outcome, closing.note, caller.actor)
    return ReportView.of(closed)
