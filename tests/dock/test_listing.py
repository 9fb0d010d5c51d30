"""Facets are exact, text is ranked, counts agree with lists; in Chinese as in English."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.dock import Dock, filtering
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.listing import Listing
from beimingwu.dock.records import Draft
from beimingwu.errors import InvalidInput, InvalidRequirement
from beimingwu.learnware.record import State
from beimingwu.search.semantic import KEYS, Facets, SemanticFilter, facets_of
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


facets = {
    "task": st.lists(st.sampled_from(TASKS), max_size=2).map(tuple),
    "license": st.lists(st.sampled_from(LICENSES), max_size=1).map(tuple),
    "scenario": st.lists(st.sampled_from(SCENARIOS), max_size=2).map(tuple),
}
some = st.builds(
    SemanticFilter,
    **facets,
    text=st.sampled_from(["", "rain", "WIND", "of", "snow"]),
    without=st.builds(Facets) | st.builds(Facets, **facets),
)


@settings(max_examples=40, deadline=None)
@given(some)
def test_a_list_holds_exactly_what_satisfies_the_filter(
    many: Catalogue, filter: SemanticFilter
) -> None:
    listing = Listing(many)
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
def test_a_facet_count_is_what_a_scan_of_everything_counts(
    many: Catalogue, filter: SemanticFilter
) -> None:
    listing = Listing(many)
    everything = listing.records(SemanticFilter(), "published", None, 1000, None)
    counts = listing.facets(filter, "published")
    assert set(counts) == set(KEYS)
    for key in KEYS:
        others = replace(filter, **{key: ()})
        scanned = Counter(
            value
            for record in everything
            if others.matches(record.semantic) and filter.text.lower() in record.name.lower()
            for value in facets_of(record.semantic)[key]
        )
        assert counts[key] == scanned
        assert list(counts[key].values()) == sorted(counts[key].values(), reverse=True)


@settings(max_examples=10, deadline=None)
@given(some)
def test_a_facet_count_is_what_choosing_that_value_gives(
    many: Catalogue, filter: SemanticFilter
) -> None:
    listing = Listing(many)
    counts = listing.facets(filter, "published")
    for key in ("task", "license", "scenario"):
        for value in VOCABULARIES[KEYS[key]]:
            expected = listing.count(replace(filter, **{key: (value,)}), "published")
            assert counts[key].get(value, 0) == expected


@pytest.mark.parametrize(
    "wanted",
    [
        SemanticFilter(text="rain"),
        SemanticFilter(),
        SemanticFilter(license="MIT", without={"scenario": "Traffic"}),
        SemanticFilter(text="rian"),
    ],
    ids=str,
)
def test_pages_follow_one_another_to_the_end(many: Catalogue, wanted: SemanticFilter) -> None:
    listing, after, seen = Listing(many), None, []
    while page := listing.records(wanted, "published", None, 7, after):
        seen += [record.id for record in page]
        after = page[-1].id
    assert seen == listing.ids(wanted, "published")
    assert len(set(seen)) == len(seen) == listing.count(wanted, "published") > 7
    assert listing.ids(wanted, "published", limit=7) == seen[:7]


@pytest.mark.parametrize("text", ["", "rain"])
def test_going_on_from_what_is_not_in_the_list_is_refused(many: Catalogue, text: str) -> None:
    listing = Listing(many)
    other = listing.ids(SemanticFilter(task="Classification"), "published")[0]
    for after in ("00009999", other):
        with pytest.raises(InvalidRequirement) as refused:
            listing.records(
                SemanticFilter(text=text, without={"task": "Classification"}),
                "published",
                None,
                7,
                after,
            )
        assert refused.value.code == "requirement.after"


def test_facets_of_few_and_of_many_are_counted_alike(
    many: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = Listing(many)
    asked = [SemanticFilter(), SemanticFilter(task="Regression", text="rain")]
    few = [listing.facets(wanted, "published") for wanted in asked]
    monkeypatch.setattr(filtering, "_FEW", 0)
    assert [listing.facets(wanted, "published") for wanted in asked] == few
    assert few[0]["task"].keys() == set(TASKS)


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


@pytest.mark.parametrize("word", ["降雨", "雨", "r2", "%"])
def test_a_hit_of_one_or_two_letters_is_ranked_by_where_it_is_too(
    catalogue: Catalogue, published: Callable[..., str], word: str
) -> None:
    named = published(catalogue, "a", name=f"About {word} here", description="Of the weather.")
    published(catalogue, "b", description=f"Of many things, {word} is but one of them.")
    listing = Listing(catalogue)
    assert listing.ids(SemanticFilter(text=word), "published")[0] == named
    assert len(listing.ids(SemanticFilter(text=word), "published")) == 2


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
