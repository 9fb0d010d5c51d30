"""/engine/search_learnware: both kinds of form, both lists, pages, and scores that are relative."""

from __future__ import annotations

import json
from typing import Any

import pytest

from beimingwu.dock.testing import a_semantic, a_specification
from beimingwu.specification import RKME, dumps_specification
from beimingwu.specification.semantic import Dimensions

from .conftest import Old

ITEM = {"learnware_id", "semantic_specification", "matching", "last_modify", "username"}


@pytest.fixture
def ids(ada: Old) -> list[str]:
    return [
        ada.publishes(name="Sums of rain", centre=0.0),
        ada.publishes(name="Sums of wind", centre=2.0, seed=1, license="GPL-3.0"),
        ada.publishes(name="Sums of snow", centre=6.0, seed=2, model="PEFT Model"),
    ]


def asked(semantic: Any = None, spec: bytes | None = None, **fields: str) -> dict[str, Any]:
    """Return a search as the client sends it: a multipart form where there is a specification."""
    data = {"semantic_specification": json.dumps(semantic or {}), **fields}
    if spec is None:
        return {"data": data}
    return {"data": data, "files": {"statistical_specification": ("learnware_stat_x.json", spec)}}


def found(who: Old, *arguments: Any, **fields: str) -> Any:
    answer = who.says("/engine/search_learnware", **asked(*arguments, **fields))
    assert (answer["code"], answer["msg"]) == (0, "Ok"), answer
    return answer["data"]


def singles(who: Old, *arguments: Any, **fields: str) -> list[str]:
    listed = found(who, *arguments, **fields)["learnware_list_single"]
    return [one["learnware_id"] for one in listed]


def test_anybody_searches_by_tags_and_words(nobody: Old, ids: list[str]) -> None:
    rain, wind, snow = ids
    everything = found(nobody, limit="10000", page="0")
    assert {key: everything[key] for key in everything if "list" not in key} == {
        "is_hetero": False,
        "page": 0,
        "limit": 10000,
        "total_pages": 1,
    }
    assert everything["learnware_list_multi"] == []
    first = everything["learnware_list_single"][0]
    assert set(first) == ITEM
    assert (first["learnware_id"], first["matching"], first["username"]) == (snow, 0, "ada")
    named = a_semantic(name="Sums of snow", model="PEFT Model")
    assert first["semantic_specification"] == named.to_json()
    query = {"License": {"Type": "Class", "Values": ["GPL-3.0"]}}
    assert singles(nobody, query) == [wind]
    several = {"License": {"Type": "Class", "Values": ["GPL-3.0", "MIT"]}}
    assert singles(nobody, several) == [snow, wind, rain]
    assert singles(nobody, {"Scenario": {"Type": "Tag", "Values": ["Nature"]}}) == []
    assert singles(nobody, {"Name": {"Type": "String", "Values": "rain"}}) == [rain]
    # Values that are empty put no constraint, and what was typed as a description never did.
    empty = {"Data": {"Values": []}, "Name": {"Values": ""}, "Description": {"Values": "wind"}}
    assert singles(nobody, empty) == [snow, wind, rain]
    # A learnware of before 0.4.0 says nothing of its model, and is found among the others.
    assert singles(nobody, {"Model": {"Type": "Optional", "Values": ["Others"]}}) == [wind, rain]
    assert singles(nobody, {"Model": {"Type": "Optional", "Values": ["PEFT Model"]}}) == [snow]


def test_pages_are_cut_alike_whatever_is_asked(nobody: Old, ids: list[str]) -> None:
    rain, wind, snow = ids
    pages = [found(nobody, limit="2", page=page) for page in ("0", "1", "2", "99999999")]
    told = [[one["learnware_id"] for one in page["learnware_list_single"]] for page in pages]
    assert told == [[snow, wind], [rain], [], []]
    assert {page["total_pages"] for page in pages} == {2}
    assert [page["page"] for page in pages] == [0, 1, 2, 99999999]
    for odd in ("first", "-3", "", "1" * 5000):
        assert found(nobody, limit="2", page=odd)["page"] == 0
    # Without a limit, or with none that is a number, everything is on one page.
    for fields in ({}, {"limit": "all"}, {"limit": "", "page": "1"}):
        whole = found(nobody, **fields)
        assert set(whole) == {"learnware_list_multi", "learnware_list_single", "is_hetero"}
        assert len(whole["learnware_list_single"]) == 3
    assert found(nobody, limit="20000")["limit"] == 10_000


def test_a_specification_ranks_and_its_scores_are_relative(nobody: Old, ids: list[str]) -> None:
    rain, wind, _ = ids
    spec = dumps_specification(a_specification(centre=0.0, seed=9))
    ranked = found(nobody, {}, spec, limit="10", page="0")
    listed = ranked["learnware_list_single"]
    assert listed[0]["learnware_id"] == rain
    assert 0.9 <= listed[0]["matching"] <= 1
    assert all(0.6 <= one["matching"] <= 1 for one in listed)
    # Alone, even the farthest has all of it.
    gpl = {"License": {"Type": "Class", "Values": ["GPL-3.0"]}}
    alone = found(nobody, gpl, spec, limit="10", page="0")
    assert [(one["learnware_id"], one["matching"]) for one in alone["learnware_list_single"]] == [
        (wind, 1.0)
    ]
    assert found(nobody, {}, spec, limit="10", page="1")["learnware_list_single"] == []
    # No learnware is of two columns; the old files have no type.
    assert (
        found(nobody, {}, dumps_specification(a_specification(inputs=2)))["learnware_list_single"]
        == []
    )
    old = {key: value for key, value in json.loads(spec).items() if key not in ("type", "v2")}
    assert singles(nobody, {}, json.dumps(old).encode())[0] == rain


