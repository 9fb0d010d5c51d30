"""/admin: accounts, learnwares and counts; for whoever's role allows it."""

from __future__ import annotations

from typing import Any

from beimingwu.accounts import OPERATOR
from beimingwu.accounts.passwords import md5_of

from .conftest import Old

ROUTES = (
    "list_user",
    "delete_user",
    "list_learnware",
    "delete_learnware",
    "reset_password",
    "set_user_role",
    "summary",
)


def number(who: Old) -> int:
    assert who.account is not None
    return who.account.id


def test_only_admins_are_let_in(nobody: Old, ada: Old, admin: Old) -> None:
    for route in ROUTES:
        assert nobody.says(f"/admin/{route}", {}) == {"code": 11, "msg": "Unauthorized access."}
        least = "Super Admin" if route == "set_user_role" else "Admin"
        refused = {"code": 12, "msg": f"{least} account required."}
        assert ada.says(f"/admin/{route}", {}) == refused
        if route == "set_user_role":
            assert admin.says(f"/admin/{route}", {}) == refused


def test_accounts_are_listed_with_what_they_have(ada: Old, bob: Old, admin: Old) -> None:
    ada.publishes()
    bad = ada.adds(answer="X.no_such_thing", seed=1)
    ada.ended(bad)

    def listed(**asked: Any) -> Any:
        told = admin.says("/admin/list_user", asked)
        assert (told["code"], told["msg"]) == (0, "success")
        return told["data"]

    everybody = listed()
    assert set(everybody) == {"user_list"}
    assert {
        "id": number(ada),
        "username": "ada",
        "email": "ada@example.org",
        "role": 0,
        "verified_learnware_count": 1,
        "unverified_learnware_count": 1,
    } in everybody["user_list"]
    assert [one["username"] for one in listed(username="AD")["user_list"]] == ["ada", "admin"]
    assert [one["username"] for one in listed(email="BOB@")["user_list"]] == ["bob"]
    page = listed(limit=1, page=1, is_verified=True)
    assert [one["username"] for one in page["user_list"]] == ["bob"]
    assert (page["page"], page["limit"], page["total_pages"]) == (1, 1, 3)
    assert listed(limit=5, page=0, is_verified=False)["user_list"] == []
    for wrong in ({"limit": 0}, {"limit": "all"}):
        assert admin.code("/admin/list_user", wrong) == 51
    assert admin.code("/admin/list_user", {"username": "a\x00"}) == 21
    assert admin.code("/admin/list_user", {"username": 7}) == 21


def test_an_account_is_deleted_once_it_has_no_learnwares(ada: Old, admin: Old, root: Old) -> None:
    id = ada.publishes()
    whom = {"user_id": number(ada)}
    assert admin.says("/admin/delete_user", whom) == {
        "code": 52,
        "msg": "Learnware list is not empty.",
        "data": {"learnware_list": [{"learnware_id": id}]},
    }
    assert admin.says("/admin/delete_learnware", {"learnware_id": id})["code"] == 0
    assert admin.code("/admin/delete_learnware", {"learnware_id": id}) == 51
    assert admin.code("/admin/delete_learnware", {}) == 21
    assert admin.says("/admin/delete_user", whom) == {"code": 0, "msg": "success"}
    assert admin.code("/admin/delete_user", whom) == 51
    assert admin.code("/admin/delete_user", {}) == 21
    for above in (admin, root):
        assert admin.code("/admin/delete_user", {"user_id": number(above)}) == 52
    assert root.code("/admin/delete_user", {"user_id": number(admin)}) == 0


def test_learnwares_of_all_or_of_one_account_are_listed(ada: Old, bob: Old, admin: Old) -> None:
    first = ada.publishes()
    bad = bob.adds(answer="X.no_such_thing", seed=1)
    bob.ended(bad)

    def listed(**asked: Any) -> Any:
        return admin.says("/admin/list_learnware", asked)["data"]

    everything = listed()
    assert (everything["limit"], everything["page"], everything["total_pages"]) == (10, 0, 1)
    shown = [
        (one["learnware_id"], one["username"], one["verify_status"])
        for one in everything["learnware_list_single"]
    ]
    assert shown == [(bad, "bob", "FAIL"), (first, "ada", "SUCCESS")]
    assert set(everything["learnware_list_single"][0]) == {
        "username",
        "semantic_specification",
        "learnware_id",
        "last_modify",
        "verify_status",
    }
    ids = [
        [one["learnware_id"] for one in listed(**asked)["learnware_list_single"]]
        for asked in (
            {"is_verified": True},
            {"is_verified": False},
            {"user_id": number(ada)},
            {"limit": 1, "page": 1},
        )
    ]
    assert ids == [[first], [bad], [first], [first]]
    assert admin.code("/admin/list_learnware", {"limit": 0}) == 21


def test_a_password_is_made_anew_for_somebody_of_a_lesser_role(
    ada: Old, admin: Old, root: Old
) -> None:
    made = admin.says("/admin/reset_password", {"id": number(ada)})["data"]
    assert made["md5"] == md5_of(made["password"])
    login = {"email": "ada@example.org", "password": made["md5"]}
    assert ada.code("/auth/login", login) == 0
    assert admin.code("/admin/reset_password", {"id": 999}) == 51
    assert admin.code("/admin/reset_password", {}) == 21
    assert admin.code("/admin/reset_password", {"id": number(root)}) == 12


def test_super_admins_give_roles(ada: Old, root: Old) -> None:
    assert ada.code("/admin/summary") == 12
    assert root.code("/admin/set_user_role", {"user_id": number(ada), "role": 1}) == 0
    assert ada.says("/auth/get_role")["data"] == {"role": 1}
    assert ada.code("/admin/summary") == 0
    for wrong in ({"role": 1}, {"user_id": number(ada)}, {"user_id": number(ada), "role": 3}):
        assert root.code("/admin/set_user_role", wrong) == 21
    assert root.code("/admin/set_user_role", {"user_id": 999, "role": 1}) == 51
    # There is always a super admin.
    assert root.code("/admin/set_user_role", {"user_id": number(root), "role": 0}) == 31


def test_a_summary_counts(ada: Old, nobody: Old, admin: Old, service: Any) -> None:
    id = ada.publishes()
    bad = ada.adds(answer="X.no_such_thing", seed=1)
    ada.ended(bad)
    service.accounts.registration.register(
        "eve@example.org", "Eve", "correct horse battery", OPERATOR
    )
    nobody.get("/engine/download_learnware", learnware_id=id)
    search = {"semantic_specification": "{}", "limit": "1"}
    nobody.says("/engine/search_learnware", data=search)
    told = admin.says("/admin/summary")
    assert (told["code"], told["msg"]) == (0, "success")
    detail = told["data"].pop("count_detail")
    assert told["data"] == {
        "count_verified_user": 2,
        "count_unverified_user": 1,
        "count_verified_learnware": 1,
        "count_unverified_learnware": 1,
        "count_learnware_awaiting_storage": 0,
        "count_download": 1,
        "count_search": 1,
        "count_queued": 0,
    }
    assert detail == {
        "Data": {"Table": 1},
        "Task": {"Regression": 1},
        "Library": {"Others": 1},
        "Scenario": {"Education": 1},
    }
