"""A combination is enlarged by at least what the best line search over everyone would gain."""

from __future__ import annotations

import numpy as np
import pytest

from beimingwu.search.building import Plan, measured_by
from beimingwu.search.candidates import Candidates
from beimingwu.search.segment import Entry, Segment
from beimingwu.search.single import Asked
from beimingwu.search.view import Parts


def island_of(specs):
    parts = Parts.of(Segment.of([Entry(f"{i:08d}", spec, ()) for i, spec in enumerate(specs)]))
    view = measured_by(Plan.of(parts).made(), parts)
    order = [int(id_) for id_ in view.ids(np.arange(len(specs)))]
    return view, [specs[i] for i in order]


def line_search(user, specs, kernel, current, i):
    """Return the squared distance of `(1 - a) v + a P_i` at the best a, by a fine scan of a."""
    members = [*current.members.tolist(), i]
    gram = np.array([[specs[j].inner(specs[k], kernel) for k in members] for j in members])
    products = np.array([user.inner(specs[j], kernel) for j in members])
    steps = np.linspace(0.0, 1.0, 401)[:, None]
    weights = np.hstack([(1.0 - steps) * current.weights, steps])
    squared = np.einsum("ai,ij,aj->a", weights, gram, weights)
    return (user.inner(user, kernel) - 2.0 * weights @ products + squared).min()


@pytest.mark.parametrize("seed", range(6))
def test_a_small_island_is_enlarged_by_the_best_of_everyone(seed, varied_specs, mixed):
    view, specs = island_of(varied_specs(40, seed=seed, apart=2.0))
    user = mixed([specs[3], specs[17], specs[29]], [0.5, 0.3, 0.2])
    candidates = Candidates(view, Asked.by(view, user), view.everything())
    current = candidates.combine([seed])
    for _ in range(3):
        (larger,) = candidates.enlarged([current])
        best = min(
            line_search(user, specs, view.geometry.kernel, current, i)
            for i in range(len(specs))
            if i not in current.members
        )
        assert larger.mmd2 <= best + 1e-9
        assert larger.mmd2 <= current.mmd2
        current = larger


@pytest.mark.parametrize("seed", range(4))
def test_a_combination_is_told_as_it_is(seed, varied_specs, make_spec):
    view, specs = island_of(varied_specs(30, seed=seed))
    kernel, user = view.geometry.kernel, make_spec(0.5, seed=seed)
    candidates = Candidates(view, Asked.by(view, user), view.everything())
    found = candidates.combine([4, 11, 23])
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.weights.min() >= 0.001
    parts = [specs[i] for i in found.members]
    gram = np.array([[a.inner(b, kernel) for b in parts] for a in parts])
    products = np.array([user.inner(part, kernel) for part in parts])
    own = user.inner(user, kernel)

    def mmd2(weights):
        return own - 2.0 * products @ weights + weights @ gram @ weights

    assert found.mmd2 == pytest.approx(mmd2(found.weights), abs=1e-10)
    assert found.self_inner == pytest.approx(found.weights @ gram @ found.weights)
    for others in np.random.default_rng(seed).dirichlet(np.ones(len(parts)), 200):
        assert mmd2(others) >= found.mmd2 - 1e-6


def test_the_best_direction_is_that_of_the_nearest_by_angle(varied_specs, make_spec):
    view, specs = island_of(varied_specs(40, seed=9))
    kernel, user = view.geometry.kernel, make_spec(1.0, spread=2.0, seed=5)
    candidates = Candidates(view, Asked.by(view, user), view.everything())
    angles = [user.inner(spec, kernel) / np.sqrt(spec.inner(spec, kernel)) for spec in specs]
    assert candidates.of_best_direction() == [int(np.argmax(angles))]


@pytest.mark.parametrize("size", [30, 120])
def test_only_what_is_allowed_becomes_a_member(size, small, varied_specs, mixed):
    view, specs = island_of(varied_specs(size))
    user = mixed([specs[2], specs[5]], [0.5, 0.5])
    allowed = np.arange(size) % 3 == 0
    candidates = Candidates(view, Asked.by(view, user), [allowed])
    (start,) = candidates.of_best_direction()
    current = candidates.combine([start])
    for _ in range(4):
        (current,) = candidates.enlarged([current])
    assert len(current.members) > 1
    assert allowed[current.members].all()


def test_a_mixture_in_a_large_island_is_found_wherever_its_parts_are(small, varied_specs, mixed):
    view, specs = island_of(varied_specs(150, seed=2))
    assert view.geometry.projection.rank == 5
    user = mixed([specs[3], specs[140]], [0.6, 0.4])
    candidates = Candidates(view, Asked.by(view, user), view.everything())
    current = candidates.combine([3])
    (larger,) = candidates.enlarged([current])
    assert sorted(larger.members.tolist()) == [3, 140]
    assert larger.mmd2 == pytest.approx(0.0, abs=1e-9)
