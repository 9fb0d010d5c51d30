"""Ways to use a dock over HTTP in tests: send an archive in pieces, submit it, wait for it."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from beimingwu.dock.testing import a_learnware

BYTES = {"Content-Type": "application/octet-stream"}


def sent(client: Any, person: Any, archive: bytes, size: int = 700) -> str:
    """Upload an archive in pieces of `size`, and return the upload's id."""
    made = client.post("/v1/uploads", json={"size": len(archive)}, headers=person.headers)
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    for offset in range(0, len(archive), size):
        headers = {**person.headers, **BYTES, "Upload-Offset": str(offset)}
        piece = archive[offset : offset + size]
        assert client.patch(where, content=piece, headers=headers).status_code == 200
    digest = hashlib.sha256(archive).hexdigest()
    done = client.post(f"{where}/complete", json={"sha256": digest}, headers=person.headers)
    assert done.json()["sha256"] == digest
    return str(made.json()["id"])


def submitted(client: Any, person: Any, **learnware: Any) -> Any:
    """Upload and submit a learnware, and return the answer."""
    upload = sent(client, person, a_learnware(**learnware))
    return client.post("/v1/learnwares", json={"upload": upload}, headers=person.headers)


def published(client: Any, person: Any, **learnware: Any) -> str:
    """Upload and submit a learnware, and return its id once it is published."""
    answer = submitted(client, person, **learnware)
    assert answer.status_code == 202, answer.text
    assert ended(client, person, answer)["state"] == "published"
    return str(answer.json()["learnware"])


def ended(client: Any, person: Any, accepted: Any) -> Any:
    """Return how the verification ended that an answer told the place of."""
    deadline = time.monotonic() + 60.0
    while True:
        now = client.get(accepted.headers["location"], headers=person.headers).json()
        if now["state"] not in ("uploaded", "verifying"):
            return now
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
