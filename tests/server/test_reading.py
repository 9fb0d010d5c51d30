"""What the dock holds, read over HTTP: archives in ranges, specifications, several at once."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from beimingwu.dock.testing import a_learnware, a_specification
from beimingwu.specification import read_specification

from .dock_over_http import ended, published, submitted


@pytest.fixture
def archive() -> bytes:
    return a_learnware(padding=5000)


@pytest.fixture
def path(client: Any, ada: Any) -> str:
    return f"/v1/learnwares/{published(client, ada, padding=5000)}/archive"


def test_an_archive_is_served_as_it_was_sent(client: Any, path: str, archive: bytes) -> None:
    answer = client.get(path)
    assert answer.content == archive
    digest = hashlib.sha256(archive)
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    encoded = base64.b64encode(digest.digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{encoded}:"
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="00000001.zip"'
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(archive))
    known = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-99", 10, 100),
        ("bytes=100-", 100, None),
        ("bytes=-7", -7, None),
    ],
)
def test_a_range_is_the_part_that_was_asked_for(
    client: Any, path: str, archive: bytes, asked: str, start: int, end: int | None
) -> None:
    answer = client.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, archive[start:end])
    first = start if start >= 0 else len(archive) + start
    last = (end or len(archive)) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(archive)}"
    assert answer.headers["content-length"] == str(len(answer.content))


def test_the_rest_of_another_archive_is_the_whole_of_this_one(
    client: Any, path: str, archive: bytes
) -> None:
    etag = client.head(path).headers["etag"]
    ranged = {"Range": "bytes=5-"}
    assert client.get(path, headers={**ranged, "If-Range": etag}).content == archive[5:]
    assert client.get(path, headers={**ranged, "If-Range": '"another"'}).content == archive
    for odd in ("bytes=9-5", "bytes=0-1,5-6", "lines=1-2", "bytes=-"):
        assert client.get(path, headers={"Range": odd}).status_code == 200
    beyond = client.get(path, headers={"Range": f"bytes={len(archive)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range.unsatisfiable")


def test_a_specification_is_the_published_one(client: Any, ada: Any) -> None:
    id = published(client, ada, centre=2.0)
    answer = client.get(f"/v1/learnwares/{id}/specification")
    spec, sent = read_specification(answer.content), a_specification(centre=2.0)
    assert np.array_equal(spec.points, sent.points)
    assert np.array_equal(spec.weights, sent.weights)
    assert "content-disposition" not in answer.headers
    kept = client.get(f"/v1/learnwares/{id}/specification?download=true")
    assert kept.headers["content-disposition"] == f'attachment; filename="{id}.stat.json"'
    known = {"If-None-Match": answer.headers["etag"]}
    assert client.get(f"/v1/learnwares/{id}/specification", headers=known).status_code == 304


def test_several_learnwares_are_one_zip(client: Any, ada: Any, bob: Any) -> None:
    ids = [published(client, ada, centre=centre, padding=3000) for centre in (1.0, 2.0)]
    answer = client.get("/v1/downloads", params={"id": [*ids, ids[0]]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as several:
        assert several.testzip() is None
        assert several.namelist() == [f"{id}.{kind}" for id in ids for kind in ("json", "zip")]
        assert several.read(f"{ids[1]}.zip") == a_learnware(centre=2.0, padding=3000)
        told = json.loads(several.read(f"{ids[0]}.json"))
        assert (told["id"], told["steps"]) == (ids[0], [])
    client.post(f"/v1/learnwares/{ids[0]}/withdraw", headers=ada.headers)
    answer = client.get("/v1/downloads", params={"id": ids}, headers=bob.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found.learnware")
    assert client.get("/v1/downloads").status_code == 422


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_a_verification_can_be_followed_step_by_step(client: Any, ada: Any, bob: Any) -> None:
    accepted = submitted(client, ada)
    where = f"{accepted.headers['location']}/events"
    answer = client.get(where, headers=ada.headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    names = ["archive", "manifest", "semantic", "statistical", "usability", "accommodate"]
    assert [data["name"] for kind, data in told if kind == "step"] == names
    assert told[-1] == ("end", {"state": "published"})
    known = {**ada.headers, "Last-Event-ID": "4"}
    told = events(client.get(where, headers=known).text)
    assert [data["name"] for kind, data in told if kind == "step"] == names[4:]
    assert client.get(where, headers=bob.headers).status_code == 403
    assert client.get(where).status_code == 401
    missing = client.get(where.replace("/1/", "/2/"), headers=ada.headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found.revision")


def test_a_stream_of_what_is_deleted_meanwhile_ends(client: Any, ada: Any) -> None:
    slow = (
        "import time\nclass Model:\n    input_shape = (3,)\n    output_shape = (1,)\n"
        "    def predict(self, X):\n        time.sleep(1)\n        return X.sum(axis=1)\n"
    )
    accepted = submitted(client, ada, module=slow)
    with client.stream(
        "GET", f"{accepted.headers['location']}/events", headers=ada.headers
    ) as followed:
        assert followed.status_code == 200
    id = accepted.json()["learnware"]
    assert client.delete(f"/v1/learnwares/{id}", headers=ada.headers).status_code == 204


def test_a_download_and_a_search_are_counted_and_their_content_is_logged_nowhere(
    client: Any, service: Any, ada: Any, log: Any
) -> None:
    id = published(client, ada)
    secret = "a word that nobody else needs to know"
    client.post("/v1/search", json={"filter": {"text": secret}})
    client.post("/v1/search", json={"filter": {"task": [secret]}})
    client.get(f"/v1/learnwares/{id}/archive")
    totals = service.accounts.tallies.totals()
    assert (totals["search"], totals["download"]) == (1, 1)
    assert "POST /v1/search 200" in log.text
    assert secret not in log.text


def test_the_verdict_names_the_rule_and_the_remedy(client: Any, ada: Any) -> None:
    verdict = ended(client, ada, submitted(client, ada, answer="X[:1].sum(axis=1)"))
    assert verdict["state"] == "rejected"
    failed = verdict["steps"][-1]
    assert (failed["state"], failed["code"]) == ("failed", "guest.reply_length")
    assert failed["remedy"]
