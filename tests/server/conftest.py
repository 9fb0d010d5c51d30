"""A service in a new folder, and people who call it in process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.service import Service, open_service


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(dock=str(tmp_path / "dock"))


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with open_service(settings, "http://testserver") as opened:
        yield opened


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as opened:
        yield opened
