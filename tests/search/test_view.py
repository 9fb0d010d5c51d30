"""A view counts through its segments, and what leaves it is not in it any more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.search.segment import Entry, Segment
from beimingwu.search.view import Part, Parts, decoded, encoded
from beimingwu.specification import RKME

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=16)


def named(i: int) -> RKME:
    """A specification that is told from others by its first coordinate."""
    dtype = np.float64 if i % 2 else np.float32
    return RKME(np.full((1 + i % 3, 2), i, dtype), np.full(1 + i % 3, 1 / (1 + i % 3)), n=i)


def parts_of(sizes: list[int]) -> Parts:
    numbers = iter(range(sum(sizes)))
    several = [[next(numbers) for _ in range(size)] for size in sizes]
    return Parts.of(
        *(Segment.of([Entry(f"{i:04d}", named(i), ()) for i in some]) for some in several)
    )


@given(data=st.data(), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_what_is_gathered_comes_in_the_order_asked_for(data, sizes):
    parts = parts_of(sizes)
    count = sum(sizes)
    positions = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=9)))
    found = parts.gather(positions)
    assert decoded(found.ids) == [f"{i:04d}" for i in positions]
    assert decoded(parts.ids(positions)) == [f"{i:04d}" for i in positions]
    for place, i in enumerate(positions.tolist()):
        spec = found.specification(place, "table", (2,))
        assert (spec.rows == i).all()
        assert (len(spec), spec.n) == (1 + i % 3, i)


@given(data=st.data(), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_what_is_gone_is_neither_alive_nor_found_nor_allowed(data, sizes):
    parts = parts_of(sizes)
    gone = data.draw(st.sets(st.integers(0, sum(sizes) - 1)))
    left = []
    for part, start in zip(parts.parts, parts.starts.tolist(), strict=False):
        inside = np.array([i - start for i in gone if 0 <= i - start < len(part)], np.intp)
        left.append(part.without(inside) if len(inside) else part)
    after = Parts(tuple(left))
    living = [i for i in range(sum(sizes)) if i not in gone]
    assert after.living_positions().tolist() == living
    assert after.living == len(living)
    assert parts.living == sum(sizes)
    wanted = data.draw(st.sets(st.integers(0, sum(sizes) + 3)))
    masks = after.among([f"{i:04d}" for i in wanted])
    assert np.flatnonzero(np.concatenate(masks)).tolist() == sorted(wanted & set(living))


def test_a_part_without_some_is_another_part():
    (part,) = parts_of([4]).parts
    less = part.without(np.array([1]))
    assert (part.alive, part.living, less.living) == (None, 4, 3)
    assert less.without(np.array([1, 2])).living == 2
    assert less.living == 3
    assert Part(part.segment, less.alive).find(encoded(["0001", "0002"])).tolist() == [2]


@given(st.lists(ids, max_size=8))
def test_ids_come_back_as_they_were_given(several):
    assert list(decoded(encoded(several))) == several


@pytest.mark.parametrize("other", ["北冥", "x" * 17, "é"])
def test_ids_that_no_segment_can_hold_are_found_nowhere(other):
    parts = parts_of([3])
    (mask,) = parts.among(["0001", other])
    assert np.flatnonzero(mask).tolist() == [1]
    (mask,) = parts.among([other])
    assert not mask.any()
