"""The guest script: what it is made of, its protocol byte by byte, every Python it runs on."""

from __future__ import annotations

import ast
import io
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beimingwu.config import settings
from beimingwu.errors import GuestCrashed
from beimingwu.learnware import Manifest
from beimingwu.learnware.archive import Requirements
from beimingwu.runtime import channel, start
from beimingwu.runtime.environment import Environments, environment_launch
from beimingwu.runtime.installer import configured
from beimingwu.runtime.interpreters import NEWEST, OLDEST, Interpreter
from beimingwu.runtime.launch import GUEST
from beimingwu.runtime.sandbox import confined

#: The scripts that run by a learnware's own Python.
STAND_ALONE = (GUEST, GUEST.with_name("bytecode.py"))
VERSIONS = [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]
MODULE = """
import sys
import numpy as np
from learnware.model import BaseModel
from .weights import SLOPE

class Model(BaseModel):
    def __init__(self, shape=(2,)):
        super().__init__(input_shape=shape, output_shape=(1,))

    def predict(self, X):
        if isinstance(X, list):
            return ["long" if len(text) > 3 else "short" for text in X]
        if len(X) and X[0, 0] < 0:
            raise ValueError("negative")
        print("seen", X.dtype)
        return X.sum(axis=1, keepdims=True) * SLOPE
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    learnware = tmp_path / "learnware"
    learnware.mkdir()
    (learnware / "__init__.py").write_text(MODULE)
    (learnware / "weights.py").write_text("SLOPE = 3\n")
    return learnware


@pytest.mark.parametrize("script", STAND_ALONE, ids=lambda script: script.name)
def test_a_script_keeps_to_the_syntax_of_the_oldest_python(script: Path) -> None:
    ast.parse(script.read_text(encoding="utf-8"), feature_version=OLDEST)


@pytest.mark.parametrize("script", STAND_ALONE, ids=lambda script: script.name)
def test_a_script_imports_the_standard_library_and_numpy_only(script: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported and imported <= sys.stdlib_module_names | {"numpy"}


# --- The protocol, without the host that usually speaks it.


class Spoken:
    """A guest to which a test speaks itself."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin is not None and process.stdout is not None
        self._to, self._from = process.stdin, process.stdout

    def say(self, header: dict[str, object], payload: bytes = b"") -> None:
        text = json.dumps({"bytes": len(payload), **header}).encode()
        self.write(struct.pack("<I", len(text)) + text + payload)

    def write(self, data: bytes) -> None:
        self._to.write(data)
        self._to.flush()

    def hear(self) -> tuple[dict[str, Any], np.ndarray | None]:
        (length,) = struct.unpack("<I", self._from.read(4))
        header = json.loads(self._from.read(length))
        payload = self._from.read(header.get("bytes", 0))
        return header, np.load(io.BytesIO(payload), allow_pickle=False) if payload else None

    def ask(self, call: str, **more: object) -> tuple[dict[str, Any], np.ndarray | None]:
        self.say({"call": call, **more})
        return self.hear()

    def end(self) -> tuple[int, str]:
        """Wait for its end by itself; return its status and what it printed."""
        assert self.process.stderr is not None
        printed = self.process.stderr.read().decode()
        return self.process.wait(10), printed


@pytest.fixture
def spoken(folder: Path) -> Iterator[Spoken]:
    lifeline, hold = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", GUEST, folder, str(lifeline)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[lifeline],
        start_new_session=True,
    )
    os.close(lifeline)
    with process:
        yield Spoken(process)
        process.kill()
    os.close(hold)


LOADING = {"class_name": "Model", "module_path": "__init__.py", "kwargs": {"dict": {}}}


