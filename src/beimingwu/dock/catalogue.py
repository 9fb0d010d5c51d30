"""The dock's memory: learnwares, revisions, and every change of state in one transaction.

A change of state and its event commit together or not at all, and the caller's blobs are on disk
before. Nothing here refers to a path, and nothing here runs a learnware. Listing is in `listing`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from beimingwu.dock import schema
from beimingwu.dock.database import Database
from beimingwu.dock.fulltext import full_text
from beimingwu.dock.keys import asked_before, note_key
from beimingwu.dock.records import Draft, Once, Revision, id_of, number_of, updated
from beimingwu.dock.rows import (
    current_key,
    insert_row,
    learnware_state,
    note_event,
    put_step,
    revisions_where,
    served_revision,
    set_learnware,
    set_revision,
    wrong_state,
)
from beimingwu.dock.schema import KEPT
from beimingwu.errors import Conflict
from beimingwu.learnware.record import UNFINISHED, State, Step
from beimingwu.search.semantic import facets_of
from beimingwu.specification.semantic import SemanticSpecification

_learnware, _revision, _event, _facet = (
    schema.learnware,
    schema.revision,
    schema.event,
    schema.facet,
)


class Catalogue:
    """The catalogue in one database.

    Parameters
    ----------
    where
        An SQLite file or a PostgreSQL URL; see `Database` for what opening it may raise.
    """

    def __init__(self, where: Path | str) -> None:
        self.database = Database(where)
        self.text = full_text(self.database.dialect)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Lend a connection that sees one moment of the catalogue."""
        return self.database.reading()

    # Submitting

    def submit(
        self, owner: str, draft: Draft, verifier: str | None = None, once: Once | None = None
    ) -> Revision:
        """Enter a new learnware with its first revision, waiting for verification.

        Parameters
        ----------
        owner, draft
            Whose it is, and what was stored.
        verifier
            The open dock that will verify it, so that no other does while that one lives.
        once
            Its key: where it was asked for before, the revision of that time is returned.

        Raises
        ------
        Conflict
            The owner has a learnware of the same archive already, or used the key for another.
        """
        now = datetime.now(UTC)
        with self.database.writing() as connection:
            before = asked_before(connection, owner, once)
            if before is not None:
                return before
            _refuse_duplicate(connection, owner, draft.archive_sha256)
            number = insert_row(
                connection,
                _learnware,
                {"owner": owner, "name": draft.semantic.name, "state": "uploaded", "created": now},
            )
            revision = self._enter(connection, number, owner, 1, "uploaded", draft, verifier)
            self._show(connection, number, draft.semantic)
            note_event(connection, revision, "submitted", owner)
            note_key(connection, revision, once)
        return revision

    def asked(self, owner: str, once: Once) -> Revision | None:
        """Return the revision that `submit` made under a key, None where it made none.

        Raises
        ------
        Conflict
            The owner used the key for something else.
        """
        with self.reading() as connection:
            return asked_before(connection, owner, once)

    def revise(
        self, id: str, draft: Draft, base: Revision, verifier: str | None = None, actor: str = ""
    ) -> Revision:
        """Enter a further revision, waiting for verification; the one in force stays until then.

        The owner does where `actor` is empty.

        Raises
        ------
        Conflict
            Another revision is on its way, or is newer than `base`; or the owner has another
            learnware of the same archive.
        """
        with self.database.writing() as connection:
            state = _state_of_successor(connection, id, base)
            _refuse_duplicate(connection, base.owner, draft.archive_sha256, besides=number_of(id))
            number = base.number + 1
            revision = self._enter(
                connection, number_of(id), base.owner, number, "uploaded", draft, verifier
            )
            if state == "rejected":
                set_learnware(connection, revision, state="uploaded")
                self._show(connection, number_of(id), draft.semantic)
            note_event(connection, revision, "submitted", actor or base.owner)
        return revision

    def amend(self, id: str, draft: Draft, base: Revision, actor: str = "") -> Revision:
        """Enter a further revision that needs no verification, in force at once (see `revise`)."""
        with self.database.writing() as connection:
            state = _state_of_successor(connection, id, base)
            revision = self._enter(
                connection, number_of(id), base.owner, base.number + 1, state, draft
            )
            set_learnware(connection, revision, current_revision=revision.key)
            self._show(connection, number_of(id), draft.semantic)
            note_event(connection, revision, "amended", actor or base.owner)
        return revision

    # Verifying

    def unfinished(self) -> list[Revision]:
        """Return the revisions that wait for their verification, oldest first."""
        with self.reading() as connection:
            return revisions_where(connection, _revision.c.state.in_(UNFINISHED))

    def adopt(self, me: str, is_alive: Callable[[str], bool]) -> list[Revision]:
        """Reserve for `me` every unfinished revision that nobody alive will verify."""
        if not self.unfinished():
            return []
        with self.database.writing() as connection:
            waiting = [
                revision
                for revision in revisions_where(connection, _revision.c.state.in_(UNFINISHED))
                if revision.claimant is None or not is_alive(revision.claimant)
            ]
            for revision in waiting:
                if revision.state == "verifying":
                    note_event(connection, revision, "interrupted", me)
                _wait_again(connection, revision, me)
        return waiting

    def claim(self, key: int, me: str, is_alive: Callable[[str], bool]) -> Revision | None:
        """Take a revision to verify it, with its log so far; None when `me` has nothing to do.

        Parameters
        ----------
        key
            The revision's row.
        me
            This dock's name; it holds the claim while `is_alive(me)`.
        is_alive
            Tells whether another claimant still is; the claim of one that is not is taken over.
        """
        with self.database.writing() as connection:
            found = revisions_where(connection, _revision.c.id == key)
            if not found or found[0].state not in UNFINISHED:
                return None
            seen = found[0]
            reserved = seen.claimant == me and seen.state == "uploaded"
            if seen.claimant is not None and not reserved and is_alive(seen.claimant):
                return None
            if seen.state == "verifying":
                note_event(connection, seen, "interrupted", me)
            set_revision(connection, seen, state="verifying", claimant=me)
            if current_key(connection, seen) is None:
                set_learnware(connection, seen, state="verifying")
            note_event(connection, seen, "verifying", me)
            return revisions_where(connection, _revision.c.id == key)[0]

    def interruptions(self, revision: Revision) -> int:
        """Return how often a process ended while it verified a revision."""
        with self.reading() as connection:
            counted = sa.select(sa.func.count()).where(
                _event.c.learnware == number_of(revision.learnware),
                _event.c.revision == revision.number,
                _event.c.kind == "interrupted",
            )
            return int(connection.execute(counted).scalar_one())

    def release(self, revision: Revision) -> None:
        """Give a claim back undone, for whoever comes next."""
        with self.database.writing() as connection:
            if _is_ours(connection, revision):
                _wait_again(connection, revision, None)

    def record(
        self, revision: Revision, step: Step, environment: Mapping[str, object] | None = None
    ) -> bool:
        """Add a step to the log, and the packages it found; False when the claim is lost."""
        with self.database.writing() as connection:
            if not _is_ours(connection, revision):
                return False
            put_step(connection, revision, step)
            if environment is not None:
                set_revision(connection, revision, environment=json.dumps(environment))
        return True

    def publish(self, revision: Revision, step: Step) -> bool:
        """End a verification well: the revision is in force from now on; False when lost."""
        with self.database.writing() as connection:
            if not _is_ours(connection, revision):
                return False
            state = learnware_state(connection, number_of(revision.learnware))
            # A learnware that was withdrawn stays so; its new revision is ready when it returns.
            after: State = state if state in ("withdrawn", "quarantined") else "published"
            put_step(connection, revision, step)
            set_revision(connection, revision, state=after, claimant=None)
            set_learnware(connection, revision, state=after, current_revision=revision.key)
            self._show(connection, number_of(revision.learnware), revision.semantic)
            note_event(connection, revision, "published", revision.owner)
        return True

    def reject(self, revision: Revision, step: Step) -> bool:
        """End a verification badly: the row and its log stay, to be read by the owner."""
        with self.database.writing() as connection:
            if not _is_ours(connection, revision):
                return False
            put_step(connection, revision, step)
            set_revision(connection, revision, state="rejected", claimant=None)
            if current_key(connection, revision) is None:
                set_learnware(connection, revision, state="rejected")
            note_event(connection, revision, "rejected", revision.owner, {"code": step.code})
        return True

    # Withdrawing

    def withdraw(self, id: str, actor: str = "") -> None:
        """Take a published learnware out of search; its owner does where `actor` is empty.

        Raises
        ------
        NotFound, Conflict
            No such learnware, or it is not published.
        """
        self._move(id, "published", "withdrawn", "withdrawn", actor)

    def restore(self, id: str, actor: str = "") -> None:
        """Undo `withdraw`."""
        self._move(id, "withdrawn", "published", "restored", actor)

    def delete(self, id: str, actor: str = "") -> list[Revision]:
        """Delete a learnware for good; its id stays taken. Return the revisions it had."""
        with self.database.writing() as connection:
            number = number_of(id)
            learnware_state(connection, number)
            gone = revisions_where(connection, _revision.c.learnware == number)
            now = datetime.now(UTC)
            connection.execute(
                _revision.update()
                .where(_revision.c.learnware == number)
                .values(state="deleted", claimant=None, semantic={}, checks=[], changed=now)
            )
            connection.execute(
                _learnware.update()
                .where(_learnware.c.id == number)
                .values(state="deleted", name="", current_revision=None)
            )
            connection.execute(_facet.delete().where(_facet.c.learnware == number))
            self.text.remove(connection, number)
            note_event(connection, gone[-1], "deleted", actor or gone[-1].owner)
        return gone

    def _move(self, id: str, before: State, after: State, kind: str, actor: str) -> None:
        with self.database.writing() as connection:
            state = learnware_state(connection, number_of(id))
            if state != before:
                raise wrong_state(id, state, f"only a {before} one can be {kind}")
            current = served_revision(connection, id)
            set_revision(connection, current, state=after)
            set_learnware(connection, current, state=after)
            note_event(connection, current, kind, actor or current.owner)

    # Looking up

    def current(self, id: str) -> Revision:
        """Return the revision in force.

        Raises
        ------
        NotFound
            No such learnware.
        Conflict
            None of its revisions has been published.
        """
        with self.reading() as connection:
            return served_revision(connection, id)

    def latest(self, id: str) -> Revision:
        """Return the newest revision, in force or not; NotFound as `current`."""
        return self.revisions(id)[-1]

    def revisions(self, id: str) -> list[Revision]:
        """Return all revisions, the first first; NotFound as `current`."""
        with self.reading() as connection:
            number = number_of(id)
            learnware_state(connection, number)
            return revisions_where(connection, _revision.c.learnware == number)

    def revision(self, key: int) -> Revision | None:
        """Return a revision by its row, None when its learnware was deleted."""
        with self.reading() as connection:
            found = revisions_where(connection, _revision.c.id == key)
        return found[0] if found else None

    def live_digests(self) -> set[str]:
        """Return the digest of every blob that some revision needs."""
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(_revision.c.archive_sha256, _revision.c.specification_sha256).where(
                    _revision.c.state.in_(KEPT)
                )
            )
            return {digest for row in rows for digest in row}

    def is_live(self, digest: str) -> bool:
        """Tell whether some revision needs a blob."""
        with self.reading() as connection:
            refers = (_revision.c.archive_sha256 == digest) | (
                _revision.c.specification_sha256 == digest
            )
            found = sa.select(sa.exists().where(refers, _revision.c.state.in_(KEPT)))
            return bool(connection.execute(found).scalar())

    def _enter(
        self,
        connection: sa.Connection,
        learnware: int,
        owner: str,
        number: int,
        state: State,
        draft: Draft,
        verifier: str | None = None,
    ) -> Revision:
        now = datetime.now(UTC)
        values = {
            "learnware": learnware,
            "number": number,
            "state": state,
            "archive_sha256": draft.archive_sha256,
            "size": draft.size,
            "specification_sha256": draft.specification_sha256,
            "semantic": draft.semantic.to_json(),
            "kind": draft.kind,
            "dimension": draft.dimension,
            "checks": [step.to_json() for step in draft.steps],
            "environment": None if draft.environment is None else json.dumps(draft.environment),
            "claimant": verifier,
            "created": now,
            "changed": now,
        }
        key = insert_row(connection, _revision, values)
        return Revision.from_row({"id": key, **values}, owner)

    def _show(
        self, connection: sa.Connection, learnware: int, semantic: SemanticSpecification
    ) -> None:
        """Bring name, facets and text of a learnware to those of the revision it shows."""
        connection.execute(
            _learnware.update().where(_learnware.c.id == learnware).values(name=semantic.name)
        )
        connection.execute(_facet.delete().where(_facet.c.learnware == learnware))
        connection.execute(
            _facet.insert(),
            [
                {"learnware": learnware, "key": key, "value": value}
                for key, values in facets_of(semantic).items()
                for value in values
            ],
        )
        self.text.put(connection, learnware, semantic)


