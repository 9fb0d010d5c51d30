"""What a learnware says about itself: a semantic specification and a statistical one (RKME)."""

from __future__ import annotations

from beimingwu.specification.files import (
    dumps_specification,
    read_specification,
    write_specification,
)
from beimingwu.specification.privacy import DisclosureAudit, disclosure_audit
from beimingwu.specification.rkme import RKME, GaussianKernel
from beimingwu.specification.semantic import VOCABULARIES, Dimensions, SemanticSpecification
from beimingwu.specification.table import read_table, specify

__all__ = [
    "RKME",
    "VOCABULARIES",
    "Dimensions",
    "DisclosureAudit",
    "GaussianKernel",
    "SemanticSpecification",
    "disclosure_audit",
    "dumps_specification",
    "read_specification",
    "read_table",
    "specify",
    "write_specification",
]
