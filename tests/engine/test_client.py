"""The unmodified public client against a live service of ours, on either database."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from beimingwu.accounts import OPERATOR, Scope
from beimingwu.config import Settings
from beimingwu.learnware import pack
from beimingwu.server.service import open_service
from beimingwu.specification import Dimensions, SemanticSpecification, specify, write_specification
from beimingwu.specification.semantic import VOCABULARIES

from ..client.conftest import serving

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
#: What the client itself is taken from: that of the environment, and a later one beside it.
RELEASES = {"0.3.2": "", "0.4.0": str(ROOT / ".venv-engine" / "learnware-0.4.0")}
FEATURES = ("rain", "wind", "sun")
CENTRES = {"near": 0.0, "far": 4.0, "farther": 6.0}


def records(centre: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1.0, (200, len(FEATURES)))


def the_semantic(name: str, scenario: str, model: str | None) -> SemanticSpecification:
    return SemanticSpecification(
        name=name,
        description="A small learnware that a client of 2024 submits.",
        data="Table",
        task="Regression",
        library="Scikit-learn",
        scenarios=scenario,
        license="MIT",
        input=Dimensions.of(FEATURES),
        output=Dimensions(1),
        model=model,
    )


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    if not PYTHON.exists() or (RELEASES[found] and not Path(RELEASES[found]).exists()):
        pytest.skip(f"learnware {found} is not installed; `make engine` does it")
    return found


@pytest.fixture
def folder(tmp_path: Path, release: str) -> Path:
    """What the client has at hand: archives, semantic specifications, and its own data."""
    # A field that came with 0.4.0, which insists on it.
    kind = None if release == "0.3.2" else "Others"
    near = the_semantic("Weather, nearby", "Nature", kind)
    far = the_semantic("Weather, far away", "Industry", kind)
    for seed, (name, centre) in enumerate(CENTRES.items()):
        X = records(centre, seed)
        model = Ridge().fit(X, X @ np.array([1.0, -2.0, 0.5]))
        archive = pack(model, specify(X, size=20), near, tmp_path / f"{name}.zip")
        with zipfile.ZipFile(archive, "a") as opened:
            opened.writestr("padding.bin", np.random.default_rng(seed).bytes(2_500_000))
    query = {"Data": {"Type": "Class", "Values": ["Table"]}}
    query["Scenario"] = {"Type": "Tag", "Values": ["Industry"]}
    query["Name"] = {"Type": "String", "Values": ""}
    semantics = {
        "near": near.to_json(),
        "far": far.to_json(),
        "renamed": the_semantic("Weather, next door", "Nature", kind).to_json(),
        "query": query,
    }
    (tmp_path / "semantics.json").write_text(json.dumps(semantics))
    np.save(tmp_path / "records.npy", records(0.1, 9)[:5])
    write_specification(specify(records(0.1, 9), size=20), tmp_path / "mine.json")
    return tmp_path


def asked(release: str, url: str, token: str, folder: Path) -> dict[str, Any]:
    """Run the client's script in the engine's environment, and return what it tells."""
    home = folder / "home"
    home.mkdir()
    script = Path(__file__).with_name("client_process.py")
    given = [str(PYTHON), str(script), url, "ada@example.org", token, str(folder)]
    environment = {**os.environ, "HOME": str(home), "OMP_NUM_THREADS": "1", "TMPDIR": str(home)}
    environment |= {"NO_PROXY": "127.0.0.1", "PYTHONPATH": RELEASES[release]}
    ran = subprocess.run(given, capture_output=True, text=True, env=environment, timeout=500)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.fixture
def told(release: str, folder: Path, database: str) -> dict[str, Any]:
    plenty = {"rate_address": "100000/minute", "rate_account": "100000/minute"}
    settings = Settings(dock=str(folder / "dock"), database=database, **plenty)
    with open_service(settings, "http://127.0.0.1") as service:
        account = service.accounts.people.add("ada@example.org", "ada", "correct horse", OPERATOR)
        scopes = {Scope.READ, Scope.WRITE}
        token, _ = service.accounts.tokens.create(account, "client", scopes, OPERATOR)
        with serving(service) as port:
            found = asked(release, f"http://127.0.0.1:{port}/api", token, folder)
    assert found["release"].startswith(release)
    return found


def test_every_method_of_the_public_client_works(told: dict[str, Any], folder: Path) -> None:
    near, far = told["ids"]
    assert (near, far) == ("00000001", "00000002")
    # Connecting and signing in.
    assert (told["is_connected"], told["not_a_dock"]) == (True, False)
    assert '"code": 53' in told["wrong_login"]
    assert "login first" in told["must_log_in"]
    assert told["is_login"] == [False, True]
    for key, values in told["values"].items():
        assert values == list(VOCABULARIES[key])
    # Submitting, in several pieces.
    assert told["pieces"] > 1
    assert '"code": 51' in told["again"]
    assert told["verified"] == {near: "SUCCESS", far: "SUCCESS"}
    semantics = json.loads((folder / "semantics.json").read_text())
    assert told["semantic"] == semantics["near"]
    # Searching.
    assert told["by_words"]["single"]["learnware_ids"] == [far]
    assert told["by_words"]["single"]["matching"] == [0]
    assert told["by_nothing"]["single"]["learnware_ids"] == [far, near]
    assert told["by_nothing"]["multiple"]["matching"] is None
    assert told["second_page"]["single"]["learnware_ids"] == [near]
    assert told["by_data"]["single"]["learnware_ids"][0] == near
    assert told["by_data"]["single"]["semantic_specifications"][0] == semantics["near"]
    assert 0.9 < told["by_data"]["single"]["matching"][0] <= 1
    # Downloading and loading.
    assert {"learnware.yaml", "semantic_specification.json"} <= set(told["downloaded"])
    wanted = np.load(folder / "records.npy") @ np.array([1.0, -2.0, 0.5])
    for way in ("by_id", "by_path"):
        id, predicted = told[way]
        assert id == near
        assert np.ravel(predicted) == pytest.approx(wanted, abs=0.1)
    assert told["several"] == [near, far]
    # Updating and deleting.
    assert told["renamed"] == "Weather, next door"
    assert told["updated"] == "SUCCESS"
    assert '"code": 71' in told["not_mine"]
    assert "62" in told["not_there"]
    assert told["left"] == [near]
    assert '"code": 51' in told["deleted_twice"]
    assert "login first" in told["logged_out"]
