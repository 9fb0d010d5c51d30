"""Hostile manifests: each is refused with a code of its own, and nothing it names is run."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.errors import BeimingwuError, InvalidArchive
from beimingwu.learnware import Manifest, open_archive
from beimingwu.specification import RKME
from beimingwu.specification.files import dumps_specification

STATISTICAL = dumps_specification(RKME(np.eye(2), np.array([0.5, 0.5]), n=20))
MANIFEST = b"""
model: {class_name: Model, kwargs: {}}
stat_specifications:
- {module_path: learnware.specification, class_name: RKMETableSpecification,
   file_name: stat.json, kwargs: {}}
"""


def an_archive(manifest: bytes) -> bytes:
    """Return an archive that is sound but for its manifest."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writer:
        writer.writestr("learnware.yaml", manifest)
        writer.writestr("__init__.py", "class Model: pass")
        writer.writestr("stat.json", STATISTICAL)
        writer.writestr("requirements.txt", "numpy")
    return file.getvalue()


def with_model(text: str) -> bytes:
    return MANIFEST.replace(b"{class_name: Model, kwargs: {}}", text.encode())


def with_statistical(old: str, new: str) -> bytes:
    assert old.encode() in MANIFEST
    return MANIFEST.replace(old.encode(), new.encode())


ALIASES = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9)
)

HOSTILE: dict[str, tuple[bytes, str]] = {
    # Manifests that do something.
    "a tag that calls": (b"model: !!python/object/apply:os.system [echo pwned]", "manifest.tag"),
    "a tag that constructs": (
        b"model: !!python/object/new:subprocess.Popen [[id]]",
        "manifest.tag",
    ),
    "a tag that names a function": (b"model: !!python/name:os.system ''", "manifest.tag"),
    "a tag that imports": (b"model: !!python/module:os ''", "manifest.tag"),
    "a billion laughs": (ALIASES + MANIFEST, "manifest.explodes"),
    "an alias to itself": (b"model: &a [*a]", "manifest.explodes"),
    "nesting that overflows a stack": (b"model: " + b"[" * 50_000, "manifest.explodes"),
    "a hundred thousand values": (b"model: [" + b"1," * 100_000 + b"]", "manifest.explodes"),
    "YAML that is none": (b"model: {", "manifest.yaml"),
    "two YAML documents": (MANIFEST + b"---\n" + MANIFEST, "manifest.yaml"),
    "a number of 5000 digits": (
        with_model("{class_name: Model, kwargs: {n: %s}}" % ("9" * 5000)),
        "manifest.long_number",
    ),
    "a number in base 60, of 400 kB": (
        with_model("{class_name: Model, kwargs: {n: !!int '1%s'}}" % (":1" * 200_000)),
        "manifest.long_number",
    ),
    "a float in base 60, of 400 kB": (
        with_model("{class_name: Model, kwargs: {n: !!float '1%s.5'}}" % (":1" * 200_000)),
        "manifest.long_number",
    ),
    "a number in base 60": (
        with_model("{class_name: Model, kwargs: {n: !!int '1:30'}}"),
        "manifest.tag",
    ),
    "a number of 500,000 hexadecimal digits": (
        with_model("{class_name: Model, kwargs: {n: 0x%s}}" % ("f" * 500_000)),
        "manifest.long_number",
    ),
    "a float of 500,000 digits": (
        with_model("{class_name: Model, kwargs: {n: 1.%s}}" % ("9" * 500_000)),
        "manifest.long_number",
    ),
    "a number over 64 bits": (
        with_model("{class_name: Model, kwargs: {n: 0x8000000000000000}}"),
        "manifest.large_number",
    ),
    "a truth that is neither": (b"model: !!bool maybe", "manifest.yaml"),
    "a time that is none": (b"model: !!timestamp today", "manifest.yaml"),
    "a number that is empty": (b"model: !!int ''", "manifest.yaml"),
    "a manifest in UTF-16": (MANIFEST.decode().encode("utf-16"), "manifest.encoding"),
    "a key twice": (with_model("{class_name: Model, class_name: Evil}"), "manifest.duplicate_key"),
    "a manifest that is a list": (b"[model]", "manifest.shape"),
    # Manifests that name something else.
    "a shell command as specification": (
        with_statistical(
            "module_path: learnware.specification, class_name: RKMETableSpecification",
            "module_path: os, class_name: system",
        ),
        "manifest.statistical_class",
    ),
    "a statistical file outside": (
        with_statistical("stat.json", "../../etc/passwd"),
        "manifest.path_escape",
    ),
    "a statistical file at the root": (
        with_statistical("stat.json", "/etc/passwd"),
        "manifest.path_escape",
    ),
    "a module outside": (
        with_model("{class_name: Model, module_path: ../evil.py}"),
        "manifest.path_escape",
    ),
    "a module of the system": (
        with_model("{class_name: system, module_path: os}"),
        "manifest.module_path",
    ),
    "a class that is an expression": (
        with_model("{class_name: 'Model()', kwargs: {}}"),
        "manifest.class_name",
    ),
    "a class that is a keyword": (with_model("{class_name: lambda}"), "manifest.class_name"),
    "arguments that are a date": (
        with_model("{class_name: Model, kwargs: {day: 2024-01-01}}"),
        "manifest.kwargs",
    ),
    "arguments that are bytes": (
        with_model("{class_name: Model, kwargs: {b: !!binary aGk=}}"),
        "manifest.kwargs",
    ),
    "arguments that are no names": (
        with_model("{class_name: Model, kwargs: {'a b': 1}}"),
        "manifest.kwargs",
    ),
    "arguments that are a list": (
        with_model("{class_name: Model, kwargs: [1, 2]}"),
        "manifest.shape",
    ),
}


