"""The RKME and its sampling: the laws of the distance, and samples that follow the weights."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beimingwu.errors import InvalidInput, InvalidSpecification
from beimingwu.specification import RKME, GaussianKernel

laws = settings(deadline=None, max_examples=60)
#: The distance is a difference of inner products near one, so its root is known to 1e-7 or so.
ROOT_TOLERANCE = 1e-6

coordinates = st.floats(-5, 5, width=32)


@st.composite
def rkmes(draw: st.DrawFn, dimension: int = 3) -> RKME:
    size = draw(st.integers(1, 8))
    points = draw(arrays(np.float32, (size, dimension), elements=coordinates))
    weights = draw(arrays(np.float64, size, elements=st.floats(0.01, 1)))
    return RKME(points, weights / weights.sum(), n=size * 10)


kernels = st.sampled_from(
    [GaussianKernel(), GaussianKernel((0.5, 2.0)), GaussianKernel.multiscale(np.full(3, 1.5))]
)


@given(rkmes(), rkmes(), kernels)
@laws
def test_the_distance_is_symmetric(p: RKME, q: RKME, kernel: GaussianKernel) -> None:
    assert p.mmd2(q, kernel) == pytest.approx(q.mmd2(p, kernel), abs=1e-12)


@given(rkmes(), kernels)
@laws
def test_the_distance_to_itself_is_zero(p: RKME, kernel: GaussianKernel) -> None:
    assert p.mmd2(p, kernel) == pytest.approx(0.0, abs=1e-12)


@given(rkmes(), rkmes(), kernels, st.randoms(use_true_random=False))
@laws
def test_the_order_of_the_points_does_not_matter(
    p: RKME, q: RKME, kernel: GaussianKernel, random: object
) -> None:
    order = list(range(len(p)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = RKME(p.points[order], p.weights[order], n=p.n)
    assert shuffled.mmd2(q, kernel) == pytest.approx(p.mmd2(q, kernel), abs=1e-12)
    assert shuffled.mmd2(p, kernel) == pytest.approx(0.0, abs=1e-12)


@given(rkmes(), rkmes(), rkmes(), kernels)
@laws
def test_the_root_of_the_distance_obeys_the_triangle_inequality(
    p: RKME, q: RKME, r: RKME, kernel: GaussianKernel
) -> None:
    def distance(left: RKME, right: RKME) -> float:
        return float(np.sqrt(left.mmd2(right, kernel)))

    assert distance(p, r) <= distance(p, q) + distance(q, r) + ROOT_TOLERANCE


@given(rkmes(), rkmes(), kernels, st.integers(0, 7))
@laws
def test_a_point_split_in_two_of_half_the_weight_changes_nothing(
    p: RKME, q: RKME, kernel: GaussianKernel, index: int
) -> None:
    index %= len(p)
    weights = p.weights.copy()
    weights[index] /= 2
    split = RKME(
        np.vstack([p.points, p.points[index : index + 1]]),
        np.append(weights, weights[index]),
        n=p.n,
    )
    assert split.mmd2(p, kernel) == pytest.approx(0.0, abs=1e-12)
    assert split.mmd2(q, kernel) == pytest.approx(p.mmd2(q, kernel), abs=1e-12)


@given(rkmes(), rkmes(), kernels)
@laws
def test_the_inner_product_is_bounded_by_the_norms(
    p: RKME, q: RKME, kernel: GaussianKernel
) -> None:
    bound = np.sqrt(p.inner(p, kernel) * q.inner(q, kernel))
    assert abs(p.inner(q, kernel)) <= bound + 1e-12


@given(rkmes(), kernels)
@laws
def test_the_inner_product_with_one_record_is_the_embedding_there(
    p: RKME, kernel: GaussianKernel
) -> None:
    record = RKME(np.array([[0.5, -1.0, 2.0]]), np.ones(1), n=1)
    assert p.embedding(record.points, kernel)[0] == pytest.approx(p.inner(record, kernel))


@given(rkmes(), st.floats(-1e5, 1e5))
@laws
def test_a_shift_of_both_leaves_their_distance(p: RKME, shift: float) -> None:
    other = RKME(p.points[::-1] * 0.5 + 1.0, p.weights, n=p.n)
    assume(p.mmd2(other) > 1e-6)

    def moved(spec: RKME) -> RKME:
        return RKME(spec.points.astype(np.float64) + shift, spec.weights, n=spec.n)

    assert moved(p).mmd2(moved(other)) == pytest.approx(p.mmd2(other), rel=1e-4)


def test_the_distance_of_two_single_points_is_the_formula() -> None:
    left = RKME(np.array([[0.0, 0.0]]), np.ones(1), n=1)
    right = RKME(np.array([[1.0, 2.0]]), np.ones(1), n=1)
    assert left.mmd2(right) == pytest.approx(2 - 2 * np.exp(-0.1 * 5))


@pytest.mark.parametrize("seed", range(5))
def test_samples_fall_on_separate_groups_in_proportion_to_their_weights(seed: int) -> None:
    weights = np.array([0.5, 0.3, 0.15, 0.05])
    spec = RKME(np.array([[0.0, 0], [100, 0], [0, 100], [100, 100]]), weights, n=1000)
    drawn = spec.sample(200, random_state=seed)
    nearest = np.argmin(np.linalg.norm(drawn[:, None] - spec.points[None], axis=2), axis=1)
    shares = np.bincount(nearest, minlength=4) / len(drawn)
    assert shares == pytest.approx(weights, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_samples_stand_for_the_embedding_they_were_drawn_from(seed: int) -> None:
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(50, 4))
    spec = RKME(points, generator.dirichlet(np.ones(50)), n=1000)
    kernel = GaussianKernel.multiscale(spec.scale)
    drawn = spec.sample(300, random_state=seed)
    of_sample = RKME(drawn, np.full(300, 1 / 300), n=300)
    unweighted = RKME(points, np.full(50, 1 / 50), n=50)
    assert of_sample.mmd2(spec, kernel) < 0.5 * unweighted.mmd2(spec, kernel)


def test_samples_repeat_for_the_same_seed_and_differ_for_another() -> None:
    spec = RKME(np.array([[0.0], [1.0], [5.0]]), np.array([0.2, 0.3, 0.5]), n=10)
    assert np.array_equal(spec.sample(20, random_state=1), spec.sample(20, random_state=1))
    assert not np.array_equal(spec.sample(20, random_state=1), spec.sample(20, random_state=2))


def test_samples_have_the_shape_and_type_of_a_record() -> None:
    images = np.zeros((2, 3, 4, 4), dtype=np.float32)
    images[1] += 1
    spec = RKME(images, np.array([0.5, 0.5]), n=2, kind="image", kernel=None)
    drawn = spec.sample(5)
    assert drawn.shape == (5, 3, 4, 4)
    assert drawn.dtype == np.float32


def test_points_of_negative_weight_are_not_sampled() -> None:
    spec = RKME(np.array([[0.0], [1000.0]]), np.array([1.2, -0.2]), n=10)
    assert (np.abs(spec.sample(30)) < 500).all()


def test_no_samples_cannot_be_asked_for() -> None:
    with pytest.raises(InvalidInput, match=r"range \[1, inf\)"):
        RKME(np.eye(2), np.array([0.5, 0.5]), n=2).sample(0)


@pytest.mark.parametrize(
    ("points", "weights", "features", "code"),
    [
        (np.zeros(3), np.full(3, 1 / 3), (), "specification.shape"),
        (np.zeros((0, 2)), np.zeros(0), (), "specification.shape"),
        (np.zeros((2, 0)), np.full(2, 0.5), (), "specification.shape"),
        (np.zeros((2, 2)), np.ones(1), (), "specification.shape"),
        (np.zeros((2, 2)), np.full((2, 1), 0.5), (), "specification.shape"),
        (np.array([[np.nan], [0]]), np.full(2, 0.5), (), "specification.not_finite"),
        (np.array([[np.inf], [0]]), np.full(2, 0.5), (), "specification.not_finite"),
        (np.zeros((2, 1)), np.array([np.nan, 1]), (), "specification.not_finite"),
        (np.zeros((2, 1)), np.array([0.5, 0.502]), (), "specification.weights"),
        (np.zeros((2, 1)), np.zeros(2), (), "specification.weights"),
        (np.zeros((2, 2)), np.full(2, 0.5), ("rain",), "specification.features"),
    ],
)
def test_points_and_weights_that_make_no_embedding_are_refused(
    points: np.ndarray, weights: np.ndarray, features: tuple[str, ...], code: str
) -> None:
    with pytest.raises(InvalidSpecification) as caught:
        RKME(points, weights, n=2, features=features)
    assert caught.value.code == code


def test_kinds_and_shapes_that_differ_cannot_be_compared() -> None:
    table = RKME(np.eye(2), np.array([0.5, 0.5]), n=2)
    text = RKME(np.eye(2), np.array([0.5, 0.5]), n=2, kind="text")
    wide = RKME(np.eye(3), np.full(3, 1 / 3), n=2)
    for other in (text, wide):
        with pytest.raises(InvalidSpecification) as caught:
            table.mmd2(other)
        assert caught.value.code == "specification.not_comparable"


def test_images_have_no_kernel_of_their_own() -> None:
    images = RKME(np.zeros((1, 1, 2, 2)), np.ones(1), n=1, kind="image", kernel=None)
    with pytest.raises(InvalidSpecification) as caught:
        images.mmd2(images)
    assert caught.value.code == "specification.no_kernel"
    assert images.mmd2(images, GaussianKernel()) == 0.0


def test_the_callers_arrays_stay_writable_and_apart() -> None:
    points, weights = np.eye(2), np.array([0.5, 0.5])
    spec = RKME(points, weights, n=2)
    points[0, 0], weights[0] = 7.0, 0.1
    assert spec.points[0, 0] == 1.0
    assert spec.weights[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        spec.points[0, 0] = 7.0


def test_a_specification_survives_copying_and_pickling() -> None:
    spec = RKME(np.eye(2), np.array([0.5, 0.5]), n=2, features=("rain", "wind"))
    for twin in (copy.deepcopy(spec), pickle.loads(pickle.dumps(spec))):
        assert np.array_equal(twin.points, spec.points)
        assert twin.points.dtype == spec.points.dtype
        assert (twin.n, twin.features, dict(twin.details)) == (2, ("rain", "wind"), {})


def test_the_html_of_a_specification_escapes_what_its_owner_wrote() -> None:
    spec = RKME(np.eye(2), np.array([0.5, 0.5]), n=2, features=("<script>", "wind"))
    html = spec._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
