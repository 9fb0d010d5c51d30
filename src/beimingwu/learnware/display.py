"""How a learnware shows itself in a notebook."""

from __future__ import annotations

from html import escape

from beimingwu.learnware.model import Learnware


def learnware_html(learnware: Learnware) -> str:
    """Return a small HTML table: what the learnware is for, and what its data looked like.

    Examples
    --------
    >>> import numpy as np
    >>> from beimingwu.learnware.manifest import Manifest
    >>> from beimingwu.specification.rkme import RKME
    >>> spec = RKME(np.eye(2), np.array([0.5, 0.5]), n=20)
    >>> "&lt;b&gt;" in learnware_html(Learnware("<b>", ".", Manifest(), None, spec))
    True
    """
    semantic = learnware.semantic
    facts = {}
    if semantic is not None:
        facts = {
            "for": semantic.description,
            "data": semantic.data,
            "task": semantic.task,
            "library": semantic.library,
            "scenarios": ", ".join(semantic.scenarios),
            "license": semantic.license,
        }
    facts["specification"] = repr(learnware.specification)
    rows = "".join(
        f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    title = learnware.id if semantic is None else f"{learnware.id} {semantic.name}"
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"
