"""One search over one island: what is compared, ranked, combined and said, in this order.

The distances come from `single`, the meaning of a distance from `score`, the combination from
`mixture`; everything is asked of one view of the island, which does not change.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beimingwu.search.candidates import Candidates, Combination
from beimingwu.search.explanation import explain
from beimingwu.search.mixture import NO_BETTER, best_mixture, responsibilities
from beimingwu.search.names import Agreement, agreement
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import IslandInfo, Match, Mixture, Resolve, SearchResult
from beimingwu.search.score import FITS, Scorer
from beimingwu.search.segment import Segment
from beimingwu.search.single import DECIMALS, Asked, nearest
from beimingwu.search.stack import Numbers, Positions
from beimingwu.search.view import Mask, View, decoded
from beimingwu.specification.names import normal_names
from beimingwu.specification.rkme import RKME

#: Feature names that a note lists.
LISTED = 20
#: Said where nothing is left to be compared.
NONE_LEFT = "No learnware with a statistical specification satisfies the tags and text asked for."


@dataclass(frozen=True, eq=False)
class Query:
    """A requirement, whose specification is `spec`, asked of an island at one moment."""

    view: View
    info: IslandInfo
    requirement: Requirement
    spec: RKME
    resolve: Resolve | None

    def answer(
        self, among: Collection[str] | None, limit: int, max_learnwares: int
    ) -> SearchResult:
        """Return the answer; see `Index.search`."""
        allowed, notes = self._comparable(among)
        if allowed is None:
            return SearchResult((), self.requirement, island=self.info, notes=notes)
        asked = Asked.by(self.view, self.spec)
        scorer = self.view.geometry.scorer(self.spec, asked.own)
        told = _Teller(self, scorer)
        found = nearest(self.view, asked, allowed, limit)
        single = told.matches(found.positions, found.mmd2)
        candidates = Candidates(self.view, asked, allowed)
        best, why_none = best_mixture(candidates, found, max_learnwares, scorer.resolution)
        mixture = told.mixture(best, candidates, single[0]) if best is not None else None
        if best is not None and mixture is None:
            why_none = NO_BETTER
        fits, verdict = _verdict(single[0], mixture)
        return SearchResult(
            single,
            self.requirement,
            mixture,
            self.info,
            (*notes, *(note for note in (why_none, verdict) if note)),
            self.view.geometry.kernel,
            fits,
            found.certificate,
        )

    def _comparable(
        self, among: Collection[str] | None
    ) -> tuple[list[Mask | None] | None, tuple[str, ...]]:
        """Return which of each part may be compared, None for none, and notes on the others."""
        inside = self.view.everything() if among is None else self.view.among(among)
        names = normal_names(self.requirement.features)
        comparable, left_out = [], _LeftOut(self)
        for part, mask, theirs in zip(
            self.view.parts, inside, self.view.feature_names, strict=True
        ):
            how = [agreement(names, their) for their in theirs]
            if any(this is not Agreement.COMPARABLE for this in how):
                codes, everyone = part.segment.codes, np.ones(len(part), dtype=bool)
                mask = everyone if mask is None else mask
                left_out.count(part.segment, mask, how)
                mask = mask & np.array([this is Agreement.COMPARABLE for this in how])[codes]
            comparable.append(mask)
        notes = left_out.notes()
        if any(
            len(p) if m is None else m.any()
            for p, m in zip(self.view.parts, comparable, strict=True)
        ):
            return comparable, notes
        if not notes:
            notes = (f"The tags and text asked for leave none; without them: {self.info}.",)
        return None, notes


class _LeftOut:
    """What is not compared since its features are other ones, or in another order."""

    def __init__(self, query: Query) -> None:
        self._info = query.info
        self._counts = dict.fromkeys((Agreement.OTHER_ORDER, Agreement.OTHER_FEATURES), 0)
        self._first: dict[Agreement, tuple[bytes, tuple[str, ...]]] = {}

    def count(self, segment: Segment, inside: Mask, how: list[Agreement]) -> None:
        """Count those of a segment that are inside, by how their names agree."""
        for why in self._counts:
            which = np.flatnonzero(inside & np.array([this is why for this in how])[segment.codes])
            if len(which) == 0:
                continue
            self._counts[why] += len(which)
            ids = segment.ids[which]
            lowest = int(np.argsort(ids, kind="stable")[0])
            first = (ids[lowest].item(), segment.features(int(which[lowest])))
            self._first[why] = min(first, self._first.get(why, first))

    def notes(self) -> tuple[str, ...]:
        """Say so, the one with the lowest id first."""
        first = sorted(self._first.items(), key=lambda item: item[1])
        return tuple(self._note(why) for why, _ in first)

    def _note(self, why: Agreement) -> str:
        id_, example = self._first[why]
        count = self._counts[why]
        listed = ", ".join(example[:LISTED]) + (", …" if len(example) > LISTED else "")
        what = f"{count:,} learnware{'' if count == 1 else 's'} of {self._info.record} left out:"
        if why is Agreement.OTHER_ORDER:
            return (
                f"{what} the same features in another order. Reorder your columns as {listed} "
                f"(as for learnware {id_.decode()})."
            )
        return f"{what} other features, such as {listed} (learnware {id_.decode()})."


@dataclass(frozen=True, eq=False)
class _Teller:
    """Says what is to be said about each learnware found."""

    query: Query
    scorer: Scorer

    def matches(self, positions: Positions, mmd2: Numbers) -> tuple[Match, ...]:
        segment = self.query.view.gather(positions)
        covered = self._share(self._dense(segment))
        scores = np.round(self.scorer(mmd2, segment.self_inner), DECIMALS)
        ids = decoded(segment.ids)
        return tuple(
            self._match(segment, i, ids[i], float(scores[i]), float(mmd2[i]), float(covered[i]))
            for i in range(len(segment))
        )

    def mixture(self, found: Combination, candidates: Candidates, nearest: Match) -> Mixture | None:
        """Return the mixture, or None where it overlaps the data no more than the nearest does."""
        least = nearest.score or 0.0
        if self.scorer(np.array(found.mmd2), np.array(found.self_inner)) <= least:
            # Strangers spread thin are nearer than one stranger, and fit no better.
            return None
        order = np.argsort(-found.weights, kind="stable")
        members, weights = found.members[order], found.weights[order]
        mmd2 = np.array([candidates.combine([i]).mmd2 for i in members.tolist()])
        segment = self.query.view.gather(members)
        densities = self._densities(segment)
        seen = np.any(self._dense(segment), axis=0, keepdims=True)
        return Mixture(
            members=self.matches(members, mmd2),
            weights=weights,
            mmd=float(np.sqrt(found.mmd2)),
            score=max(least, self.scorer.of_mixture(found.mmd2, found.self_inner, weights)),
            coverage=tuple(responsibilities(densities, weights, self.query.spec.weights).tolist()),
            uncovered=1.0 - float(self._share(seen)[0]),
        )

    def _densities(self, segment: Segment) -> Numbers:
        kernel = self.query.view.geometry.kernel
        return segment.stack.densities(self.query.spec, np.arange(len(segment)), kernel)

    def _dense(self, segment: Segment) -> NDArray[np.bool_]:
        """Tell at which of the requirement's points each learnware has seen data."""
        geometry = self.query.view.geometry
        covering = geometry.covering_density(segment.self_inner, segment.sparse)
        return self._densities(segment) > covering[:, None]

    def _share(self, points: NDArray[np.bool_]) -> Numbers:
        """Return the share of the requirement's data that the marked points stand for."""
        return np.clip(points @ self.query.spec.weights, 0.0, 1.0)

    def _match(
        self, segment: Segment, i: int, id_: str, score: float, mmd2: float, coverage: float
    ) -> Match:
        query = self.query
        theirs = segment.specification(i, query.info.kind, query.info.shape)
        names = query.requirement.features or theirs.features
        kernel = query.view.geometry.kernel
        return Match(
            id=id_,
            score=score,
            mmd=float(np.sqrt(mmd2)),
            coverage=coverage,
            explanation=explain(score, coverage, query.spec.mean, theirs.mean, kernel, names),
            specification=theirs,
            resolve=query.resolve,
            asked=query.spec,
            kernel=kernel,
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
