from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.network
def test_the_quick_start_runs_as_it_stands(tmp_path: Path):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 20
    code += "\nassert prediction.shape == (500,), prediction.shape\nassert result.fits\n"
    # As a newcomer runs it: the learnware gets an environment of its own.
    environment = {
        name: value for name, value in os.environ.items() if name != "BEIMINGWU_PACKAGES"
    }
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "00000001" in ran.stdout
