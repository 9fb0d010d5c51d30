"""How far apart two words are, and the parts that slips of the hand leave whole."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from beimingwu.search.spelling import LONGEST, SHORTEST, slips, tolerated, untouched

LETTERS = "abc"
words = st.text(LETTERS, max_size=8)
long_words = st.text("abcde", min_size=SHORTEST, max_size=14)


@st.composite
def slipped(draw: st.DrawFn, word: str, count: int) -> str:
    """A word with at most `count` slips in it, none of which touches a letter of another."""
    letters = [[letter] for letter in word]
    touched: set[int] = set()
    for _ in range(count):
        at = draw(st.integers(0, len(word) - 1))
        kind = draw(st.sampled_from(["leave out", "put in", "take another", "swap"]))
        reach = {at, at + 1} if kind == "swap" else {at}
        if reach & touched or max(reach) == len(word):
            continue
        if kind == "swap":
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind == "leave out":
            letters[at] = []
        else:
            new = draw(st.sampled_from("abcdex"))
            letters[at] = [new] if kind == "take another" else [new, *letters[at]]
        touched |= reach
    return "".join(letter for some in letters for letter in some)


@given(words, words)
def test_slips_are_counted_alike_in_both_directions(left: str, right: str) -> None:
    assert slips(left, right) == slips(right, left)
    assert (slips(left, right) == 0) == (left == right)
    assert abs(len(left) - len(right)) <= slips(left, right) <= max(len(left), len(right))


@settings(deadline=None)
@given(words.filter(bool), st.integers(1, 3), st.data())
def test_a_word_with_slips_in_it_is_no_further_away_than_they_are_many(
    word: str, count: int, data: st.DataObject
) -> None:
    assert slips(word, data.draw(slipped(word, count))) <= count


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        ("rianfall", "rainfall", 1),
        ("temprature", "temperature", 1),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
        ("", "air", 3),
        ("空汽质量", "空气质量", 1),
    ],
)
def test_known_distances(left: str, right: str, apart: int) -> None:
    assert slips(left, right) == apart


@settings(deadline=None, max_examples=300)
@given(long_words, st.data())
def test_one_part_of_a_word_is_whole_in_whatever_is_near_it(word: str, data: st.DataObject) -> None:
    most = tolerated(word)
    other = data.draw(slipped(word, most))
    assume(slips(word, other) <= most)
    first, *middle, last = untouched(word, most)
    assert all((first, *middle, last))
    assert other.startswith(first) or other.endswith(last) or any(part in other for part in middle)


def test_short_words_must_be_right_and_longer_ones_may_hold_a_slip_or_two() -> None:
    assert [tolerated("a" * length) for length in (1, 3, 4, 8, 9, LONGEST, LONGEST + 1)] == [
        *(0, 0, 1, 1, 2, 2, 0)
    ]