def _is_ours(connection: sa.Connection, revision: Revision) -> bool:
    row = sa.select(_revision.c.claimant, _revision.c.state).where(_revision.c.id == revision.key)
    claimant, state = connection.execute(row).one()
    return bool(claimant == revision.claimant and state == "verifying")


def _wait_again(connection: sa.Connection, revision: Revision, verifier: str | None) -> None:
    set_revision(connection, revision, state="uploaded", claimant=verifier)
    if current_key(connection, revision) is None:
        set_learnware(connection, revision, state="uploaded")


def _state_of_successor(connection: sa.Connection, id: str, base: Revision) -> State:
    """Return the learnware's state if `base` may be followed by another revision now."""
    state = learnware_state(connection, number_of(id))
    newest = revisions_where(connection, _revision.c.learnware == number_of(id))[-1]
    if newest.state in UNFINISHED:
        raise Conflict(
            f"Revision {newest.number} of learnware {id} is being verified.",
            remedy="Wait until it is published or rejected, then update again.",
            code="conflict.verifying",
        )
    if newest.number != base.number:
        raise updated(id)
    return state


def _refuse_duplicate(
    connection: sa.Connection, owner: str, archive: str, besides: int | None = None
) -> None:
    same = (
        sa.select(_learnware.c.id)
        .join(_revision, _revision.c.learnware == _learnware.c.id)
        .where(
            _revision.c.archive_sha256 == archive,
            _revision.c.state.in_(KEPT),
            _learnware.c.owner == owner,
            _learnware.c.id != (besides or 0),
        )
    )
    existing: int | None = connection.execute(same.limit(1)).scalar()
    if existing is not None:
        raise Conflict(
            f"This archive is learnware {id_of(existing)} already.",
            remedy=f"Use {id_of(existing)}, or change it with `update`.",
            code="conflict.duplicate",
        )
