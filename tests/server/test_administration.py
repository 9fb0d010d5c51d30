"""What admins do over HTTP: accounts, reports, quarantine, statistics and measurements."""

from __future__ import annotations

import pytest

from beimingwu.dock import Dock
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import Conflict


@pytest.fixture
def learnware(service, ada) -> str:
    submission = service.dock.submit(a_learnware(), owner=ada.account.owner)
    published(service.dock, submission.id)
    return submission.id


def published(dock: Dock, id: str) -> None:
    for _ in dock.submission(id):
        pass
    assert dock.show(id).state == "published"


def test_admins_find_accounts_in_pages(client, admin, ada, bob) -> None:
    path, names = "/v1/admin/accounts?limit=2", []
    while path:
        answer = client.get(path, headers=admin.headers)
        names += [account["name"] for account in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert names == ["admin", "ada", "bob"]
    for query, found in (("text=BOB", ["bob"]), ("role=admin", ["admin"]), ("state=suspended", [])):
        answer = client.get(f"/v1/admin/accounts?{query}", headers=admin.headers)
        assert [account["name"] for account in answer.json()] == found


def test_an_admin_suspends_and_reinstates_a_user_who_can_read_why(client, admin, ada) -> None:
    path = f"/v1/admin/accounts/{ada.account.id}"
    suspended = client.post(f"{path}/suspend", json={"reason": "spam"}, headers=admin.headers)
    assert suspended.json()["state"] == "suspended"
    assert client.get("/v1/account", headers=ada.headers).json()["code"] == "forbidden.suspended"
    again = client.post(f"{path}/suspend", json={}, headers=admin.headers)
    assert (again.status_code, again.json()["code"]) == (409, "conflict.account_state")
    assert client.post(f"{path}/reinstate", headers=admin.headers).json()["state"] == "active"
    events = client.get("/v1/account/events", headers=ada.headers).json()
    assert [(event["kind"], event["actor"], event["address"]) for event in events[:2]] == [
        ("reinstated", "admin", ""),
        ("suspended", "admin", ""),
    ]
    assert events[1]["detail"] == {"reason": "spam"}
    exported = client.get("/v1/account/export", headers=ada.headers).text
    assert f'"{admin.account.owner}"' not in exported
    # Admins see which of them it was, and from where.
    events = client.get(f"/v1/admin/events?account={ada.account.id}", headers=admin.headers).json()
    assert {event["actor"] for event in events[:2]} == {admin.account.owner}
    assert all(event["address"] for event in events[:2])


def test_admins_act_on_nobody_of_their_own_role_or_a_greater(client, admin, root) -> None:
    for person in (admin, root):
        path = f"/v1/admin/accounts/{person.account.id}"
        for act in ("suspend", "reinstate", "delete"):
            answer = client.post(f"{path}/{act}", json={}, headers=admin.headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden.role")
        answer = client.delete(f"{path}/tokens/1", headers=admin.headers)
        assert answer.json()["code"] == "forbidden.role"


def test_only_a_super_admin_gives_roles_and_never_loses_the_last(client, admin, root, ada) -> None:
    path = f"/v1/admin/accounts/{ada.account.id}/role"
    assert client.put(path, json={"role": "admin"}, headers=admin.headers).status_code == 403
    made = client.put(path, json={"role": "admin"}, headers=root.headers)
    assert made.json()["role"] == "admin"
    own = f"/v1/admin/accounts/{root.account.id}/role"
    lost = client.put(own, json={"role": "user"}, headers=root.headers)
    assert (lost.status_code, lost.json()["code"]) == (409, "conflict.last_super_admin")
    events = client.get(f"/v1/admin/events?account={ada.account.id}&limit=1", headers=admin.headers)
    [event] = events.json()
    assert event["detail"] == {"before": "user", "after": "admin"}
    assert event["actor"] == root.account.owner


def test_an_admin_revokes_the_token_of_a_user(client, admin, ada) -> None:
    path = f"/v1/admin/accounts/{ada.account.id}/tokens"
    [token] = client.get(path, headers=admin.headers).json()
    assert "secret" not in token
    assert client.delete(f"{path}/{token['id']}", headers=admin.headers).status_code == 204
    assert client.get("/v1/account", headers=ada.headers).status_code == 401


def test_an_admin_deletes_a_user_with_their_learnwares(
    client, service, admin, ada, learnware
) -> None:
    path = f"/v1/admin/accounts/{ada.account.id}"
    assert client.post(f"{path}/delete", headers=admin.headers).status_code == 204
    assert client.get(path, headers=admin.headers).status_code == 404
    assert service.dock.list(state=None) == []
    assert service.dock.events(learnware)[-1].actor == admin.account.owner


def test_a_learnware_that_is_reported_is_quarantined_and_released(
    client, service, admin, ada, learnware
) -> None:
    said = {"learnware": learnware, "reason": "license", "text": "It is not theirs to give."}
    report = client.post("/v1/reports", json=said).json()["id"]
    [listed] = client.get("/v1/admin/reports", headers=admin.headers).json()
    assert (listed["id"], listed["account"], listed["text"]) == (report, None, said["text"])
    closing = {"outcome": "upheld", "note": "Indeed."}
    closed = client.post(f"/v1/admin/reports/{report}/close", json=closing, headers=admin.headers)
    assert (closed.json()["state"], closed.json()["closer"]) == ("upheld", admin.account.owner)
    assert service.dock.show(learnware).state == "quarantined"
    assert len(service.dock.search({}).single) == 0
    again = client.post(f"/v1/admin/reports/{report}/close", json=closing, headers=admin.headers)
    assert again.status_code == 409
    # Its owner can read who did it and why, and can neither publish nor withdraw it.
    event = service.dock.events(learnware)[-1]
    assert (event.kind, event.actor, event.detail["reason"]) == (
        "quarantined", admin.account.owner, "license",
    )  # fmt: skip
    for act in (service.dock.restore, service.dock.withdraw):
        with pytest.raises(Conflict):
            act(learnware)

    path = f"/v1/admin/learnwares/{learnware}"
    assert client.post(f"{path}/release", headers=admin.headers).status_code == 204
    assert service.dock.show(learnware).state == "published"
    assert len(service.dock.search({}).single) == 1
    assert client.post(f"{path}/release", headers=admin.headers).status_code == 409


def test_a_withdrawn_learnware_leaves_quarantine_as_it_entered(
    client, service, admin, learnware
) -> None:
    service.dock.withdraw(learnware)
    path = f"/v1/admin/learnwares/{learnware}"
    why = {"reason": "A copy."}
    assert client.post(f"{path}/quarantine", json=why, headers=admin.headers).status_code == 204
    assert client.post(f"{path}/quarantine", json=why, headers=admin.headers).status_code == 409
    assert client.post(f"{path}/release", headers=admin.headers).status_code == 204
    assert service.dock.show(learnware).state == "withdrawn"


def test_a_report_of_what_one_may_not_see_is_a_report_of_nothing(
    client, service, admin, ada, bob, learnware
) -> None:
    service.dock.withdraw(learnware)
    said = {"learnware": learnware, "reason": "other", "text": "Look at this, please."}
    hidden = client.post("/v1/reports", json=said, headers=bob.headers)
    none = client.post("/v1/reports", json={**said, "learnware": "99999999"}, headers=bob.headers)
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert hidden.json()["code"] == none.json()["code"]
    assert client.post("/v1/reports", json=said, headers=ada.headers).status_code == 201


def test_reports_are_bounded_by_address(served) -> None:
    client = served(rate_report="2/hour")
    said = {"learnware": "00000001", "reason": "other", "text": "Look at this, please."}
    codes = [client.post("/v1/reports", json=said).status_code for _ in range(3)]
    assert codes == [404, 404, 429]


def test_statistics_tell_everybody_a_little_and_admins_more(
    client, service, admin, learnware
) -> None:
    service.accounts.tallies.add("search")
    public = client.get("/v1/statistics").json()
    assert set(public) == {"learnwares", "facets"}
    assert (public["learnwares"], public["facets"]["task"]) == (1, {"Regression": 1})
    full = client.get("/v1/admin/statistics", headers=admin.headers).json()
    assert full["states"]["published"] == 1
    assert full["accounts"] == {"active": 2}
    assert full["used"]["search"] == 1
    assert full["disk_free"] > 0


def test_measurements_count_requests_by_route_and_hold_no_path(client, admin) -> None:
    client.get("/v1/vocabulary")
    client.get("/a-path-that-anybody-may-make-up")
    text = client.get("/metrics", headers=admin.headers).text
    counted = 'beimingwu_requests_total{method="GET",operation="getVocabulary",status="200"} 1.0'
    assert (
        counted in text
        or counted.replace(
            'method="GET",operation="getVocabulary"', 'operation="getVocabulary",method="GET"'
        )
        in text
    )
    assert 'beimingwu_accounts{state="active"} 1.0' in text
    assert 'beimingwu_learnwares{state="published"} 0.0' in text
    assert "a-path-that-anybody-may-make-up" not in text
