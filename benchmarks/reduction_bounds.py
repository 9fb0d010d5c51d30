"""The bounds that benchmarks/reduction.py holds `specify` to, each judged in one plain line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bound:
    """A limit on one figure in every cell it covers.

    Parameters
    ----------
    title
        What is bounded, in words.
    limit
        The bound.
    measured
        The figure in each cell, by the cell's name.
    best_found
        The least figure that long descents found, where they were asked for: above the limit, the
        bound is out of reach of any such points that we know.
    at_least
        Whether the figure must reach the limit instead of staying within it.
    """

    title: str
    limit: float
    measured: Mapping[str, float]
    best_found: Mapping[str, float] = field(default_factory=dict)
    at_least: bool = False

    @property
    def misses(self) -> dict[str, float]:
        """The cells where it does not hold, with their figures."""
        sign = -1.0 if self.at_least else 1.0
        return {
            cell: value for cell, value in self.measured.items() if sign * value > sign * self.limit
        }

    def __str__(self) -> str:
        misses = self.misses
        beyond = {cell for cell in misses if self.best_found.get(cell, 0.0) > self.limit}
        parts = [f"holds in {len(self.measured) - len(misses)} of {len(self.measured)} cells"]
        missed = [f"{cell} ({value:.3f})" for cell, value in misses.items() if cell not in beyond]
        if missed:
            parts.append("missed in: " + ", ".join(missed))
        far = [
            f"{cell} ({misses[cell]:.3f}; best found {self.best_found[cell]:.3f})"
            for cell in misses
            if cell in beyond
        ]
        if far:
            parts.append("out of reach in: " + ", ".join(far))
        return f"{self.title} {self.limit:g}: " + "; ".join(parts)
