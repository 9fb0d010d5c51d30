"""Write web/src/specify/golden.json: what the specification of Python comes to, step by step.

The browser's own must come to the same (`golden.test.ts`), and a test of Python's sees that the
file is what Python computes today.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from beimingwu.specification.moving import Sample, gram_and_steepness
from beimingwu.specification.privacy import audit
from beimingwu.specification.simplex import simplex_weights
from beimingwu.specification.standard import StandardSpace

GOLDEN = Path(__file__).parent / "src" / "specify" / "golden.json"
N, M, D = 60, 6, 3


def vectors() -> dict[str, Any]:
    """Return the steps for a small table: what went in, and what came out of each."""
    draw = np.random.default_rng(0)
    rows = draw.normal(0.0, 1.0, (N, D)) * [1.0, 40.0, 1e-3] + [5.0, -300.0, 0.0]
    space = StandardSpace.of(rows)
    standard = space.inward(rows)
    unit = np.float32(np.sqrt(0.25 / D))
    sample = Sample(standard * unit)
    points = draw.normal(0.0, 0.3, (M, D))
    target, pull = sample.pull(points)
    gram, steepness = gram_and_steepness(points)
    weights, _ = simplex_weights(gram + 0.08 * np.eye(M), target, 5 / N)
    # One of the points stands on a record.
    placed = (points / unit).astype(np.float32)
    placed[0] = standard[7]
    told = audit(placed, weights, standard)
    return {
        "rows": rows.tolist(),
        "centre": space.centre.tolist(),
        "scale": space.scale.tolist(),
        "points": points.tolist(),
        "target": target.tolist(),
        "pull": pull.tolist(),
        "gram": gram.tolist(),
        "steepness": steepness.tolist(),
        "weights": weights.tolist(),
        "placed": placed.tolist(),
        "audit": {
            "close": told.close,
            "disclosed": told.disclosed,
            "nearest": told.nearest,
            "smallestCluster": told.smallest_cluster,
        },
    }


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(vectors(), indent=1) + "\n")
