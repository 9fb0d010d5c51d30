"""How a dock shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path


def dock_html(folder: Path, size: int, by_task: Mapping[str, int]) -> str:
    """Return a small HTML table: the folder, the number of learnwares, and how many of each task.

    Examples
    --------
    >>> "<th>Regression</th><td>2</td>" in dock_html(Path("dock"), 2, {"Regression": 2})
    True
    """
    facts = {"learnwares": size, **by_task}
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{count:,}</td></tr>" for name, count in facts.items()
    )
    return f"<table><caption>Dock in {escape(str(folder))}</caption>{rows}</table>"
