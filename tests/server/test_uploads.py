"""An archive arrives over HTTP in pieces, and nobody learns what others sent."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from .dock_over_http import BYTES, sent

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def where(client: Any, ada: Any) -> str:
    made = client.post("/v1/uploads", json={"size": len(CONTENT)}, headers=ada.headers)
    assert made.json()["received"] == 0
    return str(made.headers["location"])


def append(client: Any, person: Any, where: str, offset: int, piece: bytes) -> Any:
    headers = {**person.headers, **BYTES, "Upload-Offset": str(offset)}
    return client.patch(where, content=piece, headers=headers)


def refused(answer: Any, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert problem["remedy"]


def test_an_upload_goes_on_where_it_was_cut_off_at_any_byte(
    client: Any, ada: Any, where: str
) -> None:
    for at in (0, 1, 2, 700, 1024, 2047):
        received = client.get(where, headers=ada.headers).json()["received"]
        answer = append(client, ada, where, received, CONTENT[received:at])
        assert answer.json()["received"] == at
    assert append(client, ada, where, 2047, CONTENT[2047:]).json()["received"] == len(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    for _ in range(2):
        done = client.post(f"{where}/complete", json={"sha256": digest}, headers=ada.headers)
        assert (done.status_code, done.json()["sha256"]) == (200, digest)


def test_what_does_not_fit_is_refused_by_name(client: Any, ada: Any, where: str) -> None:
    refused(append(client, ada, where, 5, b"x"), 409, "conflict.offset")
    refused(append(client, ada, where, 0, CONTENT + b"x"), 413, "too_large.request")
    refused(client.patch(where, content=b"x", headers=ada.headers), 422, "request.schema")
    headers = {**ada.headers, "Upload-Offset": "0", "Content-Type": "text/plain"}
    refused(client.patch(where, content=b"x", headers=headers), 422, "input.media_type")
    done = client.post(f"{where}/complete", json={"sha256": "0" * 64}, headers=ada.headers)
    refused(done, 409, "conflict.incomplete")
    append(client, ada, where, 0, CONTENT)
    done = client.post(f"{where}/complete", json={"sha256": "0" * 64}, headers=ada.headers)
    refused(done, 422, "upload.digest")
    for size, status, code in ((0, 422, "request.schema"), (2**50, 413, "too_large.archive")):
        refused(client.post("/v1/uploads", json={"size": size}, headers=ada.headers), status, code)


def test_an_upload_is_its_owners_alone(
    client: Any, ada: Any, bob: Any, admin: Any, where: str
) -> None:
    for person in (bob, admin):
        refused(client.get(where, headers=person.headers), 404, "not_found.upload")
        refused(append(client, person, where, 0, b"x"), 404, "not_found.upload")
        refused(client.delete(where, headers=person.headers), 404, "not_found.upload")
        upload = where.rsplit("/", 1)[1]
        answer = client.post("/v1/learnwares", json={"upload": upload}, headers=person.headers)
        refused(answer, 404, "not_found.upload")
    assert client.get(where).status_code == 401
    assert client.delete(where, headers=ada.headers).status_code == 204
    refused(client.get(where, headers=ada.headers), 404, "not_found.upload")


def test_the_quota_is_known_before_a_byte_is_sent(
    client: Any, ada: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_QUOTA_BYTES", "1000")
    first = client.post("/v1/uploads", json={"size": 600}, headers=ada.headers)
    assert first.status_code == 201
    again = client.post("/v1/uploads", json={"size": 600}, headers=ada.headers)
    refused(again, 413, "too_large.quota")
    assert client.post("/v1/uploads", json={"size": 600}, headers=bob.headers).status_code == 201


def test_nobody_learns_from_an_upload_what_the_dock_holds(
    client: Any, service: Any, ada: Any, bob: Any
) -> None:
    """The same steps and the same answers, whether another account sent the same bytes or not."""
    answers = []
    for person in (ada, bob):
        id = sent(client, person, CONTENT, size=1000)
        shown = client.get(f"/v1/uploads/{id}", headers=person.headers).json()
        answers.append({key: shown[key] for key in ("size", "received", "sha256")})
    assert answers[0] == answers[1]
