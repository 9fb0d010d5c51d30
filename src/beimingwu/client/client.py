"""The verbs of a dock, over HTTP: submit, get, list, search, update, withdraw, delete, export.

A `Client` answers the same calls as a `Dock` with the same objects. What it fetched it keeps, so
that a learnware that was used once can be used again without a network.
"""

from __future__ import annotations

import html
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import httpx2

from beimingwu.client.cache import Cache
from beimingwu.client.connection import Connection
from beimingwu.client.credentials import token_for
from beimingwu.client.fetching import Fetching
from beimingwu.client.listing import listed, parameters
from beimingwu.client.submission import RemoteSubmission
from beimingwu.client.transfers import Progress, Source, ended, outgoing, send
from beimingwu.config import settings
from beimingwu.errors import BeimingwuError, InvalidInput, Unavailable
from beimingwu.learnware.model import Learnware
from beimingwu.learnware.record import Event, LearnwareRecord, State, require_id
from beimingwu.learnware.serving import write_served
from beimingwu.search import Requirement, SearchResult, SemanticFilter, Suggestion
from beimingwu.search.wire import Query, result_from_json
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification

#: What a user may pass as a semantic specification: ours, or the JSON of 2024.
Semantic = SemanticSpecification | Mapping[str, object] | str | bytes


