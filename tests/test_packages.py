"""What is installed from a wheel or an sdist has the pages; no Node is needed for that."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from beimingwu.server.web import STATIC

ROOT = Path(__file__).parents[1]


def built(target: str, folder: Path) -> Path:
    words = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    [found] = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def pages() -> set[str]:
    found = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    if "index.html" not in found:
        pytest.skip("the pages are not built: make web")
    return found


def test_wheel_has_the_pages(tmp_path: Path, pages: set[str]) -> None:
    with zipfile.ZipFile(built("wheel", tmp_path)) as wheel:
        prefix = "beimingwu/server/static/"
        names = {name.removeprefix(prefix) for name in wheel.namelist() if name.startswith(prefix)}
    assert names == pages
    assert len(names) > 30


def test_sdist_has_the_pages_and_their_sources(tmp_path: Path, pages: set[str]) -> None:
    with tarfile.open(built("sdist", tmp_path)) as sdist:
        names = [name.split("/", 1)[1] for name in sdist.getnames() if "/" in name]
    prefix = "src/beimingwu/server/static/"
    assert {name.removeprefix(prefix) for name in names if name.startswith(prefix)} == pages
    assert "web/src/main.tsx" in names
    assert not any("node_modules" in name for name in names)