def test_a_mixture_has_one_score_and_is_on_the_first_page(nobody: Old, ids: list[str]) -> None:
    import numpy as np

    parts = [a_specification(centre=centre, seed=seed) for centre, seed in ((0.0, 0), (6.0, 2))]
    points = np.concatenate([part.points for part in parts])
    both = dumps_specification(RKME(points, np.full(40, 1 / 40), n=40))
    first = found(nobody, {}, both, limit="1", page="0")
    members = first["learnware_list_multi"]
    assert {one["learnware_id"] for one in members} == {ids[0], ids[2]}
    assert len({one["matching"] for one in members}) == 1
    assert all(set(one) == ITEM for one in members)
    second = found(nobody, {}, both, limit="1", page="1")
    assert second["learnware_list_multi"] == []


def test_what_cannot_be_asked(nobody: Old, ada: Old) -> None:
    for fields, code in (
        ({"semantic_specification": ""}, 21),
        ({"semantic_specification": "no JSON"}, 41),
        ({"semantic_specification": "[]"}, 41),
        ({"semantic_specification": "[" * 50_000}, 41),
        ({"semantic_specification": '{"Task": {"Values": [7]}}'}, 41),
        ({"semantic_specification": '{"Task": {"Values": ["Guessing"]}}'}, 41),
        ({"semantic_specification": "{}", "limit": "0"}, 52),
        ({"semantic_specification": "{}", "limit": "-1"}, 52),
        ({"semantic_specification": "{}", "is_verified": "false"}, 61),
        ({"semantic_specification": "{}", "learnware_id": "1"}, 61),
    ):
        for who in (nobody, ada):
            answer = who.says("/engine/search_learnware", data=fields)
            assert answer["code"] == code, answer


def test_a_specification_that_cannot_be_read_is_told_so(nobody: Old) -> None:
    for spec in (
        b"",
        b"no JSON",
        b"{}",
        b'{"z": [[1]], "beta": [1], "gamma": 0.1, "num_points": 1, "type": "Strange"}',
        b'{"z": [[NaN]], "beta": [1], "gamma": 0.1, "num_points": 1}',
        b"[" * 100_000,
    ):
        answer = nobody.says("/engine/search_learnware", **asked({}, spec))
        assert answer["code"] == 41
        assert answer["msg"].startswith("Statistical specification error.")


def test_forms_that_are_none_end_in_the_old_shape(nobody: Old) -> None:
    assert nobody.code("/engine/search_learnware") == 21
    assert nobody.code("/engine/search_learnware", {}) == 21
    # Pages send the field as a text with nothing in it where there is no file.
    assert found(nobody, statistical_specification="")["learnware_list_single"] == []
    broken = nobody.client.post(
        "/api/engine/search_learnware",
        content=b"--x\r\nno form",
        headers={"Content-Type": "multipart/form-data"},
    )
    assert (broken.status_code, broken.json()["code"]) == (400, 21)


def test_admins_look_among_what_is_not_published_and_by_ids(
    ada: Old, admin: Old, ids: list[str]
) -> None:
    bad = ada.adds(name="Sums of hail", answer="X.no_such_thing", seed=5, license="GPL-3.0")
    ada.ended(bad)
    assert singles(admin, {}, is_verified="false") == [bad]
    assert singles(admin, {}, is_verified="false", limit="5", learnware_id="3") == []
    assert singles(admin, {}, learnware_id="00003") == [ids[2]]
    spec = dumps_specification(a_specification(centre=0.0, seed=9))
    assert singles(admin, {}, spec, learnware_id="1") == [ids[0]]
    assert singles(admin, {}, is_verified="true") == ids[::-1]


def test_images_are_found_by_their_tags(nobody: Old) -> None:
    import numpy as np

    pixels = np.zeros((2, 3, 32, 32), dtype=np.float32)
    image = RKME(pixels, np.array([0.5, 0.5]), n=2, kind="image", kernel=None)
    answer = nobody.says("/engine/search_learnware", **asked({}, dumps_specification(image)))
    assert answer["code"] == 41
    assert answer["msg"].startswith("Engine search learnware error.")


def test_dimensions_of_a_query_are_no_constraint(nobody: Old, ids: list[str]) -> None:
    spec = dumps_specification(a_specification(centre=0.0, seed=9))
    odd = {"Data": {"Values": ["Table"]}, "Input": Dimensions.of(["a", "b"]).to_json()}
    assert found(nobody, odd, spec, limit="5")["is_hetero"] is False
    assert singles(nobody, odd, spec)[0] == ids[0]
