"""The public engine (learnware 0.3.2), started once for all tests of this folder."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"


class Engine:
    """Asks the engine's process, one request at a time."""

    def __init__(self, home: Path) -> None:
        self._log = (home / "engine.log").open("w+")
        # The engine writes folders into the home of its user, and seeds every generator with 0.
        self._process = subprocess.Popen(
            [str(PYTHON), str(Path(__file__).with_name("engine_process.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "HOME": str(home), "OMP_NUM_THREADS": "1", "TMPDIR": str(home)},
            text=True,
        )

    def ask(self, request: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([request, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            pytest.fail(f"the engine's process ended:\n{self._log.read()[-3000:]}")
        reply = json.loads(line)
        if "error" in reply:
            pytest.fail(f"the engine raised:\n{reply['error']}")
        return reply["value"]

    def close(self) -> None:
        self._process.communicate()
        self._log.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if not PYTHON.exists():
        pytest.skip("the public engine is not installed in .venv-engine; `make engine` does it")
    started = Engine(tmp_path_factory.mktemp("engine"))
    yield started
    started.close()
