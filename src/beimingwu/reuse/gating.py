"""Soft gating: on each row, those learnwares have most to say whose data looked like that row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.reuse.density import shares
from beimingwu.reuse.estimator import LearnwareLike, Reuser, declared_task
from beimingwu.reuse.outputs import DeclaredTask
from beimingwu.specification import GaussianKernel


class GatedReuser(Reuser):
    """Mix the learnwares per row: `y(x) = sum_i p_i(x) y_i(x)`, `p_i(x) ~ w_i f_i(x)`.

    `f_i` is the density of learnware i's data at x, read from its specification; nothing is
    trained. Rows that look like nobody's data are shared by the weights. Each learnware is asked
    once, about all rows. Labels are voted with `p_i(x)` as votes.

    Parameters
    ----------
    learnwares
        At least one, of one feature space.
    weights
        One weight per learnware, those of a mixture for instance; equal ones by default.
    kernel
        Of the densities. By default one Gaussian in the pooled unit of the specifications, as
        narrow as their points are dense (`density_kernel`): the multi-scale kernel to search by
        is too wide to tell rows apart.
    task
        "regression", "labels" or "probabilities": what the learnwares' answers are. "auto" goes by
        their semantic specifications and answers.

    References
    ----------
    Wu, Xu, Liu and Zhou, "Model reuse with reduced kernel mean embedding specification" (2020).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from beimingwu import RKME
    >>> winter, summer = (
    ...     SimpleNamespace(
    ...         id=str(t),
    ...         specification=RKME(np.array([[t - 1.0], [t + 1.0]]), np.full(2, 0.5), n=20),
    ...         predict=lambda X, t=t: np.full(len(X), 10.0 * t),
    ...     )
    ...     for t in (0, 30)
    ... )
    >>> GatedReuser([winter, summer]).predict(np.array([[0.5], [29.5]])).round(3)
    array([  0., 300.])
    """

    def __init__(
        self,
        learnwares: Sequence[LearnwareLike],
        weights: ArrayLike | None = None,
        kernel: GaussianKernel | None = None,
        task: str = "auto",
    ) -> None:
        self.learnwares = learnwares
        self.weights = weights
        self.kernel = kernel
        self.task = task

    def _shares(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        return shares(rows, self._specs(), self._checked_weights(), self.kernel)

    def _declared(self) -> DeclaredTask:
        return declared_task(self.learnwares, self.task)
