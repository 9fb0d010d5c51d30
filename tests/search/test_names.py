"""Names mean the same features without regard to case, spacing and units, and in one order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from beimingwu.search.names import Agreement, Naming, agreement


def test_agreement():
    assert agreement(("a", "b"), ("a", "b")) is Agreement.COMPARABLE
    assert agreement((), ("a", "b")) is Agreement.COMPARABLE
    assert agreement(("b", "a"), ("a", "b")) is Agreement.OTHER_ORDER
    assert agreement(("a", "c"), ("a", "b")) is Agreement.OTHER_FEATURES
    assert agreement(("a", "a", "b"), ("a", "b", "b")) is Agreement.OTHER_FEATURES


@given(
    names=st.lists(st.lists(st.sampled_from("abc"), max_size=2).map(tuple), max_size=20),
    ours=st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
)
def test_many_learnwares_agree_as_each_one_does(names, ours):
    agreements = Naming.of(names).agreements(ours)
    for how in Agreement:
        expected = [agreement(ours, theirs) is how for theirs in names]
        assert agreements[how].tolist() == expected
