"""What the attacks are made of, sent over HTTP: each ends in a problem that names it, none in 500.

The corpus is that of `tests/attacks`, where each code is justified. Here it arrives as uploads that
are submitted, and as requirements of searches; and the service is as sound after it as before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service

from ..attacks.test_archives import HOSTILE as ARCHIVES
from ..attacks.test_manifests import HOSTILE as MANIFESTS
from ..attacks.test_manifests import an_archive
from ..attacks.test_specification_files import HOSTILE as SPECIFICATIONS
from .conftest import Person, a_person
from .dock_over_http import published, sent

MiB = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("hostile") / "dock"
    plenty = {"rate_address": "100000/minute", "rate_account": "100000/minute"}
    with open_service(Settings(dock=str(folder), **plenty), "http://testserver") as opened:
        yield opened


@pytest.fixture(scope="module")
def mallory(service: Service) -> Person:
    return a_person(service, "mallory")


@pytest.fixture(scope="module")
def client(service: Service, mallory: Person) -> Iterator[TestClient]:
    """A client of a dock in which there is something to find."""
    with TestClient(create_app(service)) as opened:
        published(opened, mallory)
        yield opened


@pytest.fixture(autouse=True)
def stays_sound(service: Service, client: TestClient, mallory: Person) -> Iterator[None]:
    """See that nothing became of what was refused, and that the dock still answers."""
    before = [record.id for record in service.dock.list(state=None)]
    yield
    assert [record.id for record in service.dock.list(state=None)] == before
    found = client.post("/v1/search", json={"filter": {"text": "columns"}}, headers=mallory.headers)
    assert [match["id"] for match in found.json()["single"]] == before


def refused(answer: Any, code: str) -> None:
    """See that an answer is a problem of this code that says what to do, and shows no innards."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["code"] == code, problem
    assert answer.status_code in (400, 413, 422), problem
    assert problem["remedy"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert "/beimingwu/" not in answer.text


def submitted(client: TestClient, person: Person, archive: bytes) -> Any:
    """Upload bytes, submit them as a learnware, drop what was not taken, and return the answer."""
    if not archive:
        # That is refused before a byte of it is sent.
        return client.post("/v1/uploads", json={"size": 0}, headers=person.headers)
    upload = sent(client, person, archive, size=4 * MiB)
    answer = client.post("/v1/learnwares", json={"upload": upload}, headers=person.headers)
    client.delete(f"/v1/uploads/{upload}", headers=person.headers)
    return answer


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_that_is_submitted_is_a_problem(
    client: TestClient, mallory: Person, name: str
) -> None:
    build, code = ARCHIVES[name]
    archive = build()
    refused(submitted(client, mallory, archive), code if archive else "request.schema")


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_hostile_manifest_that_is_submitted_is_a_problem(
    client: TestClient, mallory: Person, name: str
) -> None:
    manifest, code = MANIFESTS[name]
    refused(submitted(client, mallory, an_archive(manifest)), code)


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_a_hostile_specification_is_a_problem_however_it_is_searched_for(
    client: TestClient, service: Service, mallory: Person, name: str
) -> None:
    content, code = SPECIFICATIONS[name]
    files = {"specification": ("stat.json", content)}
    as_file = client.post("/v1/search", files=files, headers=mallory.headers)
    too_large = len(content) > service.settings.specification_max_bytes
    refused(as_file, "too_large.request" if too_large else f"specification.{code}")
    # Within JSON it may break the JSON around it, and is refused by that.
    body = b'{"specification": ' + content + b"}"
    as_json = client.post("/v1/search", content=body, headers=mallory.headers)
    assert as_json.status_code in (413, 422), as_json.text
    refused(as_json, as_json.json()["code"])
    assert as_json.json()["code"].split(".")[0] in ("requirement", "specification", "too_large")


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_a_hostile_semantic_specification_is_a_problem(
    client: TestClient, mallory: Person, name: str
) -> None:
    content, _ = SPECIFICATIONS[name]
    body = b'{"upload": "' + b"0" * 32 + b'", "semantic": ' + content + b"}"
    headers = {**mallory.headers, "Content-Type": "application/json"}
    answer = client.post("/v1/learnwares", content=body, headers=headers)
    code = answer.json()["code"]
    # There is no such upload; what is read at all gets as far as that.
    if code == "not_found.upload":
        assert json.loads(content) is not None
    else:
        refused(answer, code)