class Client:
    """A dock on a server.

    Parameters
    ----------
    url
        Its address; BEIMINGWU_DOCK where omitted.
    token
        An API token; where omitted BEIMINGWU_TOKEN, or the one that `beimingwu login` kept. Without
        one, what is published can be read and searched.
    on_progress
        Told how far a transfer is: what is done ("sending", "fetching"), bytes, and bytes in all.
    transport
        How requests travel, where not by the network.

    Raises
    ------
    InvalidInput
        It is no address of a server.

    Examples
    --------
    >>> Client("https://dock.example.org", token=None)
    <dock 'https://dock.example.org'>
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        on_progress: Progress | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        limits = settings()
        where = limits.dock if url is None else url
        self._connection = Connection(where, token or token_for(where), transport)
        self._cache = Cache(Path(limits.cache).expanduser() / "docks", limits.learnwares_max_bytes)
        self._progress: Progress = on_progress or _nobody
        self._fetching = Fetching(self._connection, self._cache, self._progress)
        self._closed = False

    @property
    def url(self) -> str:
        """The address of the dock."""
        return self._connection.url

    # Submitting

    def submit(
        self, archive: Source, semantic: Semantic | None = None, *, owner: str = ""
    ) -> RemoteSubmission:
        """Submit a learnware: the cheap checks answer at once, the others run on the server.

        A submission whose connection breaks is made once, whatever happens; where its upload was
        broken off, calling this again sends the rest.

        Parameters
        ----------
        archive
            Path of a learnware archive, its bytes, or a binary file open for reading.
        semantic
            Used instead of the semantic specification embedded in the archive; needed when there
            is none.
        owner
            Empty: the owner is whoever is signed in.

        Returns
        -------
        RemoteSubmission
            Iterate it for the steps as they happen, or `wait()` until it is published.

        Raises
        ------
        InvalidArchive, InvalidSpecification, TooLarge
            The archive breaks a rule; nothing of it stays.
        Conflict
            You submitted the same archive before.
        Unauthenticated
            Nobody is signed in.
        """
        if owner:
            raise InvalidInput(
                f"A dock on a server knows who submits; {owner!r} cannot.",
                remedy="Leave `owner` out, and sign in as who it should be.",
                code="input.owner",
            )
        words = _words(semantic)
        with self._sent(archive) as upload:
            accepted = self._connection.send(
                "POST",
                "/v1/learnwares",
                json={"upload": upload, "semantic": words},
                headers={"Idempotency-Key": uuid.uuid4().hex},
                repeatable=True,
            )
        return RemoteSubmission(self._connection, accepted.json())

    def update(
        self, id: str, *, archive: Source | None = None, semantic: Semantic | None = None
    ) -> RemoteSubmission:
        """Make a new revision of a learnware; the present one stays in force until it is published.

        A new semantic specification that leaves data, task and dimensions as they are is in force
        at once, without running the model again.

        Raises
        ------
        NotFound, InvalidArchive, InvalidSpecification, TooLarge
            As `submit`.
        Conflict
            A revision is being verified, or somebody else changes it at the same time.
        Forbidden
            It belongs to somebody else.
        """
        if archive is None and semantic is None:
            raise InvalidInput(
                f"Nothing was given to update learnware {id} with.",
                remedy="Pass `archive=`, `semantic=`, or both.",
                code="input.nothing_to_update",
            )
        change: dict[str, object] = {"semantic": _words(semantic)}
        seen = {"If-Match": self._connection.get(_path(id)).headers["etag"]}
        if archive is None:
            accepted = self._connection.send("PATCH", _path(id), json=change, headers=seen)
            return RemoteSubmission(self._connection, accepted.json())
        with self._sent(archive) as upload:
            change["upload"] = upload
            accepted = self._connection.send("PATCH", _path(id), json=change, headers=seen)
        return RemoteSubmission(self._connection, accepted.json())

    def submission(self, id: str, revision: int | None = None) -> RemoteSubmission:
        """Return a submission of a learnware, to follow it from here.

        Parameters
        ----------
        revision
            Its revision's number; the newest where omitted.

        Raises
        ------
        NotFound
            No such learnware, or no such revision of it.
        """
        if revision is None:
            revision = self._connection.get(_path(id, "revisions")).json()[-1]["number"]
        shown = self._connection.get(_path(id, f"revisions/{revision}/verification")).json()
        return RemoteSubmission(self._connection, shown)

    # Finding

    def search(
        self,
        requirement: Requirement | RKME | SemanticFilter | dict[str, object],
        *,
        limit: int = 10,
        max_learnwares: int = 5,
    ) -> SearchResult:
        """Identify the learnwares, and the mixture of learnwares, that serve a requirement.

        Only the requirement is sent: a specification, facets and words, and no data.

        Raises
        ------
        InvalidRequirement
            It cannot be asked.
        """
        wanted = Requirement.of(requirement)
        query = Query(wanted, limit, max_learnwares, specifications=True)
        content = json.dumps(query.to_json(), allow_nan=False).encode()
        answer = self._connection.send(
            "POST",
            "/v1/search",
            content=content,
            headers={"Content-Type": "application/json"},
            repeatable=True,
        )
        return result_from_json(answer.json(), wanted, self.get)

    def list(
        self,
        filter: SemanticFilter | None = None,
        *,
        limit: int | None = 100,
        after: str | None = None,
        state: State | None = "published",
        owner: str | None = None,
    ) -> list[LearnwareRecord]:
        """Return learnwares, the best text match or else the newest first.

        What is not published is listed to its owner alone.

        Parameters
        ----------
        filter
            Facets and text that they satisfy; all where omitted.
        limit
            Most to return; all for None.
        after
            The last id of the page before.
        state
            Only those in this state; every state but deleted for None.
        owner
            Only this owner's; "me" is whoever is signed in.

        Raises
        ------
        InvalidRequirement
            A limit under 1, or an `after` that is not in the list.
        InvalidInput
            No such state.
        """
        asked = parameters(filter, state, owner)
        return listed(self._connection, asked, limit, after)

    def facets(self, filter: SemanticFilter | None = None) -> dict[str, dict[str, int]]:
        """Count the published learnwares by facet and value, within the filter's other facets."""
        counts: dict[str, dict[str, int]] = self._connection.get(
            "/v1/learnwares/facets", params=parameters(filter)
        ).json()
        return counts

    def did_you_mean(
        self, filter: SemanticFilter, *, state: State | None = "published"
    ) -> tuple[Suggestion, ...]:
        """Return what the text of a filter was read as, and where it finds few, what finds more.

        A word that no learnware says is read as one that some do, by `list` and `search` too. A
        server tells the words of what is published, and of no other state.
        """
        if state != "published":
            return ()
        found = self._connection.get("/v1/learnwares/suggestions", params=parameters(filter)).json()
        return tuple(Suggestion(**one) for one in found)

    def count(
        self,
        filter: SemanticFilter | None = None,
        *,
        state: State | None = "published",
        owner: str | None = None,
    ) -> int:
        """Return how many learnwares `list` would go through."""
        asked = parameters(filter, state, owner)
        return int(self._connection.get("/v1/learnwares/count", params=asked).json()["count"])

    def __len__(self) -> int:
        return self.count()

    # One learnware

    def get(self, id: str) -> Learnware:
        """Return a learnware, ready to load; it is fetched once, and runs on this machine.

        Raises
        ------
        NotFound
            No such learnware.
        Conflict
            It is not published yet, or was rejected.
        Unavailable
            It is not kept here, and the dock cannot be reached.
        """
        return self._fetching.learnware(id)

    def show(self, id: str) -> LearnwareRecord:
        """Return what the dock says about a learnware, with the log of its checks for its owner.

        Raises
        ------
        NotFound
            No such learnware.
        """
        shown = self._connection.get(_path(id)).json()
        return LearnwareRecord.from_json(shown)

    def events(self, id: str) -> tuple[Event, ...]:
        """Return every change of a learnware's state, the first first; to its owner.

        Raises
        ------
        NotFound, Forbidden
            No such learnware, or it is somebody else's.
        """
        events = self._connection.get(_path(id, "events")).json()
        return tuple(Event.from_json(event) for event in events)

    def export(self, id: str, path: str | os.PathLike[str]) -> Path:
        """Write a learnware as the zip that a dock serves, and return its path.

        Parameters
        ----------
        path
            The file, or a folder to put `<id>.zip` into.

        Raises
        ------
        NotFound, Conflict, Unavailable
            As `get`.
        """
        record, archive = self._fetching.current(id)
        target = Path(path).expanduser()
        target = target / f"{id}.zip" if target.is_dir() else target
        with TemporaryDirectory(prefix="beimingwu-export-") as workspace:
            write_served(archive, Path(workspace), id, record.semantic, target)
        return target

    def withdraw(self, id: str) -> None:
        """Take a published learnware from everybody but its owner; `restore` undoes it.

        Raises
        ------
        NotFound, Conflict, Forbidden
            No such learnware, or it is not published, or it is somebody else's.
        """
        self._connection.send("POST", _path(id, "withdraw"))

    def restore(self, id: str) -> None:
        """Publish a withdrawn learnware again.

        Raises
        ------
        NotFound, Conflict, Forbidden
            No such learnware, or it is not withdrawn, or it is somebody else's.
        """
        self._connection.send("POST", _path(id, "restore"))

    def delete(self, id: str) -> None:
        """Delete a learnware for good; its id is never given again.

        Raises
        ------
        NotFound, Forbidden
            No such learnware, or it is somebody else's.
        """
        self._connection.send("DELETE", _path(id))
        self._fetching.forget(id)

    # Who asks, and closing

    def whoami(self) -> dict[str, Any]:
        """Return the account that is signed in: its id, name, email and role.

        Raises
        ------
        Unauthenticated
            There is none.
        """
        account: dict[str, Any] = self._connection.get("/v1/account").json()
        return account

    def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<dock {self.url!r}{', closed' if self._closed else ''}>"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>"

    @contextmanager
    def _sent(self, archive: Source) -> Iterator[str]:
        """Send an archive, and lend its upload to whoever submits it."""
        with outgoing(archive) as whole:
            upload = send(self._connection, self._cache, whole, self._progress)
            try:
                yield upload
            except Unavailable:
                raise  # The upload may be gone on with.
            except BeimingwuError:
                ended(self._connection, self._cache, whole)
                raise
            ended(self._connection, self._cache, whole)


def _nobody(what: str, done: int, size: int) -> None:
    """Tell nobody how far a transfer is."""


def _path(id: str, rest: str = "") -> str:
    require_id(id)
    return f"/v1/learnwares/{id}/{rest}".rstrip("/")


def _words(semantic: Semantic | None) -> dict[str, object] | None:
    if semantic is None:
        return None
    if not isinstance(semantic, SemanticSpecification):
        semantic = SemanticSpecification.from_json(semantic)
    return semantic.to_json()
