"""The doctor is honest: it finds the walls, finds the gaps, and says how to mend the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from beimingwu.errors import SandboxUnavailable
from beimingwu.runtime import doctor, probe, trial
from beimingwu.runtime.doctor import examine
from beimingwu.runtime.profiles import Profile


@pytest.mark.parametrize("profile", [Profile.BUBBLEWRAP, Profile.LANDLOCK])
def test_every_wall_of_a_profile_is_tried_and_stands(profile: Profile) -> None:
    try:
        trial.require(profile)
    except SandboxUnavailable as error:
        pytest.skip(error.problem)
    found = examine(profile)
    names = [*probe.WALLS, "not root outside", "dies with us"]
    names += ["installing"] if profile is Profile.BUBBLEWRAP else []
    assert {wall.name: wall.breach for wall in found.walls} == dict.fromkeys(names, "")
    assert found.sound


def test_the_probe_gets_through_where_there_are_no_walls(tmp_path: Path) -> None:
    """Else that it does not get through would say nothing."""
    with doctor._targets() as target:
        target |= {"profile": "none", "calls": doctor._numbers()}
        target |= {name: getattr(doctor._SMALL, name) for name in vars(doctor._SMALL)}
        target |= {"folders": [str(tmp_path)]}
        ended = subprocess.run(
            [sys.executable, "-I", str(doctor.PROBE), json.dumps(target)],
            env={"TMPDIR": str(tmp_path), "BEIMINGWU_TOKEN": "secret"},
            capture_output=True,
            text=True,
            check=True,
        )
    breaches = json.loads(ended.stdout)
    got_through = {name for name, breach in breaches.items() if breach}
    mine = {"capabilities"} if os.geteuid() != 0 else set()  # Only root has any to lose.
    assert got_through == set(probe.WALLS) - mine
    assert "BEIMINGWU_TOKEN" in breaches["environment"]


def test_a_machine_without_bubblewrap_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    found = examine(Profile.BUBBLEWRAP)
    assert not found.sound
    assert not found.walls
    assert "bwrap" in found.problem
    assert "apt-get install bubblewrap" in found.remedy


SWITCHES = {
    "apparmor_restrict_unprivileged_userns": ("1", "AppArmor"),
    "unprivileged_userns_clone": ("0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    "max_user_namespaces": ("0", "sysctl -w user.max_user_namespaces"),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_kernel_that_forbids_namespaces_is_told_the_switch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, mend = SWITCHES[name]
    (tmp_path / name).write_text(f"{value}\n")
    switches = tuple((str(tmp_path / Path(s).name), bad, say) for s, bad, say in trial.SWITCHES)
    monkeypatch.setattr(trial, "SWITCHES", switches)
    said = "No permissions to create a new namespace"
    assert mend in trial.mend(Profile.BUBBLEWRAP, said)


def test_a_container_that_hides_proc_is_told_how_to_start_it() -> None:
    said = "Can't mount proc on /newroot/proc: Operation not permitted"
    assert "systempaths=unconfined" in trial.mend(Profile.BUBBLEWRAP, said)
    assert "SYS_ADMIN" in trial.mend(Profile.BUBBLEWRAP, "Operation not permitted")


def test_no_walls_are_no_sound_profile() -> None:
    assert not examine(Profile.NONE).sound
