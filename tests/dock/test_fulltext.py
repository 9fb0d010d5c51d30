"""Hits are exact on every database, and the best of them come first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.fulltext import MOST_WORDS, full_text, grams
from beimingwu.dock.listing import Listing
from beimingwu.errors import InvalidRequirement
from beimingwu.search.semantic import SemanticFilter

Publish = Callable[..., str]
ABOUT = "A model for every place and every season of the year, by those who measure there."


def hits(catalogue: Catalogue, text: str) -> list[str]:
    return Listing(catalogue).ids(SemanticFilter(text=text), "published")


def test_a_word_counts_more_where_more_is_made_of_it(
    catalogue: Catalogue, published: Publish
) -> None:
    once = published(catalogue, "a", description=f"{ABOUT} Of rainfall among others.")
    often = published(catalogue, "b", description=f"{ABOUT} Rainfall, rainfall, and rainfall.")
    named = published(catalogue, "c", name="Rainfall tomorrow", description=ABOUT)
    assert hits(catalogue, "rainfall") == [named, often, once]


def test_a_word_counts_more_in_few_words_than_in_many(
    catalogue: Catalogue, published: Publish
) -> None:
    long = published(catalogue, "a", description=f"{ABOUT * 20} Rainfall.")
    short = published(catalogue, "b", description=f"{ABOUT} Rainfall.")
    assert hits(catalogue, "rainfall") == [short, long]


def test_the_rarer_of_two_words_counts_more(catalogue: Catalogue, published: Publish) -> None:
    for number in range(12):
        published(
            catalogue, f"{number:064x}", name=f"Seasons number {number:02}", description=ABOUT
        )
    common = published(
        catalogue, "a", name="Seasons in general", description="Of typhoons, in a word."
    )
    rare = published(
        catalogue, "b", name="Typhoons in general", description="Of seasons, in a word."
    )
    assert hits(catalogue, "seasons typhoons") == [rare, common]


def test_the_pieces_of_a_word_are_not_the_word(catalogue: Catalogue, published: Publish) -> None:
    published(
        catalogue, "a", name="Rainfa infall", description="空气质 气质量, and no more than that."
    )
    whole = published(
        catalogue, "b", name="Rainfall", description="空气质量, and no more than that."
    )
    assert hits(catalogue, "rainfall") == hits(catalogue, "空气质量") == [whole]


def test_only_so_many_words_may_be_asked_for(catalogue: Catalogue, published: Publish) -> None:
    id = published(catalogue, "a", description=" ".join(f"w{n}" for n in range(MOST_WORDS)))
    asked = [f"w{number}" for number in range(MOST_WORDS)]
    assert hits(catalogue, " ".join([*asked, *asked])) == [id]
    with pytest.raises(InvalidRequirement) as refused:
        hits(catalogue, " ".join([*asked, "one"]))
    assert refused.value.code == "requirement.text_words"


def test_no_word_is_no_search() -> None:
    for dialect in ("sqlite", "postgresql"):
        assert full_text(dialect).hits(" \x00\t\n ") is None


@given(st.text(min_size=1), st.data())
def test_the_pieces_of_a_part_are_pieces_of_the_whole(text: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(text.split() or ["x"]))
    start = data.draw(st.integers(0, len(word) - 1))
    part = word[start : data.draw(st.integers(start + 1, len(word)))]
    assert grams(part) <= grams(f"{text} {word}")
    assert all(-(2**31) <= piece < 2**31 for piece in grams(text))
