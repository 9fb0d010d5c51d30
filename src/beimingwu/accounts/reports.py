"""Reports of abuse: what somebody says about a learnware, and what an admin made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import sqlalchemy as sa

from beimingwu.accounts.records import Actor
from beimingwu.accounts.rows import note
from beimingwu.dock.database import Database
from beimingwu.dock.records import id_of, number_of
from beimingwu.dock.schema import report as _report
from beimingwu.errors import Conflict, NotFound

#: Open, or what came of it: nothing was wrong, or the learnware was quarantined.
ReportState = Literal["open", "dismissed", "upheld"]


class Reason(StrEnum):
    """What is wrong with a learnware."""

    HARMFUL = "harmful"
    PRIVACY = "privacy"
    LICENSE = "license"
    MISLEADING = "misleading"
    OTHER = "other"


@dataclass(frozen=True)
class Report:
    """One report.

    Parameters
    ----------
    account, contact
        Who reported it; both empty where they did not say.
    closer, note
        The admin who closed it, and why.
    """

    id: int
    learnware: str
    account: int | None
    contact: str
    reason: Reason
    text: str
    state: ReportState
    created: datetime
    closed: datetime | None
    closer: str
    note: str


class Reports:
    """The reports of a dock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enter(
        self, learnware: str, reason: Reason, text: str, *, account: int | None, contact: str
    ) -> Report:
        """Enter a report about a learnware that there is."""
        values = {
            "learnware": number_of(learnware),
            "account": account,
            "contact": contact,
            "reason": str(reason),
            "text": text,
            "state": "open",
            "created": datetime.now(UTC),
            "closer": "",
            "note": "",
        }
        with self._database.writing() as connection:
            key = connection.execute(_report.insert().values(values)).inserted_primary_key
            [id] = key or (0,)
            if account is not None:
                note(connection, account, "reported", Actor(""), {"learnware": learnware})
            return _report_of(connection, id)

    def list(
        self, state: ReportState | None = "open", *, after: int = 0, limit: int | None = None
    ) -> list[Report]:
        """Return reports, the oldest first."""
        which = _report.c.state == state if state else sa.true()
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_report)
                .where(which, _report.c.id > after)
                .order_by(_report.c.id)
                .limit(limit)
            )
            return [_report_from(row) for row in rows]

    def get(self, id: int) -> Report:
        """Return a report.

        Raises
        ------
        NotFound
            There is none of that id.
        """
        with self._database.reading() as connection:
            return _report_of(connection, id)

    def close(
        self, id: int, outcome: Literal["dismissed", "upheld"], text: str, actor: Actor
    ) -> Report:
        """Close a report.

        Raises
        ------
        NotFound, Conflict
            There is none of that id, or it is closed.
        """
        with self._database.writing() as connection:
            if _report_of(connection, id).state != "open":
                raise Conflict(
                    f"Report {id} is closed.",
                    remedy="See what came of it in the list of reports.",
                    code="conflict.report",
                )
            connection.execute(
                _report.update()
                .where(_report.c.id == id)
                .values(state=outcome, closed=datetime.now(UTC), closer=actor.name, note=text)
            )
            return _report_of(connection, id)

    def of(self, account: int) -> tuple[Report, ...]:
        """Return what an account reported."""
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_report).where(_report.c.account == account).order_by(_report.c.id)
            )
            return tuple(_report_from(row) for row in rows)


def _report_of(connection: sa.Connection, id: int) -> Report:
    row = connection.execute(sa.select(_report).where(_report.c.id == id)).first()
    if row is None:
        raise NotFound(
            f"There is no report {id}.",
            remedy="See the list of reports.",
            code="not_found.report",
        )
    return _report_from(row)


def _report_from(row: sa.Row[tuple[object, ...]]) -> Report:
    return Report(
        id=row.id,
        learnware=id_of(row.learnware),
        account=row.account,
        contact=row.contact,
        reason=Reason(row.reason),
        text=row.text,
        state=row.state,
        created=row.created,
        closed=row.closed,
        closer=row.closer,
        note=row.note,
    )
