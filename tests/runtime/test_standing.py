"""A dock whose walls would fail does not start, and asking again costs next to nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beimingwu.config import settings
from beimingwu.dock import Dock
from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.sandbox import bubblewrap
from beimingwu.runtime.standing import require_standing
from beimingwu.runtime.trial import require

REAL = bubblewrap()
REFUSING = "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEIMINGWU_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def as_bwrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Return what puts a script of the shell in bubblewrap's place; it returns a log it may write.

    Bubblewrap is started by a user who is not root, to whom /tmp is another folder.
    """
    if REAL is None:
        pytest.skip("bubblewrap is not on this machine")
    folder = Path(tempfile.mkdtemp(prefix="fake-", dir="/var/tmp"))
    folder.chmod(0o755)
    log = folder / "log"
    log.touch()
    log.chmod(0o666)

    def put(script: str) -> Path:
        (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return log

    yield put
    shutil.rmtree(folder)


def counting(log: Path) -> str:
    return f'echo tried >> {log}; exec {REAL} "$@"'


def trials(log: Path) -> int:
    return len(log.read_text().splitlines())


def test_a_dock_refuses_to_start_where_bubblewrap_is_there_and_refused(
    as_bwrap: Callable[[str], Path], tmp_path: Path
) -> None:
    as_bwrap(REFUSING)
    with pytest.raises(SandboxUnavailable, match="setting up uid map") as caught:
        Dock.open(tmp_path / "dock")
    assert caught.value.code == "sandbox.refused"
    assert "user namespaces" in caught.value.remedy or "container" in caught.value.remedy
    # One that verifies nothing shows what it has; and nothing was put up in the walls' stead.
    with Dock.open(tmp_path / "dock", workers=0) as dock:
        assert dock.list() == []


def test_the_walls_are_tried_once(as_bwrap: Callable[[str], Path], tmp_path: Path) -> None:
    log = as_bwrap("")
    as_bwrap(counting(log))
    for name in ("one", "one", "two"):
        with Dock.open(tmp_path / name):
            assert trials(log) == 1


def test_they_are_tried_again_when_anything_changes(
    as_bwrap: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = as_bwrap("")
    as_bwrap(counting(log))
    require_standing()
    require_standing(limits=replace(Limits.from_settings(), threads=70))
    assert trials(log) == 2
    require_standing()
    as_bwrap(f"{counting(log)} # another one")
    require_standing()
    assert trials(log) == 4
    as_bwrap(REFUSING)
    with pytest.raises(SandboxUnavailable):
        require_standing()


def test_a_failure_is_not_remembered(as_bwrap: Callable[[str], Path]) -> None:
    as_bwrap(REFUSING)
    for _ in range(2):
        with pytest.raises(SandboxUnavailable):
            require_standing()
    log = as_bwrap("")
    as_bwrap(counting(log))
    require_standing()
    assert trials(log) == 1


def test_a_cache_that_cannot_be_written_stops_nothing(
    as_bwrap: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "cache").touch()
    log = as_bwrap("")
    as_bwrap(counting(log))
    require_standing()
    require_standing()
    assert trials(log) == 2


def test_landlock_is_remembered_for_itself() -> None:
    try:
        require(Profile.LANDLOCK)
    except SandboxUnavailable as error:
        pytest.skip(error.problem)
    require_standing(Profile.LANDLOCK)
    assert [path.name for path in (Path(settings().cache) / "walls").iterdir()] == ["landlock"]
