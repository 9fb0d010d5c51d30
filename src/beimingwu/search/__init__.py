"""Identifying learnwares: semantic filters, statistical search, mixtures, scores."""

from __future__ import annotations

from beimingwu.search.index import Index
from beimingwu.search.requirement import Requirement
from beimingwu.search.result import (
    Explanation,
    FeatureDifference,
    IslandInfo,
    Match,
    Mixture,
    SearchResult,
)
from beimingwu.search.semantic import Facets, SemanticFilter
from beimingwu.search.spelling import Suggestion

__all__ = [
    "Explanation",
    "Facets",
    "FeatureDifference",
    "Index",
    "IslandInfo",
    "Match",
    "Mixture",
    "Requirement",
    "SearchResult",
    "SemanticFilter",
    "Suggestion",
]
