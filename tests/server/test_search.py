"""A search over HTTP finds what one at home finds, and refuses what cannot be asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from beimingwu.dock.testing import a_specification
from beimingwu.search import Requirement, SemanticFilter
from beimingwu.search.wire import Query, result_to_json
from beimingwu.specification import dumps_specification

from .dock_over_http import published


@pytest.fixture
def ids(client: Any, ada: Any) -> list[str]:
    near = published(client, ada, name="Sums of rain", centre=0.0)
    far = published(client, ada, name="Sums of wind", centre=6.0, license="GPL-3.0")
    return [near, far]


def asked(**parts: Any) -> dict[str, Any]:
    wanted = Requirement(a_specification(centre=0.1, seed=4), SemanticFilter(**parts))
    return Query(wanted).to_json()


def test_it_answers_what_the_dock_answers(client: Any, service: Any, ids: list[str]) -> None:
    wanted = Requirement(a_specification(centre=0.1, seed=4))
    answer = client.post("/v1/search", json=Query(wanted, specifications=True).to_json())
    expected = result_to_json(service.dock.search(wanted), specifications=True)
    assert answer.json() == json.loads(json.dumps(expected))
    assert [match["id"] for match in answer.json()["single"]] == ids
    assert answer.json()["single"][0]["specification"]["num_points"] == 20
    assert answer.headers["cache-control"] == "no-store"


def test_the_filter_comes_before_the_ranking(client: Any, ids: list[str]) -> None:
    def found(**parts: Any) -> list[str]:
        answer = client.post("/v1/search", json=asked(**parts))
        return [match["id"] for match in answer.json()["single"]]

    assert found(license="GPL-3.0") == ids[1:]
    assert found(text="rain") == ids[:1]
    by_words = client.post("/v1/search", json={"filter": {"text": "wind"}}).json()
    assert [(match["id"], match["score"]) for match in by_words["single"]] == [(ids[1], None)]
    everything = client.post("/v1/search", json={}).json()
    assert len(everything["single"]) == 2


def test_the_specification_may_be_a_file(client: Any, ids: list[str]) -> None:
    files = {"specification": ("stat.json", dumps_specification(a_specification(seed=4)))}
    answer = client.post("/v1/search", files=files, data={"requirement": '{"limit": 1}'})
    assert [match["id"] for match in answer.json()["single"]] == ids[:1]
    answer = client.post("/v1/search", files={"other": ("stat.json", b"{}")})
    assert (answer.status_code, answer.json()["code"]) == (422, "requirement.form")


def test_it_can_be_read_line_by_line(client: Any, ids: list[str]) -> None:
    whole = client.post("/v1/search", json=asked()).json()
    answer = client.post("/v1/search", json=asked(), headers={"Accept": "application/x-ndjson"})
    *matches, last = map(json.loads, answer.text.splitlines())
    assert [line["match"] for line in matches] == whole["single"]
    assert last["result"] == {**whole, "single": []}


def test_a_learnware_that_may_not_be_seen_is_not_found(
    client: Any, ada: Any, ids: list[str]
) -> None:
    client.post(f"/v1/learnwares/{ids[0]}/withdraw", headers=ada.headers)
    answer = client.post("/v1/search", json=asked(), headers=ada.headers)
    assert [match["id"] for match in answer.json()["single"]] == ids[1:]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 422, "requirement.json"),
        (b"[]", "application/json", 422, "requirement.json"),
        (b"{}", "text/plain", 415, "request.media_type"),
        (b'{"limit": 0}', "application/json", 422, "requirement.limit"),
        (b'{"specifications": {}}', "application/json", 422, "requirement.specifications"),
        (b'{"specification": {"z": 1}}', "application/json", 422, "specification.shape"),
        (b'{"filter": ' + b"[" * 5000, "application/json", 422, "requirement.too_deep"),
        (b'{"filter": {"task": ["Guessing"]}}', "application/json", 422, "requirement.task"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400, "request.malformed"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    client: Any, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = client.post("/v1/search", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_specification_that_is_too_large_is_not_read_to_its_end(served: Any) -> None:
    client = served(specification_max_bytes=1000)
    answer = client.post("/v1/search", content=b" " * (1024 * 1024 + 1001))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large.request")
