"""Does a reduced set give a record away? Measured before anything is published (ALGORITHMS §1.4).

A point gives a record away in two ways: by standing where one record stands, or by standing for so
few records that it tells about them. Both are measured here, and the reduction uses the same rule
to keep its points clear of records. Distances are root mean squares over the features, in standard
deviations of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import InvalidInput, WouldDiscloseRecords
from beimingwu.specification.rkme import RKME
from beimingwu.specification.standard import StandardSpace

#: A point nearer to a record than this shows that record.
CLOSE = 0.02
#: A place or a weight shared by this many records tells about none of them in particular.
CROWD = 5
#: Records compared with the points at a time.
BLOCK = 1024


@dataclass(frozen=True)
class DisclosureAudit:
    """What publishing a specification would tell about the records behind it.

    Parameters
    ----------
    points
        Number of points of the specification.
    close
        Share of the points within 0.02 standard deviations of any record.
    disclosed
        Share of the points that are that close to one to four records. With five or more records
        within that distance (a value many share, a dense single feature) a point singles out none.
    nearest
        Smallest distance between a point and a record, in standard deviations.
    smallest_cluster
        Records that the lightest point stands for: `n min(beta)`. For k-means with the shares of
        the clusters as weights it is the size of the smallest cluster.
    membership_auc
        How well the distance to the nearest point tells records from held-out records (area under
        the ROC curve: 0.5 = not at all, 1 = always); None where none were held out.

    Examples
    --------
    >>> DisclosureAudit(10, 0.0, 0.0, 0.21, 7.5).clean
    True
    >>> print(DisclosureAudit(10, 0.2, 0.2, 0.0, 7.5))
    2 of 10 points stand on one to four records; the lightest point stands for 7.5 records
    """

    points: int
    close: float
    disclosed: float
    nearest: float
    smallest_cluster: float
    membership_auc: float | None = None

    @property
    def clean(self) -> bool:
        """Whether no record is given away."""
        return self.disclosed == 0.0 and self.smallest_cluster >= CROWD * (1 - 1e-6)

    def require_clean(self) -> None:
        """Refuse to go on where a record would be given away.

        Raises
        ------
        WouldDiscloseRecords
            The audit is not clean; the message is the audit's own.
        """
        if not self.clean:
            raise WouldDiscloseRecords(
                f"This specification would give records away: {self}.",
                remedy="Ask for fewer points (a smaller `size`), or describe more records.",
            )

    def __str__(self) -> str:
        shown = round(self.disclosed * self.points)
        text = (
            f"{shown or 'none'} of {self.points} points stand{'s' if shown == 1 else ''} on one "
            f"to four records; the lightest point stands for {self.smallest_cluster:.3g} records"
        )
        if self.membership_auc is not None:
            text += f"; membership can be told with AUC {self.membership_auc:.2f}"
        return text


def disclosure_audit(
    X: ArrayLike, spec: RKME, *, held_out: ArrayLike | None = None
) -> DisclosureAudit:
    """Measure what publishing `spec` tells about the records `X` it was made from.

    Parameters
    ----------
    X
        The records, shape `(n, d…)`: whatever `specify` takes.
    spec
        Their specification, by `specify` or anybody else's.
    held_out
        Records of the same source that `spec` was not made from; gives `membership_auc`.

    Returns
    -------
    DisclosureAudit

    Raises
    ------
    InvalidInput
        Records and specification do not have the same features.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((100, 3))
    >>> thief = RKME(rows[:4], np.full(4, 0.25), n=100)
    >>> disclosure_audit(rows, thief).disclosed
    1.0
    """
    from beimingwu.specification.table import clean_rows

    rows = clean_rows(X).rows
    _check_dimension(rows, spec)
    space = StandardSpace.of(rows)
    points = space.inward(spec.rows)
    inside = space.inward(rows)
    outside = None
    if held_out is not None:
        others = clean_rows(held_out).rows
        _check_dimension(others, spec)
        outside = space.inward(others)
    return audit(points, spec.weights, inside, outside)


def audit(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    rows: NDArray[np.float32],
    held_out: NDArray[np.float32] | None = None,
) -> DisclosureAudit:
    """Do the work of `disclosure_audit` on standardised points and records, each float32."""
    near = Neighbourhood.of(points, rows)
    auc = None
    if held_out is not None:
        auc = _area_under_curve(nearest_point(rows, points), nearest_point(held_out, points))
    return DisclosureAudit(
        points=len(points),
        close=float(np.mean(near.records > 0)),
        disclosed=float(np.mean(near.singled_out)),
        nearest=float(near.distance.min()),
        smallest_cluster=float(weights.min() * len(rows)),
        membership_auc=auc,
    )


@dataclass(frozen=True)
class Neighbourhood:
    """The records around each of `m` points.

    Parameters
    ----------
    nearest
        Index of the nearest record, shape `(m,)`.
    distance
        Root mean square distance to it, shape `(m,)`.
    records
        How many records lie within `CLOSE`, counted up to `CROWD` at least, shape `(m,)`.
    """

    nearest: NDArray[np.intp]
    distance: NDArray[np.float64]
    records: NDArray[np.intp]

    @property
    def singled_out(self) -> NDArray[np.bool_]:
        """Which points show one to four records, shape `(m,)`."""
        return (self.records > 0) & (self.records < CROWD)

    @classmethod
    def of(cls, points: NDArray[np.float32], rows: NDArray[np.float32]) -> Neighbourhood:
        """Look around each standardised point, exactly.

        Distances from matrix products in float32 only sort the clear cases from the doubtful ones;
        the doubtful are computed again from differences.
        """
        m, d = points.shape
        edge = d * CLOSE**2
        lengths = np.einsum("ij,ij->i", points, points)[:, None]
        best = np.full(m, np.inf, dtype=np.float32)
        nearest = np.zeros(m, dtype=np.intp)
        records = np.zeros(m, dtype=np.intp)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            norms = np.einsum("ij,ij->i", block, block)
            squared = lengths + norms - 2.0 * (points @ block.T)
            closest = np.argmin(squared, axis=1)
            value = squared[np.arange(m), closest]
            better = value < best
            best[better], nearest[better] = value[better], closest[better] + start
            error = 1e-6 * (lengths + norms)
            doubtful = np.abs(squared - edge) <= error
            doubtful[records >= CROWD] = False
            records += (squared < edge - error).sum(axis=1)
            i, j = np.nonzero(doubtful)
            apart = ((points[i].astype(np.float64) - block[j]) ** 2).sum(axis=1)
            records += np.bincount(i[apart < edge], minlength=m)
        distance = np.sqrt(((points.astype(np.float64) - rows[nearest]) ** 2).mean(axis=1))
        return cls(nearest, distance, records)


def push_off(
    points: NDArray[np.float32],
    rows: NDArray[np.float32],
    space: StandardSpace,
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Return standardised points of which none singles out a record.

    A point that does is moved by the smallest of many random steps that brings it clear of records,
    or into a crowd of them. A point with no such place nearby is left out: the weights, solved for
    afterwards, spread what it stood for over its neighbours.
    """
    points = space.as_published(points)
    offending = np.flatnonzero(Neighbourhood.of(points, rows).singled_out)
    lost = []
    for i in offending:
        steps = _steps(space.varying, generator)
        tried = space.as_published(points[i] + steps)
        clear = np.flatnonzero(~Neighbourhood.of(tried, rows).singled_out)
        if len(clear):
            points[i] = tried[clear[0]]
        else:
            lost.append(i)
    return np.delete(points, lost, axis=0)


