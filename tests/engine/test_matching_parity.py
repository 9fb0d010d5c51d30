"""The relative scores of the 2024 protocol are those that the public engine gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beimingwu.server.v2024.matching import relative_scores

pytestmark = pytest.mark.engine


def test_scores_are_the_engines_own(engine: Any) -> None:
    rng = np.random.default_rng(0)
    cases = [[0.3], [0.2, 0.2], [0.05, 0.7, 1.0], [1.0, 1.01, 1.02], [0.0, 0.5, 2.0]]
    cases += [sorted(rng.gamma(2.0, 0.2, size).tolist()) for size in range(2, 60)]
    for distances in cases:
        theirs = engine.ask("relative_scores", distances=distances)
        assert relative_scores(distances) == pytest.approx(theirs, abs=1e-12), distances
