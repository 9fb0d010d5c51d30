"""Whatever is sent to a route of 2024, its answer has the old shape and is no defect of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from beimingwu.accounts import OPERATOR, Role, Scope
from beimingwu.dock.testing import a_learnware

from .conftest import Old, a_service, semantic_text

JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**70,
    float("nan"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202e",
    "x" * 20_000,
    "0" * 5_000,
    "9" * 5_000,
    "99999999",
    "4294967296",
    "' OR 1=1 --",
    "../../../etc/passwd",
    [],
    {},
    ["x"],
    [["00000001"]],
    {"Values": ["x"]},
)
#: The parameters of each route that takes JSON, with what is good for the others.
JSON_ROUTES: dict[str, dict[str, Any]] = {
    "/auth/register": {"username": "Eve", "email": "eve@example.org", "password": "x" * 32},
    "/auth/resend_email_confirm": {"email": "eve@example.org"},
    "/auth/send_reset_password_email": {"email": "eve@example.org"},
    "/auth/reset_password": {"code": "x", "user_id": 1},
    "/auth/login": {"email": "eve@example.org", "password": "x" * 32},
    "/auth/login_by_token": {"email": "eve@example.org", "token": "x"},
    "/user/change_password": {"old_password": "x" * 32, "new_password": "y" * 32},
    "/user/list_learnware": {"limit": 10, "page": 0, "is_verified": None},
    "/user/add_learnware_uploaded": {"file_hash": "0" * 32, "semantic_specification": "{}"},
    "/user/delete_learnware": {"learnware_id": "00000099"},
    "/user/delete_token": {"token": "#9 none"},
    "/engine/generate_download_token": {"learnware_ids": ["00000099"]},
    "/admin/list_user": {"username": "", "email": "", "is_verified": True, "limit": 1, "page": 0},
    "/admin/delete_user": {"user_id": 999},
    "/admin/list_learnware": {"limit": 10, "page": 0, "is_verified": None, "user_id": 1},
    "/admin/delete_learnware": {"learnware_id": "00000099"},
    "/admin/reset_password": {"id": 999},
    "/admin/set_user_role": {"user_id": 999, "role": 1},
    "/datasets/delete_datasets": {"dataset": "air/x.csv"},
    "/datasets/add_dataset_uploaded": {"file_hash": "0" * 32, "filename": "air/x.csv"},
}
QUERIES = {
    "/user/verify_log": "learnware_id",
    "/engine/learnware_info": "learnware_id",
    "/engine/download_learnware": "learnware_id",
    "/engine/download_multi_learnware": "learnware_ids",
    "/engine/download_by_token": "token",
    "/engine/download_multi_learnware_by_token": "token",
    "/datasets/download_datasets": "dataset",
}
FORMS: dict[str, dict[str, str]] = {
    "/engine/search_learnware": {
        "semantic_specification": "{}",
        "limit": "10",
        "page": "0",
        "is_verified": "true",
        "learnware_id": "1",
    },
    "/user/update_learnware": {
        "learnware_id": "00000099",
        "semantic_specification": semantic_text(),
    },
    "/user/add_learnware": {"semantic_specification": semantic_text()},
    "/user/chunked_upload": {"file_hash": "0" * 32, "chunk_begin": "0"},
    "/datasets/upload_dataset": {"file_path": "air/x.csv"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A super admin, whom nothing but the values can stop."""
    folder = tmp_path_factory.mktemp("hostile")
    plenty = dict.fromkeys(("rate_mail", "rate_sign_in_address"), "100000/minute")
    with a_service(folder, **plenty) as (service, client):
        account = service.accounts.people.add(
            "root@example.org", "root", "correct horse", OPERATOR, Role.SUPER_ADMIN
        )
        token, _ = service.accounts.tokens.create(account, "test", set(Scope), OPERATOR)
        yield Old(client, account, token)


def told(answer: Any) -> None:
    """Check that an answer is one of the protocol's, and none of a defect."""
    assert answer.status_code < 500, answer.text
    assert isinstance(answer.json()["code"], int)


@pytest.mark.parametrize("route", JSON_ROUTES)
def test_json_of_any_kind_is_answered(root: Old, route: str) -> None:
    good = JSON_ROUTES[route]
    for name in good:
        for junk in JUNK:
            told(root.post(route, {**good, name: junk}))


@pytest.mark.parametrize("route", QUERIES)
def test_queries_of_any_kind_are_answered(root: Old, route: str) -> None:
    for junk in (*filter(lambda one: isinstance(one, str), JUNK), "%00", "%ff"):
        text = junk.encode("utf-8", "surrogatepass")
        quoted = "".join(f"%{byte:02x}" for byte in text[:5_000])
        headers = root.headers
        told(root.client.get(f"/api{route}?{QUERIES[route]}={quoted}", headers=headers))


@pytest.mark.parametrize("route", FORMS)
def test_forms_of_any_kind_are_answered(root: Old, route: str) -> None:
    good = FORMS[route]
    for name in good:
        for junk in filter(lambda one: isinstance(one, str) and one != "\ud800", JUNK):
            told(root.post(route, data={**good, name: junk}))
            files = {"learnware_file": ("a", b"x"), "chunk_file": ("b", b"x")}
            told(root.post(route, data={**good, name: junk}, files=files))


@pytest.mark.parametrize(
    "query",
    [
        {"Name": {"Values": "\x00"}},
        {"Name": {"Values": "\ud800"}},
        {"Name": {"Values": '" OR "'}},
        {"Name": {"Values": "x " * 5_000}},
        {"Name": {"Values": ["a", 7]}},
        {"Data": 7},
        {"Data": "Table"},
        {"Data": {"Values": {"a": 1}}},
        {"Data": {"Values": ["Table"] * 10_000}},
        {"Unknown": {"Values": ["x"]}},
        {"Input": {"Dimension": 2**70, "Description": 7}},
    ],
)
def test_queries_for_learnwares_of_any_kind_are_answered(root: Old, query: Any) -> None:
    data = {"semantic_specification": json.dumps(query), "limit": "10"}
    for more in ({}, {"is_verified": "false"}):
        told(root.post("/engine/search_learnware", data={**data, **more}))


def test_semantics_with_what_no_text_may_hold_are_refused(root: Old) -> None:
    semantic = json.loads(semantic_text())
    for name in ("\x00" * 6, "\ud800" * 6, "\u202eabcde", "a\nbcde"):
        given = {**semantic, "Name": {"Type": "String", "Values": name}}
        data = {"semantic_specification": json.dumps(given)}
        files = {"learnware_file": ("learnware.zip", a_learnware())}
        assert root.code("/user/add_learnware", data=data, files=files) == 51


def test_a_form_that_breaks_off_is_no_defect(root: Old, caplog: pytest.LogCaptureFixture) -> None:
    import asyncio

    sent: list[Any] = []
    parts = [b'--x\r\nContent-Disposition: form-data; name="file_hash"\r\n\r\n00']
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/user/chunked_upload",
        "raw_path": b"/api/user/chunked_upload",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"content-type", b"multipart/form-data; boundary=x"),
            (b"authorization", f"Bearer {root.token}".encode()),
        ],
    }

    async def receive() -> Any:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": True}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(root.client.app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert "Traceback" not in caplog.text
