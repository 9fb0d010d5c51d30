"""What the tests of environments share: a shop of small packages, made by hand, on this disk."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from beimingwu.runtime.environment import Environments
from beimingwu.runtime.installer import Installer
from beimingwu.runtime.interpreters import Interpreter, find_interpreters, ranked


@dataclass(frozen=True)
class Shop:
    """A folder of packages."""

    folder: Path

    def wheel(
        self,
        name: str,
        version: str,
        files: Mapping[str, str] | None = None,
        *,
        requires: Sequence[str] = (),
        tag: str = "py3-none-any",
    ) -> Path:
        """Put a wheel on the shelf; by default it holds one module that tells its version."""
        module = name.replace("-", "_")
        info = f"{module}-{version}.dist-info"
        contents = {f"{module}.py": f"version = {version!r}\n"} if files is None else dict(files)
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        contents[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        )
        contents[f"{info}/WHEEL"] = (
            f"Wheel-Version: 1.0\nGenerator: shop\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        record = "".join(f"{path},{digest(text)},{len(text)}\n" for path, text in contents.items())
        contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
        path = self.folder / f"{module}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, text in contents.items():
                archive.writestr(member, text)
        return path

    def source(self, name: str, version: str, setup: str) -> Path:
        """Put a package on the shelf that has to be built by running its setup.py."""
        path = self.folder / f"{name}-{version}.tar.gz"
        about = f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n"
        with tarfile.open(path, "w:gz") as archive:
            for member, text in {"setup.py": setup, "PKG-INFO": about}.items():
                info = tarfile.TarInfo(f"{name}-{version}/{member}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        return path


def digest(text: str) -> str:
    raw = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={raw.decode().rstrip('=')}"


@pytest.fixture(autouse=True)
def no_settings_of_whoever_runs_this(monkeypatch: pytest.MonkeyPatch):
    for name in list(os.environ):
        if name.startswith("UV_") or name in ("BEIMINGWU_CACHE", "BEIMINGWU_OFFLINE"):
            monkeypatch.delenv(name)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a shop that has a numpy (of no use) and two versions of `paint`."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shop = Shop(folder)
    shop.wheel("numpy", "2.0.0")
    shop.wheel("paint", "1.1.0")
    shop.wheel("paint", "1.2.0")
    return shop


@pytest.fixture
def installer(tmp_path: Path, shop: Shop) -> Installer:
    """Return an installer that knows the shop, and nothing else."""
    return Installer(tmp_path / "uv", indexes=("--no-index", "--find-links", str(shop.folder)))


@pytest.fixture(scope="session")
def pythons() -> tuple[Interpreter, ...]:
    """Return the Pythons of this machine, our own first."""
    return ranked("", find_interpreters())


@pytest.fixture
def environments(
    tmp_path: Path, installer: Installer, pythons: tuple[Interpreter, ...]
) -> Iterator[Environments]:
    """Return an empty folder of environments, made from the shop by our own Python."""
    made = Environments(tmp_path / "environments", installer=installer, interpreters=pythons[:1])
    yield made
    made.prune(0)


@pytest.fixture
def slow(installer: Installer) -> Installer:
    """Return an installer whose every step takes a little longer, to be met in the middle."""
    return replace(
        installer, confine=lambda words, _: ("sh", "-c", 'sleep 0.3; exec "$@"', "-", *words)
    )
