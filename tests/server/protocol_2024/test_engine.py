"""/engine: the vocabulary, what is said of one learnware, and downloads."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import yaml

from beimingwu.dock.testing import a_learnware, a_semantic
from beimingwu.server.v2024 import downloads as downloads_2024
from beimingwu.server.v2024.tickets import Tickets
from beimingwu.specification.semantic import VOCABULARIES

from .conftest import Old, members

INSIDE = ["__init__.py", "learnware.yaml", "requirements.txt", "semantic_specification.json"]


def downloads(who: Old, id: str) -> tuple[int, int]:
    """Return the status and the code of a download that fails."""
    answer = who.get("/engine/download_learnware", learnware_id=id)
    return answer.status_code, answer.json()["code"]


def test_anybody_is_told_what_a_semantic_specification_may_hold(nobody: Old) -> None:
    answer = nobody.get("/engine/semantic_specification").json()
    assert (answer["code"], answer["msg"]) == (0, "success")
    table = answer["data"]["semantic_specification"]
    assert set(table) == {*VOCABULARIES, "Name", "Description"}
    for key, values in VOCABULARIES.items():
        assert table[key]["Values"] == list(values)
    assert {key: one["Type"] for key, one in table.items()} == {
        "Data": "Class",
        "Task": "Class",
        "Library": "Class",
        "License": "Class",
        "Scenario": "Tag",
        "Name": "String",
        "Description": "String",
        "Model": "Optional",
    }
    assert table["Name"]["Values"] is None


def test_anybody_is_told_of_what_is_published(nobody: Old, ada: Old, bob: Old) -> None:
    assert ada.account is not None
    id = ada.publishes()
    answer = nobody.get("/engine/learnware_info", learnware_id=id).json()
    info = answer["data"]["learnware_info"]
    assert (answer["code"], answer["msg"]) == (0, "success")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC", info.pop("last_modify"))
    assert info == {
        "user_id": ada.account.id,
        "learnware_id": id,
        "verify_status": "SUCCESS",
        "semantic_specification": a_semantic().to_json(),
    }
    assert nobody.get("/engine/learnware_info").json()["code"] == 21
    for none in ("00000099", "no id", "1"):
        assert nobody.get("/engine/learnware_info", learnware_id=none).json()["code"] == 41
    bad = ada.adds(answer="X.no_such_thing", seed=1)
    ada.ended(bad)
    mine = ada.get("/engine/learnware_info", learnware_id=bad).json()
    assert mine["data"]["learnware_info"]["verify_status"] == "FAIL"
    for stranger in (nobody, bob):
        assert stranger.get("/engine/learnware_info", learnware_id=bad).json()["code"] == 41


def test_a_download_is_the_zip_that_the_client_reads(nobody: Old, ada: Old) -> None:
    id = ada.publishes(name="Sums of rain")
    got = nobody.get("/engine/download_learnware", learnware_id=id)
    assert got.status_code == 200
    assert got.headers["content-type"] == "application/zip"
    assert int(got.headers["content-length"]) == len(got.content)
    assert got.headers["content-disposition"] == f'attachment; filename="{id}.zip"'
    assert got.headers["accept-ranges"] == "bytes"
    assert got.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in got.headers
    assert members(got.content) == [*INSIDE, "stat.json"]
    with zipfile.ZipFile(io.BytesIO(got.content)) as opened:
        manifest = yaml.safe_load(opened.read("learnware.yaml"))
        semantic = json.loads(opened.read("semantic_specification.json"))
    assert manifest["id"] == id
    assert manifest["semantic_specification"] == {"file_name": "semantic_specification.json"}
    assert semantic == a_semantic(name="Sums of rain").to_json()
    # From where one left off, and only if it is another.
    headers = {"Range": "bytes=100-", "If-Range": got.headers["etag"]}
    path = f"/api/engine/download_learnware?learnware_id={id}"
    rest = nobody.client.get(path, headers=headers)
    assert (rest.status_code, rest.content) == (206, got.content[100:])
    known = nobody.client.get(path, headers={"If-None-Match": got.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    beyond = nobody.client.get(path, headers={"Range": "bytes=999999-"})
    assert beyond.json()["code"] != 0


def test_no_download_leaves_anything_behind(nobody: Old, ada: Old, service: Any) -> None:
    id = ada.publishes()
    for _ in range(3):
        assert nobody.get("/engine/download_learnware", learnware_id=id).status_code == 200
        nobody.get("/engine/download_multi_learnware", learnware_ids=[id])
    assert list(service.dock.folder.glob(".serving-*")) == []
    gc.collect()
    opened = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert [name for name in opened if ".serving-" in name] == []
    assert service.accounts.tallies.totals()["download"] == 3


def test_what_a_process_left_that_died_while_it_packed_is_swept(tmp_path: Path) -> None:
    old, new = tmp_path / ".serving-old", tmp_path / ".serving-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "one.zip").touch()
    os.utime(old, (0, 0))
    downloads_2024.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


def test_a_download_that_fails_is_no_zip(nobody: Old, ada: Old, bob: Old, admin: Old) -> None:
    bad = ada.adds(answer="X.no_such_thing")
    ada.ended(bad)
    # What is not there, and what is not theirs, are told alike to strangers.
    for id in (bad, "00000099", "no id"):
        assert downloads(nobody, id) == (403, 61)
        assert downloads(bob, id) == (403, 62)
    assert downloads(admin, "00000099") == (404, 42)
    assert downloads(ada, bad) == (409, 42)
    assert downloads(nobody, "") == (400, 21)


def test_its_owner_downloads_what_waits_as_it_was_sent(ada: Old, bob: Old, admin: Old) -> None:
    slow = (
        "import time\ntime.sleep(3)\n\nclass Model:\n    input_shape = (3,)\n"
        "    output_shape = (1,)\n\n    def predict(self, X):\n        return X.sum(axis=1)\n"
    )
    id = ada.adds(module=slow)
    for insider in (ada, admin):
        got = insider.get("/engine/download_learnware", learnware_id=id)
        assert got.content == a_learnware(module=slow)
    assert downloads(bob, id) == (403, 62)
    assert ada.ended(id) == "SUCCESS"
    got = ada.get("/engine/download_learnware", learnware_id=id)
    assert members(got.content) == [*INSIDE, "stat.json"]


def test_several_are_downloaded_in_one_zip(nobody: Old, ada: Old) -> None:
    ids = [ada.publishes(seed=seed) for seed in range(2)]
    got = nobody.get("/engine/download_multi_learnware", learnware_ids=[*ids, ids[0]])
    assert got.headers["content-disposition"] == 'attachment; filename="multiple_learnwares.zip"'
    assert int(got.headers["content-length"]) == len(got.content)
    assert members(got.content) == [f"{id}.zip" for id in ids]
    with zipfile.ZipFile(io.BytesIO(got.content)) as opened:
        assert {one.compress_type for one in opened.infolist()} == {zipfile.ZIP_STORED}
        one = nobody.get("/engine/download_learnware", learnware_id=ids[1])
        assert opened.read(f"{ids[1]}.zip") == one.content

    def code(*ids: str) -> int:
        answer = nobody.get("/engine/download_multi_learnware", learnware_ids=list(ids))
        assert answer.status_code >= 400
        return int(answer.json()["code"])

    assert code() == 21
    assert code(ids[0], "00000099") == 61
    assert code(*(f"{number:08d}" for number in range(11))) == 41


def test_a_ticket_downloads_what_its_maker_may_have(nobody: Old, ada: Old, bob: Old) -> None:
    ids = [ada.publishes(seed=seed) for seed in range(2)]
    made = bob.says("/engine/generate_download_token", {"learnware_ids": ids})
    assert set(made) == {"code", "data"}
    token = made["data"]["token"]
    assert re.fullmatch("[0-9a-f]{32}", token)
    for _ in range(2):
        one = nobody.get("/engine/download_by_token", token=token)
        assert one.headers["content-disposition"] == f'attachment; filename="{ids[0]}.zip"'
        both = nobody.get("/engine/download_multi_learnware_by_token", token=token)
        assert members(both.content) == [f"{id}.zip" for id in ids]
    for path in ("/engine/download_by_token", "/engine/download_multi_learnware_by_token"):
        for none in ("0" * 32, ""):
            answer = nobody.get(path, token=none)
            assert (answer.status_code, answer.json()["code"]) == (404, 21)
            assert answer.json()["msg"] == "token not exist."
    for wrong in ({}, {"learnware_ids": []}, {"learnware_ids": "1"}, {"learnware_ids": [1]}):
        assert nobody.code("/engine/generate_download_token", wrong) == 21
    asked = {"learnware_ids": ["00000099"]}
    assert nobody.code("/engine/generate_download_token", asked) == 61
    assert bob.code("/engine/generate_download_token", asked) == 62
    # What is gone when it is fetched is no zip either.
    assert ada.code("/user/delete_learnware", {"learnware_id": ids[0]}) == 0
    gone = nobody.get("/engine/download_by_token", token=token)
    assert (gone.status_code, gone.json()["code"]) == (409, 42)


def test_tickets_end_and_do_not_pile_up() -> None:
    now = 0.0
    tickets = Tickets(lambda: now)
    first = tickets.make(["00000001"])
    for _ in range(10_000):
        tickets.make(["00000002"])
    assert tickets.holds(first) is None
    last = tickets.make(["00000003", "00000004"])
    assert tickets.holds(last) == ("00000003", "00000004")
    now = 1801.0
    assert tickets.holds(last) is None
    assert tickets.holds(tickets.make(["00000005"])) == ("00000005",)
