from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import beimingwu


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print('\\n'.join(sys.modules))"
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split())


def test_every_public_name_is_importable_and_all_is_sorted():
    assert beimingwu.__all__ == sorted(beimingwu.__all__)
    for name in beimingwu.__all__:
        assert getattr(beimingwu, name) is not None


def test_every_public_name_is_the_one_of_its_room():
    for name, room in beimingwu._ROOM_OF.items():
        module = importlib.import_module(f"beimingwu.{room}")
        assert getattr(beimingwu, name) is getattr(module, name)
        assert name in module.__all__


def test_dir_lists_the_public_names_only():
    assert dir(beimingwu) == beimingwu.__all__


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Market'"):
        beimingwu.Market  # noqa: B018


def test_import_beimingwu_imports_no_numpy():
    modules = modules_after("import beimingwu")
    assert "beimingwu" in modules
    assert not {"numpy", "scipy", "sqlalchemy", "click", "rich"} & modules


def test_the_core_never_imports_torch_pandas_or_scikit_learn():
    modules = modules_after(
        "from beimingwu import Dock, pack, specify, GatedReuser, Requirement, Learnware"
    )
    assert not {"torch", "pandas", "sklearn", "lightgbm", "alembic"} & modules
