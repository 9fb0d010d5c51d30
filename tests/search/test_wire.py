"""A search over the network is asked and answered as one at home."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.errors import BeimingwuError
from beimingwu.search import Index, Match, Requirement, SearchResult, SemanticFilter
from beimingwu.search.wire import Query, result_from_json, result_to_json
from beimingwu.specification.rkme import RKME


def a_specification(centre: float, seed: int, features: tuple[str, ...] = ()) -> RKME:
    points = np.random.default_rng(seed).normal(centre, 1.0, (12, 3)).astype(np.float32)
    return RKME(points, np.full(12, 1 / 12), n=300, features=features)


def an_answer(limit: int = 10) -> tuple[Requirement, SearchResult]:
    index = Index()
    for number in range(20):
        index.add(f"{number:08d}", a_specification(number % 5, number))
    halves = np.concatenate([a_specification(0.0, 98).points, a_specification(2.0, 99).points])
    wanted = Requirement(RKME(halves, np.full(24, 1 / 24), n=500))
    return wanted, index.search(wanted, limit=limit)


def same_specification(one: RKME | None, other: RKME | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        np.array_equal(one.points, other.points)
        and np.array_equal(one.weights, other.weights)
        and (one.n, one.kind, one.features) == (other.n, other.kind, other.features)
    )


def same_match(one: Match, other: Match) -> bool:
    return (
        (one.id, one.score, one.mmd, one.coverage)
        == (other.id, other.score, other.mmd, other.coverage)
        and one.explanation == other.explanation
        and same_specification(one.specification, other.specification)
    )


def test_an_answer_says_the_same_after_its_journey() -> None:
    wanted, result = an_answer()
    text = json.dumps(result_to_json(result, specifications=True), allow_nan=False)
    arrived = result_from_json(json.loads(text), wanted, lambda id: None)  # type: ignore[arg-type, return-value]
    assert result.single and result.mixture is not None and arrived.mixture is not None
    assert all(map(same_match, result.single, arrived.single))
    assert all(map(same_match, result.mixture.members, arrived.mixture.members))
    assert result.mixture.weights.tolist() == arrived.mixture.weights.tolist()
    assert (result.mixture.coverage, result.mixture.uncovered) == (
        arrived.mixture.coverage,
        arrived.mixture.uncovered,
    )
    assert (result.island, result.notes, result.fits) == (
        arrived.island,
        arrived.notes,
        arrived.fits,
    )
    assert result.certificate == arrived.certificate
    assert result.kernel is not None and arrived.kernel is not None
    assert result.kernel(wanted.specification.points, wanted.specification.points).tolist() == (  # type: ignore[union-attr]
        arrived.kernel(wanted.specification.points, wanted.specification.points).tolist()  # type: ignore[union-attr]
    )
    assert repr(arrived) == repr(result)


def test_where_everything_was_opened_the_certificate_is_still_json() -> None:
    wanted, result = an_answer(limit=100)
    certificate = replace(result.certificate, next_bound=math.inf)  # type: ignore[type-var]
    result = replace(result, certificate=certificate)
    text = json.dumps(result_to_json(result), allow_nan=False)
    arrived = result_from_json(json.loads(text), wanted, lambda id: None)  # type: ignore[arg-type, return-value]
    assert asdict(arrived.certificate) == asdict(certificate)  # type: ignore[call-overload]


def test_a_match_fetches_its_learnware_from_where_it_was_found() -> None:
    wanted, result = an_answer()
    fetched: list[str] = []
    arrived = result_from_json(
        json.loads(json.dumps(result_to_json(result))),
        wanted,
        fetched.append,  # type: ignore[arg-type]
    )
    assert arrived.best is not None
    assert arrived.best.learnware is None
    assert fetched == [arrived.best.id]
    assert arrived.best.specification is None


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)


@given(
    task=st.lists(st.sampled_from(["Regression", "Classification"]), unique=True),
    unwanted=st.lists(st.sampled_from(["Nature", "Health"]), unique=True),
    text=names,
    limit=st.integers(1, 1000),
    seed=st.none() | st.integers(0, 5),
)
def test_a_query_says_the_same_after_its_journey(
    task: list[str], unwanted: list[str], text: str, limit: int, seed: int | None
) -> None:
    spec = None if seed is None else a_specification(1.0, seed, features=("a", "b", "c"))
    filter = SemanticFilter(task=tuple(task), text=text, without={"scenario": tuple(unwanted)})
    query = Query(Requirement(spec, filter), limit, 3, True)
    arrived = Query.loads(json.dumps(query.to_json()).encode())
    assert same_specification(arrived.requirement.specification, spec)
    assert arrived.requirement.filter == query.requirement.filter
    assert arrived.requirement.features == query.requirement.features
    assert (arrived.limit, arrived.max_learnwares, arrived.specifications) == (limit, 3, True)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ([], "requirement.json"),
        ({"data": [[1.0]]}, "requirement.json"),
        ({"limit": 0}, "requirement.limit"),
        ({"limit": True}, "requirement.limit"),
        ({"max_learnwares": 10**9}, "requirement.max_learnwares"),
        ({"filter": [1]}, "requirement.filter"),
        ({"filter": {"owner": "ada"}}, "requirement.filter"),
        ({"filter": {"task": [1]}}, "requirement.task"),
        ({"filter": {"task": ["Guessing"]}}, "requirement.task"),
        ({"filter": {"text": 5}}, "requirement.text"),
        ({"filter": {"without": ["MIT"]}}, "requirement.without"),
        ({"filter": {"without": {"text": "rain"}}}, "requirement.without"),
        ({"filter": {"without": {"task": ["Guessing"]}}}, "requirement.task"),
        ({"features": "rain", "specification": "text"}, "specification.json"),
        ({"features": [None]}, "requirement.features"),
        ({"specification": {"z": [[float("nan")]]}}, "requirement.not_finite"),
        ({"specification": {"z": [[[[[[[[1]]]]]]]]}}, "requirement.too_deep"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(asked: Any, code: str) -> None:
    with pytest.raises(BeimingwuError) as refused:
        Query.loads(json.dumps(asked).encode())
    assert refused.value.code == code
    assert refused.value.remedy
