"""From data to a reduced set: a hundred weighted points whose embedding is that of the data.

The recipe of ALGORITHMS §1.2, top-down: standardise, start from synthetic points, move them down
the squared MMD, push them clear of records, and weigh them against all the data. `specify` (in
`table`) is the front; this module takes clean numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidInput
from beimingwu.specification.moving import Float32s, Float64s, Sample, gram_and_steepness, move
from beimingwu.specification.privacy import CROWD, DisclosureAudit, audit, push_off
from beimingwu.specification.raw_kernel import RawTerm, raw_weight, sees, stretch_to_raw
from beimingwu.specification.seeding import herded_start
from beimingwu.specification.simplex import simplex_weights
from beimingwu.specification.standard import StandardSpace
from beimingwu.specification.threads import one_thread

#: A point stands for about this many records, and for `CROWD` at the very least.
RECORDS_PER_POINT = 10
FEWEST_RECORDS = 2 * RECORDS_PER_POINT
#: The first, far move looks at few records, so that each look is cheap; where there are more, a
#: second one corrects what those few did not show. Data of under 20 records per point thus get
#: the first only: further looks at the same records would fit their noise.
FIRST_LOOK, FIRST_MOVES = 2_000, 150
SECOND_LOOK, SECOND_MOVES = 20_000, 40
#: Up to this many features are few.
FEW_FEATURES = 32
#: Penalty on `|beta|^2`, so that the points and not the weights carry the shape of the data. It
#: costs some percent of the squared MMD and buys what a finer kernel than ours asks for: where it
#: sees no two points together (the public engine's, when features are many), even weights are all
#: that counts. Where features are few it may see more, and speaks for itself (`RawTerm`).
EVENNESS, EVENNESS_OF_FEW_FEATURES = 0.2, 0.08


def reduce(
    rows: NDArray[np.floating], size: int = 100, random_state: int | np.random.Generator = 0
) -> tuple[NDArray[np.float32], Float64s, DisclosureAudit]:
    """Return points and weights whose embedding is near the mean embedding of the rows.

    Parameters
    ----------
    rows
        Shape `(n, d)`, finite.
    size
        Points wanted; there will be `min(size, n // 10)`, or fewer where a point had to be left
        out because every place for it would have shown a record.
    random_state
        Seed of the subsample, the cells and the synthetic pool.

    Returns
    -------
    points : ndarray of shape (m, d), float32, raw units
    weights : ndarray of shape (m,), float64
        On the simplex, each at least `5 / n`: a point stands for five records or more.
    audit : DisclosureAudit
        Of these points against these rows.

    Raises
    ------
    InvalidInput
        Fewer than 20 rows, or a size below one.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((200, 3))
    >>> points, weights, audit = reduce(rows)
    >>> points.shape, bool(weights.min() >= 5 / 200), audit.clean
    ((20, 3), True, True)
    """
    _check(len(rows), size)
    with one_thread:
        return _reduced(rows, size, np.random.default_rng(random_state))


def _reduced(
    rows: NDArray[np.floating], size: int, generator: np.random.Generator
) -> tuple[NDArray[np.float32], Float64s, DisclosureAudit]:
    space = StandardSpace.of(rows)
    standard = space.inward(rows)
    unit = np.float32(np.sqrt(0.25 / rows.shape[1]))
    kernel_rows = standard * unit
    floor = CROWD / len(rows)

    m = min(size, len(rows) // RECORDS_PER_POINT)
    few_features = rows.shape[1] <= FEW_FEATURES
    evenness = EVENNESS_OF_FEW_FEATURES if few_features else EVENNESS
    few = Sample(_some(kernel_rows, FIRST_LOOK, generator))
    moved = herded_start(few, m, generator)
    moved = move(moved, few, floor=floor, evenness=evenness, evaluations=FIRST_MOVES)
    if len(few.rows) < len(rows):
        raw = None
        many = Sample(_some(kernel_rows, SECOND_LOOK, generator))
        if few_features and sees(space):
            left = _weigh(moved, few, floor, evenness)[1] + few.norm2()
            weight = raw_weight(left, len(moved), len(rows))
            raw = RawTerm(many.rows, stretch_to_raw(space, float(unit)), weight)
        moved = move(moved, many, floor=floor, evenness=evenness, evaluations=SECOND_MOVES, raw=raw)
    points = push_off((moved / unit).astype(np.float32), standard, space, generator)
    weights, _ = _weigh(points * unit, Sample(kernel_rows), floor, evenness)
    return space.outward(points), weights, audit(points, weights, standard)


def _some(rows: Float32s, most: int, generator: np.random.Generator) -> Float32s:
    if len(rows) <= most:
        return rows
    return rows[np.sort(generator.choice(len(rows), size=most, replace=False))]


def _weigh(
    points: NDArray[np.floating], sample: Sample, floor: float, evenness: float
) -> tuple[Float64s, float]:
    """Return the best weights of the points for the records, and `beta' K beta - 2 c' beta`."""
    gram, _ = gram_and_steepness(points.astype(np.float64))
    target = sample.mean_embedding(points)
    weights, _ = simplex_weights(gram + evenness * np.eye(len(points)), target, floor)
    return weights, float(weights @ gram @ weights - 2.0 * (target @ weights))


def _check(n: int, size: int) -> None:
    if size < 1:
        raise InvalidInput(
            f"`size` must be an int in the range [1, inf). Got {size} instead.",
            remedy="Ask for at least one point; 100 is usual.",
            code="input.size",
        )
    if n < FEWEST_RECORDS:
        raise InvalidInput(
            f"A specification needs at least {FEWEST_RECORDS} records. Got {n} instead.",
            remedy="Gather more records: fewer could not be described without showing them.",
            code="input.too_few_records",
        )
