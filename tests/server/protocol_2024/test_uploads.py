"""/user: submitting in pieces and in one form, and updating."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from beimingwu.dock.testing import a_learnware, a_semantic

from .conftest import Old, md5_hex, semantic_text, without

SEMANTIC = a_semantic().to_json()
#: What is not even of the shape is refused before the archive is looked at.
MISSHAPEN = (
    None,
    "",
    "no JSON",
    "[]",
    "7",
    "{}",
    "[" * 100_000,
    without(SEMANTIC, "Data"),
    without(SEMANTIC, "Task"),
    without(SEMANTIC, "Input"),
    without(SEMANTIC, "Output"),
    json.dumps({**SEMANTIC, "Data": {"Type": "Class", "Values": ["Table", "Text"]}}),
    json.dumps({**SEMANTIC, "Task": {"Type": "Class", "Values": []}}),
    json.dumps({**SEMANTIC, "Input": {}}),
    json.dumps({**SEMANTIC, "Input": "no JSON"}),
    json.dumps({**SEMANTIC, "Output": 7}),
)
#: What is of the shape and breaks a rule.
WRONG = (
    json.dumps({**SEMANTIC, "Name": {"Type": "String", "Values": "Four"}}),
    json.dumps({**SEMANTIC, "Description": {"Type": "String", "Values": "short"}}),
    json.dumps({**SEMANTIC, "License": {"Type": "Class", "Values": ["None"]}}),
    json.dumps({**SEMANTIC, "Scenario": {"Type": "Tag", "Values": []}}),
    json.dumps({**SEMANTIC, "Library": {"Type": "Tag", "Values": ["Others"]}}),
    json.dumps({**SEMANTIC, "Task": {"Type": "Class", "Values": ["Classification"]}}),
    json.dumps({**SEMANTIC, "Input": {"Dimension": 2, "Description": {"2": "column"}}}),
    json.dumps({**SEMANTIC, "Input": {"Dimension": 5, "Description": {}}}),
    without(SEMANTIC, "Scenario"),
)


def form(semantic: str | None, archive: bytes | None) -> dict[str, Any]:
    """Return a form as pages of 2024 send it."""
    data = {} if semantic is None else {"semantic_specification": semantic}
    files = {} if archive is None else {"learnware_file": ("learnware.zip", archive)}
    return {"data": data, "files": files}


def test_an_archive_comes_in_pieces_and_each_may_come_again(ada: Old) -> None:
    archive = a_learnware(padding=2000)
    for begin in (0, 0, 700, 0, 1400, 700, 1400):
        assert ada.piece(archive, begin) == {"code": 0, "msg": "success"}
    for begin in range(2100, len(archive), 700):
        assert ada.piece(archive, begin)["code"] == 0
    assert ada.piece(archive, 0)["code"] == 0
    sent = {"file_hash": md5_hex(archive), "semantic_specification": semantic_text()}
    added = ada.says("/user/add_learnware_uploaded", sent)
    assert added == {"code": 0, "msg": "success", "data": {"learnware_id": "00000001"}}
    assert ada.ended("00000001") == "SUCCESS"
    # A file that the dock has of the sender is known by its first piece, and at the end.
    assert ada.piece(archive, 0) == {"code": 51, "msg": "Learnware file already exist."}
    assert ada.code("/user/add_learnware_uploaded", sent) == 61
    assert ada.code("/user/delete_learnware", {"learnware_id": "00000001"}) == 0
    ada.sends(archive)
    assert ada.code("/user/add_learnware_uploaded", sent) == 0


def test_of_somebody_elses_file_a_sender_is_told_nothing(ada: Old, bob: Old) -> None:
    archive = a_learnware()
    sent = {"file_hash": ada.sends(archive), "semantic_specification": semantic_text()}
    # Nobody submits what another sent.
    assert bob.code("/user/add_learnware_uploaded", sent) == 51
    assert ada.code("/user/add_learnware_uploaded", sent) == 0
    bob.sends(archive)
    assert bob.code("/user/add_learnware_uploaded", sent) == 0


def test_a_submission_that_is_sent_several_times_at_once_is_made_once(
    ada: Old, service: Any
) -> None:
    archive = a_learnware()
    sent = {"file_hash": ada.sends(archive), "semantic_specification": semantic_text()}
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: ada.code("/user/add_learnware_uploaded", sent), range(8)))
    assert sorted(codes) == [0] + [61] * 7
    assert len(service.dock.standings()) == 1


def test_pieces_that_are_not_what_was_announced_are_not_submitted(ada: Old) -> None:
    archive = a_learnware()
    md5 = md5_hex(archive)
    sent = {"file_hash": md5, "semantic_specification": semantic_text()}
    assert ada.piece(archive, 700)["code"] == 51
    assert ada.piece(archive, 0)["code"] == 0
    assert ada.piece(archive, 1400)["code"] == 51
    # Some of it is missing, so its MD5 is another; it can be sent anew.
    assert ada.code("/user/add_learnware_uploaded", sent) == 51
    assert ada.code("/user/add_learnware_uploaded", sent) == 51
    assert ada.piece(archive[:-1] + b"!", 0, 10_000, md5)["code"] == 0
    assert ada.code("/user/add_learnware_uploaded", sent) == 51
    ada.sends(archive)
    assert ada.code("/user/add_learnware_uploaded", sent) == 0


def test_a_piece_says_where_it_belongs(ada: Old) -> None:
    for data, files in (
        ({"chunk_begin": "0"}, ["chunk_file"]),
        ({"file_hash": "../../etc/passwd", "chunk_begin": "0"}, ["chunk_file"]),
        ({"file_hash": "0" * 32}, ["chunk_file"]),
        ({"file_hash": "0" * 32, "chunk_begin": "-1"}, ["chunk_file"]),
        ({"file_hash": "0" * 32, "chunk_begin": "first"}, ["chunk_file"]),
        ({"file_hash": "0" * 32, "chunk_begin": "0"}, ["another"]),
        ({"file_hash": "0" * 32, "chunk_begin": "0", "chunk_file": "text"}, []),
    ):
        sent = {name: (name, b"bytes") for name in files}
        assert ada.code("/user/chunked_upload", data=data, files=sent) == 21, data


def test_a_piece_and_an_archive_have_bounds(service: Any, ada: Old, monkeypatch: Any) -> None:
    too_large = ada.post(
        "/user/chunked_upload",
        data={"file_hash": "0" * 32, "chunk_begin": "0"},
        files={"chunk_file": ("chunk_file", bytes(18 * 1024 * 1024))},
    )
    assert (too_large.status_code, too_large.json()["code"]) == (413, 21)
    monkeypatch.setenv("BEIMINGWU_ARCHIVE_MAX_BYTES", "1000")
    archive = a_learnware()
    assert ada.piece(archive, 0)["code"] == 0
    assert ada.piece(archive, 700)["code"] == 51
    assert ada.code("/user/add_learnware", **form(semantic_text(), archive)) == 51
    monkeypatch.delenv("BEIMINGWU_ARCHIVE_MAX_BYTES")
    monkeypatch.setenv("BEIMINGWU_QUOTA_BYTES", "1000")
    assert ada.piece(archive, 700)["code"] == 51
    monkeypatch.setenv("BEIMINGWU_UPLOADS_MAX", "1")
    assert ada.piece(b"another archive", 0)["code"] == 51


def test_semantics_are_refused_before_and_after_their_shape(ada: Old) -> None:
    archive = a_learnware()
    md5 = ada.sends(archive)
    for path, send in (
        ("/user/add_learnware_uploaded", lambda text: {"given": {"file_hash": md5, **text}}),
        ("/user/add_learnware", lambda text: {"data": text, "files": form("", archive)["files"]}),
    ):
        for semantic, code in [(one, 41) for one in MISSHAPEN] + [(one, 51) for one in WRONG]:
            text = {} if semantic is None else {"semantic_specification": semantic}
            assert ada.code(path, **send(text)) == code, (path, semantic)
            ada.sends(archive)
    answer = ada.says(
        "/user/add_learnware_uploaded",
        {
            "file_hash": md5,
            "semantic_specification": json.dumps(
                {**SEMANTIC, "Input": json.dumps(SEMANTIC["Input"])}
            ),
        },
    )
    # A text that holds the dimensions is as good as they are.
    assert answer["code"] == 0, answer


def test_one_form_submits(ada: Old) -> None:
    answer = ada.says("/user/add_learnware", **form(semantic_text(), a_learnware()))
    assert answer == {"code": 0, "msg": "Add success.", "data": {"learnware_id": "00000001"}}
    again = form(semantic_text(name="Another name"), a_learnware())
    assert ada.code("/user/add_learnware", **again) == 61
    assert ada.code("/user/add_learnware", **form(semantic_text(), None)) == 21
    assert ada.code("/user/add_learnware", **form(semantic_text(), b"no zip")) == 51
    # The archive tells of three columns.
    two = form(semantic_text(inputs=2), a_learnware(seed=1))
    assert ada.code("/user/add_learnware", **two) == 51


def test_a_learnware_is_updated_with_and_without_an_archive(ada: Old, client: Any) -> None:
    id = ada.publishes()

    def update(semantic: str, **more: Any) -> Any:
        given = {"learnware_id": id, "semantic_specification": semantic}
        return ada.says("/user/update_learnware", data=given, **more)

    # As the client does without a zip: multipart all the same.
    multipart = {"files": {"nothing": ("", b"")}}
    assert update(semantic_text(name="First name"), **multipart) == {"code": 0, "msg": "success"}
    assert update(semantic_text(name="Other name"))["code"] == 0
    # As pages do: an empty text in place of the file.
    given = {"semantic_specification": semantic_text(name="Third name"), "learnware_id": id}
    assert ada.code("/user/update_learnware", data={**given, "learnware_file": ""}) == 0
    told = ada.get("/engine/learnware_info", learnware_id=id).json()["data"]["learnware_info"]
    assert told["semantic_specification"]["Name"]["Values"] == "Third name"
    assert told["verify_status"] == "SUCCESS"
    # A further archive is verified, and its file is known from then on.
    newer = a_learnware(seed=3)
    assert update(semantic_text(name="Third name"), files=form("", newer)["files"])["code"] == 0
    assert ada.ended(id) == "SUCCESS"
    assert ada.piece(newer, 0)["code"] == 51


def test_what_cannot_be_updated(ada: Old, bob: Old, admin: Old, service: Any) -> None:
    first, second = ada.publishes(), ada.publishes(seed=1)

    def code(who: Old, id: str, semantic: str | None = None, archive: bytes | None = None) -> int:
        given = form(semantic or semantic_text(), archive)
        given["data"]["learnware_id"] = id
        return who.code("/user/update_learnware", **given)

    assert [code(ada, id) for id in ("00000099", "no id")] == [71, 71]
    assert code(bob, first) == 31
    assert code(ada, "") == 21
    assert [code(ada, first, semantic) for semantic in ("{}", WRONG[0])] == [41, 51]
    assert code(ada, first, archive=a_learnware(seed=1)) == 61
    assert code(ada, first, archive=b"no zip") == 51
    assert code(admin, second, semantic_text(name="By an admin")) == 0
    assert admin.account is not None
    assert service.dock.events(second)[-1].actor == admin.account.owner
    # While a revision is verified there is no other.
    slow = "import time\ntime.sleep(3)\n" + _module()
    assert code(ada, first, archive=a_learnware(module=slow, seed=7)) == 0
    told = ada.get("/engine/learnware_info", learnware_id=first).json()["data"]["learnware_info"]
    assert told["verify_status"] in ("WAITING", "PROCESSING")
    answer = ada.says(
        "/user/update_learnware",
        data={"learnware_id": first, "semantic_specification": semantic_text()},
    )
    assert answer == {"code": 51, "msg": "Learnware is verifying."}
    # Meanwhile, and after a revision that fails, everybody else has the one before.
    assert bob.get("/engine/download_learnware", learnware_id=first).status_code == 200
    assert ada.ended(first) == "SUCCESS"
    assert code(ada, first, archive=a_learnware(answer="X.no_such_thing", seed=8)) == 0
    assert ada.ended(first) == "FAIL"
    seen = bob.get("/engine/learnware_info", learnware_id=first).json()["data"]["learnware_info"]
    assert seen["verify_status"] == "SUCCESS"


def _module() -> str:
    return (
        "class Model:\n    input_shape = (3,)\n    output_shape = (1,)\n\n"
        "    def predict(self, X):\n        return X.sum(axis=1)\n"
    )


def test_an_account_without_the_scope_submits_nothing(somebody: Any) -> None:
    from beimingwu.accounts import Scope

    reader = somebody("reader", scopes=frozenset({Scope.READ}))
    assert reader.piece(a_learnware(), 0)["code"] == 12
    assert replace(reader, token="").piece(a_learnware(), 0) == {
        "code": 11,
        "msg": "Unauthorized access.",
    }
