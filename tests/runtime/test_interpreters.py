"""The Pythons of this machine: found, told apart, ranked."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from beimingwu.runtime.interpreters import Interpreter, find_interpreters, ranked

OWN = (sys.version_info.major, sys.version_info.minor)


def python(version: str) -> Interpreter:
    return Interpreter(version, Path(f"/usr/bin/python{version}"), Path("/usr"))


def minors(specifier: str, *versions: str) -> list[tuple[int, int]]:
    return [found.minor for found in ranked(specifier, [python(version) for version in versions])]


def test_our_own_python_is_found_and_not_the_virtual_environment_around_it():
    [found] = find_interpreters([Path(sys.executable)])
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.path == Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    assert found.prefix == Path(sys.base_prefix).resolve()


def test_what_is_no_python_is_passed_over(tmp_path: Path):
    liar = tmp_path / "python3"
    liar.write_text("#!/bin/sh\necho hello\n")
    liar.chmod(0o755)
    assert find_interpreters([liar, tmp_path / "absent", Path("/bin/false")]) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search every folder")
def test_a_folder_that_may_not_be_searched_is_passed_over(tmp_path: Path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o000)
    monkeypatch.setenv("PATH", str(locked))
    monkeypatch.setenv("PYENV_ROOT", str(locked))
    assert find_interpreters()


def test_the_first_of_a_version_is_the_one_that_is_used(tmp_path: Path):
    again = tmp_path / "python3"
    again.symlink_to(sys.executable)
    assert len(find_interpreters([Path(sys.executable), again])) == 1


def test_a_pin_is_served_by_its_version_and_else_by_the_nearest():
    assert minors("==3.9.*", "3.12.1", "3.9.18", "3.8.1")[0] == (3, 9)
    assert minors("==3.9.*", "3.12.1", "3.10.1", "3.8.1") == [(3, 10), (3, 8), (3, 12)]
    assert minors("==3.7.*", "3.12.1", "3.8.1")[0] == (3, 8)


def test_bounds_are_kept_before_nearness():
    assert minors(">=3.9,<3.11", "3.13.0", "3.11.7", "3.10.1", "3.9.1")[:2] == [(3, 10), (3, 9)]


@pytest.mark.parametrize("specifier", ["", ">=3.8"])
def test_our_own_version_is_taken_where_it_will_do(specifier):
    versions = ["3.8.1", "3.20.1", ".".join(map(str, (*OWN, 0)))]
    assert minors(specifier, *versions)[0] == OWN
