"""Facets are exact, text is ranked, counts agree with lists; in Chinese as in English."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.dock import Dock
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.listing import Listing
from beimingwu.dock.records import Draft
from beimingwu.errors import InvalidInput, InvalidRequirement
from beimingwu.learnware.record import State
from beimingwu.search.semantic import KEYS, SemanticFilter
from beimingwu.specification.semantic import VOCABULARIES, Dimensions

TASKS = ("Classification", "Regression", "Feature Extraction")
LICENSES = ("MIT", "GPL-3.0")
SCENARIOS = ("Nature", "Health", "Traffic")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    published: Callable[..., str],
) -> Iterator[Catalogue]:
    if request.param == "sqlite":
        yield from filled(tmp_path_factory.mktemp("many") / "catalogue.sqlite", published)
    else:
        with request.getfixturevalue("postgresql").database() as url:
            yield from filled(url, published)


def filled(where: Path | str, published: Callable[..., str]) -> Iterator[Catalogue]:
    catalogue = Catalogue(where)
    rng = np.random.default_rng(0)
    for number in range(60):
        task = str(rng.choice(TASKS))
        published(
            catalogue,
            f"{number:064x}",
            task=task,
            output=None if task == "Feature Extraction" else Dimensions(2),
            license=str(rng.choice(LICENSES)),
            scenarios=tuple(rng.choice(SCENARIOS, rng.integers(1, 3), replace=False)),
            name=f"Learnware of {rng.choice(['rain', 'wind'])}",
        )
    yield catalogue
    catalogue.close()


some = st.fixed_dictionaries(
    {
        "task": st.lists(st.sampled_from(TASKS), max_size=2),
        "license": st.lists(st.sampled_from(LICENSES), max_size=1),
        "scenario": st.lists(st.sampled_from(SCENARIOS), max_size=2),
        "text": st.sampled_from(["", "rain", "WIND", "of", "snow"]),
    }
)


@settings(max_examples=25, deadline=None)
@given(some)
def test_a_list_holds_exactly_what_satisfies_the_filter(
    many: Catalogue, wanted: dict[str, list[str]]
) -> None:
    listing, filter = Listing(many), SemanticFilter(**wanted)  # type: ignore[arg-type]
    everything = listing.records(SemanticFilter(), "published", None, 1000, None)
    expected = {
        record.id
        for record in everything
        if filter.matches(record.semantic) and filter.text.lower() in record.name.lower()
    }
    found = listing.records(filter, "published", None, 1000, None)
    assert {record.id for record in found} == expected
    assert len(found) == len(expected) == listing.count(filter, "published")


@settings(max_examples=25, deadline=None)
@given(some)
def test_a_facet_count_is_what_choosing_that_value_gives(
    many: Catalogue, wanted: dict[str, list[str]]
) -> None:
    listing, filter = Listing(many), SemanticFilter(**wanted)  # type: ignore[arg-type]
    counts = listing.facets(filter, "published")
    for key in ("task", "license", "scenario"):
        for value in VOCABULARIES[KEYS[key]]:
            chosen = {field.name: getattr(filter, field.name) for field in fields(filter)}
            chosen[key] = (value,)
            expected = listing.count(SemanticFilter(**chosen), "published")
            assert counts[key].get(value, 0) == expected


def test_pages_follow_one_another_to_the_end(many: Catalogue) -> None:
    listing, after, seen = Listing(many), None, []
    while page := listing.records(SemanticFilter(text="rain"), "published", None, 7, after):
        seen += [record.id for record in page]
        after = page[-1].id
    assert seen == listing.ids(SemanticFilter(text="rain"), "published")
    assert len(set(seen)) == len(seen)


def test_going_on_from_what_is_not_in_the_list_is_refused(many: Catalogue) -> None:
    with pytest.raises(InvalidRequirement) as refused:
        Listing(many).records(SemanticFilter(), "published", None, 7, "00009999")
    assert refused.value.code == "requirement.after"


def test_the_newest_come_first(many: Catalogue) -> None:
    ids = Listing(many).ids(SemanticFilter(), "published")
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("空气质量", True),
        ("空气", True),
        ("气", True),
        ("北京 PM2.5", True),
        ("ＰＭ２．５", True),
        ("pm2.5", True),
        ("降水量", True),
        ("nature", True),
        ("空气污染", False),
        ("上海", False),
        ("北京 上海", False),
        ("100%", True),
        ("0%", True),
        ("5%", False),
        ('"quoted', True),
        ('"', True),
        ("AND", False),
        ("a_c", True),
        ("_c", True),
        ("_b", False),
        ("\x00", True),
    ],
)
def test_words_are_found_in_any_language_and_with_any_sign(
    catalogue: Catalogue, published: Callable[..., str], text: str, found: bool
) -> None:
    id = published(
        catalogue,
        "a",
        name="空气质量预测模型",
        description='北京市 PM2.5 的预测,秋冬季节。100% open, "quoted", a_c.',
        input=Dimensions.of(["降水量", "风速", "气温"]),
        scenarios=("Nature",),
    )
    published(catalogue, "b", name="Something else", description="Of no concern at all xyz.")
    assert (id in Listing(catalogue).ids(SemanticFilter(text=text), "published")) is found


def test_a_hit_in_the_name_comes_before_one_in_the_description(
    catalogue: Catalogue, published: Callable[..., str]
) -> None:
    named = published(catalogue, "a", name="Rainfall in Beijing")
    published(catalogue, "b", description="A model about many things, among them rainfall too.")
    assert Listing(catalogue).ids(SemanticFilter(text="rainfall"), "published")[0] == named


def test_words_and_facets_follow_the_revision_in_force(
    catalogue: Catalogue, published: Callable[..., str], draft: Callable[..., Draft]
) -> None:
    id, listing = published(catalogue, "a", name="The old name"), Listing(catalogue)
    catalogue.amend(id, draft("a", name="The new name", license="GPL-3.0"), catalogue.latest(id))
    assert listing.ids(SemanticFilter(text="old name"), "published") == []
    assert listing.ids(SemanticFilter(text="new name", license="GPL-3.0"), "published") == [id]
    assert listing.facets(SemanticFilter(), "published")["license"] == {"GPL-3.0": 1}


def test_changes_tell_what_was_published_and_what_is_no_more(
    catalogue: Catalogue, published: Callable[..., str], draft: Callable[..., Draft]
) -> None:
    listing = Listing(catalogue)
    first, second = published(catalogue, "a"), published(catalogue, "b")
    sequence, everything = listing.published()
    assert [found.id for found in everything] == [first, second]
    assert listing.changes(sequence) == (sequence, {})
    catalogue.withdraw(first)
    third = published(catalogue, "c")
    later, changed = listing.changes(sequence)
    assert later > sequence
    assert {id: now is not None for id, now in changed.items()} == {first: False, third: True}
    assert changed[third].features == ("column 0", "column 1", "column 2")  # type: ignore[union-attr]


def test_a_record_shows_the_newest_revision_until_one_is_published(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    id = catalogue.submit("ada", draft("a")).learnware
    record = Listing(catalogue).record(id)
    assert record is not None
    assert (record.state, record.revision, record.owner) == ("uploaded", 1, "ada")
    assert Listing(catalogue).record("00009999") is None
    assert "00000001" in record._repr_html_()


@pytest.mark.parametrize("state", ["bogus", "", "deleted", 1])
def test_a_state_that_cannot_be_listed_is_refused_and_the_states_are_named(
    dock: Dock, state: State
) -> None:
    for ask in (dock.list, dock.count):
        with pytest.raises(InvalidInput, match=r"'published'.*Got .* instead") as refusal:
            ask(state=state)
        assert refusal.value.code == "input.state"