def _steps(varying: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.float32]:
    """64 steps in random directions, from twice `CLOSE` to half a standard deviation."""
    direction = generator.standard_normal((64, len(varying))) * varying
    direction /= np.sqrt((direction**2).mean(axis=1, keepdims=True))
    length = np.geomspace(2.0 * CLOSE, 0.5, 64)[:, None]
    return (length * direction).astype(np.float32)


def nearest_point(rows: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Squared distance of each record to its nearest point, shape `(n,)`."""
    lengths = np.einsum("ij,ij->i", points, points)
    nearest = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        squared = lengths - 2.0 * (block @ points.T)
        own = np.einsum("ij,ij->i", block, block)
        nearest[start : start + BLOCK] = squared.min(axis=1) + own
    return nearest


def _area_under_curve(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Chance that a record is nearer to a point than a held-out one is; ties count half."""
    outside = np.sort(outside)
    farther = len(outside) - np.searchsorted(outside, inside, side="right")
    as_far = len(outside) - np.searchsorted(outside, inside, side="left")
    return float((farther + as_far).mean() / (2 * len(outside)))


def _check_dimension(rows: NDArray[np.floating], spec: RKME) -> None:
    if rows.shape[1] != spec.dimension:
        raise InvalidInput(
            f"The records have {rows.shape[1]} features, the specification {spec.dimension}.",
            remedy="Audit a specification against the records it was made from.",
            code="input.dimension",
        )
