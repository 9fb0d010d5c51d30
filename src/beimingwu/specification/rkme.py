"""The reduced kernel mean embedding (RKME): a weighted point set that stands for a data set.

A specification `P = (Z, beta)` embeds as `mu_P = sum_i beta_i k(z_i, .)`. The points are in the raw
units of the data; the kernel that compares two of them is the caller's choice, since it belongs to
the dock and not to the file. Everything here is numpy: no files, no search.

Method: Wu, Xu, Liu and Zhou, "Model reuse with reduced kernel mean embedding specification" (2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidSpecification
from beimingwu.specification.ruler import Ruler

Kind = Literal["table", "text", "image"]
Floats = NDArray[np.floating]
Real = TypeVar("Real", np.float32, np.float64)

#: Rates of the multi-scale kernel, in units of 1 / dimension (ALGORITHMS §1.1).
MULTISCALE_RATES = (0.25, 1.0, 4.0)
#: The rate that the 2024 file formats carry and the public engine uses on raw features.
CLASSIC_GAMMA = 0.1


@dataclass(frozen=True, eq=False)
class GaussianKernel:
    """`k(x, y) = mean_s exp(-rate_s * |(x - y) / scale|^2)`.

    Parameters
    ----------
    rates
        One rate per scale of the kernel, each positive.
    scale
        Per-feature unit, shape `(d,)`, or None for raw units.
    ruler
        Reads the features that no one unit serves, instead of the scale.

    Examples
    --------
    >>> kernel = GaussianKernel()
    >>> kernel(np.zeros((1, 2)), np.ones((1, 2))).round(4)
    array([[0.8187]])
    """

    rates: tuple[float, ...] = (CLASSIC_GAMMA,)
    scale: NDArray[np.float64] | None = None
    ruler: Ruler | None = None

    @classmethod
    def multiscale(cls, scale: Floats, ruler: Ruler | None = None) -> GaussianKernel:
        """Return the kernel of ALGORITHMS §1.1 in the given per-feature scale, shape `(d,)`.

        Examples
        --------
        >>> GaussianKernel.multiscale(np.ones(4)).rates
        (0.0625, 0.25, 1.0)
        """
        scale = np.asarray(scale, dtype=np.float64).reshape(-1)
        return cls(tuple(rate / scale.size for rate in MULTISCALE_RATES), scale, ruler)

    def __call__(self, x: Floats, y: Floats) -> NDArray[np.float64]:
        """Return the kernel matrix, shape `(len(x), len(y))`, of rows in raw units."""
        squared = squared_distances(self._rows(x), self._rows(y))
        return self.of_squared_distances(squared)

    def of_squared_distances(self, squared: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the kernel of squared distances that are already in this kernel's scale."""
        return self.overwrite(squared.copy(), np.empty_like(squared))

    def overwrite(self, squared: NDArray[Real], spare: NDArray[Real]) -> NDArray[Real]:
        """Return `squared`, overwritten by its kernel values; `spare`, of its shape, is used up.

        For loops over blocks: asking for the memory of a block costs more than its exponentials.

        Examples
        --------
        >>> GaussianKernel((0.5,)).overwrite(np.zeros(2), np.empty(2))
        array([1., 1.])
        """
        if any(rate != 4.0 * before for before, rate in pairwise(self.rates)):
            np.copyto(spare, np.exp(-self.rates[0] * squared))
            for rate in self.rates[1:]:
                spare += np.exp(-rate * squared)
            return np.divide(spare, len(self.rates), out=squared)
        # exp(-4 r s) = exp(-r s)^4: two products instead of another exponential.
        np.multiply(squared, -self.rates[0], out=squared)
        np.exp(squared, out=squared)
        power = squared
        for _ in self.rates[1:]:
            np.multiply(power, power, out=spare)
            np.multiply(spare, spare, out=spare)
            squared += spare
            power = spare
        return np.multiply(squared, 1.0 / len(self.rates), out=squared)

    def in_units(self, rows: Floats) -> NDArray[np.float64]:
        """Return rows in raw units, shape `(…, d)`, as this kernel measures them.

        Examples
        --------
        >>> GaussianKernel.multiscale(np.array([2.0, 4.0])).in_units(np.array([1.0, 1.0]))
        array([0.5 , 0.25])
        """
        raw: NDArray[np.float64] = np.asarray(rows, dtype=np.float64)
        units = raw if self.scale is None else raw / self.scale
        return units if self.ruler is None else self.ruler.read(raw, np.array(units))

    def _rows(self, x: Floats) -> NDArray[np.float64]:
        return self.in_units(np.asarray(x).reshape(len(x), -1))


