"""What the tests of the command line share: a small table, a model of it, and a way to run."""

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

WORDS = (
    "--name", "Price of a flat",
    "--description", "The price from rain, wind and temperature.",
    "--scenario", "Business",
    "--license", "MIT",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def next(self) -> str:
        [line] = [line for line in self.err.splitlines() if line.startswith("Next: ")]
        return line.removeprefix("Next: ")


def invoked(*words: object, input: str | None = None) -> Ran:
    """Run the command line in this process."""
    from beimingwu.cli.commands import beimingwu

    result = CliRunner().invoke(beimingwu, [str(word) for word in words], input=input)
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def run():
    """Return a function that runs the command line in this process."""
    return invoked


@pytest.fixture
def process():
    """Return a function that starts the command line in a process of its own."""

    def started(*words: object, **extra: Any) -> subprocess.Popen[str]:
        program = "from beimingwu.cli import main; main()"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | extra
        return subprocess.Popen([sys.executable, "-c", program, *map(str, words)], **pipes)

    return started


@pytest.fixture(autouse=True)
def own_dock(tmp_path_factory, monkeypatch):
    """Keep the commands of a test away from the dock of whoever runs it."""
    folder = tmp_path_factory.mktemp("own") / "dock"
    monkeypatch.setenv("BEIMINGWU_DOCK", str(folder))
    for name in ("BEIMINGWU_DEBUG", "BEIMINGWU_OWNER", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


MODULE = """
import numpy as np
from learnware.model import BaseModel

class Model(BaseModel):
    def __init__(self):
        super().__init__(input_shape=(3,), output_shape=(1,))

    def predict(self, X):
        {body}
"""


def written_module(folder: Path, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(MODULE.format(body=body))
    return folder


@pytest.fixture(scope="session")
def write_module():
    """Return a function that writes a model of numpy alone, given what `predict` does with `X`."""
    return written_module


@dataclass(frozen=True)
class Owner:
    """A model owner's files."""

    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "train.csv"

    @property
    def model(self) -> Path:
        return self.folder / "model.pkl"

    @property
    def spec(self) -> Path:
        return self.folder / "stat.json"

    @property
    def archive(self) -> Path:
        return self.folder / "learnware.zip"


def write_table(path: Path, rows: np.ndarray, *, price: bool) -> Path:
    """Write records of rain, wind and temperature, with their price where asked."""
    names = ["rain", "wind", "temp", *(["price"] if price else [])]
    values = np.column_stack([rows, prices(rows)]) if price else rows
    lines = [",".join(f"{value:.6f}" for value in row) for row in values]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def prices(rows: np.ndarray) -> np.ndarray:
    return rows @ np.array([1.0, 2.0, 3.0])


@pytest.fixture(scope="session")
def owner(tmp_path_factory) -> Owner:
    """Return the files of an owner who has specified and packed."""
    from sklearn.linear_model import LinearRegression

    owner = Owner(tmp_path_factory.mktemp("owner"))
    rows = np.random.default_rng(0).normal(size=(400, 3))
    write_table(owner.table, rows, price=True)
    owner.model.write_bytes(pickle.dumps(LinearRegression().fit(rows, prices(rows))))
    assert invoked("specify", owner.table, "--target", "price", "-o", owner.spec).status == 0
    body = "return X @ np.array([[1.0], [2.0], [3.0]])"
    own = written_module(owner.folder / "model", body)  # quicker to check than a pickle
    words = (*WORDS, "--task", "Regression", "--output-names", "price", "-o", owner.archive)
    packed = invoked("pack", own, "--spec", owner.spec, *words)
    assert packed.status == 0, packed.err
    return owner


@pytest.fixture(scope="session")
def mine(tmp_path_factory) -> Path:
    """Return a user's table: records like the owner's, without a price."""
    rows = np.random.default_rng(1).normal(size=(200, 3))
    return write_table(tmp_path_factory.mktemp("user") / "mine.csv", rows, price=False)


@pytest.fixture(scope="session")
def published(tmp_path_factory, owner) -> Path:
    """Return a dock with the owner's learnware, 00000001; tests only look at it."""
    dock = tmp_path_factory.mktemp("published") / "dock"
    submitted = invoked("submit", owner.archive, "--dock", dock)
    assert submitted.status == 0, submitted.err
    return dock


@pytest.fixture
def home(monkeypatch, tmp_path) -> Path:
    """Return an empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
