"""Learnwares over HTTP: submitted once, seen by whom they concern, changed by nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from beimingwu.dock.testing import a_learnware, a_semantic

from .dock_over_http import ended, published, sent, submitted


def refused(answer: Any, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert problem["remedy"]


def tagged(client: Any, person: Any, id: str) -> dict[str, str]:
    """The headers to change a learnware with, as it is now."""
    shown = client.get(f"/v1/learnwares/{id}", headers=person.headers)
    return {**person.headers, "If-Match": shown.headers["etag"]}


def test_a_submission_is_accepted_verified_and_published(client: Any, ada: Any) -> None:
    accepted = submitted(client, ada)
    assert accepted.status_code == 202
    assert accepted.headers["location"] == "/v1/learnwares/00000001/revisions/1/verification"
    steps = [step["name"] for step in accepted.json()["steps"]]
    assert steps[:4] == ["archive", "manifest", "semantic", "statistical"]
    assert ended(client, ada, accepted)["state"] == "published"
    shown = client.get("/v1/learnwares/00000001").json()
    assert (shown["state"], shown["owner_name"]) == ("published", "ada")
    assert shown["owner"] == ada.account.owner
    assert shown["semantic"]["Name"]["Values"] == "Sums of columns"


def test_a_submission_that_is_sent_again_is_not_made_again(client: Any, ada: Any) -> None:
    upload = sent(client, ada, a_learnware())
    headers = {**ada.headers, "Idempotency-Key": "a key of mine"}
    answers = [
        client.post("/v1/learnwares", json={"upload": upload}, headers=headers) for _ in range(3)
    ]
    assert {answer.json()["learnware"] for answer in answers} == {"00000001"}
    assert client.get("/v1/learnwares/count?state=any", headers=ada.headers).json()["count"] == 1
    other = {"upload": "0" * 32}
    refused(client.post("/v1/learnwares", json=other, headers=headers), 409, "conflict.key")


def test_even_without_a_key_an_upload_becomes_one_learnware(client: Any, ada: Any) -> None:
    upload = sent(client, ada, a_learnware())
    first, again = (
        client.post("/v1/learnwares", json={"upload": upload}, headers=ada.headers)
        for _ in range(2)
    )
    assert first.json()["learnware"] == again.json()["learnware"]
    answer = client.get(f"/v1/uploads/{upload}", headers=ada.headers)
    refused(answer, 404, "not_found.upload")


def test_what_breaks_a_rule_is_a_problem_that_names_it(client: Any, ada: Any) -> None:
    upload = sent(client, ada, b"no archive at all")
    answer = client.post("/v1/learnwares", json={"upload": upload}, headers=ada.headers)
    assert answer.status_code == 422
    assert answer.json()["code"].startswith("archive")
    spoiled = {"upload": sent(client, ada, a_learnware()), "semantic": {"Data": "Sound"}}
    answer = client.post("/v1/learnwares", json=spoiled, headers=ada.headers)
    assert answer.status_code == 422
    assert answer.json()["code"].startswith("semantic")
    del spoiled["semantic"]
    assert client.post("/v1/learnwares", json=spoiled, headers=ada.headers).status_code == 202
    again = {"upload": sent(client, ada, a_learnware())}
    answer = client.post("/v1/learnwares", json=again, headers=ada.headers)
    refused(answer, 409, "conflict.duplicate")


def test_a_rejected_learnware_tells_its_owner_why_and_nobody_else(
    client: Any, ada: Any, bob: Any, admin: Any
) -> None:
    accepted = submitted(client, ada, answer="X / 0")
    assert ended(client, ada, accepted)["state"] == "rejected"
    for person in (ada, admin):
        shown = client.get("/v1/learnwares/00000001", headers=person.headers).json()
        assert shown["steps"][-1]["state"] == "failed"
    for headers in ({}, bob.headers):
        for path in ("", "/archive", "/specification", "/revisions", "/revisions/1"):
            answer = client.get(f"/v1/learnwares/00000001{path}", headers=headers)
            refused(answer, 404, "not_found.learnware")
    answer = client.get(accepted.headers["location"], headers=bob.headers)
    refused(answer, 404, "not_found.learnware")


def test_the_log_of_a_published_learnware_is_its_owners(client: Any, ada: Any, bob: Any) -> None:
    id = published(client, ada)
    assert client.get(f"/v1/learnwares/{id}", headers=bob.headers).json()["steps"] == []
    assert client.get("/v1/learnwares", headers=bob.headers).json()[0]["steps"] == []
    assert client.get(f"/v1/learnwares/{id}", headers=ada.headers).json()["steps"] != []
    answer = client.get(f"/v1/learnwares/{id}/revisions/1/verification", headers=bob.headers)
    refused(answer, 403, "forbidden.owner")
    answer = client.get(f"/v1/learnwares/{id}/events", headers=bob.headers)
    refused(answer, 403, "forbidden.owner")
    events = client.get(f"/v1/learnwares/{id}/events", headers=ada.headers).json()
    assert [event["kind"] for event in events] == ["submitted", "verifying", "published"]


def test_nobody_changes_the_learnware_of_another(client: Any, ada: Any, bob: Any) -> None:
    id = published(client, ada)
    before = client.get(f"/v1/learnwares/{id}", headers=ada.headers).json()
    headers = tagged(client, bob, id)
    for answer in (
        client.patch(f"/v1/learnwares/{id}", json={"semantic": {}}, headers=headers),
        client.delete(f"/v1/learnwares/{id}", headers=headers),
        client.post(f"/v1/learnwares/{id}/withdraw", headers=headers),
        client.post(f"/v1/learnwares/{id}/restore", headers=headers),
    ):
        refused(answer, 403, "forbidden.owner")
    assert client.get(f"/v1/learnwares/{id}", headers=ada.headers).json() == before


def test_a_change_needs_to_know_what_it_changes(client: Any, ada: Any) -> None:
    id = published(client, ada)
    words = {"semantic": a_semantic(name="Other words").to_json()}
    path = f"/v1/learnwares/{id}"
    refused(client.patch(path, json=words, headers=ada.headers), 428, "precondition.required")
    before = tagged(client, ada, id)
    accepted = client.patch(path, json=words, headers=before)
    assert (accepted.status_code, accepted.json()["state"]) == (202, "published")
    assert client.get(path).json()["name"] == "Other words"
    refused(client.patch(path, json=words, headers=before), 412, "precondition.failed")
    refused(client.delete(path, headers=before), 412, "precondition.failed")
    answer = client.patch(path, json={}, headers=tagged(client, ada, id))
    refused(answer, 422, "input.nothing_to_update")
    known = {"If-None-Match": client.get(path).headers["etag"]}
    assert client.get(path, headers=known).status_code == 304


def test_a_new_archive_makes_a_new_revision_behind_the_old(client: Any, ada: Any, bob: Any) -> None:
    id = published(client, ada)
    upload = sent(client, ada, a_learnware(answer="-X.sum(axis=1)"))
    accepted = client.patch(
        f"/v1/learnwares/{id}", json={"upload": upload}, headers=tagged(client, ada, id)
    )
    assert accepted.headers["location"].endswith("/revisions/2/verification")
    assert ended(client, ada, accepted)["state"] == "published"
    mine = client.get(f"/v1/learnwares/{id}/revisions", headers=ada.headers).json()
    theirs = client.get(f"/v1/learnwares/{id}/revisions", headers=bob.headers).json()
    assert [revision["number"] for revision in mine] == [1, 2]
    assert theirs == [mine[1]]
    assert client.get(f"/v1/learnwares/{id}/revisions/1", headers=bob.headers).status_code == 404


def test_a_withdrawn_learnware_is_there_for_its_owner_alone(
    client: Any, ada: Any, bob: Any
) -> None:
    id = published(client, ada)
    answer = client.post(f"/v1/learnwares/{id}/withdraw", headers=ada.headers)
    assert answer.json()["state"] == "withdrawn"
    refused(client.get(f"/v1/learnwares/{id}", headers=bob.headers), 404, "not_found.learnware")
    assert client.get("/v1/learnwares").json() == []
    assert client.get(f"/v1/learnwares/{id}/archive", headers=ada.headers).status_code == 200
    answer = client.post(f"/v1/learnwares/{id}/withdraw", headers=ada.headers)
    refused(answer, 409, "conflict.state")
    answer = client.post(f"/v1/learnwares/{id}/restore", headers=ada.headers)
    assert answer.json()["state"] == "published"
    assert client.delete(f"/v1/learnwares/{id}", headers=ada.headers).status_code == 204
    refused(client.get(f"/v1/learnwares/{id}", headers=ada.headers), 404, "not_found.learnware")


def test_what_an_admin_does_stands_in_the_owners_events(
    client: Any, ada: Any, bob: Any, admin: Any
) -> None:
    id = published(client, ada)

    def told(person: Any) -> list[tuple[str, str]]:
        events = client.get(f"/v1/learnwares/{id}/events", headers=person.headers).json()
        return [(event["kind"], event["actor"]) for event in events[3:]]

    path = f"/v1/learnwares/{id}"
    words = {"semantic": a_semantic(name="Better words").to_json()}
    assert client.patch(path, json=words, headers=tagged(client, admin, id)).is_success
    assert client.post(f"{path}/withdraw", headers=admin.headers).is_success
    assert client.post(f"{path}/restore", headers=ada.headers).is_success
    archive = {"upload": sent(client, admin, a_learnware(answer="-X.sum(axis=1)"))}
    assert client.patch(path, json=archive, headers=tagged(client, admin, id)).is_success
    assert client.delete(path, headers=admin.headers).is_success
    # The owner reads that it was an admin, and admins which; also of what is gone.
    ada_did, admin_did = ada.account.owner, admin.account.owner
    did = [
        ("amended", "admin"),
        ("withdrawn", "admin"),
        ("restored", ada_did),
        ("submitted", "admin"),
        ("deleted", "admin"),
    ]
    begun = ("verifying", "published", "rejected", "interrupted")
    assert [event for event in told(ada) if event[0] not in begun] == did
    assert [event for event in told(admin) if event[0] not in begun] == [
        (kind, admin_did if actor == "admin" else actor) for kind, actor in did
    ]
    answer = client.get(f"{path}/events", headers=bob.headers)
    refused(answer, 404, "not_found.learnware")


def test_a_list_goes_on_where_its_link_leads(client: Any, ada: Any) -> None:
    ids = [published(client, ada, centre=centre) for centre in range(3)]
    path, seen = "/v1/learnwares?limit=2&task=Regression", []
    while path:
        page = client.get(path)
        seen += [learnware["id"] for learnware in page.json()]
        path = page.links.get("next", {}).get("url", "")
    assert seen == ids[::-1]
    assert client.get("/v1/learnwares/count?task=Regression").json() == {"count": 3}
    assert client.get("/v1/learnwares/count?task=Classification").json() == {"count": 0}
    assert client.get("/v1/learnwares/facets").json()["license"] == {"MIT": 3}
    assert client.get("/v1/learnwares/count?not_license=MIT").json() == {"count": 0}
    assert client.get("/v1/learnwares/count?not_license=GPL-3.0").json() == {"count": 3}
    assert client.get("/v1/learnwares/facets?not_task=Regression").json()["license"] == {}
    assert client.get("/v1/learnwares/count?text=clumns").json() == {"count": 3}
    assert client.get("/v1/learnwares/suggestions?text=clumns").json() == [
        {"typed": "clumns", "meant": "columns", "facet": "", "learnwares": 3, "followed": True}
    ]
    assert client.get("/v1/learnwares/suggestions").json() == []
    refused(client.get("/v1/learnwares?not_task=Guessing"), 422, "requirement.task")
    refused(client.get("/v1/learnwares?task=Guessing"), 422, "requirement.task")
    refused(client.get("/v1/learnwares?colour=red"), 422, "request.schema")


def test_lists_of_what_is_not_published_are_of_ones_own(
    client: Any, ada: Any, bob: Any, admin: Any
) -> None:
    mine = published(client, ada)
    client.post(f"/v1/learnwares/{mine}/withdraw", headers=ada.headers)
    theirs = published(client, bob, centre=5.0)

    def ids(query: str, headers: Any) -> Any:
        answer = client.get(f"/v1/learnwares?{query}", headers=headers)
        return [one["id"] for one in answer.json()] if answer.is_success else answer.json()["code"]

    assert ids("state=any", ada.headers) == [mine]
    assert ids("state=withdrawn&owner=me", ada.headers) == [mine]
    assert ids("state=any", admin.headers) == [theirs, mine]
    assert ids("state=any", {}) == "unauthenticated"
    assert ids(f"state=any&owner={ada.account.owner}", bob.headers) == "forbidden.owner"
    assert ids(f"owner={bob.account.owner}", ada.headers) == [theirs]


@pytest.mark.parametrize("path", ["/v1/learnwares/1", "/v1/learnwares/00000001x/archive"])
def test_what_is_no_id_is_refused_before_anything_is_asked(client: Any, path: str) -> None:
    refused(client.get(path), 422, "request.schema")


def test_a_token_that_may_only_read_changes_nothing(client: Any, service: Any, ada: Any) -> None:
    from beimingwu.accounts import OPERATOR, Scope

    id = published(client, ada)
    secret, _ = service.accounts.tokens.create(ada.account, "reader", {Scope.READ}, OPERATOR)
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"/v1/learnwares/{id}/events", headers=headers).status_code == 200
    for answer in (
        client.post("/v1/uploads", json={"size": 5}, headers=headers),
        client.delete(f"/v1/learnwares/{id}", headers=headers),
        client.post(f"/v1/learnwares/{id}/withdraw", headers=headers),
    ):
        refused(answer, 403, "forbidden.scope")
    assert json.loads(client.get("/v1/learnwares/count").text) == {"count": 1}
