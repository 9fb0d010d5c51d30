"""A ruler is monotone, reads its own features only, and goes on beyond its ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.specification.rkme import GaussianKernel
from beimingwu.specification.ruler import Ruler

steps = arrays(np.float64, 5, elements=st.floats(0.01, 1e4))


@st.composite
def rulers(draw: st.DrawFn) -> Ruler:
    places = draw(st.floats(-1e3, 1e3)) + np.cumsum(draw(steps))
    return Ruler(np.array([1]), places[None, :], np.cumsum(draw(steps))[None, :])


@settings(deadline=None)
@given(rulers(), arrays(np.float64, (12, 3), elements=st.floats(-1e6, 1e6)))
def test_it_is_monotone_and_leaves_the_other_features_as_they_are(ruler, rows):
    kernel = GaussianKernel.multiscale(np.array([2.0, 4.0, 8.0]), ruler)
    units = kernel.in_units(rows)
    assert (units[:, [0, 2]] == rows[:, [0, 2]] / [2.0, 8.0]).all()
    order = np.argsort(rows[:, 1], kind="stable")
    read = units[order, 1]
    assert (np.diff(read) >= -1e-9 * np.abs(read).max()).all()


@settings(deadline=None)
@given(rulers(), st.floats(0.0, 1e3))
def test_it_is_linear_beyond_its_ends(ruler, beyond):
    places, marks = ruler.places[0], ruler.marks[0]
    slopes = np.diff(marks) / np.diff(places)
    rows = np.array([[0.0, places[0] - beyond], [0.0, places[-1] + beyond]])
    read = ruler.read(rows, np.zeros((2, 2)))[:, 1]
    expected = [marks[0] - slopes[0] * beyond, marks[-1] + slopes[-1] * beyond]
    assert read == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(rulers())
def test_a_place_measures_its_mark(ruler):
    rows = np.zeros((5, 2))
    rows[:, 1] = ruler.places[0]
    assert ruler.read(rows, rows.copy())[:, 1] == pytest.approx(ruler.marks[0])
