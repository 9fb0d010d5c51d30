"""The picture of a match: the requirement's points and the learnware's, on two features."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from beimingwu.errors import InvalidRequirement, MissingDependency
from beimingwu.search.result import Match, SearchResult
from beimingwu.search.stack import Numbers
from beimingwu.specification.rkme import RKME, GaussianKernel

#: Area in square points of all markers of one side together.
AREA = 4_000.0


def most_differing(result: SearchResult, yours: RKME, theirs: RKME) -> tuple[int, int]:
    """Return the two features whose means differ most in the island's units (one twice if d = 1).

    Examples
    --------
    >>> from beimingwu.search.requirement import Requirement
    >>> near = RKME(np.array([[0.0, 0.0, 0.0]]), np.ones(1), n=20)
    >>> far = RKME(np.array([[1.0, 0.0, 3.0]]), np.ones(1), n=20)
    >>> most_differing(SearchResult((), Requirement(near)), near, far)
    (2, 0)
    """
    kernel = result.kernel
    kernel = kernel or GaussianKernel.multiscale(yours.scale)
    apart = kernel.in_units(theirs.mean) - kernel.in_units(yours.mean)
    order = np.argsort(-np.abs(apart), kind="stable")
    return int(order[0]), int(order[min(1, len(order) - 1)])


def draw_match(result: SearchResult, match: Match | None) -> Any:
    """Return a matplotlib Axes with both point sets; see `SearchResult.plot`."""
    yours = result.requirement.specification
    theirs = match.specification if match is not None else None
    if yours is None or theirs is None or match is None:
        raise InvalidRequirement(
            "There are no points to draw: the search had no specification, or found nothing.",
            remedy="Search with specify(X), then plot one of the matches.",
            code="requirement.no_specification",
        )
    axes = _new_axes()
    first, second = most_differing(result, yours, theirs)
    for spec, label in ((yours, "your requirement"), (theirs, f"learnware {match.id}")):
        axes.scatter(
            spec.rows[:, first], spec.rows[:, second], s=_areas(spec), alpha=0.6, label=label
        )
    names = result.requirement.features or theirs.features
    axes.set_xlabel(names[first] if names else f"feature {first}")
    axes.set_ylabel(names[second] if names else f"feature {second}")
    score = "" if match.score is None else f"score {match.score:.2f}"
    axes.set_title(f"The two features that differ most; {score}".rstrip("; "))
    axes.legend()
    return axes


def _areas(spec: RKME) -> Numbers:
    return np.maximum(spec.weights, 0.0) * AREA + 1.0


def _new_axes() -> Any:
    try:
        figure = importlib.import_module("matplotlib.figure")
    except ImportError:
        raise MissingDependency(
            "Drawing a search result needs matplotlib, which is not installed.",
            remedy="Install it: pip install matplotlib.",
            code="missing_dependency.matplotlib",
        ) from None
    return figure.Figure(figsize=(6.0, 4.5), layout="constrained").subplots()
