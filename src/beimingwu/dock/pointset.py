"""Statistical specifications as the dock keeps them: read in a fraction of the time of stat.json.

A search index is rebuilt from thousands of these, so they are arrays and not text. The bytes are
one line of JSON (what is not an array), then the points and the weights as two `.npy` frames. Each
is made from the learnware's own stat.json and could be made from it again.
"""

from __future__ import annotations

import io
import json

import numpy as np

from beimingwu.errors import DockDamaged
from beimingwu.specification.rkme import RKME, GaussianKernel


def dumps_pointset(spec: RKME) -> bytes:
    """Return the bytes of a specification; equal specifications give equal bytes.

    Examples
    --------
    >>> spec = RKME(np.array([[0.0], [1.0]]), np.array([0.5, 0.5]), n=20)
    >>> loads_pointset(dumps_pointset(spec))
    RKME(table, 2 points of 1 feature, for 20 records)
    """
    header = {
        "n": spec.n,
        "kind": spec.kind,
        "kernel": _kernel_to_json(spec.kernel),
        "features": spec.features,
        "details": dict(spec.details),
    }
    buffer = io.BytesIO()
    buffer.write(json.dumps(header, sort_keys=True).encode() + b"\n")
    np.save(buffer, spec.points, allow_pickle=False)
    np.save(buffer, spec.weights, allow_pickle=False)
    return buffer.getvalue()


def loads_pointset(content: bytes) -> RKME:
    """Read what `dumps_pointset` wrote.

    Raises
    ------
    DockDamaged
        The bytes are something else.
    """
    buffer = io.BytesIO(content)
    try:
        header = json.loads(buffer.readline())
        points = np.load(buffer, allow_pickle=False)
        weights = np.load(buffer, allow_pickle=False)
        return RKME(
            points,
            weights,
            n=header["n"],
            kind=header["kind"],
            kernel=_kernel_from_json(header["kernel"]),
            features=tuple(header["features"]),
            details=header["details"],
        )
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise DockDamaged(
            f"A specification in the dock cannot be read: {error}.",
            remedy="Submit its learnware again.",
            code="dock.specification",
        ) from None


def _kernel_to_json(kernel: GaussianKernel | None) -> dict[str, object] | None:
    if kernel is None:
        return None
    scale = None if kernel.scale is None else kernel.scale.tolist()
    return {"rates": kernel.rates, "scale": scale}


def _kernel_from_json(given: dict[str, list[float]] | None) -> GaussianKernel | None:
    if given is None:
        return None
    scale = None if given["scale"] is None else np.asarray(given["scale"], dtype=np.float64)
    return GaussianKernel(tuple(given["rates"]), scale)