def test_the_calls_are_load_describe_predict_and_stop(spoken: Spoken) -> None:
    header, nothing = spoken.ask("load", **LOADING)
    assert "error" not in header and nothing is None
    header, nothing = spoken.ask("describe")
    assert (header["input_shape"], header["output_shape"], nothing) == ([2], [1], None)
    assert header["python"] == sys.version.split()[0]
    payload = b"".join(map(bytes, channel.encode_array(np.ones((3, 2)))))
    spoken.say({"call": "predict", "input": "array"}, payload)
    header, values = spoken.hear()
    assert values is not None and values.tolist() == [[6.0], [6.0], [6.0]]
    assert header["seconds"] >= 0 and header["peak_memory"] > 0
    header, nothing = spoken.ask("stop")
    assert "error" not in header and nothing is None
    status, printed = spoken.end()
    assert (status, printed) == (0, "seen float64\n")


def test_an_end_of_the_pipe_is_the_end_of_the_guest(spoken: Spoken) -> None:
    spoken.ask("load", **LOADING)
    assert spoken.process.stdin is not None
    spoken.process.stdin.close()
    assert spoken.process.wait(10) == 0


@pytest.mark.parametrize("size", [channel.PAYLOAD_MAX_BYTES + 1, -1, 1 << 60])
def test_the_guest_bounds_a_payload_before_it_makes_room_for_it(spoken: Spoken, size: int) -> None:
    spoken.say({"call": "predict", "input": "array", "bytes": size})
    status, printed = spoken.end()
    assert status == 1 and f"a frame of {size} bytes" in printed


def test_the_guest_bounds_a_header_before_it_makes_room_for_it(spoken: Spoken) -> None:
    spoken.write(struct.pack("<I", channel.REQUEST_MAX_BYTES + 1))
    status, printed = spoken.end()
    assert status == 1 and "a frame of" in printed


def test_both_ends_have_the_same_bounds() -> None:
    names = {"HEADER_MAX_BYTES": channel.REQUEST_MAX_BYTES}
    names |= {"PAYLOAD_MAX_BYTES": channel.PAYLOAD_MAX_BYTES}
    space: dict[str, Any] = {}
    for node in ast.parse(GUEST.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            space[node.targets[0].id] = eval(compile(ast.Expression(node.value), "", "eval"))
    assert {name: space[name] for name in names} == names


# --- Every Python that a learnware may bring.


@pytest.fixture(scope="module")
def environment_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Return what makes an environment with numpy alone, from the cache that people use."""
    made: list[Environments] = []

    @contextmanager
    def with_numpy(interpreter: Interpreter) -> Iterator[Any]:
        installer = replace(configured(), cache=Path(settings().cache) / "uv")
        folder = tmp_path_factory.mktemp("environments")
        made.append(Environments(folder, installer=installer, interpreters=[interpreter]))
        with made[-1].use(made[-1].lock(Requirements("requirements.txt", "numpy\n"))) as held:
            yield held

    yield with_numpy
    for environments in made:
        environments.prune(0)


@pytest.mark.network
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: ".".join(map(str, version)))
def test_the_guest_runs_on_every_python(
    version: tuple[int, int],
    pythons: tuple[Interpreter, ...],
    environment_of: Callable[..., Any],
    folder: Path,
) -> None:
    found = [interpreter for interpreter in pythons if interpreter.minor == version]
    if not found:
        pytest.skip(f"this machine has no Python {version[0]}.{version[1]}")
    with environment_of(found[0]) as environment:
        launch = confined(environment_launch(environment), readable=environment.readable)
        with start(folder, Manifest(), launch=launch) as model:
            assert model.report.python == found[0].version
            assert (model.input_shape, model.output_shape) == ((2,), (1,))
            for X in (np.ones((3, 2), np.float32), np.ones((1, 2), int), np.zeros((0, 2))):
                answer = model.predict(X)
                assert answer.dtype == X.dtype
                assert np.array_equal(answer, X.sum(axis=1, keepdims=True) * 3)
            with pytest.raises(GuestCrashed, match="ValueError: negative"):
                model.predict(-np.ones((1, 2)))
            assert "seen float32" in model.report.output
        with start(folder, Manifest(kwargs={"shape": None}), launch=launch) as model:
            assert model.predict(["a text", "中文"]).tolist() == ["long", "short"]
