"""The public engine's side of the search benchmarks: its own searcher, run in `.venv-engine`.

    python search_engine.py singles given.npz made.npz
    python search_engine.py mixtures given.npz made.npz

`singles` ranks the learnwares given for each user by the engine's kernel. `mixtures` runs its
greedy rule on each user's own learnwares, with inner products under the kernel given, so that what
it reaches is compared in one measure. Each times itself, in CPU seconds of this process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from learnware.market.easy.searcher import EasyStatSearcher
from learnware.specification import RKMETableSpecification, Specification
from numpy.typing import NDArray

Floats = NDArray[Any]
KIND = "RKMETableSpecification"
MEMBERS = 5


@dataclass(frozen=True)
class Candidate:
    """What the engine's searcher asks of a learnware."""

    id: int
    specification: Any


class UnderKernel(RKMETableSpecification):  # type: ignore[misc]
    """A specification compared by a kernel of several rates in a scale, not by the engine's."""

    def __init__(self, rates: Floats, scale: Floats) -> None:
        super().__init__(cuda_idx=-1)
        self._rates, self._scale = rates.tolist(), torch.from_numpy(scale)

    def inner_prod(self, other: Any) -> float:
        """Return the inner product with another."""
        squared = torch.cdist(self.z.double() / self._scale, other.z.double() / self._scale) ** 2
        values = sum(torch.exp(-rate * squared) for rate in self._rates) / len(self._rates)
        return float(self.beta.double() @ values @ other.beta.double())


def holding(spec: Any, points: Floats, weights: Floats) -> Any:
    """Return a specification of the engine with these points and weights."""
    spec.z, spec.beta = torch.from_numpy(points.copy()), torch.from_numpy(weights.copy())
    spec.num_points = len(points)
    return spec


def candidates(specs: Sequence[Any]) -> list[Candidate]:
    """Return learnwares with these specifications, numbered."""
    return [Candidate(i, Specification(stat_spec={KIND: spec})) for i, spec in enumerate(specs)]


def searcher() -> Any:
    """Return the engine's statistical searcher."""
    made = EasyStatSearcher(organizer=None)
    made.stat_spec_type = KIND
    return made


def singles(given: Any) -> dict[str, Any]:
    """Rank all learnwares for each user."""
    pairs = zip(given["points"], given["weights"], strict=True)
    everyone = candidates(
        [holding(RKMETableSpecification(cuda_idx=-1), z, beta) for z, beta in pairs]
    )
    engine, nearest, distances, seconds = searcher(), [], [], 0.0
    for points, weights in zip(given["user_points"], given["user_weights"], strict=True):
        user = holding(RKMETableSpecification(cuda_idx=-1), points, weights)
        engine._search_by_rkme_spec_single(everyone[:20], user)
        begun = time.process_time()
        mmd2, ranked = engine._search_by_rkme_spec_single(everyone, user)
        seconds += time.process_time() - begun
        nearest.append([candidate.id for candidate in ranked])
        distances.append(mmd2)
    return {"nearest": nearest, "mmd2": distances, "seconds": seconds}


def mixtures(given: Any) -> dict[str, Any]:
    """Mix each user's own learnwares greedily."""
    rates, scale = given["rates"], given["scale"]
    engine, mmd2, members, seconds = searcher(), [], [], 0.0
    for u, (points, weights) in enumerate(
        zip(given["user_points"], given["user_weights"], strict=True)
    ):
        user = holding(UnderKernel(rates, scale), points, weights)
        pairs = zip(given["points"][u], given["weights"][u], strict=True)
        pool = candidates([holding(UnderKernel(rates, scale), z, beta) for z, beta in pairs])
        begun = time.process_time()
        reached, _, chosen = engine._search_by_rkme_spec_mixture_greedy(pool, user, MEMBERS)
        seconds += time.process_time() - begun
        mmd2.append(float(reached))
        members.append([c.id for c in chosen] + [-1] * (MEMBERS - len(chosen)))
    return {"mmd2": mmd2, "members": members, "seconds": seconds}


def main() -> None:
    """Answer what is given and save it."""
    what, given, made = sys.argv[1:4]
    torch.set_num_threads(1)
    with np.load(given) as arrays:
        answer = {"singles": singles, "mixtures": mixtures}[what](arrays)
    np.savez(made, **answer)


if __name__ == "__main__":
    main()
