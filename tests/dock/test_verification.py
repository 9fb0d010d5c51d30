"""How a verification ends when something breaks that is not the learnware."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beimingwu.dock import Dock
from beimingwu.dock.catalogue import Catalogue
from beimingwu.errors import CheckFailed, Unavailable
from beimingwu.specification.semantic import SemanticSpecification

Archive = Callable[..., bytes]
Semantic = Callable[..., SemanticSpecification]


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[int]:
    """Put a defect into the check, since a real one cannot be had on order; count its calls."""
    calls: list[int] = []

    def check(*_: Any) -> None:
        calls.append(1)
        raise error

    monkeypatch.setattr("beimingwu.dock.verification.check_usability", check)
    return calls


def test_a_defect_of_the_check_rejects_the_learnware_and_is_not_met_again(
    tmp_path: Path, archive: Archive, semantic: Semantic, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = broken(monkeypatch, ZeroDivisionError("by a poisonous answer"))
    with Dock.open(tmp_path) as dock:
        submission = dock.submit(archive(), semantic())
        with pytest.raises(CheckFailed, match=r"defect of the dock.*ZeroDivisionError") as failed:
            submission.wait()
        assert failed.value.code == "usability.internal"
        assert failed.value.remedy
        assert submission.state == "rejected"
    Dock.open(tmp_path).close()
    assert len(calls) == 1


def test_a_name_that_the_disk_refuses_rejects_the_learnware_and_tells_no_path(
    tmp_path: Path, archive: Archive, semantic: Semantic, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, IsADirectoryError(errno.EISDIR, "Is a directory", str(tmp_path / "x")))
    with Dock.open(tmp_path) as dock:
        submission = dock.submit(archive(), semantic())
        with pytest.raises(CheckFailed, match="IsADirectoryError: Is a directory") as failed:
            submission.wait()
        assert str(tmp_path) not in str(failed.value)
        assert submission.state == "rejected"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        Unavailable("No space was found for it: the database is away.", code="dock.lost_sight"),
    ],
)
def test_what_is_no_fault_of_the_learnware_is_tried_again(
    tmp_path: Path,
    archive: Archive,
    semantic: Semantic,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    with monkeypatch.context() as patched:
        broken(patched, error)
        with Dock.open(tmp_path) as dock:
            submission = dock.submit(archive(), semantic())
            with pytest.raises(type(error), match="No space"):
                submission.wait()
            assert submission.state == "uploaded"
    with Dock.open(tmp_path) as dock:
        assert dock.submission(submission.id).wait().state == "published"


def test_a_learnware_that_ends_every_process_that_verifies_it_is_rejected(
    tmp_path: Path, archive: Archive, semantic: Semantic
) -> None:
    with Dock.open(tmp_path, workers=0) as dock:
        poisonous = dock.submit(archive(centre=1.0), semantic())
        harmless = dock.submit(archive(centre=2.0), semantic())
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    for key in (1, 2):
        for death in range(22 if key == 1 else 5):
            catalogue.claim(key, f"process {death}", lambda name: False)
    catalogue.close()
    with Dock.open(tmp_path) as dock:
        with pytest.raises(CheckFailed) as failed:
            dock.submission(poisonous.id).wait()
        assert failed.value.code == "usability.fatal"
        assert dock.submission(harmless.id).wait().state == "published"


def test_a_step_that_is_done_is_not_done_again(
    tmp_path: Path, archive: Archive, semantic: Semantic, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Dock.open(tmp_path, workers=0) as dock:
        submission = dock.submit(archive(), semantic())
        (revision,) = dock.verification.unfinished()
        assert dock.verification.begin(revision.key)
        assert dock.verification.perform(revision.key, "environment")
        assert dock.verification.perform(revision.key, "usability")
        calls = broken(monkeypatch, AssertionError("done a second time"))
        assert dock.verification.begin(revision.key)
        assert dock.verification.perform(revision.key, "usability")
        with Dock.open(tmp_path, workers=0) as other:
            assert not other.verification.begin(revision.key)
            assert not other.verification.perform(revision.key, "accommodate")
    with Dock.open(tmp_path) as another:
        assert another.submission(submission.id).wait().state == "published"
    assert calls == []
