"""One search over one island, on arrays that no longer change.

What is compared, ranked, combined and said happens here, in this order; the distances come from
`stack`, the meaning of a distance from `score`, the combination from `mixture`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.explanation import explain
from beimingwu.search.geometry import Geometry
from beimingwu.search.mixture import (
    NO_BETTER,
    Candidates,
    Combination,
    best_mixture,
    responsibilities,
)
from beimingwu.search.names import Agreement, Naming
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import IslandInfo, Match, Mixture, Resolve, SearchResult
from beimingwu.search.score import FITS, Scorer
from beimingwu.search.single import nearest, squared_distances_from
from beimingwu.search.stack import Numbers, Positions, Stack
from beimingwu.specification.names import normal_names
from beimingwu.specification.rkme import RKME

#: Feature names that a note lists.
LISTED = 20
#: Said where nothing is left to be compared.
NONE_LEFT = "No learnware with a statistical specification satisfies the tags and text asked for."


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An island at one moment: N specifications in ascending order of id, and its geometry.

    `positions` are the places of the ids; `features` are each learnware's feature names, `naming`
    their normal forms; `covering` is the density at which a learnware has seen data (see
    `Geometry.covering_density`).
    """

    info: IslandInfo
    ids: tuple[str, ...]
    positions: Mapping[str, int]
    specs: tuple[RKME, ...]
    features: tuple[tuple[str, ...], ...]
    naming: Naming
    means: Numbers
    stack: Stack
    geometry: Geometry
    self_inner: Numbers
    covering: Numbers

    def search(
        self,
        requirement: Requirement,
        spec: RKME,
        among: Collection[str] | None,
        limit: int,
        max_learnwares: int,
        resolve: Resolve | None,
    ) -> SearchResult:
        """Answer `requirement`, whose specification is `spec`; see `Index.search`."""
        chosen, notes = self._comparable(requirement, among)
        if len(chosen) == 0:
            return SearchResult((), requirement, island=self.info, notes=notes)
        kernel = self.geometry.kernel
        own = spec.inner(spec, kernel)
        products = self.stack.inner_products(spec, chosen, kernel)
        self_inner = self.self_inner[chosen]
        mmd2 = squared_distances_from(own, products, self_inner)
        query = _Query(self, requirement, spec, self.geometry.scorer(spec, own), resolve)
        best = nearest(mmd2, limit)
        single = query.matches(chosen[best], mmd2[best])
        candidates = Candidates(self.specs, self.stack, chosen, kernel, own, products, self_inner)
        found, why_none = best_mixture(candidates, mmd2, max_learnwares, query.scorer.resolution)
        mixture = query.mixture(chosen, found, mmd2) if found is not None else None
        if mixture is not None and mixture.score <= (single[0].score or 0.0):
            # Strangers spread thin are nearer than one stranger, and fit no better.
            mixture, why_none = None, NO_BETTER
        fits, verdict = _verdict(single[0], mixture)
        notes += tuple(note for note in (why_none, verdict) if note)
        return SearchResult(single, requirement, mixture, self.info, notes, kernel, fits)

    def _comparable(
        self, requirement: Requirement, among: Collection[str] | None
    ) -> tuple[Positions, tuple[str, ...]]:
        """Return the positions that may be compared, and notes on those that may not."""
        inside = self._inside(among)
        agreeing = self.naming.agreements(normal_names(requirement.features))
        kept = np.flatnonzero(inside & agreeing[Agreement.COMPARABLE])
        left_out = [
            (which, why)
            for why in (Agreement.OTHER_ORDER, Agreement.OTHER_FEATURES)
            if len(which := np.flatnonzero(inside & agreeing[why]))
        ]
        left_out.sort(key=lambda found: int(found[0][0]))
        notes = [self._left_out(why, which) for which, why in left_out]
        if not inside.any():
            notes.append(f"The tags and text asked for leave none; without them: {self.info}.")
        return kept, tuple(notes)

    def _inside(self, among: Collection[str] | None) -> NDArray[np.bool_]:
        """Return which of the island's learnwares are allowed, shape `(N,)`."""
        if among is None:
            return np.ones(len(self.ids), dtype=bool)
        # Keys of a mapping and a set meet without a step of Python for each id.
        allowed = self.positions.keys() & among
        inside = np.zeros(len(self.ids), dtype=bool)
        inside[np.fromiter(map(self.positions.__getitem__, allowed), np.intp, len(allowed))] = True
        return inside

    def _left_out(self, why: Agreement, which: Positions) -> str:
        first = int(which[0])
        example = self.features[first]
        listed = ", ".join(example[:LISTED]) + (", …" if len(example) > LISTED else "")
        learnwares = f"{len(which):,} learnware{'' if len(which) == 1 else 's'}"
        of = f"of {self.info.record}"
        if why is Agreement.OTHER_ORDER:
            return (
                f"{learnwares} {of} left out: the same features in another order. "
                f"Reorder your columns as {listed} (as for learnware {self.ids[first]})."
            )
        return (
            f"{learnwares} {of} left out: other features, such as {listed} "
            f"(learnware {self.ids[first]})."
        )


