"""The index keeps islands apart, follows changes, and says what it left out."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import beimingwu.search
from beimingwu.errors import InvalidRequirement, InvalidSpecification, NotFound
from beimingwu.search import Index, Requirement
from beimingwu.specification import RKME

SEARCH = str(Path(beimingwu.search.__file__).parent)


def ids(result):
    return [match.id for match in result]


def test_only_specifications_of_the_same_kind_and_shape_are_compared(make_spec):
    index = Index()
    text = RKME(np.zeros((2, 3)), np.array([0.5, 0.5]), n=20, kind="text")
    index.add("table of 3", make_spec(0.0))
    index.add("table of 4", make_spec(0.0, dimension=4))
    index.add("text of 3", text)
    assert ids(index.search(make_spec(0.0, seed=1))) == ["table of 3"]
    assert ids(index.search(make_spec(0.0, dimension=4))) == ["table of 4"]
    assert ids(index.search(text)) == ["text of 3"]
    assert [(info.kind, info.shape, info.size) for info in index.islands] == [
        ("table", (3,), 1),
        ("table", (4,), 1),
        ("text", (3,), 1),
    ]


def test_sentence_embeddings_are_searched_like_tables(make_spec, index_of):
    def text(seed):
        spec = make_spec(np.eye(384)[seed % 4] * 3, dimension=384, spread=0.3, seed=seed)
        return RKME(spec.points, spec.weights, n=len(spec), kind="text")

    result = index_of([text(seed) for seed in range(4)]).search(text(6))
    assert result.best.id == "00000003"
    assert result.best.score > 0.85


def test_where_nothing_is_comparable_the_note_says_what_there_is(make_spec, index_of):
    result = index_of([make_spec(0.0, dimension=5)]).search(make_spec(0.0))
    assert (len(result), result.fits, result.best, result.island) == (0, False, None, None)
    assert "3 features" in result.notes[0]
    assert "There is 1 learnware of 5 features." in result.notes[0]
    result = index_of([make_spec(0.0, dimension=1)] * 2).search(make_spec(0.0))
    assert "There are 2 learnwares of 1 feature." in result.notes[0]


def test_where_nothing_is_published_the_note_does_not_promise_it_for_later(make_spec, index_of):
    index = index_of([make_spec(0.0)])
    index.remove("00000001")
    (note,) = index.search(make_spec(0.0)).notes
    assert "nothing published has a statistical specification" in note
    assert "yet" not in note


def test_where_the_filter_leaves_nothing_comparable_a_note_says_so(make_spec, index_of):
    index = index_of([make_spec(0.0, dimension=5)])
    user = make_spec(0.0)
    assert "satisfies the tags and text" in index.search(user, among=frozenset()).notes[-1]
    assert len(index.search(user, among=frozenset(["00000001"])).notes) == 1


def test_a_removed_learnware_is_not_found_by_search(varied_specs, index_of):
    specs = varied_specs(10)
    index = index_of(specs)
    assert index.search(specs[3]).best.id == "00000004"
    index.remove("00000004")
    assert "00000004" not in ids(index.search(specs[3], limit=10))
    assert "00000004" not in index
    assert len(index) == 9


def test_removing_the_last_learnware_removes_the_island(make_spec, index_of):
    index = index_of([make_spec(0.0)])
    index.remove("00000001")
    assert index.islands == ()
    assert len(index.search(make_spec(0.0))) == 0


def test_removing_what_is_not_there_is_an_error():
    with pytest.raises(NotFound) as refusal:
        Index().remove("00000001")
    assert refusal.value.code == "not_found.specification"


def test_adding_again_replaces_the_specification_even_in_another_island(make_spec, index_of):
    index = index_of([make_spec(0.0), make_spec(5.0)])
    index.search(make_spec(0.0))
    index.add("00000001", make_spec(5.0, dimension=4))
    assert ids(index.search(make_spec(0.0))) == ["00000002"]
    assert ids(index.search(make_spec(0.0, dimension=4))) == ["00000001"]
    index.add("00000002", make_spec(0.0, seed=3))
    assert index.search(make_spec(0.0, seed=3)).best.mmd == 0.0


def test_the_same_search_twice_gives_the_same_numbers(varied_specs, mixed, index_of):
    specs = varied_specs(30)
    index = index_of(specs)
    user = mixed(specs[:3], [0.5, 0.3, 0.2])
    first, second = index.search(user), index.search(user)
    assert [(m.id, m.mmd, m.score) for m in first] == [(m.id, m.mmd, m.score) for m in second]
    assert first.mixture.weights.tolist() == second.mixture.weights.tolist()


def test_learnwares_that_name_other_features_are_left_out_and_noted(make_spec):
    index = Index()
    index.add("00000001", make_spec(0.0), ("Rain (mm)", "wind speed", "temp"))
    index.add("00000002", make_spec(0.0), ("price", "demand", "stock"))
    index.add("00000003", make_spec(0.0), ("temp", "rain", "wind_speed"))
    index.add("00000004", make_spec(0.0))
    result = index.search(make_spec(0.0, seed=1), features=("RAIN", "Wind Speed", "temp [°C]"))
    assert sorted(ids(result)) == ["00000001", "00000004"]
    other, order = sorted(result.notes[:2], key=lambda note: "order" in note)
    assert "1 learnware of 3 features left out: other features" in other
    assert "price, demand, stock" in other
    assert "Reorder your columns as temp, rain, wind_speed" in order
    assert "00000003" in order


def test_a_requirement_without_names_is_compared_with_all(make_spec):
    index = Index()
    index.add("00000001", make_spec(0.0, features=("a", "b", "c")))
    index.add("00000002", make_spec(0.0, features=("d", "e", "f")))
    assert len(index.search(make_spec(0.0))) == 2
    assert ids(index.search(make_spec(0.0, features=("d", "e", "f")))) == ["00000002"]
    assert ids(index.search(Requirement(make_spec(0.0), features=("a", "b", "c")))) == ["00000001"]


def test_where_every_learnware_names_other_features_nothing_fits(make_spec):
    index = Index()
    index.add("00000001", make_spec(0.0, features=("a", "b", "c")))
    result = index.search(make_spec(0.0, features=("d", "e", "f")))
    assert (len(result), result.fits) == (0, False)
    assert "a, b, c" in result.notes[0]


def test_where_no_allowed_learnware_is_comparable_the_note_says_so(make_spec, index_of):
    result = index_of([make_spec(0.0)]).search(make_spec(0.0), among=["00000009"])
    assert len(result) == 0
    assert "tags and text" in result.notes[0]


#: Feature names of learnwares: the requirement's own, none, in another order, and others.
NAMINGS = (("a", "b", "c"), (), ("c", "b", "a"), ("d", "e", "f"), ("g", "h", "i"))


@given(
    which=st.lists(st.integers(0, len(NAMINGS) - 1), min_size=1, max_size=12),
    among=st.none() | st.sets(st.integers(0, 15)),
)
def test_what_is_compared_and_left_out_is_what_one_by_one_gives(which, among, make_spec):
    index = Index()
    for i, naming in enumerate(which):
        index.add(f"{i:08d}", make_spec(float(i)), NAMINGS[naming])
    allowed = None if among is None else {f"{i:08d}" for i in among}
    user = make_spec(0.0, seed=1, features=NAMINGS[0])
    result = index.search(user, among=allowed, limit=20, max_learnwares=1)
    inside = [i for i in range(len(which)) if among is None or i in among]
    assert sorted(ids(result)) == [f"{i:08d}" for i in inside if which[i] < 2]
    other_order = [i for i in inside if which[i] == 2]
    other_features = [i for i in inside if which[i] > 2]
    groups = sorted(group for group in (other_order, other_features) if group)
    notes = [note for note in result.notes if "left out" in note]
    assert len(notes) == len(groups)
    for note, group in zip(notes, groups, strict=True):
        assert note.startswith(f"{len(group)} learnware")
        assert ("another order" in note) is (which[group[0]] == 2)
        assert f"learnware {group[0]:08d})" in note
        assert ", ".join(NAMINGS[which[group[0]]]) in note


def test_a_query_takes_no_step_of_python_for_each_learnware(make_spec):
    def steps(count: int) -> int:
        index = Index()
        for i in range(count):
            names = ("a", "b", "c") if i % 2 else ("d", "e", "f")
            index.add(f"{i:08d}", make_spec(float(i % 7), points=2, seed=i), names)
        user = make_spec(0.0, points=2, features=("a", "b", "c"))
        among = frozenset(f"{i:08d}" for i in range(count))
        index.search(user, among=among)
        taken = 0

        def trace(frame, event, argument):
            nonlocal taken
            taken += frame.f_code.co_filename.startswith(SEARCH)
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            index.search(user, among=among, limit=3, max_learnwares=1)
        finally:
            sys.settrace(before)
        return taken

    assert steps(220) < steps(20) + 100


def test_every_feature_of_a_learnware_is_named_or_none(make_spec):
    with pytest.raises(InvalidSpecification) as refusal:
        Index().add("00000001", make_spec(0.0), ("a", "b"))
    assert refusal.value.code == "specification.features"


def test_image_specifications_are_refused_with_the_reason():
    image = RKME(np.zeros((2, 3, 8, 8)), np.array([0.5, 0.5]), n=20, kind="image", kernel=None)
    index = Index()
    index.add("00000001", image)
    with pytest.raises(InvalidRequirement) as refusal:
        index.search(image)
    assert refusal.value.code == "requirement.no_kernel"


def test_a_requirement_without_a_specification_is_refused():
    with pytest.raises(InvalidRequirement) as refusal:
        Index().search(Requirement())
    assert refusal.value.code == "requirement.no_specification"


@pytest.mark.parametrize("name", ["limit", "max_learnwares"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
def test_limits_are_whole_numbers_from_one(name, value, make_spec, index_of):
    with pytest.raises(InvalidRequirement) as refusal:
        index_of([make_spec(0.0)]).search(make_spec(0.0), **{name: value})
    assert refusal.value.code == f"requirement.{name}"


def test_searches_while_others_add_and_remove_see_a_whole_island(varied_specs, index_of):
    specs = varied_specs(24)
    index = index_of(specs[:12])
    failures: list[BaseException] = []
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for i in range(12, 24):
                index.add(f"{i + 1:08d}", specs[i])
            for i in range(12, 24):
                index.remove(f"{i + 1:08d}")

    def search() -> None:
        try:
            for _ in range(20):
                result = index.search(specs[5], limit=24, max_learnwares=1)
                assert result.best.id == "00000006"
                assert result.best.mmd == 0.0
                assert 12 <= len(result) == result.island.size <= 24
        except BaseException as failure:
            failures.append(failure)

    changer = threading.Thread(target=change)
    searchers = [threading.Thread(target=search) for _ in range(3)]
    for thread in (changer, *searchers):
        thread.start()
    for thread in searchers:
        thread.join()
    stop.set()
    changer.join()
    assert failures == []
