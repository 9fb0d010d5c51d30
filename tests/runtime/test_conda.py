"""conda's environment.yaml into the same normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.errors import InvalidArchive
from beimingwu.learnware.archive import Requirements
from beimingwu.runtime.requirements import Request, normalise

EXPORT = """
name: learnware_env
channels: [conda-forge, defaults]
dependencies:
  - _libgcc_mutex=0.1=main
  - ca-certificates=2023.08.22=h06a4308_0
  - libstdcxx-ng=11.2.0=h1234567_1
  - openssl=1.1.1w=h7f8727e_0
  - pip=23.3=py38h06a4308_0
  - python=3.8.18=h955ad1f_0
  - numpy=1.24.3=py38h14f4228_0
  - conda-forge::scikit-learn=1.3
  - pytorch==1.13.1
  - pip:
      - six==1.16.0
      - learnware
"""


def read(text: str) -> Request:
    return normalise(Requirements("environment.yaml", text))


def of(*entries: str) -> list[str]:
    return read("dependencies:\n" + "".join(f'- "{entry}"\n' for entry in entries)).text.split("\n")


def test_an_export_of_conda_becomes_packages_of_pypi_and_a_python():
    request = read(EXPORT)
    assert request.python == "==3.8.*"
    assert request.text.split() == [
        "numpy==1.24.3",
        "scikit-learn==1.3.*",
        "torch==1.13.1",
        "six==1.16.0",
    ]


def test_what_is_no_python_package_is_left_out_and_named():
    [note] = [note for note in read(EXPORT).notes if "no Python packages" in note]
    for name in ("_libgcc_mutex", "ca-certificates", "libstdcxx-ng", "openssl", "pip"):
        assert name in note


@pytest.mark.parametrize(
    ("entry", "requirement"),
    [
        ("scipy", "scipy"),
        ("scipy 1.10.*", "scipy==1.10.*"),
        ("scipy>=1.7, <2", "scipy<2,>=1.7"),
        ("scipy >=1.7 py38_0", "scipy>=1.7"),
        ("scipy=1.10*", "scipy==1.10.*"),
        ("scipy[version='>=1.2']", "scipy"),
        ("scipy=1.10|=1.11", "scipy"),
        ("scipy=2023c", "scipy"),
        ("py-xgboost-cpu=1.7.6", "xgboost==1.7.6.*"),
        ("msgpack-python", "msgpack"),
        ("librosa=0.10", "librosa==0.10.*"),
    ],
)
def test_an_entry_of_conda_has_its_counterpart(entry, requirement):
    assert of(entry)[0] == requirement


@pytest.mark.parametrize(
    ("entry", "python"),
    [
        ("python", ""),
        ("python=3.9", "==3.9.*"),
        ("python==3.10.4", "==3.10.*"),
        ("python>=3.8,<3.11", "<3.11,>=3.8"),
        ("python=3", "==3.*"),
        ("python==3.8rc1", "==3.8.*"),
        ("python==3.8+local", "==3.8.*"),
    ],
)
def test_a_pin_of_python_is_one_of_its_minor_version(entry, python):
    assert read(f"dependencies: ['{entry}']").python == python


def test_pip_wins_where_both_ask_for_a_package():
    request = read("dependencies: [numpy=1.20, {pip: ['numpy==1.24.3']}]")
    assert request.text.split() == ["numpy==1.24.3"]
    assert any("pip asks for numpy" in note for note in request.notes)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dependencies: [{pip: ['git+https://host/x']}]", "requirements.vcs"),
        ("dependencies: [{pip: ['--index-url https://host']}]", "requirements.index_option"),
        ("dependencies: ['https://host/x.conda']", "requirements.url"),
        ("dependencies: ['!!']", "requirements.syntax"),
        ("dependencies: {numpy: 1}", "requirements.conda"),
        ("dependencies: [{conda: [x]}]", "requirements.conda"),
        ("- numpy", "requirements.conda"),
        ("dependencies: [numpy", "requirements.yaml"),
        ("dependencies: !!python/object/apply:os.system [id]", "requirements.tag"),
        (
            "a: &a [x]\nb: &b [" + "*a," * 300 + "]\nc: [" + "*b," * 300 + "]",
            "requirements.explodes",
        ),
    ],
)
def test_what_is_no_environment_is_refused_by_the_name_of_its_file(text, code):
    with pytest.raises(InvalidArchive) as caught:
        read(text)
    assert caught.value.code == code
    assert "environment.yaml" in caught.value.problem
    assert "learnware.yaml" not in str(caught.value)


def test_an_environment_without_dependencies_needs_numpy_alone():
    assert read("name: x\ndependencies:\n").text.split() == ["numpy"]


@given(st.lists(st.text(alphabet="numpy-=<>|!~*.,[]' 0123:/", max_size=25), max_size=5))
def test_any_entries_are_read_into_named_packages_or_refused(entries: list[str]):
    text = "dependencies:\n" + "".join(f'- "{entry}"\n' for entry in entries)
    try:
        request = read(text)
    except InvalidArchive as refused:
        assert refused.code.startswith("requirements.")
        return
    assert all(line[0].isalnum() for line in request.text.splitlines())
