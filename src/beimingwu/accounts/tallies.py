"""How often the dock is used: counted in memory, written to the database now and then.

A search should not have to write. What a crash forgets is the count of a few seconds.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, date, datetime

import sqlalchemy as sa

from beimingwu.dock.database import Database
from beimingwu.dock.schema import tally as _tally


class Tallies:
    """The tallies of one server, on top of what the database holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._counted: Counter[tuple[str, date]] = Counter()

    def add(self, kind: str) -> None:
        """Count one of a kind, such as `search` or `download`."""
        with self._guard:
            self._counted[kind, datetime.now(UTC).date()] += 1

    def flush(self) -> None:
        """Write to the database what was counted since."""
        with self._guard:
            counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            with self._database.writing() as connection:
                for (kind, day), count in counted.items():
                    _add(connection, kind, day, count)
        except BaseException:
            with self._guard:
                self._counted.update(counted)
            raise

    def totals(self) -> dict[str, int]:
        """Return how often each kind was counted, ever and by every server."""
        with self._guard:
            totals = Counter({kind: 0 for kind, _ in self._counted})
            for (kind, _), count in self._counted.items():
                totals[kind] += count
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_tally.c.kind, sa.func.sum(_tally.c.count)).group_by(_tally.c.kind)
            )
            for kind, count in rows:
                totals[kind] += int(count)
        return dict(totals)


def _add(connection: sa.Connection, kind: str, day: date, count: int) -> None:
    # Writers come one after another, so nobody inserts between the two.
    which = (_tally.c.kind == kind) & (_tally.c.day == day)
    moved = connection.execute(
        _tally.update().where(which).values(count=_tally.c.count + count)
    ).rowcount
    if not moved:
        connection.execute(_tally.insert().values(kind=kind, day=day, count=count))
