"""Misspelt words find what was meant and say so; words that somebody says are left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from beimingwu.dock import Dock
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.listing import Listing
from beimingwu.dock.records import Draft
from beimingwu.dock.words import count_words, near_words
from beimingwu.errors import InvalidRequirement
from beimingwu.search import Requirement, SemanticFilter, Suggestion
from beimingwu.search.spelling import slips, tolerated
from beimingwu.specification.semantic import Dimensions

Publish = Callable[..., str]


@pytest.fixture
def weather(catalogue: Catalogue, published: Publish) -> Catalogue:
    """Five learnwares: 1 to 3 about rainfall, 4 about wind and 5 in Chinese about air."""
    for number in range(3):
        published(
            catalogue,
            f"{number}",
            name=f"Rainfall number {number}",
            description="Tomorrow's rainfall of a city, from the temperature of today.",
            license="GPL-3.0" if number else "MIT",
        )
    published(catalogue, "w", name="Wind in winter", description="From pressure, hour by hour.")
    published(
        catalogue,
        "z",
        name="北京市空气质量预测",
        description="用气象数据预测北京市的空气质量。",
        input=Dimensions.of(["降水量", "风速", "气温"]),
    )
    return catalogue


def said(catalogue: Catalogue) -> dict[str, int]:
    """The words that are kept, with how many learnwares say each."""
    with catalogue.reading() as connection:
        rows = connection.execute(sa.text("SELECT word, learnwares FROM learnware_text_word"))
        return {row.word: row.learnwares for row in rows}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rianfall", "rainfall"),
        ("Ranfall", "rainfall"),
        ("rainnfall", "rainfall"),
        ("rainfell", "rainfall"),
        ("temparture", "temperature"),
        ("tomorow's", "tomorrow's"),
        ("rianfall temprature", "rainfall temperature"),
        ("winterr", "winter"),
        ("regresion", "regression"),
        ("空汽质量", "空气质量"),
        ("北京空气质量", "北京市空气质量"),
        ("降水水量", "降水量"),
    ],
)
def test_a_misspelt_word_finds_what_was_meant(weather: Catalogue, typed: str, meant: str) -> None:
    listing = Listing(weather)
    expected = listing.ids(SemanticFilter(text=meant), "published")
    filter = SemanticFilter(text=typed)
    suggested = listing.suggestions(filter, "published")
    assert expected
    assert listing.ids(filter, "published") == expected
    assert listing.count(filter, "published") == len(expected)
    assert sum(listing.facets(filter, "published")["task"].values()) == len(expected)
    followed = [one for one in suggested if one.followed]
    assert " ".join(one.meant for one in followed) == meant
    assert {one.learnwares for one in followed} == {len(expected)}


@pytest.mark.parametrize(
    "typed",
    [
        "helicopter",
        "wnd",
        "rain fell",
        "rainfall helicopter",
        "wind rianfall",
        "city,rianfall",
        "上海",
        "火车",
    ],
)
def test_what_is_like_nothing_finds_nothing(weather: Catalogue, typed: str) -> None:
    listing, filter = Listing(weather), SemanticFilter(text=typed)
    assert listing.ids(filter, "published") == []
    assert listing.suggestions(filter, "published") == ()


def test_a_word_that_somebody_says_is_never_read_as_another(
    weather: Catalogue, published: Publish
) -> None:
    odd = published(weather, "o", name="Rianfall as it is spelt here", license="GPL-3.0")
    listing = Listing(weather)
    assert listing.ids(SemanticFilter(text="rianfall"), "published") == [odd]
    # Neither where the facets leave nothing of it: the same text means the same everywhere.
    assert listing.ids(SemanticFilter(text="rianfall", license="MIT"), "published") == []


def test_a_word_that_few_say_brings_one_to_mind_that_many_do(
    weather: Catalogue, published: Publish
) -> None:
    for number in range(10):
        published(weather, f"{number + 16:064x}", name=f"More rainfall, {number}")
    published(weather, "o", name="Rianfall as it is spelt here")
    asked = SemanticFilter(text="rianfall")
    assert Listing(weather).suggestions(asked, "published") == (
        Suggestion("rianfall", "rainfall", learnwares=13),
    )
    assert Listing(weather).suggestions(SemanticFilter(text="rainfall"), "published") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpl-3.0", Suggestion("gpl-3.0", "GPL-3.0", "license", 2)),
        ("rainfall GPL-3.O", Suggestion("gpl-3.o", "GPL-3.0", "license", 2)),
        ("rianfall gpl-3.0", Suggestion("gpl-3.0", "GPL-3.0", "license", 2)),
        ("wind tabel", Suggestion("tabel", "Table", "data", 1)),
    ],
)
def test_the_value_of_a_facet_in_the_text_is_recognized(
    weather: Catalogue, text: str, expected: Suggestion
) -> None:
    assert expected in Listing(weather).suggestions(SemanticFilter(text=text), "published")


def test_nothing_is_suggested_that_finds_nothing(weather: Catalogue) -> None:
    listing = Listing(weather)
    for filter in (
        SemanticFilter(text="apache-2.0"),
        SemanticFilter(text="gpl-3.0", license="MIT"),
        SemanticFilter(text="gpl-3.0", without={"license": "GPL-3.0"}),
        SemanticFilter(text="gpl-3.0 helicopter"),
    ):
        assert listing.suggestions(filter, "published") == ()


def test_words_of_what_is_not_shown_are_not_told(weather: Catalogue) -> None:
    listing = Listing(weather)
    for id in listing.ids(SemanticFilter(text="rainfall"), "published"):
        weather.withdraw(id)
    asked = SemanticFilter(text="rianfall")
    assert listing.ids(asked, "published") == []
    assert listing.suggestions(asked, "published") == ()
    assert len(listing.ids(asked, "withdrawn")) == 3


def test_words_follow_what_learnwares_say_until_they_are_deleted(
    catalogue: Catalogue, published: Publish, draft: Callable[..., Draft]
) -> None:
    first = published(catalogue, "a", name="Rainfall in 2024", description="Of rain; of snow.")
    before = said(catalogue)
    assert before["rainfall"] == before["rain"] == before["snow"] == 1
    assert "2024" not in before
    second = published(catalogue, "b", name="Rainfall again", description="Of rain and of rain.")
    assert said(catalogue)["rain"] == 2
    amended = draft("a", name="Snowfall then", description="Of rain; of snow.")
    catalogue.amend(first, amended, catalogue.latest(first))
    assert (said(catalogue)["rainfall"], said(catalogue)["snowfall"]) == (1, 1)
    for id in (first, second):
        catalogue.delete(id)
    assert said(catalogue) == {}


spelt = st.text("abcdeü", min_size=3, max_size=11)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(spelt, max_size=8), min_size=1, max_size=4), spelt, st.data())
def test_no_word_that_is_near_is_overlooked(
    tmp_path_factory: pytest.TempPathFactory,
    everyone: list[set[str]],
    typed: str,
    data: st.DataObject,
) -> None:
    catalogue = Catalogue(tmp_path_factory.mktemp("words") / "catalogue.sqlite")
    counts = Counter(word for words in everyone for word in words)
    gone = data.draw(st.sampled_from(everyone))
    with catalogue.database.writing() as connection:
        for words in everyone:
            count_words(connection, set(), words)
        count_words(connection, gone, set())
        counts -= Counter(gone)
        found = near_words(connection, typed)
    near = {word for word in counts if 0 < slips(typed, word) <= tolerated(typed)}
    assert said(catalogue) == counts
    assert set(found) == near
    assert [slips(typed, word) for word in found] == sorted(slips(typed, word) for word in near)
    catalogue.close()


def test_the_words_of_an_older_catalogue_are_gathered_when_it_is_opened(
    tmp_path: Path, database: str, published: Publish
) -> None:
    where = database or tmp_path / "older.sqlite"
    texts = "SELECT * FROM learnware_text ORDER BY name"
    catalogue = Catalogue(where)
    for digest, name in (
        ("a", "Rainfall in Zürich"),
        ("b", "空气质量预测模型"),
        ("c", "Wind only"),
    ):
        published(catalogue, digest, name=name)
    with catalogue.reading() as connection:
        written, words = connection.execute(sa.text(texts)).all(), said(catalogue)
    with catalogue.database.writing() as connection:
        # As it was before: no words, and no marks behind the texts.
        connection.execute(sa.text("DROP TABLE learnware_text_word"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
        if not database:
            for column in ("name", "description", "features", "scenario"):
                marked = f"instr({column}, char(31))"
                connection.execute(
                    sa.text(
                        f"UPDATE learnware_text SET {column} = substr({column}, 1, {marked} - 1) "
                        f"WHERE {marked} > 0"
                    )
                )
    catalogue.close()
    again = Catalogue(where)
    with again.reading() as connection:
        assert connection.execute(sa.text(texts)).all() == written
    assert said(again) == words
    assert Listing(again).ids(SemanticFilter(text="空汽质量"), "published") == ["00000002"]
    again.close()


def test_a_search_says_what_it_searched_for_instead(
    dock: Dock, submitted: Callable[..., str], specification: Callable[..., object]
) -> None:
    id = submitted(name="Rainfall in Beijing")
    asked = SemanticFilter(text="rianfall")
    note = "No learnware says 'rianfall': searched for 'rainfall' instead."
    by_words = dock.search(asked)
    assert [match.id for match in by_words] == [id]
    assert by_words.notes == (note,)
    by_data = dock.search(Requirement(specification(), asked))  # type: ignore[arg-type]
    assert [match.id for match in by_data] == [id]
    assert note in by_data.notes
    assert [record.id for record in dock.list(asked)] == [id]
    assert list(map(str, dock.did_you_mean(asked))) == [note]
    assert dock.did_you_mean(SemanticFilter()) == ()
    assert dock.search(SemanticFilter(text="rainfall")).notes == ()


def test_a_text_of_very_many_unknown_words_is_not_mended(weather: Catalogue) -> None:
    listing = Listing(weather)
    text = " ".join(f"rianfall{number}" for number in range(9))
    assert listing.suggestions(SemanticFilter(text=text), "published") == ()
    with pytest.raises(InvalidRequirement):
        listing.suggestions(SemanticFilter(text=" ".join(map(str, range(200)))), "published")
