"""What a search answers: single matches, a mixture, and in plain words why, or why nothing fits.

The same objects come from a dock in a folder and from a dock behind a server. A match knows its
learnware only by id, and resolves it when asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidRequirement
from beimingwu.search.requirement import Requirement
from beimingwu.specification.rkme import RKME, GaussianKernel, Kind

if TYPE_CHECKING:
    from beimingwu.learnware import Learnware
    from beimingwu.reuse.deploy import Method
    from beimingwu.reuse.estimator import Reuser

#: Means nearer than this, in deviations, are not told apart.
SAME_MEAN = 0.1

Resolve = Callable[[str], "Learnware"]


@dataclass(frozen=True)
class IslandInfo:
    """The set of directly comparable specifications that was searched.

    Parameters
    ----------
    kind, shape
        What its specifications describe, and the shape of one record.
    size
        Number of learnwares in it.
    geometry
        Version of the scale, kernel and score in force. Scores of one version are comparable; what
        is published or withdrawn may change it, and the scores with it.
    """

    kind: Kind
    shape: tuple[int, ...]
    size: int
    geometry: str = ""

    @property
    def dimension(self) -> int:
        """Number of values in one record."""
        return int(np.prod(self.shape))

    @property
    def record(self) -> str:
        """What one record is, in words."""
        noun = {"table": "feature", "text": "text dimension", "image": "image value"}[self.kind]
        return f"{'×'.join(map(str, self.shape))} {noun}{'' if self.dimension == 1 else 's'}"

    def __str__(self) -> str:
        return f"{self.size:,} learnware{'' if self.size == 1 else 's'} of {self.record}"


@dataclass(frozen=True)
class Certificate:
    """The proof that the single matches are the nearest: what a full comparison would find.

    Parameters
    ----------
    farthest
        Maximum mean discrepancy of the last of them.
    next_bound
        What was not opened is no nearer than this; infinite where everything was opened.
    opened
        Learnwares whose exact distance was worked out.
    compared
        Learnwares that were allowed, and so proved not to be nearer.
    """

    farthest: float
    next_bound: float
    opened: int
    compared: int

    def __str__(self) -> str:
        return (
            f"exact: the last of them is at {self.farthest:.4g}, everything else at "
            f"{self.next_bound:.4g} or beyond; {self.opened:,} of {self.compared:,} opened"
        )


@dataclass(frozen=True)
class FeatureDifference:
    """How a learnware differs from the requirement in one feature.

    Parameters
    ----------
    name
        Of the feature.
    yours, theirs
        The means of both sides.
    deviations
        How far these are apart, in deviations of the island.
    mmd
        Maximum mean discrepancy of this feature alone, under the island's kernel in one dimension:
        it also tells of what has the same mean and another shape. None where only the means were
        compared; `Match.explain` works it out.
    """

    name: str
    yours: float
    theirs: float
    deviations: float
    mmd: float | None = None

    def __str__(self) -> str:
        if self.mmd is not None and abs(self.deviations) < SAME_MEAN:
            return f"{self.name} (the same mean, spread otherwise)"
        direction = "above" if self.deviations > 0 else "below"
        return f"{self.name} ({abs(self.deviations):.2g} deviations {direction} yours)"


@dataclass(frozen=True)
class Explanation:
    """Why a learnware is where it is: a sentence, and the features that differ most, first."""

    sentence: str
    features: tuple[FeatureDifference, ...] = ()

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, eq=False)
class Match:
    """One learnware that answers a requirement.

    Parameters
    ----------
    id
        Of the learnware.
    score
        In [0, 1]: 1 where nothing tells the two apart at the sample sizes given, 0 where a stranger
        would be no farther. It means the same in every query while the island measures the same,
        that is, under one `IslandInfo.geometry`. None for a search by tags and text only, as are
        the next two.
    mmd
        Maximum mean discrepancy (not squared) under the island's kernel.
    coverage
        Share of the requirement's points, by weight, where the learnware has seen data.
    explanation
        In words, with the features that differ most.
    specification
        The learnware's.
    asked, kernel
        The requirement's specification and the island's kernel, to explain the match by.
    """

    id: str
    score: float | None = None
    mmd: float | None = None
    coverage: float | None = None
    explanation: Explanation | None = field(default=None, repr=False)
    specification: RKME | None = field(default=None, repr=False)
    resolve: Resolve | None = field(default=None, repr=False)
    asked: RKME | None = field(default=None, repr=False)
    kernel: GaussianKernel | None = field(default=None, repr=False)

    def explain(self) -> Explanation:
        """Explain the match feature by feature, the features that differ most first.

        Unlike `explanation`, which compares means, this compares the distributions of each feature
        by their maximum mean discrepancy; it takes a few milliseconds.

        Raises
        ------
        InvalidRequirement
            There are no two specifications to compare.
        """
        from beimingwu.search.explanation import explain_by_feature

        return explain_by_feature(self)

    @property
    def learnware(self) -> Learnware:
        """The learnware itself, fetched from the dock that was searched.

        Raises
        ------
        InvalidRequirement
            The search was not made through a dock.
        """
        if self.resolve is None:
            raise InvalidRequirement(
                f"Learnware {self.id} was found by an index, which holds no learnwares.",
                remedy="Search through a dock: Dock.open().search(…).",
                code="requirement.no_dock",
            )
        return self.resolve(self.id)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Several learnwares that together look more like the requirement than any one does.

    Parameters
    ----------
    members
        In descending order of weight.
    weights
        Shape `(len(members),)`, positive, summing to one: `min_w mmd2(U, sum_i w_i P_i)`.
    mmd
        Of the mixture; as for a match.
    score
        As for a match, but its distance counts once for each member, since several strangers come
        nearer than any one of them; and never less than that of the nearest match.
    coverage
        Share of the requirement's points that falls to each member:
        `sum_u beta_u w_i f_i(z_u) / sum_j w_j f_j(z_u)`; sums to one.
    uncovered
        Share of the requirement's points where no member has seen data.
    """

    members: tuple[Match, ...]
    weights: NDArray[np.float64]
    mmd: float
    score: float
    coverage: tuple[float, ...]
    uncovered: float

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Match]:
        return iter(self.members)


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The answer to a requirement; iterates over its single matches, nearest first.

    Parameters
    ----------
    single
        Matches by ascending distance.
    mixture
        The best combination, or None where no combination is better than the best single.
    island
        What was searched; None for a search by tags and text only, or where nothing is comparable.
        Scores of two results are comparable where its `geometry` is the same in both.
    notes
        In plain words: what was left out and why, whether anything fits.
    requirement
        What was asked.
    kernel
        The island's; None where no distances were measured.
    fits
        Whether anything found fits: a best score of at least one half, with at least half of the
        requirement's points covered. For a search by tags and text only: whether anything matched.
    certificate
        The proof that the singles are the nearest; None where no distances were measured.

    Examples
    --------
    >>> result = SearchResult.of_ids(["00000007"], Requirement())
    >>> result.best.id, len(result), result.fits
    ('00000007', 1, True)
    """

    single: tuple[Match, ...]
    requirement: Requirement
    mixture: Mixture | None = None
    island: IslandInfo | None = None
    notes: tuple[str, ...] = ()
    kernel: GaussianKernel | None = field(default=None, repr=False)
    fits: bool = False
    certificate: Certificate | None = None

    @classmethod
    def of_ids(
        cls,
        ids: list[str] | tuple[str, ...],
        requirement: Requirement,
        *,
        resolve: Resolve | None = None,
        notes: tuple[str, ...] = (),
    ) -> SearchResult:
        """Return the result of a search by tags and text only: ids in their ranked order."""
        single = tuple(Match(id=id_, resolve=resolve) for id_ in ids)
        return cls(single=single, requirement=requirement, notes=notes, fits=bool(single))

    def __len__(self) -> int:
        return len(self.single)

    def __bool__(self) -> bool:
        return bool(self.single)

    def __iter__(self) -> Iterator[Match]:
        return iter(self.single)

    def __getitem__(self, position: int) -> Match:
        return self.single[position]

    @property
    def best(self) -> Match | None:
        """The nearest single match, or None."""
        return self.single[0] if self.single else None

    def deploy(self, method: Method = "auto") -> Reuser:
        """Return an estimator over what was found: the mixture, or else the best single.

        Parameters
        ----------
        method
            As for `beimingwu.reuse.deploy.deploy`; "auto" chooses, and the estimator's `reason`
            says why. "single" is the nearest single match, be there a mixture or not.

        Raises
        ------
        InvalidRequirement
            Nothing was found.

        Warns
        -----
        UserWarning
            Nothing that was found fits the requirement.
        """
        from beimingwu.reuse.deploy import deploy

        if not self.single:
            raise InvalidRequirement(
                "The search found nothing, so there is nothing to deploy.",
                remedy=" ".join(self.notes) or "Ask for less: fewer facets, or another text.",
                code="requirement.nothing_found",
            )
        if not self.fits:
            warnings.warn(
                "No learnware found fits the requirement; see the result's notes.", stacklevel=2
            )
        members, weights = self.single[:1], np.ones(1)
        if self.mixture is not None and method != "single":
            members, weights = self.mixture.members, self.mixture.weights
        learnwares = [match.learnware for match in members]
        return deploy(learnwares, weights, kernel=self.kernel, method=method)

    def plot(self, match: Match | None = None) -> Any:
        """Draw the requirement's points against a match's (the best) on the features most apart.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingDependency
            matplotlib is not installed.
        InvalidRequirement
            There are no points to draw.
        """
        from beimingwu.search.plotting import draw_match

        return draw_match(self, match or self.best)

    def __repr__(self) -> str:
        from beimingwu.search.display import result_text

        return result_text(self)

    def _repr_html_(self) -> str:
        from beimingwu.search.display import result_html

        return result_html(self)
