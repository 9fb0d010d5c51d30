"""The disclosure audit: it sees a stolen record, and what `specify` makes passes it."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.errors import InvalidInput, WouldDiscloseRecords
from beimingwu.specification import RKME, DisclosureAudit, disclosure_audit, specify
from beimingwu.specification.privacy import CLOSE, CROWD, Neighbourhood, push_off
from beimingwu.specification.standard import StandardSpace


def records(n: int = 200, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) * 3.0 + 10.0


def evenly(points: np.ndarray, n: int) -> RKME:
    return RKME(points, np.full(len(points), 1 / len(points)), n=n)


def test_a_specification_that_publishes_records_is_not_clean() -> None:
    rows = records()
    points = specify(rows).points.copy()
    points[3] = rows[17]
    audit = disclosure_audit(rows, evenly(points, 200))
    assert not audit.clean
    assert audit.disclosed == audit.close == 1 / 20
    assert audit.nearest < 1e-6
    with pytest.raises(WouldDiscloseRecords) as refused:
        audit.require_clean()
    assert refused.value.remedy


def test_nearness_is_measured_in_deviations_of_each_feature() -> None:
    rows = records(d=1) * 1000.0
    spread = rows.std()
    lone = rows.max()
    just_outside = evenly(np.array([[lone + 1.01 * CLOSE * spread]]), 200)
    just_inside = evenly(np.array([[lone + 0.99 * CLOSE * spread]]), 200)
    assert disclosure_audit(rows, just_outside).disclosed == 0.0
    assert disclosure_audit(rows, just_inside).disclosed == 1.0
    assert disclosure_audit(rows, just_inside).nearest == pytest.approx(0.99 * CLOSE, rel=1e-3)


@pytest.mark.parametrize(("sharing", "shown"), [(1, 1.0), (4, 1.0), (5, 0.0), (60, 0.0)])
def test_a_value_that_five_records_share_tells_about_none_of_them(
    sharing: int, shown: float
) -> None:
    rows = records()
    rows[:sharing] = 25.0
    audit = disclosure_audit(rows, evenly(np.full((1, 4), 25.0), 200))
    assert audit.close == 1.0
    assert audit.disclosed == shown


def test_a_point_lighter_than_five_records_is_not_clean() -> None:
    rows = records()
    points = specify(rows).points
    weights = np.full(len(points), (1 - 4.9 / 200) / (len(points) - 1))
    weights[0] = 4.9 / 200
    audit = disclosure_audit(rows, RKME(points, weights, n=200))
    assert audit.smallest_cluster == pytest.approx(4.9)
    assert audit.disclosed == 0.0
    assert not audit.clean


def test_the_membership_attack_succeeds_on_records_and_fails_on_strangers() -> None:
    rows, others = records(300, seed=1), records(300, seed=2)
    stolen = disclosure_audit(rows, evenly(rows[:200], 300), held_out=others)
    assert stolen.membership_auc is not None
    assert stolen.membership_auc > 0.75
    far = disclosure_audit(rows, evenly(np.full((5, 4), 500.0), 300), held_out=others)
    assert far.membership_auc == pytest.approx(0.5, abs=0.08)
    assert disclosure_audit(rows, evenly(rows[:5], 300)).membership_auc is None


def test_a_tie_counts_half_in_the_membership_attack() -> None:
    rows = np.repeat([[0.0], [1.0]], 20, axis=0)
    audit = disclosure_audit(rows, evenly(np.array([[0.0], [1.0]]), 40), held_out=rows)
    assert audit.membership_auc == 0.5


def test_records_of_another_width_cannot_be_audited() -> None:
    with pytest.raises(InvalidInput, match="3 features, the specification 4"):
        disclosure_audit(records(d=3), specify(records(d=4)))
    with pytest.raises(InvalidInput):
        disclosure_audit(records(), specify(records()), held_out=records(d=3))


@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("n", [7, 3000])
def test_neighbours_counted_by_matrix_products_are_those_counted_one_by_one(
    n: int, shift: float
) -> None:
    generator = np.random.default_rng(0)
    rows = (generator.standard_normal((n, 2)) + shift).astype(np.float32)
    points = (rows[:6] + 0.015 * generator.standard_normal((6, 2))).astype(np.float32)
    near = Neighbourhood.of(points, rows)
    apart = np.sqrt(
        ((points[:, None].astype(np.float64) - rows[None].astype(np.float64)) ** 2).mean(axis=2)
    )
    counted = (apart < CLOSE).sum(axis=1)
    np.testing.assert_array_equal(np.minimum(near.records, CROWD), np.minimum(counted, CROWD))
    if shift == 0.0:
        np.testing.assert_array_equal(near.nearest, apart.argmin(axis=1))
    np.testing.assert_array_equal(near.singled_out, (counted > 0) & (counted < CROWD))


def test_points_on_records_are_pushed_off_them_and_no_farther_than_needed() -> None:
    rows = records(300, 3)
    space = StandardSpace.of(rows)
    standard = space.inward(rows)
    pushed = push_off(standard[:10].copy(), standard, space, np.random.default_rng(0))
    assert pushed.shape == (10, 3)
    assert not Neighbourhood.of(pushed, standard).singled_out.any()
    moved_by = np.sqrt(((pushed - standard[:10]) ** 2).mean(axis=1))
    assert (moved_by > CLOSE).all()
    assert np.median(moved_by) < 5 * CLOSE


def test_pushing_leaves_constant_features_alone() -> None:
    rows = np.column_stack([records(100, 2), np.full(100, 7.0)])
    space = StandardSpace.of(rows)
    standard = space.inward(rows)
    pushed = push_off(standard[:5].copy(), standard, space, np.random.default_rng(0))
    np.testing.assert_array_equal(space.outward(pushed)[:, 2], 7.0)


def test_a_point_with_no_place_nearby_is_left_out() -> None:
    """Two records every 0.03 deviations for a long way: every place nearby shows one to four."""
    line = np.repeat(np.arange(-200, 201), 2)[:, None] * 0.03
    everywhere = line.astype(np.float32)
    space = StandardSpace(np.zeros(1), np.ones(1), np.ones(1, dtype=bool))
    points = np.array([[0.0], [50.0]], dtype=np.float32)
    pushed = push_off(points, everywhere, space, np.random.default_rng(0))
    assert pushed.tolist() == [[50.0]]


def test_an_audit_says_what_it_found() -> None:
    assert "none of 20 points stand" in str(DisclosureAudit(20, 0.0, 0.0, 0.2, 6.0))
    assert "1 of 20 points stands" in str(DisclosureAudit(20, 0.1, 0.05, 0.0, 6.0))
    assert "AUC 0.61" in str(DisclosureAudit(20, 0.0, 0.0, 0.2, 6.0, 0.61))
