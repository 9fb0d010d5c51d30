"""How a verification ends when something breaks that is not the learnware."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beimingwu.dock import Dock
from beimingwu.errors import CheckFailed
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


def test_a_full_disk_is_no_fault_of_the_learnware_and_is_tried_again(
    tmp_path: Path, archive: Archive, semantic: Semantic, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        broken(patched, OSError(errno.ENOSPC, "No space left on device"))
        with Dock.open(tmp_path) as dock:
            submission = dock.submit(archive(), semantic())
            with pytest.raises(OSError, match="No space"):
                submission.wait()
            assert submission.state == "uploaded"
    with Dock.open(tmp_path) as dock:
        assert dock.submission(submission.id).wait().state == "published"
