"""JSON within bounds: what is measured is what is there, however texts try to hide it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.errors import BeimingwuError, InvalidSpecification, TooLarge
from beimingwu.specification.bounded_json import Bounds, parse_json

WIDE = Bounds(bytes=100_000, depth=100, containers=1_000, values=10_000, texts=1_000)

#: Texts made of what could be taken for structure.
texts = st.text(st.sampled_from('[]{},:"\\a风\n'), max_size=12)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)


def parse(text: bytes | str, bounds: Bounds = WIDE) -> object:
    return parse_json(text, bounds, what="The document", code="document")


def measured(value: Any) -> tuple[int, int, int, int]:
    """Return depth, containers, values and texts of a document, by walking it."""
    if isinstance(value, dict):
        inner = [measured(item) for item in value.values()]
        keys = len(value)
    elif isinstance(value, list):
        inner, keys = [measured(item) for item in value], 0
    else:
        return 0, 0, 1, int(isinstance(value, str))
    depth, containers, values, found = zip(*inner, strict=True) if inner else ((0,), (), (), ())
    return 1 + max(depth), 1 + sum(containers), sum(values), keys + sum(found)


@given(documents, st.booleans(), st.sampled_from([None, 1]))
@settings(deadline=None, max_examples=200)
def test_a_document_within_bounds_is_what_the_standard_parser_makes_of_it(
    document: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    assert parse(text) == document
    assert parse(text.encode()) == document


@given(documents)
@settings(deadline=None, max_examples=200)
def test_depth_lists_and_texts_are_counted_exactly(document: object) -> None:
    text = json.dumps(document)
    depth, containers, values, found = measured(document)
    exact = replace(WIDE, depth=depth, containers=containers, texts=found)
    assert parse(text, exact) == document
    for name, count in (("depth", depth), ("containers", containers), ("texts", found)):
        if count:
            with pytest.raises(BeimingwuError):
                parse(text, replace(exact, **{name: count - 1}))
    with pytest.raises(TooLarge):
        parse(text, replace(exact, values=values - 1))


@pytest.mark.parametrize(
    ("text", "bounds", "code"),
    [
        (b"[1, 2]", replace(WIDE, bytes=5), "too_large"),
        ("风" * 40_000, WIDE, "too_large"),
        (b"[1, 2, 3]", replace(WIDE, values=2), "too_many_values"),
        (b"[[], []]", replace(WIDE, containers=2), "too_many_values"),
        (b'["a", "b"]', replace(WIDE, texts=1), "too_many_values"),
    ],
)
def test_what_is_over_a_limit_is_too_large(text: bytes | str, bounds: Bounds, code: str) -> None:
    with pytest.raises(TooLarge) as caught:
        parse(text, bounds)
    assert caught.value.code == f"document.{code}"
    assert str(caught.value).startswith("The document holds")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[" * 101 + b"]" * 101, "too_deep"),
        (b'"\xff"', "encoding"),
        ('"\ud800"', "encoding"),
        (b"[1" + b"0" * 64 + b"]", "long_number"),
        (b"{'a': 1}", "json"),
        (b"[1,]", "json"),
        (b"[01]", "json"),
        (b'["\n"]', "json"),
        (b'{"a": {"b": 1, "b": 1}}', "duplicate_key"),
        (b"[NaN]", "not_finite"),
        (b"[-Infinity]", "not_finite"),
    ],
)
def test_what_breaks_a_rule_is_invalid(text: bytes | str, code: str) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        parse(text)
    assert caught.value.code == f"document.{code}"


def test_the_place_of_a_mistake_is_told() -> None:
    with pytest.raises(InvalidSpecification, match=r"line 2, column 5"):
        parse('{\n"a" 1}')
