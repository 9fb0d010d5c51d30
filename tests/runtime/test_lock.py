"""From a request to exact versions: what is left out, loosened, moved elsewhere, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from beimingwu.errors import EnvironmentFailed
from beimingwu.learnware.archive import Requirements
from beimingwu.runtime.installer import Installer
from beimingwu.runtime.interpreters import Interpreter
from beimingwu.runtime.lock import Lock, resolve
from beimingwu.runtime.requirements import normalise


@pytest.fixture
def lock(installer: Installer, pythons):
    """Return a function that resolves lines of requirements.txt from the shop."""

    def locked(
        *lines: str, kind="requirements.txt", interpreters=pythons[:1], by=installer
    ) -> Lock:
        text = "\n".join(lines)
        if kind == "environment.yaml":
            text = "dependencies:\n" + "".join(f"- {line}\n" for line in lines)
        return resolve(normalise(Requirements(kind, text)), interpreters, by)

    return locked


def test_a_lock_has_exact_versions_and_hashes_of_all_that_is_needed(lock, shop):
    shop.wheel("picture", "3.0", requires=["paint<1.2"])
    locked = lock("picture")
    assert locked.versions == {"numpy": "2.0.0", "paint": "1.1.0", "picture": "3.0"}
    assert locked.packages.count("--hash=sha256:") == 3
    assert locked.notes == ()
    assert Lock.from_json(locked.to_json()) == locked


def test_the_same_question_has_the_same_lock_and_another_one_another(lock):
    assert lock("paint").digest == lock("paint==1.2.0").digest != lock("paint==1.1.0").digest


@pytest.mark.parametrize("kind", ["requirements.txt", "environment.yaml"])
def test_a_package_that_no_index_has_is_left_out_with_a_note(lock, kind):
    locked = lock("paint", "no-such-thing==1.0", kind=kind)
    assert set(locked.versions) == {"numpy", "paint"}
    [note] = locked.notes
    assert "`no-such-thing==1.0` is left out: no index has it" in note


def test_a_package_of_another_system_is_left_out_with_a_note(lock, shop):
    shop.wheel("pywin32", "305", tag="cp311-cp311-win_amd64")
    shop.wheel("pywin33", "305", tag="py3-none-win_amd64")
    locked = lock("paint", "pywin32", "pywin33>=1")
    assert set(locked.versions) == {"numpy", "paint"}
    assert all("it exists for other systems only" in note for note in locked.notes)
    assert len(locked.notes) == 2


def test_a_pin_that_does_not_exist_gives_way_to_its_series_with_a_note(lock):
    locked = lock("paint==1.1.7", kind="environment.yaml")
    assert locked.versions["paint"] == "1.1.0"
    assert "paint==1.1.* is taken" in locked.notes[0]
    assert lock("paint==1.9").versions["paint"] == "1.2.0"


def test_a_pin_without_a_series_leaves_the_package_out_but_never_numpy(lock):
    locked = lock("paint==7.0", "numpy==99.0")
    assert locked.versions == {"numpy": "2.0.0"}
    assert len(locked.notes) == 2


def test_a_marker_that_does_not_hold_asks_for_nothing(lock):
    assert set(lock('no-such-thing; sys_platform == "win32"').versions) == {"numpy"}


def test_a_package_without_wheels_is_refused_with_its_line_and_its_code_is_not_run(
    lock, shop, tmp_path: Path
):
    ran = tmp_path / "ran"
    shop.source("raw", "1.0", f"open({str(ran)!r}, 'w')\n")
    with pytest.raises(EnvironmentFailed, match=r"`raw>=0\.5` has no wheel") as caught:
        lock("paint", "raw>=0.5")
    assert caught.value.code == "environment.source_only"
    assert not ran.exists()


def test_a_package_of_conda_whose_namesake_has_no_wheels_is_left_out(lock, shop):
    shop.source("raw", "1.0", "")
    locked = lock("paint", "raw=1.0", kind="environment.yaml")
    assert set(locked.versions) == {"numpy", "paint"}
    assert "`raw=1.0` is left out: it has no wheel" in locked.notes[0]


def test_a_package_that_needs_one_without_wheels_cannot_be_installed(lock, shop, tmp_path: Path):
    ran = tmp_path / "ran"
    shop.source("raw", "1.0", f"open({str(ran)!r}, 'w')\n")
    shop.wheel("cooked", "1.0", requires=["raw"])
    with pytest.raises(EnvironmentFailed, match="raw") as caught:
        lock("cooked")
    assert caught.value.code == "environment.unresolvable"
    assert not ran.exists()


def test_packages_that_contradict_each_other_are_refused_with_the_reason(lock, shop):
    shop.wheel("picture", "3.0", requires=["paint<1.2"])
    with pytest.raises(EnvironmentFailed, match=r"paint") as caught:
        lock("picture", "paint==1.2.0")
    assert caught.value.code == "environment.unresolvable"


def absent_minor(pythons) -> int:
    present = {python.minor[1] for python in pythons}
    return next(minor for minor in range(14, 7, -1) if minor not in present)


def test_a_package_for_a_python_that_is_not_here_names_the_one_to_install(lock, shop, pythons):
    minor = absent_minor(pythons[:1])
    shop.wheel("brush", "1.0", tag=f"cp3{minor}-none-any")
    with pytest.raises(
        EnvironmentFailed, match=rf"`brush==1.0` needs Python 3\.{minor}\b"
    ) as caught:
        lock("brush==1.0")
    assert caught.value.code == "environment.needs_python"
    assert f"3.{minor}" in caught.value.remedy


def test_a_package_for_another_python_of_this_machine_takes_that_one(lock, shop, pythons):
    if len(pythons) < 2:
        pytest.skip("one Python on this machine")
    other = pythons[1]
    tag = f"cp3{other.minor[1]}"
    shop.wheel("brush", "1.0", tag=f"{tag}-none-any")
    locked = lock("brush", interpreters=pythons)
    assert locked.python == f"3.{other.minor[1]}"
    assert f"3.{other.minor[1]} is used" in locked.notes[-1]


def test_a_pin_of_python_that_is_not_here_is_served_by_the_nearest_with_a_note(lock, pythons):
    minor = absent_minor(pythons[:1])
    locked = lock("paint", f"python=3.{minor}", kind="environment.yaml")
    assert locked.python == ".".join(map(str, pythons[0].minor))
    assert locked.notes == (f"Python 3.{minor} is not on this machine; {locked.python} is used.",)


def test_without_any_python_the_error_says_so(lock):
    with pytest.raises(EnvironmentFailed) as caught:
        lock("paint", interpreters=())
    assert caught.value.code == "environment.needs_python"


def test_an_index_that_does_not_answer_leaves_nothing_out(
    lock, installer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    deaf = replace(installer, indexes=("--default-index", "http://127.0.0.1:9/simple"))
    with pytest.raises(EnvironmentFailed) as caught:
        lock("paint", by=deaf)
    assert caught.value.code == "environment.offline"


def test_an_interpreter_that_is_broken_is_no_reason_to_leave_a_package_out(lock, tmp_path: Path):
    broken = Interpreter("3.11.0", tmp_path / "absent", tmp_path)
    with pytest.raises(EnvironmentFailed) as caught:
        lock("paint", interpreters=(broken,))
    assert caught.value.code == "environment.uv"


def test_all_questions_to_uv_share_one_time(lock, shop, slow, monkeypatch: pytest.MonkeyPatch):
    """A line that fits no Python takes a dozen of them, and each alone has time enough."""
    monkeypatch.setenv("BEIMINGWU_ENVIRONMENT_RESOLVE_SECONDS", "1.5")
    shop.wheel("old", "1.0", tag="cp27-none-any")
    with pytest.raises(EnvironmentFailed, match=r"longer than 1\.5 s") as caught:
        lock("old", by=slow)
    assert caught.value.code == "environment.timed_out"
