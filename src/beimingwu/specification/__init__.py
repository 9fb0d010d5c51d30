"""What a learnware says about itself: a semantic specification and a statistical one (RKME)."""

from __future__ import annotations

from beimingwu.specification.rkme import RKME, GaussianKernel

__all__ = ["RKME", "GaussianKernel"]
