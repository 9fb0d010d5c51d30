"""How a specification shows itself in a notebook."""

from __future__ import annotations

from html import escape

import numpy as np

from beimingwu.specification.rkme import RKME

SHOWN_FEATURES = 12


def rkme_html(spec: RKME) -> str:
    """Return a small HTML table: each feature's weighted mean, spread and range over the points.

    Examples
    --------
    >>> import numpy as np
    >>> spec = RKME(np.eye(2), np.array([0.5, 0.5]), n=20, features=("rain", "<b>"))
    >>> "&lt;b&gt;" in rkme_html(spec)
    True
    """
    rows = spec.rows
    mean, scale = spec.mean, spec.scale
    names = spec.features or tuple(f"feature {j}" for j in range(spec.dimension))
    lines = [
        f"<tr><td>{escape(names[j])}</td><td>{mean[j]:.4g}</td><td>{scale[j]:.4g}</td>"
        f"<td>{np.min(rows[:, j]):.4g} … {np.max(rows[:, j]):.4g}</td></tr>"
        for j in range(min(spec.dimension, SHOWN_FEATURES))
    ]
    if spec.dimension > SHOWN_FEATURES:
        lines.append(f"<tr><td colspan=4>… and {spec.dimension - SHOWN_FEATURES} more</td></tr>")
    return (
        f"<table><caption>{escape(repr(spec))}</caption>"
        "<tr><th>feature</th><th>mean</th><th>deviation</th><th>range of the points</th></tr>"
        f"{''.join(lines)}</table>"
    )