def test_the_manifest_that_the_hostile_ones_differ_from_is_accepted() -> None:
    with open_archive(an_archive(MANIFEST)) as archive:
        assert archive.manifest.statistical[0].file_name == "stat.json"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # Base 60 of YAML 1.1 stays text: a time of day is what it usually meant.
        ("1:30", "1:30"),
        ("190:20:30.15", "190:20:30.15"),
        ("1" + ":1" * 200_000, "1" + ":1" * 200_000),
        ("0x1f", 31),
        ("0b11", 3),
        ("-017", -15),
        ("1_000", 1000),
        ("0", 0),
        ("-9223372036854775808", -(2**63)),
        ("1.5e+3", 1500.0),
        ("-.5", -0.5),
        ("-.inf", float("-inf")),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_number_is_read_as_yaml_means_it_but_for_base_60(text: str, value: object) -> None:
    manifest = with_model("{class_name: Model, kwargs: {n: " + text + "}}")
    with open_archive(an_archive(manifest)) as archive:
        assert archive.manifest.kwargs["n"] == value


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_manifest_is_refused_with_its_own_code_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    manifest, code = HOSTILE[name]
    with pytest.raises(InvalidArchive) as caught:
        open_archive(an_archive(manifest))
    assert caught.value.code == code
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_no_module_named_by_a_manifest_is_imported_and_no_tag_runs(tmp_path: Path) -> None:
    """In an interpreter of its own: what has been imported there is ours alone."""
    marker = tmp_path / "marker"
    paths = []
    for number, data in enumerate(
        (
            with_statistical("module_path: learnware.specification", "module_path: antigravity"),
            with_model("{class_name: Model, module_path: antigravity}"),
            b"model: !!python/object/apply:os.mkdir [%s]" % bytes(marker),
        )
    ):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(an_archive(data))
        paths.append(str(path))
    script = (
        "import sys\n"
        "from beimingwu.errors import BeimingwuError\n"
        "from beimingwu.learnware import open_archive\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        with open_archive(path) as archive:\n"
        "            archive.specification()\n"
        "            print('opened')\n"
        "    except BeimingwuError as error:\n"
        "        print(error.code)\n"
        "print('antigravity' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["opened", "manifest.module_path", "manifest.tag", "False"]
    assert not marker.exists()


@given(st.text(alphabet=st.sampled_from("a:&*!{}[]<>|-# \n'\"\t,?%@0"), max_size=80))
def test_any_text_at_all_is_refused_or_read(text: str) -> None:
    try:
        manifest = Manifest.parse(MANIFEST + text.encode())
    except BeimingwuError:
        return
    assert Manifest.parse(manifest.dump()) == manifest
