"""Compiling modules: bounded in memory, since a stranger writes what is compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from beimingwu.runtime import bytecode


def test_a_source_whose_compiling_takes_all_memory_stays_a_source(tmp_path: Path):
    packages = tmp_path / "packages"
    packages.mkdir()
    # A few megabytes of text, of which a gigabyte and more of a syntax tree is made.
    (packages / "bomb.py").write_text("x=[" + "f(a)," * 900_000 + "]\n")
    (packages / "honest.py").write_text("version = 1\n")
    words = [str(bytecode.__file__), str(packages), str(tmp_path / "cache"), "0", "1"]
    done = subprocess.run([sys.executable, "-I", "-S", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    compiled = {path.name.split(".")[0] for path in packages.glob("__pycache__/*")}
    assert compiled == {"honest"}
