"""The service does what its schema says: Schemathesis goes through all of it, in every phase.

Examples, the borders of each parameter, generated requests, and sequences that follow what was
answered; by somebody who may do everything, at a dock that holds something. A longer run:

    BEIMINGWU_TEST_EXAMPLES=100 python -m pytest tests/server/test_schema.py -s
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from beimingwu.accounts import Role
from beimingwu.config import Settings
from beimingwu.dock.testing import a_learnware
from beimingwu.server.service import Service, open_service

from ..client.conftest import serving
from .conftest import Person, a_person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]
EXAMPLES = int(os.environ.get("BEIMINGWU_TEST_EXAMPLES", "2"))
PHASES = ("examples", "coverage", "fuzzing", "stateful")
#: No schema can tell all rules: that a name is visible, an upload announced, a text no number. What
#: breaks such a rule is a documented 422, which this check takes for a fault.
NOT_CHECKED = "positive_data_acceptance"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    names = ("address", "account", "sign_in", "sign_in_account", "sign_in_address", "mail")
    plenty = {f"rate_{name}": "1000000/minute" for name in (*names, "report")}
    settings = Settings(dock=str(tmp_path / "dock"), workers=1, **plenty)
    with open_service(settings, "http://127.0.0.1") as opened:
        yield opened


#: Who sends a header that nobody knows is not at fault, nor who takes no notice of it.
CONFIGURATION = f"""
[generation]
allow-extra-parameters = false
[phases.stateful.generation]
max-examples = {10 * EXAMPLES}
"""


def gone_through(
    port: int,
    caller: Person,
    report: Path,
    *chosen: str,
    parameters: str = "",
    unchecked: Sequence[str] = (),
) -> dict[str, Any]:
    """Let Schemathesis go through the operations that are chosen, and return its report."""
    url = f"http://127.0.0.1:{port}"
    options = (
        "--checks",
        "all",
        "--exclude-checks",
        ",".join((NOT_CHECKED, *unchecked)),
        "--continue-on-failure",
    )
    bounds = ("--phases", ",".join(PHASES), "--max-examples", str(EXAMPLES), "--seed", "1")
    reports = ("--report", "json", "--report-json-path", str(report), "--no-color")
    header = ("--header", f"Authorization: Bearer {caller.token}")
    (report.parent / "schemathesis.toml").write_text(parameters + CONFIGURATION)
    called = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/v1/openapi.json"),
            *(*options, *bounds, *reports, *header, "--generation-database", "none"),
            *("--suppress-health-check", "all", *chosen),
        ],
        cwd=report.parent,
        capture_output=True,
        text=True,
    )
    print(called.stdout)
    assert report.exists(), called.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    assert found["failures"] == found["errors"] == []
    assert called.returncode == 0
    # Phases that nothing was left for are skipped, such as sequences of one operation.
    assert found["phases"]["coverage"]["status"] == "success"
    return found


def these(option: str, *names: str) -> list[str]:
    return [part for name in names for part in (f"--{option}-operation-id", name)]


#: Whoever goes through everything would end their own token in passing, or make super admins.
ALONE = ("revokeToken", "setRole")


def test_every_answer_is_one_that_the_schema_tells_of(service: Service, tmp_path: Path) -> None:
    admin = a_person(service, "admin", Role.ADMIN)
    for centre in (0.0, 3.0):
        archive = a_learnware(centre=centre, name=f"Sums from {centre:.0f}")
        service.dock.submit(archive, owner=admin.account.owner).wait()
    with serving(service) as port:
        found = gone_through(port, admin, tmp_path / "report.json", *these("exclude", *ALONE))
    assert found["operations"]["tested"] == found["operations"]["total"] - len(ALONE)
    # It was somebody who may do everything, to the end.
    assert service.accounts.tokens.identify(admin.token).account.role is Role.ADMIN


def test_so_is_every_answer_about_a_learnware_that_is_there(
    service: Service, tmp_path: Path
) -> None:
    """Whoever guesses ids hears little but that there is no such learnware."""
    ada = a_person(service, "ada")
    id = service.dock.submit(a_learnware(), owner=ada.account.owner).wait().id
    about = ("--include-path-regex", r"^/v1/learnwares/\{id\}")
    with serving(service) as port:
        found = gone_through(
            port,
            ada,
            tmp_path / "report.json",
            *(*about, *these("exclude", "deleteLearnware")),
            # In the place of each id that it makes up, also of those that are none.
            parameters=f'[parameters]\n"path.id" = "{id}"\n',
            unchecked=("negative_data_rejection",),
        )
    assert found["operations"]["tested"] > 10
    assert service.dock.show(id)


def test_so_is_every_answer_of_what_may_end_who_asks(service: Service, tmp_path: Path) -> None:
    root = a_person(service, "root", Role.SUPER_ADMIN)
    with serving(service) as port:
        found = gone_through(port, root, tmp_path / "report.json", *these("include", *ALONE))
    assert found["operations"]["tested"] == len(ALONE)
