"""A segment gives back what was put in, in memory and from files, and notices what is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from beimingwu.errors import DockDamaged
from beimingwu.search.building import Plan, measured_by
from beimingwu.search.segment import Entry, Segment, checks_of, joined
from beimingwu.search.segment_files import open_segment, write_segment
from beimingwu.search.view import Parts, encoded
from beimingwu.specification import RKME


def entries(specs, features=()):
    return [Entry(f"{i:08d}", spec, features) for i, spec in enumerate(specs, start=1)]


def same(left: RKME, right: RKME) -> bool:
    return (
        left.points.dtype == right.points.dtype
        and np.array_equal(left.points, right.points)
        and np.array_equal(left.weights, right.weights)
        and (left.n, left.kind, left.shape) == (right.n, right.kind, right.shape)
        and dict(left.details) == dict(right.details)
    )


@pytest.fixture(name="texts")
def _texts(make_spec):
    """Specifications that carry more than numbers."""
    return [
        RKME(spec.points, spec.weights, n=i, kind="text", details={"languages": ["zh", "en"][:i]})
        for i, spec in enumerate([make_spec(0.0), make_spec(1.0, points=7), make_spec(2.0)])
    ]


def test_each_specification_comes_out_as_it_was_put_in(texts, tmp_path):
    segment = Segment.of(entries(texts))
    written = write_segment(tmp_path, Parts.of(segment), np.arange(3))
    for made in (
        segment,
        segment.chosen(np.arange(3)),
        written,
        open_segment(tmp_path, written.name),
    ):
        for i, text in enumerate(texts):
            assert same(made.specification(i, "text", (3,)), text)
            assert made.ids[i] == f"{i + 1:08d}".encode()
    assert all(
        same(segment.chosen(np.array([2, 0])).specification(j, "text", (3,)), texts[i])
        for j, i in enumerate([2, 0])
    )


def test_names_of_features_are_held_once_and_told_for_each(make_spec, tmp_path):
    names = [("a", "b", "c"), (), ("a", "b", "c"), ("雨", "风", "温")]
    several = [Entry(f"{i}", make_spec(float(i)), told) for i, told in enumerate(names)]
    segment = write_segment(tmp_path, Parts.of(Segment.of(several)), np.array([3, 2, 1, 0]))
    assert len(segment.descriptions) == 3
    assert [segment.features(i) for i in range(4)] == names[::-1]


def test_ids_are_found_wherever_they_stand(make_spec, tmp_path):
    ids = ["b", "a", "longest possible"[:16], "00000042", "c"]
    segment = Segment.of([Entry(id_, make_spec(0.0), ()) for id_ in ids])
    written = write_segment(tmp_path, Parts.of(segment), np.arange(5))
    wanted = encoded(["c", "nowhere", "longest possible", "a", "too long for any of them"])
    for one in (segment, written):
        assert sorted(one.positions_of(wanted).tolist()) == [1, 2, 4]
        assert one.positions_of(encoded([])).tolist() == []


def test_joined_segments_hold_both_one_after_the_other(make_spec, texts):
    left = Segment.of(entries(texts[:2]))
    right = Segment.of([Entry("x", make_spec(5.0, features=("a", "b", "c")), ("a", "b", "c"))])
    both = joined([left, right])
    assert both.ids.tolist() == [b"00000001", b"00000002", b"x"]
    assert same(both.specification(1, "text", (3,)), texts[1])
    assert both.features(2) == ("a", "b", "c")
    assert both.checks.tolist() == checks_of(both.stack).tolist()


def test_segments_of_two_precisions_are_joined_without_losing_a_digit(make_spec):
    precise = RKME(make_spec(1.0).points.astype(np.float64) + 1e-12, make_spec(1.0).weights, n=3)
    both = joined([Segment.of(entries([make_spec(0.0)])), Segment.of(entries([precise]))])
    assert same(both.specification(1, "table", (3,)), precise)
    assert np.array_equal(both.specification(0, "table", (3,)).points, make_spec(0.0).points)
    assert both.checks.tolist() == checks_of(both.stack).tolist()


def measured_segment(specs, folder):
    parts = Parts.of(Segment.of(entries(specs)))
    (part,) = measured_by(Plan.of(parts).made(), parts, folder).parts
    return part.segment


def rewritten(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_changed_row_is_noticed_when_its_cell_is_looked_into(small, varied_specs, tmp_path):
    segment = measured_segment(varied_specs(90), tmp_path)
    assert len(segment.cells) > 2
    rewritten(tmp_path / segment.name / "rows.npy", -1)
    again = open_segment(tmp_path, segment.name)
    last = len(again.cells) - 1
    again.check_cells(np.arange(last))
    with pytest.raises(DockDamaged):
        again.check_cells(np.array([last]))
    with pytest.raises(DockDamaged):
        again.check_cells()


@pytest.mark.parametrize("column", ["points", "weights"])
def test_changed_points_are_noticed_when_they_are_read(column, varied_specs, tmp_path):
    segment = measured_segment(varied_specs(9), tmp_path)
    rewritten(tmp_path / segment.name / f"{column}.npy", -1)
    again = open_segment(tmp_path, segment.name)
    again.chosen(np.arange(8))
    with pytest.raises(DockDamaged):
        again.chosen(np.array([3, 8]))


def test_files_can_be_read_without_us(varied_specs, tmp_path):
    segment = measured_segment(varied_specs(9), tmp_path)
    for column in ("ids", "points", "rows", "by_id"):
        array = np.load(tmp_path / segment.name / f"{column}.npy", allow_pickle=False)
        assert len(array) == len(segment.stack.rows if column == "points" else segment.ids)
    told = (tmp_path / segment.name / "segment.json").read_bytes().partition(b"\n")[2]
    assert json.loads(told)["rows"]["dtype"] == "float32"


def test_a_segment_that_could_not_be_written_leaves_nothing(varied_specs, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_segment(tmp_path, Parts.of(Segment.of(entries(varied_specs(9)))), np.arange(9))
    assert list(tmp_path.iterdir()) == []
