"""Beimingwu, a learnware dock: find trained models by what their data looked like.

The public face. Each name is imported on first use, so that `import beimingwu` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from beimingwu.client import Client as Client
    from beimingwu.dock import Dock as Dock
    from beimingwu.dock import Submission as Submission
    from beimingwu.learnware import Learnware as Learnware
    from beimingwu.learnware import pack as pack
    from beimingwu.reuse import AveragingReuser as AveragingReuser
    from beimingwu.reuse import GatedReuser as GatedReuser
    from beimingwu.reuse import JobSelectorReuser as JobSelectorReuser
    from beimingwu.search import Requirement as Requirement
    from beimingwu.search import SearchResult as SearchResult
    from beimingwu.search import SemanticFilter as SemanticFilter
    from beimingwu.specification import RKME as RKME
    from beimingwu.specification import Dimensions as Dimensions
    from beimingwu.specification import GaussianKernel as GaussianKernel
    from beimingwu.specification import SemanticSpecification as SemanticSpecification
    from beimingwu.specification import disclosure_audit as disclosure_audit
    from beimingwu.specification import read_specification as read_specification
    from beimingwu.specification import specify as specify
    from beimingwu.specification import write_specification as write_specification

_ROOM_OF = {
    "AveragingReuser": "reuse",
    "Client": "client",
    "Dimensions": "specification",
    "Dock": "dock",
    "GatedReuser": "reuse",
    "GaussianKernel": "specification",
    "JobSelectorReuser": "reuse",
    "Learnware": "learnware",
    "RKME": "specification",
    "Requirement": "search",
    "SearchResult": "search",
    "SemanticFilter": "search",
    "SemanticSpecification": "specification",
    "Submission": "dock",
    "disclosure_audit": "specification",
    "pack": "learnware",
    "read_specification": "specification",
    "specify": "specification",
    "write_specification": "specification",
}

__all__ = sorted([*_ROOM_OF, "__version__"])


def __getattr__(name: str) -> object:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module 'beimingwu' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"beimingwu.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
