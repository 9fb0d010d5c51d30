"""Learnwares of one server, fetched once and kept; without a network, those that are kept."""

from __future__ import annotations

from pathlib import Path

from beimingwu.client.cache import Cache
from beimingwu.client.connection import TRIES, Connection
from beimingwu.client.transfers import Progress, fetch
from beimingwu.errors import Conflict, Unavailable
from beimingwu.learnware.model import Learnware
from beimingwu.learnware.record import LearnwareRecord, require_id


class Fetching:
    """Gets learnwares from a server, or from the cache.

    Parameters
    ----------
    connection, cache
        The server, and what was fetched before.
    progress
        Told how far a transfer is.
    """

    def __init__(self, connection: Connection, cache: Cache, progress: Progress) -> None:
        self._connection = connection
        self._cache = cache
        self._progress = progress

    def learnware(self, id: str) -> Learnware:
        """Return a learnware, ready to load; see `Client.get`."""
        record, archive = self.current(id)
        folder = self._cache.folder(record.sha256, archive)
        learnware = Learnware.open(folder, id=id, semantic=record.semantic)
        learnware.lock = record.environment
        return learnware

    def current(self, id: str) -> tuple[LearnwareRecord, Path]:
        """Return the record of a learnware with the archive that it is of."""
        record = self.record(id)
        try:
            return record, self.archive(record)
        except Unavailable as error:
            again = self.record(id)
            if error.code != "transfer.digest" or again.sha256 == record.sha256:
                raise
        # Another revision came into force between the two.
        return again, self.archive(again)

    def record(self, id: str) -> LearnwareRecord:
        """Return the record of a learnware that can be had, as it was last where nobody answers.

        Raises
        ------
        NotFound, Conflict
            There is none, or none of its revisions is published.
        Unavailable
            The server cannot be reached, and nothing of it is kept.
        """
        require_id(id)
        name = f"learnware-{id}"
        kept = self._cache.noted(self._connection.url, name)
        try:
            # What is kept will do where there is no network: nobody has to wait for one.
            tries = TRIES if kept is None else 1
            shown = self._connection.get(f"/v1/learnwares/{id}", tries=tries).json()
        except Unavailable:
            if kept is None:
                raise
            return LearnwareRecord.from_json(kept)
        record = LearnwareRecord.from_json(shown)
        if record.state not in ("published", "withdrawn", "quarantined"):
            raise Conflict(
                f"Learnware {id} is {record.state}: none of its revisions is published.",
                remedy=f"See how it stands with `show {id}`.",
                code="conflict.state",
            )
        self._cache.note(self._connection.url, name, {**shown, "steps": []})
        return record

    def archive(self, record: LearnwareRecord) -> Path:
        """Return the archive of a record, fetched where it is not here yet."""

        def fetched(target: Path) -> None:
            path, digest = f"/v1/learnwares/{record.id}/archive", record.sha256
            fetch(self._connection, path, record.size, digest, target, self._progress)

        return self._cache.archive(record.sha256, fetched)

    def forget(self, id: str) -> None:
        """Forget what the server said of a learnware."""
        self._cache.forget(self._connection.url, f"learnware-{id}")
