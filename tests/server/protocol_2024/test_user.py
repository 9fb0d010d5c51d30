"""/user: the account that calls, its tokens, and its learnwares."""

from __future__ import annotations

import re
from typing import Any

from beimingwu.accounts import Scope
from beimingwu.accounts.passwords import md5_of
from beimingwu.dock.testing import a_semantic

from .conftest import PASSWORD, Old

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC")


def test_a_profile_is_that_of_the_caller(ada: Old) -> None:
    assert ada.account is not None
    assert ada.says("/user/profile") == {
        "code": 0,
        "msg": "success",
        "data": {
            "user_id": ada.account.id,
            "username": "ada",
            "email": "ada@example.org",
            "role": 0,
        },
    }


def test_a_password_is_changed_by_the_old_one(ada: Old, service: Any) -> None:
    ada.chooses_password(service)
    change = {"old_password": md5_of(PASSWORD), "new_password": md5_of("another one")}
    assert ada.code("/user/change_password", {"old_password": change["old_password"]}) == 21
    assert ada.code("/user/change_password", {"new_password": change["new_password"]}) == 21
    assert ada.code("/user/change_password", {**change, "old_password": "0" * 32}) == 52
    assert ada.code("/user/change_password", {**change, "new_password": "short"}) == 21
    assert ada.says("/user/change_password", change) == {"code": 0, "msg": "Update success"}
    login = {"email": "ada@example.org", "password": change["new_password"]}
    assert ada.code("/auth/login", login) == 0
    assert ada.code("/user/change_password", change) == 52


def test_tokens_are_made_listed_and_deleted(ada: Old, bob: Old, somebody: Any) -> None:
    made = ada.says("/user/create_token")
    assert set(made) == {"code", "data"}
    secret = made["data"]["token"]
    told = ada.says("/auth/login_by_token", {"email": "ada@example.org", "token": secret})
    assert told["code"] == 0
    listed = ada.says("/user/list_token")
    assert set(listed) == {"code", "data"}
    newest, oldest = listed["data"]["token_list"]
    # What is listed lets nobody in.
    assert secret not in str(listed)
    assert "learnware client" in newest
    using = Old(ada.client, token=secret)
    assert using.code("/user/profile") == 0
    assert using.code("/user/create_token") == 12
    # Neither by a handle nor by itself does somebody else end it.
    for name in (newest, secret, "#999 none", "nothing"):
        assert bob.says("/user/delete_token", {"token": name}) == {"code": 0, "msg": "success"}
    assert using.code("/user/profile") == 0
    assert ada.code("/user/delete_token", {"token": newest}) == 0
    assert using.post("/user/profile").status_code == 401
    another = ada.says("/user/create_token")["data"]["token"]
    assert ada.code("/user/delete_token", {"token": another}) == 0
    assert ada.says("/user/list_token")["data"]["token_list"] == [oldest]
    assert ada.code("/user/delete_token", {}) == 21
    weak = somebody("weak", scopes=frozenset({Scope.ACCOUNT}))
    assert weak.code("/user/create_token") == 12


def test_learnwares_are_listed_as_the_client_asks(ada: Old, bob: Old, service: Any) -> None:
    good = ada.publishes(name="Sums of rain")
    bad = ada.adds(name="Sums of wind", answer="X.no_such_thing", seed=1)
    assert ada.ended(bad) == "FAIL"
    best = ada.publishes(name="Sums of snow", seed=2)
    assert (good, bad, best) == ("00000001", "00000002", "00000003")

    def listed(**asked: Any) -> Any:
        told = ada.says("/user/list_learnware", {"limit": 10_000, "page": 0, **asked})
        assert (told["code"], told["msg"]) == (0, "success")
        return told["data"]

    everything = listed()
    assert [one["learnware_id"] for one in everything["learnware_list"]] == [bad, best, good]
    assert {key: everything[key] for key in ("page", "limit", "total_pages")} == {
        "page": 0,
        "limit": 10_000,
        "total_pages": 1,
    }
    last = everything["learnware_list"][-1]
    assert set(last) == {"learnware_id", "last_modify", "verify_status", "semantic_specification"}
    assert MOMENT.fullmatch(last["last_modify"])
    assert last["semantic_specification"] == a_semantic(name="Sums of rain").to_json()
    ids = [
        [one["learnware_id"] for one in listed(**asked)["learnware_list"]]
        for asked in (
            {"is_verified": True},
            {"is_verified": False},
            {"is_verified": None},
            {"limit": 2, "page": 1},
            {"limit": 2, "page": 5},
        )
    ]
    assert ids == [[best, good], [bad], [bad, best, good], [good], []]
    assert listed(limit=2)["total_pages"] == 2
    # More than a page may hold is a whole page.
    assert listed(limit=2_000_000)["limit"] == 10_000
    assert bob.says("/user/list_learnware", {"limit": 10, "page": 0})["data"] == {
        "learnware_list": [],
        "page": 0,
        "limit": 10,
        "total_pages": 0,
    }
    for wrong in (
        {"limit": 0},
        {"limit": -1},
        {"limit": None},
        {"limit": True},
        {"limit": "many"},
        {"limit": 2**70},
        {"page": -1},
        {"page": None},
        {"is_verified": "yes"},
    ):
        assert ada.code("/user/list_learnware", {"limit": 10, "page": 0, **wrong}) == 21, wrong


def test_the_log_of_the_checks_is_its_owners(ada: Old, bob: Old, admin: Old) -> None:
    id = ada.publishes()
    told = ada.get("/user/verify_log", learnware_id=id).json()
    assert set(told) == {"code", "data"}
    assert "usability" in told["data"]
    assert admin.get("/user/verify_log", learnware_id=id).json() == told
    assert bob.get("/user/verify_log", learnware_id=id).json() == {"code": 0, "data": None}
    for none in ("00000099", "no id", ""):
        answer = ada.get("/user/verify_log", learnware_id=none).json()
        assert answer == {"code": 0, "data": None}
    bad = ada.adds(name="Sums of wind", answer="X.no_such_thing", seed=1)
    ada.ended(bad)
    assert "[failed]" in ada.get("/user/verify_log", learnware_id=bad).json()["data"]


def test_a_learnware_is_deleted_by_its_owner_or_an_admin(ada: Old, bob: Old, admin: Old) -> None:
    first, second = ada.publishes(), ada.publishes(seed=1)
    assert bob.code("/user/delete_learnware", {"learnware_id": first}) == 41
    deleted = ada.says("/user/delete_learnware", {"learnware_id": first})
    assert deleted == {"code": 0, "msg": "Delete success."}
    for gone in (first, "00000099", "no id"):
        assert ada.code("/user/delete_learnware", {"learnware_id": gone}) == 51
    assert ada.code("/user/delete_learnware", {}) == 21
    assert admin.code("/user/delete_learnware", {"learnware_id": second}) == 0
    # Of one that is not published a stranger is not told that it is there.
    bad = ada.adds(answer="X.no_such_thing", seed=2)
    ada.ended(bad)
    assert bob.code("/user/delete_learnware", {"learnware_id": bad}) == 51
    # What was deleted may be sent again.
    assert ada.publishes() == "00000004"
