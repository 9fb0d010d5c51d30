"""One contract for all docks: in a folder, and behind a server, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beimingwu.dock import Dock
from beimingwu.dock.testing import CHECKS

Serve = Callable[..., Any]


@pytest.fixture(params=["folder", "served"])
def dock(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, serve: Serve
) -> Iterator[Any]:
    """A new dock of each kind."""
    if request.param == "folder":
        with Dock.open(tmp_path / "dock") as opened:
            yield opened
        return
    with serve(tmp_path / "dock", database) as running, running.client() as client:
        yield client


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("_check_"))
def test_a_dock_keeps_the_contract(dock: Any, check: Callable[[Any], None]) -> None:
    check(dock)
