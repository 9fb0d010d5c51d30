"""What the browser's specification is compared with is what Python's comes to today."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np

WEB = Path(__file__).parents[2] / "web"


def test_the_browser_is_compared_with_what_python_computes_today() -> None:
    found = importlib.util.spec_from_file_location("golden", WEB / "golden.py")
    assert found and found.loader
    golden = importlib.util.module_from_spec(found)
    found.loader.exec_module(golden)
    kept, now = json.loads(golden.GOLDEN.read_text()), golden.vectors()
    assert kept.keys() == now.keys()
    for name, values in now.items():
        if isinstance(values, dict):
            assert kept[name].keys() == values.keys()
            kept[name], values = [*kept[name].values()], [*values.values()]
        np.testing.assert_allclose(kept[name], values, rtol=1e-6, atol=1e-9, err_msg=name)
