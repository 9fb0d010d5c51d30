from __future__ import annotations

import inspect
import pickle

import pytest

from beimingwu import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, errors.BeimingwuError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_drawn_tree_names_every_error_under_its_parent(kind: type):
    lines = [line for line in errors.__doc__.splitlines() if kind.__name__ in line.split()[:4]]
    assert len(lines) == 1
    ancestors = [k for k in inspect.getmro(kind) if k in KINDS]
    assert lines[0].index(kind.__name__) == 4 * (len(ancestors) - 1)


def test_codes_are_stable_names_and_no_two_kinds_share_one():
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_an_error_says_what_is_wrong_and_then_the_remedy():
    error = errors.NotFound("There is no learnware 00000042.", remedy="List them.", code="x.y")
    assert str(error).splitlines() == ["There is no learnware 00000042.", "List them."]
    assert error.code == "x.y"
    assert errors.NotFound.code == "not_found"


def test_an_error_survives_the_way_between_processes():
    error = errors.CheckFailed("It predicts NaN.", remedy="Mend it.", code="check.not_finite")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code) == (type(error), str(error), error.code)


def test_users_catch_them_as_the_builtin_errors_they_expect():
    assert issubclass(errors.InvalidSpecification, ValueError)
    assert issubclass(errors.NotFound, LookupError)
    assert issubclass(errors.MissingDependency, ImportError)
