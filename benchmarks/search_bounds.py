"""A bound that a search benchmark holds itself to, told in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """What is asked at most, and what was measured."""

    title: str
    limit: float
    measured: float

    @property
    def holds(self) -> bool:
        """Whether it is met."""
        return self.measured <= self.limit

    def __str__(self) -> str:
        verdict = "OK" if self.holds else "MISSED"
        return f"{verdict:6} {self.title}: {self.measured:,.2f} (asked: {self.limit:,g})"


def as_json(bounds: Sequence[Bound]) -> dict[str, dict[str, float | bool]]:
    """Return bounds for the results, by title."""
    return {
        bound.title: {"asked": bound.limit, "measured": bound.measured, "holds": bound.holds}
        for bound in bounds
    }
