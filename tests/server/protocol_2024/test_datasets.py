"""/datasets: files of the operators, whose names lead nowhere else."""

from __future__ import annotations

from typing import Any

from .conftest import Old

ESCAPES = (
    "",
    "../catalogue.sqlite",
    "air/../../catalogue.sqlite",
    "/etc/passwd",
    "air",
    "air/",
    "air/..",
    "./air.csv",
    "air/spring/pm.csv",
    "air\\..\\x",
    "air/.hidden",
    "air/a\x00b",
    "air/" + "x" * 200,
)


def test_files_are_kept_listed_read_and_deleted(nobody: Old, ada: Old, admin: Old) -> None:
    assert ada.says("/datasets/list_datasets")["data"] == {"datasets": {}}
    sent = {"data": {"file_path": "air/spring 1.csv"}, "files": {"file": ("x", b"1,2\n")}}
    assert admin.says("/datasets/upload_dataset", **sent) == {"code": 0, "msg": "success"}
    md5 = admin.sends(b"3,4\n" * 500)
    kept = {"file_hash": md5, "filename": "air/autumn.csv"}
    assert admin.code("/datasets/add_dataset_uploaded", kept) == 0
    assert admin.code("/datasets/add_dataset_uploaded", kept) == 12
    listed = ada.says("/datasets/list_datasets")["data"]["datasets"]
    assert listed == {"air": ["autumn.csv", "spring 1.csv"]}
    got = nobody.get("/datasets/download_datasets", dataset="air/spring 1.csv")
    assert got.content == b"1,2\n"
    assert got.headers["content-length"] == "4"
    assert nobody.get("/datasets/download_datasets", dataset="air/autumn.csv").content == (
        b"3,4\n" * 500
    )
    assert admin.code("/datasets/delete_datasets", {"dataset": "air/spring 1.csv"}) == 0
    assert admin.code("/datasets/delete_datasets", {"dataset": "air/spring 1.csv"}) == 11
    assert admin.code("/datasets/delete_datasets", {"dataset": "air/autumn.csv"}) == 0
    assert ada.says("/datasets/list_datasets")["data"] == {"datasets": {}}
    gone = nobody.get("/datasets/download_datasets", dataset="air/autumn.csv")
    assert (gone.status_code, gone.json()["code"]) == (404, 12)


def test_no_name_leads_out_of_the_folder(nobody: Old, admin: Old, service: Any) -> None:
    before = sorted(map(str, service.dock.folder.rglob("*.csv")))
    md5 = admin.sends(b"1,2\n")
    for place in ESCAPES:
        answer = nobody.get("/datasets/download_datasets", dataset=place)
        assert (answer.status_code, answer.json()["code"]) == (400, 11), place
        assert admin.code("/datasets/delete_datasets", {"dataset": place}) in (11, 21), place
        sent = {"data": {"file_path": place}, "files": {"file": ("x", b"1,2\n")}}
        assert admin.code("/datasets/upload_dataset", **sent) in (11, 21), place
        kept = {"file_hash": md5, "filename": place}
        assert admin.code("/datasets/add_dataset_uploaded", kept) in (11, 21), place
    assert sorted(map(str, service.dock.folder.rglob("*.csv"))) == before


def test_what_is_missing_is_told(admin: Old, monkeypatch: Any) -> None:
    assert admin.code("/datasets/upload_dataset", data={"file_path": "air/x.csv"}) == 12
    assert admin.code("/datasets/upload_dataset", files={"file": ("x", b"1")}) == 11
    assert admin.code("/datasets/add_dataset_uploaded", {"filename": "air/x.csv"}) == 11
    unknown = {"file_hash": "0" * 32, "filename": "air/x.csv"}
    assert admin.code("/datasets/add_dataset_uploaded", unknown) == 12


def test_only_admins_change_them(nobody: Old, ada: Old) -> None:
    for route in ("delete_datasets", "upload_dataset", "add_dataset_uploaded"):
        assert nobody.code(f"/datasets/{route}", {}) == 11
        assert ada.code(f"/datasets/{route}", {}) == 12
    assert nobody.code("/datasets/list_datasets") == 11
