"""What a learnware says about itself: a semantic specification and a statistical one (RKME)."""

from __future__ import annotations

from beimingwu.specification.files import (
    dumps_specification,
    read_specification,
    write_specification,
)
from beimingwu.specification.rkme import RKME, GaussianKernel
from beimingwu.specification.semantic import VOCABULARIES, Dimensions, SemanticSpecification

__all__ = [
    "RKME",
    "VOCABULARIES",
    "Dimensions",
    "GaussianKernel",
    "SemanticSpecification",
    "dumps_specification",
    "read_specification",
    "write_specification",
]