def squared_distances(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `|x_i - y_j|^2`, shape `(len(x), len(y))`, never negative.

    The rows are centred first, since `|x|^2 - 2 xy + |y|^2` loses digits far from the origin.

    Examples
    --------
    >>> squared_distances(np.array([[1e6, 0.0]]), np.array([[1e6, 2.0]]))
    array([[4.]])
    """
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    squared = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y)[None, :]
    squared -= 2.0 * (x @ y.T)
    floored: NDArray[np.float64] = np.maximum(squared, 0.0, out=squared)
    return floored


@dataclass(frozen=True, eq=False)
class RKME:
    """A reduced kernel mean embedding: what a learnware, or a user, tells about their data.

    Parameters
    ----------
    points
        Shape `(m, d…)`, in the raw units of the data. float32, or float64 where a 2024 file carries
        more digits than float32 holds (so that it is written back unchanged).
    weights
        Shape `(m,)`, float64, summing to one. Not negative, except in 2024 files that allow it.
    n
        Number of records the points stand for; 0 where a 2024 file does not say.
    kind
        What the points are: rows of a table, sentence embeddings, images.
    kernel
        The kernel used where the caller names none: the Gaussian of rate 0.1 on raw features that
        the 2024 format means. None for images, whose kernel is not a Gaussian.
    features
        One name per feature of a table, or empty where they are not known.
    details
        What the file of another kind carries beside these (languages of a text specification,
        network sizes of an image specification), kept as it is.

    Raises
    ------
    InvalidSpecification
        Shapes that do not match, values that are not finite, weights that do not sum to one.

    Examples
    --------
    >>> left = RKME(np.array([[0.0], [1.0]]), np.array([0.5, 0.5]), n=20)
    >>> right = RKME(np.array([[1.0], [0.0]]), np.array([0.5, 0.5]), n=30)
    >>> left.mmd2(right)
    0.0
    >>> left
    RKME(table, 2 points of 1 feature, for 20 records)
    """

    points: Floats
    weights: NDArray[np.float64]
    n: int
    kind: Kind = "table"
    kernel: GaussianKernel | None = field(default_factory=GaussianKernel)
    features: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        # Copies: the caller keeps arrays that can be written, and ours never change.
        points = np.array(self.points, order="C")
        if points.dtype not in (np.float32, np.float64):
            points = points.astype(np.float32)
        weights = np.array(self.weights, dtype=np.float64, order="C")
        _check(points, weights, self.features)
        points.flags.writeable = False
        weights.flags.writeable = False
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "weights", weights)

    def __len__(self) -> int:
        return len(self.points)

    def __deepcopy__(self, memo: dict[int, object]) -> RKME:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        details = dict(self.details)
        given = (self.points, self.weights, self.n, self.kind, self.kernel, self.features, details)
        return RKME, given

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record: `(d,)` for a table, `(C, H, W)` for images."""
        return self.points.shape[1:]

    @property
    def dimension(self) -> int:
        """Number of values in one record."""
        return int(np.prod(self.shape))

    @property
    def rows(self) -> Floats:
        """The points as a matrix, shape `(m, dimension)`."""
        return self.points.reshape(len(self.points), -1)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Weighted mean of the points, shape `(dimension,)`."""
        return self.weights @ self.rows.astype(np.float64)

    @property
    def scale(self) -> NDArray[np.float64]:
        """Weighted standard deviation per feature, shape `(dimension,)`; 1 where constant."""
        deviation = self.rows.astype(np.float64) - self.mean
        spread = np.sqrt(np.maximum(self.weights @ deviation**2, 0.0))
        floor = 1e-6 * np.maximum(np.abs(self.mean), 1e-6)
        return np.where(spread > floor, spread, 1.0)

    def inner(self, other: RKME, kernel: GaussianKernel | None = None) -> float:
        """Return `<P, Q> = beta_P' K(Z_P, Z_Q) beta_Q` under `kernel` (this one's own by default).

        Raises
        ------
        InvalidSpecification
            The two are of different kind or dimension, or no kernel is known for their kind.
        """
        kernel = kernel or self.kernel
        if self.kind != other.kind or self.shape != other.shape:
            raise InvalidSpecification(
                f"A {self.kind} specification of shape {self.shape} cannot be compared with a "
                f"{other.kind} specification of shape {other.shape}.",
                remedy="Compare specifications of the same kind and the same number of features.",
                code="specification.not_comparable",
            )
        if kernel is None:
            raise InvalidSpecification(
                f"A specification of kind {self.kind!r} has no Gaussian kernel.",
                remedy="Pass the kernel to compare by: inner(other, kernel=…).",
                code="specification.no_kernel",
            )
        return float(self.weights @ kernel(self.rows, other.rows) @ other.weights)

    def mmd2(self, other: RKME, kernel: GaussianKernel | None = None) -> float:
        """Return the squared maximum mean discrepancy `|mu_P - mu_Q|^2`, never negative.

        Under the default kernel this is the `dist` of the public engine.
        """
        kernel = kernel or self.kernel
        squared = (
            self.inner(self, kernel) - 2.0 * self.inner(other, kernel) + other.inner(other, kernel)
        )
        return max(squared, 0.0)

    def embedding(self, x: Floats, kernel: GaussianKernel | None = None) -> NDArray[np.float64]:
        """Return `mu_P(x) = sum_i beta_i k(z_i, x)` for each row of `x`, shape `(len(x),)`."""
        kernel = kernel or self.kernel or GaussianKernel.multiscale(self.scale)
        return kernel(np.asarray(x), self.rows) @ self.weights

    def sample(self, k: int, random_state: int | np.random.Generator = 0) -> Floats:
        """Draw `k` records that follow the embedding, by kernel herding (ALGORITHMS §1.3).

        Candidates are points jittered by the local spacing of the points; herding then takes, at
        step t, `argmax_c (t + 1) mu_P(c) - sum_{s <= t} k(x_s, c)`. Costs `O(k * candidates * d)`.

        Returns
        -------
        ndarray of shape (k, d…), dtype of the points

        References
        ----------
        Chen, Welling and Smola, "Super-samples from kernel herding" (UAI 2010).

        Examples
        --------
        >>> spec = RKME(np.array([[0.0], [10.0]]), np.array([0.25, 0.75]), n=40)
        >>> bool((spec.sample(8) > 5).mean() == 0.75)
        True
        """
        from beimingwu.specification.herding import herd

        return herd(self, k, random_state)

    def __repr__(self) -> str:
        size = "×".join(map(str, self.shape))
        what = {
            "table": f"of {size} feature{'' if self.dimension == 1 else 's'}",
            "text": f"in {size} dimensions",
            "image": f"of {size}",
        }[self.kind]
        records = f"for {self.n:,} records" if self.n else "for an unknown number of records"
        return f"RKME({self.kind}, {len(self)} points {what}, {records})"

    def _repr_html_(self) -> str:
        from beimingwu.specification.display import rkme_html

        return rkme_html(self)


def _check(points: Floats, weights: NDArray[np.float64], features: tuple[str, ...]) -> None:
    if points.ndim < 2 or len(points) == 0 or 0 in points.shape:
        raise InvalidSpecification(
            f"The points of a specification have shape (m, d…). Got shape {points.shape} instead.",
            remedy="Make the specification with `beimingwu specify`.",
            code="specification.shape",
        )
    if weights.shape != (len(points),):
        raise InvalidSpecification(
            f"{len(points)} points need {len(points)} weights. Got shape {weights.shape} instead.",
            remedy="Make the specification with `beimingwu specify`.",
            code="specification.shape",
        )
    for name, values in (("points", points), ("weights", weights)):
        if not np.isfinite(values).all():
            raise InvalidSpecification(
                f"The {name} of the specification hold NaN or infinity.",
                remedy="Make it again from data without them; `specify` fills missing values.",
                code="specification.not_finite",
            )
    if abs(float(weights.sum()) - 1.0) > 1e-3:
        raise InvalidSpecification(
            f"The weights of a specification sum to one. Got {float(weights.sum()):.6g} instead.",
            remedy="Make the specification with `beimingwu specify`.",
            code="specification.weights",
        )
    if features and len(features) != points[0].size:
        raise InvalidSpecification(
            f"{points[0].size} features need as many names. Got {len(features)} instead.",
            remedy="Name every feature, or none.",
            code="specification.features",
        )