@dataclass(frozen=True, eq=False)
class _Query:
    """A requirement against a snapshot: builds what the result says about each learnware."""

    snapshot: Snapshot
    requirement: Requirement
    spec: RKME
    scorer: Scorer
    resolve: Resolve | None

    def matches(self, positions: Positions, mmd2: Numbers) -> tuple[Match, ...]:
        densities = self._densities(positions)
        dense = densities > self.snapshot.covering[positions][:, None]
        covered = self._share(dense)
        scores = self.scorer(mmd2, self.snapshot.self_inner[positions])
        return tuple(
            self._match(i, float(scores[row]), float(mmd2[row]), float(covered[row]))
            for row, i in enumerate(positions.tolist())
        )

    def mixture(self, chosen: Positions, found: Combination, mmd2: Numbers) -> Mixture:
        order = np.argsort(-found.weights, kind="stable")
        members, weights = found.members[order], found.weights[order]
        densities = self._densities(chosen[members])
        dense = densities > self.snapshot.covering[chosen[members]][:, None]
        shares = responsibilities(densities, weights, self.spec.weights)
        return Mixture(
            members=self.matches(chosen[members], mmd2[members]),
            weights=weights,
            mmd=float(np.sqrt(found.mmd2)),
            score=float(self.scorer(np.array(found.mmd2), np.array(found.self_inner))),
            coverage=tuple(shares.tolist()),
            uncovered=1.0 - float(self._share(np.any(dense, axis=0, keepdims=True))[0]),
        )

    def _densities(self, positions: Positions) -> Numbers:
        snapshot = self.snapshot
        return snapshot.stack.densities(self.spec, positions, snapshot.geometry.kernel)

    def _share(self, points: NDArray[np.bool_]) -> Numbers:
        """Return the share of the requirement's data that the marked points stand for."""
        return np.clip(points @ self.spec.weights, 0.0, 1.0)

    def _match(self, i: int, score: float, mmd2: float, coverage: float) -> Match:
        snapshot, spec = self.snapshot, self.snapshot.specs[i]
        names = self.requirement.features or snapshot.features[i]
        scale = snapshot.geometry.kernel.scale
        return Match(
            id=snapshot.ids[i],
            score=score,
            mmd=float(np.sqrt(mmd2)),
            coverage=coverage,
            explanation=explain(score, coverage, self.spec.mean, snapshot.means[i], scale, names),
            specification=spec,
            resolve=self.resolve,
        )


def _verdict(best: Match, mixture: Mixture | None) -> tuple[bool, str]:
    """Say whether the best of what was found fits, and if not, why."""
    score, covered, what = best.score or 0.0, best.coverage or 0.0, "nearest learnware"
    if mixture is not None:
        score, covered, what = max(score, mixture.score), 1.0 - mixture.uncovered, "best mixture"
    if score < FITS:
        return False, (
            f"Nothing here fits: the best score is {score:.2f}, and under {FITS} a learnware is "
            "little nearer to your data than strangers are to each other."
        )
    if covered < FITS:
        return False, (
            f"Nothing here fits: the {what} has seen data like yours for only "
            f"{covered:.0%} of your records."
        )
    return True, ""
