from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from beimingwu.config import settings
from beimingwu.dock import Dock
from beimingwu.errors import CheckFailed, EnvironmentFailed, SandboxUnavailable
from beimingwu.runtime.environment import Environments
from beimingwu.specification import SemanticSpecification

Archive = Callable[..., bytes]
Semantic = Callable[..., SemanticSpecification]

SAYS_ITS_NUMPY = """
import numpy
from learnware.model import BaseModel


class Model(BaseModel):
    def __init__(self):
        super().__init__((3,), (1,))

    def predict(self, X):
        return numpy.full(len(X), float(".".join(numpy.__version__.split(".")[:2])))
"""


def asking(requirements: str) -> dict[str, bytes]:
    return {"requirements.txt": requirements.encode()}


@pytest.fixture
def own_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEIMINGWU_PACKAGES", "own")


@pytest.fixture
def database() -> str:
    """SQLite alone: what a learnware does is no matter of the catalogue."""
    return ""


@pytest.mark.network
def test_a_learnware_runs_with_the_packages_it_was_verified_with(
    dock: Dock, archive: Archive, semantic: Semantic, own_packages: None
) -> None:
    pinned = archive(module=SAYS_ITS_NUMPY, **asking("numpy==2.2.6\n"))
    submission = dock.submit(pinned, semantic(3)).wait()
    assert [step.name for step in submission.steps][-3:] == [
        "environment",
        "usability",
        "accommodate",
    ]
    record = dock.show(submission.id)
    assert record.environment is not None
    assert "numpy==2.2.6" in str(record.environment["packages"])
    with dock.get(submission.id) as learnware:
        assert learnware.lock == record.environment
        assert learnware.predict([[0.0, 0.0, 0.0]]).tolist() == [2.2]


@pytest.mark.network
def test_who_waits_is_told_how_the_environment_comes_along(
    dock: Dock,
    archive: Archive,
    semantic: Semantic,
    own_packages: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("BEIMINGWU_UV_CACHE", str(Path(settings().cache) / "uv"))
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path / "no environments yet"))
    submission = dock.submit(archive(**asking("numpy==2.2.6\n")), semantic(3))
    told = set()
    while submission.state in ("uploaded", "verifying"):
        told.add(submission.doing)
        time.sleep(0.005)
    assert any(line.startswith("finding versions for Python") for line in told)
    assert any(line.startswith("making an environment of Python") for line in told)
    assert submission.doing == ""
    Environments().prune(0)


def test_a_learnware_whose_packages_are_refused_is_rejected_with_the_line(
    dock: Dock, archive: Archive, semantic: Semantic, own_packages: None
) -> None:
    asks = archive(**asking("numpy\ngit+https://example.org/evil.git\n"))
    submission = dock.submit(asks, semantic(3))
    with pytest.raises(CheckFailed, match=r"git\+https://example.org/evil.git") as failure:
        submission.wait()
    assert failure.value.code == "requirements.vcs"
    assert failure.value.remedy
    assert submission.steps[-1].name == "environment"


def test_a_learnware_is_not_rejected_because_the_index_was_away(
    dock: Dock,
    archive: Archive,
    semantic: Semantic,
    own_packages: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("BEIMINGWU_OFFLINE", "1")
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path / "empty"))
    submission = dock.submit(archive(**asking("numpy==2.2.6\n")), semantic(3))
    with pytest.raises(EnvironmentFailed) as failure:
        submission.wait()
    assert failure.value.code == "environment.offline"
    assert submission.state == "uploaded"
    monkeypatch.setenv("BEIMINGWU_PACKAGES", "current")
    assert submission.wait().state == "published"


def test_a_dock_that_cannot_put_up_its_walls_refuses_to_verify_and_still_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(SandboxUnavailable) as refusal:
        Dock.open(tmp_path / "dock")
    assert "apt-get install bubblewrap" in refusal.value.remedy
    with Dock.open(tmp_path / "dock", workers=0) as dock:
        assert dock.list() == []
