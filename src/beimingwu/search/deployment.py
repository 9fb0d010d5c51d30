"""From a search result to an estimator: the one place where search knows reuse."""

from __future__ import annotations

from typing import Any

import numpy as np

from beimingwu.search.result import SearchResult


def deploy_result(result: SearchResult, X: Any, method: str) -> Any:
    """Return the estimator over the mixture, or over the best single; see `SearchResult.deploy`."""
    from beimingwu.reuse.deploy import deploy

    if result.mixture is not None:
        members, weights = result.mixture.members, result.mixture.weights
    else:
        members, weights = result.single[:1], np.ones(1)
    learnwares = [match.learnware for match in members]
    task = learnwares[0].semantic.task if learnwares[0].semantic is not None else None
    return deploy(learnwares, weights, task=task, kernel=result.kernel)
