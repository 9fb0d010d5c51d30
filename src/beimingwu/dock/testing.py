"""The common test of all docks: run `check_dock` on yours; and small learnwares to fill one with.

It needs no test framework; each rule that is broken raises an `AssertionError` that names it. A
dock in a folder, and a client of a dock on a server, pass the same one.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from beimingwu.dock.dock import Dock
from beimingwu.errors import (
    BeimingwuError,
    CheckFailed,
    Conflict,
    InvalidArchive,
    InvalidInput,
    InvalidRequirement,
    InvalidSpecification,
    NotFound,
)
from beimingwu.learnware.archive import open_archive
from beimingwu.learnware.manifest import MANIFEST_NAME, Manifest, StatisticalEntry
from beimingwu.search import Requirement, SemanticFilter, Suggestion
from beimingwu.specification.files import dumps_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

_MODULE = """
import numpy as np


class Model:
    input_shape = ({inputs},)
    output_shape = (1,)

    def predict(self, X):
        return {answer}
"""
_SEMANTIC_NAME = "semantic_specification.json"


def a_semantic(inputs: int = 3, **changes: Any) -> SemanticSpecification:
    """Return the semantic specification of a regression over a small table.

    Parameters
    ----------
    inputs
        Number of its columns.
    changes
        Fields that differ.

    Examples
    --------
    >>> a_semantic(license="GPL-3.0").license
    'GPL-3.0'
    """
    values: dict[str, Any] = {
        "name": "Sums of columns",
        "description": "Adds up the columns of a small table.",
        "data": "Table",
        "task": "Regression",
        "library": "Others",
        "scenarios": ("Education",),
        "license": "MIT",
        "input": Dimensions.of([f"column {j}" for j in range(inputs)]),
        "output": Dimensions(1),
    }
    return SemanticSpecification(**{**values, **changes})


def a_specification(inputs: int = 3, centre: float = 0.0, seed: int = 0) -> RKME:
    """Return the specification of a normal distribution around a centre: twenty draws as points.

    They tell of the distribution what twenty records do, and so do not stand for more.

    Examples
    --------
    >>> a_specification(inputs=2)
    RKME(table, 20 points of 2 features, for 20 records)
    """
    points = np.random.default_rng(seed).normal(centre, 1.0, (20, inputs))
    return RKME(points.astype(np.float32), np.full(20, 0.05), n=20)


def a_learnware(
    inputs: int = 3,
    centre: float = 0.0,
    seed: int = 0,
    answer: str = "X.sum(axis=1)",
    module: str | None = None,
    padding: int = 0,
    **changes: Any,
) -> bytes:
    """Return the archive of a learnware that answers with an expression of X; it needs numpy only.

    Parameters
    ----------
    inputs, centre, seed
        Of its specification.
    answer, module
        What its model computes; or all of its module.
    padding
        Bytes that cannot be compressed, to make it larger.
    changes
        Fields in which its semantic specification differs from `a_semantic`.

    Examples
    --------
    >>> a_learnware()[:2]
    b'PK'
    """
    specification = a_specification(inputs, centre, seed)
    entry = StatisticalEntry("RKMETableSpecification", "stat.json", {})
    manifest = Manifest("Model", statistical=(entry,), semantic_file=_SEMANTIC_NAME)
    files = {
        MANIFEST_NAME: manifest.dump(),
        "__init__.py": (module or _MODULE.format(inputs=inputs, answer=answer)).encode(),
        "stat.json": dumps_specification(specification),
        "requirements.txt": b"numpy\n",
        _SEMANTIC_NAME: a_semantic(inputs, **changes).dumps().encode(),
    }
    if padding:
        files["padding.bin"] = np.random.default_rng(seed).bytes(padding)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            # One date for all: equal learnwares are equal bytes.
            packed.writestr(zipfile.ZipInfo(name, (2024, 8, 25, 0, 0, 0)), content)
    return buffer.getvalue()


#: Lends something that answers the calls of a `Dock`, as a `Client` does.
MakeDock = Callable[[], AbstractContextManager[Any]]


def check_dock(make_dock: MakeDock) -> None:
    """Check that a dock keeps the contract.

    Parameters
    ----------
    make_dock
        Lends a new, empty dock that verifies what is submitted, at each call. Whoever uses it may
        submit, and owns what it submits.

    Raises
    ------
    AssertionError
        A rule is broken; the message names it.

    Examples
    --------
    >>> from beimingwu import Dock
    >>> check_dock(lambda: Dock.open(tempfile.mkdtemp()))  # doctest: +SKIP
    """
    for check in CHECKS:
        with make_dock() as dock:
            check(dock)


def _check_empty(dock: Dock) -> None:
    _require(len(dock) == dock.count(state=None) == 0, "a new dock is not empty")
    _require(list(dock.list()) == [], "a new dock lists something")
    _require(not dock.search({}), "a new dock finds something")
    _require(not dock.search(a_specification()).single, "a new dock finds something near")
    _require(not any(dock.facets().values()), "a new dock counts something")
    for look in (dock.get, dock.show, dock.events, dock.submission, dock.withdraw, dock.delete):
        _require_refused(look, NotFound, "not_found.learnware", "00000001")
        _require_refused(look, NotFound, "not_found.id", "../1")


def _check_submission(dock: Dock) -> None:
    archive = a_learnware(name="Sums, 北京")
    submission = dock.submit(archive)
    steps = list(submission)
    order = [step.name for step in steps if step.name != "environment"]
    _require(
        order == ["archive", "manifest", "semantic", "statistical", "usability", "accommodate"],
        "a submission does not tell its steps in order",
    )
    _require(submission.wait() is submission, "wait does not return the submission")
    _require((submission.id, submission.number) == ("00000001", 1), "the first has another id")
    _require(submission.state == "published", "a good learnware is not published")
    _require(submission.steps == tuple(steps), "the steps are told differently afterwards")
    _require(list(dock.submission("00000001")) == steps, "a submission cannot be followed again")
    record = dock.show("00000001")
    _require(record.steps == tuple(steps), "the record holds other steps")
    _require(record.semantic == a_semantic(name="Sums, 北京"), "the record holds other words")
    _require((record.name, record.state) == ("Sums, 北京", "published"), "the record is another's")
    digest = hashlib.sha256(archive).hexdigest()
    _require((record.sha256, record.size) == (digest, len(archive)), "the archive is another")
    _require(len(dock) == dock.count() == 1, "it is not counted")
    _require([one.id for one in dock.list()] == ["00000001"], "it is not listed")
    kinds = [event.kind for event in dock.events("00000001")]
    _require(kinds == ["submitted", "verifying", "published"], "its events are others")


def _check_sources(dock: Dock) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learnware.zip"
        path.write_bytes(a_learnware(centre=1.0))
        dock.submit(path).wait()
        dock.submit(io.BytesIO(a_learnware(centre=2.0)), a_semantic(name="Other words")).wait()
        missing = path.with_name("missing.zip")
        _require_refused(dock.submit, InvalidInput, "input.archive", missing)
    _require(dock.show("00000002").name == "Other words", "the words beside it are not used")


def _check_prediction(dock: Dock) -> None:
    id = dock.submit(a_learnware(answer="2 * X.sum(axis=1)")).wait().id
    with dock.get(id) as learnware:
        answers = learnware.predict(np.ones((4, 3), dtype=np.float32))
        _require(answers.tolist() == [6.0] * 4, "a learnware predicts something else")
        spec, sent = learnware.specification, a_specification()
        _require(np.array_equal(spec.points, sent.points), "its specification has other points")
        _require(np.array_equal(spec.weights, sent.weights), "its specification weighs otherwise")
        _require((learnware.id, learnware.semantic) == (id, a_semantic()), "it is another's")


def _check_rejection(dock: Dock) -> None:
    submission = dock.submit(a_learnware(answer="X / 0"))
    failed = _require_refused(submission.wait, CheckFailed, None)
    _require(bool(failed.remedy), "a rejection does not say what to do")
    _require(submission.state == "rejected", "a bad learnware is not rejected")
    record = dock.show(submission.id)
    _require(record.steps[-1].code == failed.code, "the log does not name what failed")
    _require(len(dock) == 0 and not dock.search({}), "a rejected learnware is found")
    _require(dock.count(state="rejected") == 1, "a rejected learnware is not listed to its owner")
    _require_refused(dock.get, Conflict, "conflict.state", submission.id)
    _require_refused(dock.withdraw, Conflict, "conflict.state", submission.id)


def _check_refusals(dock: Dock) -> None:
    _require_refused(dock.submit, InvalidArchive, None, b"no archive at all")
    spoiled = a_semantic().to_json() | {"Data": {"Type": "Class", "Values": ["Sound"]}}
    _require_refused(dock.submit, InvalidSpecification, None, a_learnware(), spoiled)
    _require_refused(dock.submit, InvalidSpecification, None, a_learnware(), a_semantic(inputs=4))
    _require(dock.count(state=None) == 0, "what was refused left a trace")
    first = dock.submit(a_learnware())
    same = _require_refused(dock.submit, Conflict, "conflict.duplicate", a_learnware())
    _require(first.id in same.problem, "a duplicate is not named")
    first.wait()


def _check_lists(dock: Dock) -> None:
    licenses = ("MIT", "GPL-3.0", "MIT", "MIT")
    for number, license in enumerate(licenses):
        name = ("Sums of rain", "Sums of wind", "Sums of snowfall", "Sums of heat")[number]
        dock.submit(a_learnware(centre=float(number), name=name, license=license)).wait()
    ids = [record.id for record in dock.list(limit=None)]
    _require(ids == ["00000004", "00000003", "00000002", "00000001"], "the newest is not first")
    _require([one.id for one in dock.list(limit=2)] == ids[:2], "a limit does not limit")
    page = dock.list(limit=2, after=ids[1])
    _require([one.id for one in page] == ids[2:], "a page does not go on after the one before")
    mit = SemanticFilter(license="MIT")
    _require([one.id for one in dock.list(mit)] == [ids[0], ids[1], ids[3]], "a facet is not exact")
    _require(dock.count(mit) == 3, "a count is not that of the list")
    _require(dock.facets()["license"] == {"MIT": 3, "GPL-3.0": 1}, "facets count differently")
    others = SemanticFilter(without={"license": "MIT"})
    _require([one.id for one in dock.list(others)] == [ids[2]], "what is excluded is listed")
    _require(dock.count(others) == 1, "what is excluded is counted")
    _require(dock.facets(others)["license"] == {"GPL-3.0": 1}, "facets count what is excluded")
    text = SemanticFilter(text="snowfall")
    _require([one.id for one in dock.list(text)] == [ids[1]], "a text is not looked for")
    _require(dock.did_you_mean(text) == (), "what is found is taken for misspelt")
    misspelt = SemanticFilter(text="snwofall")
    _require([one.id for one in dock.list(misspelt)] == [ids[1]], "a misspelt word finds nothing")
    read = Suggestion("snwofall", "snowfall", learnwares=1, followed=True)
    _require(dock.did_you_mean(misspelt) == (read,), "a misspelt word is not told")
    _require(str(read) in dock.search(misspelt).notes, "a search does not say what it searched for")
    _require_refused(dock.list, InvalidRequirement, "requirement.limit", limit=0)
    _require_refused(dock.list, InvalidRequirement, "requirement.after", after="00000009")


def _check_search(dock: Dock) -> None:
    near = dock.submit(a_learnware(centre=0.0, answer="X[:, 0]")).wait().id
    far = dock.submit(a_learnware(centre=9.0, answer="-X[:, 0]", license="GPL-3.0")).wait().id
    mine = a_specification(centre=0.2, seed=5)
    result = dock.search(mine)
    _require([match.id for match in result] == [near, far], "the nearest is not first")
    best = result.best
    _require(best is not None and best.score is not None, "a match has no score")
    _require(best.specification is not None, "a match has no specification")  # type: ignore[union-attr]
    _require(result.fits and result.island is not None, "what fits is not said to fit")
    only = dock.search(Requirement(mine, SemanticFilter(license="GPL-3.0")))
    _require([match.id for match in only] == [far], "a facet is not applied before the ranking")
    _require(len(dock.search(mine, limit=1)) == 1, "a limit does not limit")
    halves = np.concatenate([a_specification(seed=7).points, a_specification(3, 9.0, 8).points])
    both = dock.search(RKME(halves, np.full(40, 0.025), n=40))
    mixture = both.mixture
    _require(mixture is not None and len(mixture) == 2, "halves of two are not found as a mixture")
    weights = mixture.weights  # type: ignore[union-attr]
    _require(bool(np.isclose(weights.sum(), 1.0)), "the weights of a mixture do not sum to one")
    with both.deploy() as reuser:
        answers = reuser.predict(np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]], dtype=np.float32))
        _require(len(answers) == 2, "what was found cannot be deployed")
    words = dock.search(SemanticFilter(text="sums"))
    _require({match.score for match in words} == {None}, "a search by words has scores")
    _require_refused(dock.search, InvalidRequirement, "requirement.limit", {}, limit=0)


def _check_update(dock: Dock) -> None:
    id = dock.submit(a_learnware(answer="X.sum(axis=1)")).wait().id
    words = dock.update(id, semantic=a_semantic(name="Other words"))
    _require((words.state, words.number) == ("published", 2), "new words are not in force at once")
    _require(dock.show(id).name == "Other words", "new words are not shown")
    dock.update(id, archive=a_learnware(answer="-X.sum(axis=1)")).wait()
    with dock.get(id) as learnware:
        answers = learnware.predict(np.ones((1, 3), dtype=np.float32))
        _require(answers.tolist() == [-3.0], "a new archive does not take the old one's place")
    bad = dock.update(id, archive=a_learnware(answer="X / 0"))
    _require_refused(bad.wait, CheckFailed, None)
    _require((dock.show(id).state, dock.show(id).revision) == ("published", 3), "it was replaced")
    _require(dock.submission(id, 2).state == "published", "an old revision cannot be looked at")
    _require_refused(dock.submission, NotFound, "not_found.revision", id, 9)
    _require_refused(dock.update, InvalidInput, "input.nothing_to_update", id)
    missing = {"semantic": a_semantic()}
    _require_refused(dock.update, NotFound, "not_found.learnware", "00000009", **missing)
    _require_refused(dock.update, InvalidSpecification, None, id, semantic=a_semantic(inputs=4))


def _check_life(dock: Dock) -> None:
    id = dock.submit(a_learnware()).wait().id
    _require_refused(dock.restore, Conflict, "conflict.state", id)
    dock.withdraw(id)
    _require(dock.show(id).state == "withdrawn", "it is not withdrawn")
    _require(len(dock) == 0 and not dock.search(a_specification()), "a withdrawn one is found")
    _require(dock.get(id).id == id, "its owner cannot get a withdrawn one")
    _require_refused(dock.withdraw, Conflict, "conflict.state", id)
    dock.restore(id)
    _require(len(dock) == 1, "it is not restored")
    dock.delete(id)
    for look in (dock.get, dock.show, dock.submission, dock.withdraw, dock.delete):
        _require_refused(look, NotFound, "not_found.learnware", id)
    again = dock.submit(a_learnware())
    _require(again.id == "00000002", "an id is given twice")
    again.wait()


def _check_export(dock: Dock) -> None:
    id = dock.submit(a_learnware()).wait().id
    dock.update(id, semantic=a_semantic(name="Other words"))
    with tempfile.TemporaryDirectory() as folder:
        path = dock.export(id, folder)
        _require(path == Path(folder) / f"{id}.zip", "it is written somewhere else")
        first = path.read_bytes()
        _require(dock.export(id, path).read_bytes() == first, "its bytes differ each time")
        with open_archive(path) as archive:
            _require(archive.manifest.id == id, "an exported learnware has no id")
            words = archive.semantic()
            _require(words == a_semantic(name="Other words"), "its words are not those in force")
            _require(archive.read("stat.json") == _stat(), "its specification is another")
        _require([one.name for one in Path(folder).iterdir()] == [path.name], "more is left there")


def _stat() -> bytes:
    return dumps_specification(a_specification())


CHECKS = (
    _check_empty,
    _check_submission,
    _check_sources,
    _check_prediction,
    _check_rejection,
    _check_refusals,
    _check_lists,
    _check_search,
    _check_update,
    _check_life,
    _check_export,
)


def _require(holds: bool, rule: str) -> None:
    # Not an `assert` statement: those are gone under `python -O`.
    if not holds:
        raise AssertionError(rule)


def _require_refused(
    call: Callable[..., object],
    kind: type[BeimingwuError],
    code: str | None,
    *arguments: object,
    **named: object,
) -> BeimingwuError:
    """Require that a call raises an error of a kind, with a code and a remedy; return it."""
    try:
        call(*arguments, **named)
    except BeimingwuError as error:
        told = f"{getattr(call, '__name__', call)} refuses by {type(error).__name__} {error.code}"
        _require(isinstance(error, kind), f"{told}, not {kind.__name__}")
        _require(code in (None, error.code), f"{told}, not {code}")
        _require(bool(error.remedy), f"{told} without a remedy")
        return error
    raise AssertionError(f"{getattr(call, '__name__', call)} is not refused: {kind.__name__}")
