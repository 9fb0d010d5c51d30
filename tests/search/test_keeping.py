"""An index in a folder is what was written there, or it is thrown away and made again."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest

from beimingwu.dock.blobs import Blobs
from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.identification import Identification
from beimingwu.dock.listing import Listing
from beimingwu.dock.pointset import dumps_pointset
from beimingwu.dock.records import Draft
from beimingwu.errors import DockDamaged
from beimingwu.learnware.record import Step
from beimingwu.search import Index, Requirement
from beimingwu.search.island import Island
from beimingwu.search.keeping import MANIFEST, Keeper
from beimingwu.specification import Dimensions, SemanticSpecification

MOMENT = 70
#: What a damaged file is found by, at the latest when everything is looked at.
DAMAGED = "dock.index_damaged"


@pytest.fixture(name="folder")
def _folder(small, history, tmp_path):
    """A folder with a large segment and small ones, and with learnwares that are gone."""
    folder = tmp_path / "index"
    index = history.filled(folder, MOMENT - 8)
    history.follow(index, MOMENT - 8, MOMENT)
    index.keep(history.mark(MOMENT), everything=True)
    return folder


def answers(index, user):
    result = index.search(user, limit=1_000, max_learnwares=1)
    return [(match.id, match.mmd, match.score) for match in result]


def outcome(folder, history):
    """Open a folder and look at everything: `right`, `nothing` or `damaged`."""
    index, mark = Index.open(folder)
    if mark is None:
        assert len(index) == 0
        return "nothing"
    try:
        history.check(index, mark.sequence)
    except DockDamaged as error:
        assert error.code == DAMAGED
        return "damaged"
    return "right"


def test_what_is_opened_again_is_what_was_written(folder, history):
    index, mark = Index.open(folder)
    assert mark == history.mark(MOMENT)
    made = history.filled(folder.parent / "another", MOMENT)
    history.check(index, MOMENT)
    again, _ = Index.open(folder)
    assert again.islands == index.islands
    for seed in (2_000, 2_005):
        user = history.spec(seed)
        assert answers(again, user) == answers(index, user)
        assert [id_ for id_, _, _ in answers(made, user)] == [i for i, _, _ in answers(index, user)]


def test_what_was_taken_out_stays_out_when_it_is_opened_again(folder, history):
    index, _ = Index.open(folder)
    gone = sorted(history.published(MOMENT))[5:40:3]
    for id_ in gone:
        index.remove(id_)
    index.keep(history.mark(MOMENT), everything=True)
    again, _ = Index.open(folder)
    assert not any(id_ in again for id_ in gone)
    assert {id_ for id_, _, _ in answers(again, history.spec(3))} == (
        history.published(MOMENT).keys() - set(gone)
    )


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


FOREIGN = [b"{}", b"[]", b"no JSON", b'{"format": 0}', b'{"format": 1, "mark": [1], "islands": []}']
FOREIGN = [b"%08x\n" % zlib.crc32(body) + body for body in FOREIGN]


@pytest.mark.parametrize("content", [b"", b"00000000\n", b"\xff" * 300, *FOREIGN])
def test_another_file_in_the_place_of_the_manifest_is_thrown_away(content, folder, history):
    (folder / MANIFEST).write_bytes(content)
    assert outcome(folder, history) == "nothing"


def test_a_manifest_that_is_cut_or_changed_anywhere_is_thrown_away(folder, history):
    whole = (folder / MANIFEST).read_bytes()
    for at in range(len(whole)):
        for content in (whole[:at], flipped(whole, at)):
            (folder / MANIFEST).write_bytes(content)
            index, mark = Index.open(folder)
            assert (len(index), mark) == (0, None)
    (folder / MANIFEST).write_bytes(whole)
    assert outcome(folder, history) == "right"


def test_no_file_is_trusted_that_is_missing_cut_or_changed(folder, history):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"]
    kinds = {path.name.split("-")[0] for path in files}
    assert kinds >= {
        "gone",
        "geometry",
        "segment.json",
        "rows.npy",
        "heart_along.npy",
        "points.npy",
    }
    for path in files:
        whole = path.read_bytes()
        places = {0, 9, 61, 127, 130, len(whole) // 2, len(whole) - 1}
        for at in sorted(place for place in places if place < len(whole)):
            path.write_bytes(flipped(whole, at))
            assert outcome(folder, history) in ("nothing", "damaged"), (path, at)
        for content in (b"", whole[:-1], whole + b"\0", whole[: len(whole) // 2]):
            path.write_bytes(content)
            assert outcome(folder, history) == "nothing", (path, len(content))
        path.unlink()
        assert outcome(folder, history) == "nothing", path
        path.write_bytes(whole)
    assert outcome(folder, history) == "right"


def test_segments_are_not_mistaken_for_one_another(folder, history):
    large, small = sorted(
        folder.glob("segment-*"), key=lambda path: -(path / "rows.npy").stat().st_size
    )[:2]
    for column in ("ids.npy", "points.npy", "segment.json"):
        shutil.copy(small / column, large / column)
        assert outcome(folder, history) == "nothing"


def test_the_joining_of_segments_vouches_for_nothing_damaged(folder, history):
    (large,) = [path for path in folder.glob("segment-*") if (path / "cell_radii.npy").exists()]
    rows = large / "rows.npy"
    content = rows.read_bytes()
    for at in range(130, len(content), 24):
        content = flipped(content, at)
    rows.write_bytes(content)
    index, _ = Index.open(folder)
    history.follow(index, MOMENT, MOMENT + 40)
    # When most of a segment is gone it is written anew.
    for id_ in sorted(history.published(MOMENT - 8))[:30]:
        if id_ in index:
            index.remove(id_)
    index.settle()
    index.keep(history.mark(MOMENT), everything=True)
    with pytest.raises(DockDamaged):
        answers(Index.open(folder)[0], history.spec(2_000))


def test_what_is_not_named_is_swept_by_the_next_write(folder, history):
    assert history.left_over(folder) == set()
    (folder / "segment-0123456789abcdef.new").mkdir()
    (folder / "segment-0123456789abcdef.new" / "rows.npy").write_bytes(b"half")
    for name in ("geometry-00000000-00000000.new", f"{MANIFEST}.new", "gone-0-0"):
        (folder / name).write_bytes(b"half")
    index, _ = Index.open(folder)
    history.check(index, MOMENT)
    history.follow(index, MOMENT, MOMENT + 12)
    index.keep(history.mark(MOMENT + 12), everything=True)
    index.settle()
    index.keep(history.mark(MOMENT + 12), everything=True)
    assert history.left_over(folder) == set()
    assert outcome(folder, history) == "right"


def test_two_writers_exclude_each_other(folder, history):
    first, second = Keeper.open(folder), Keeper.open(folder)
    with first.writing() as may, second.writing() as may_too:
        assert (may, may_too) == (True, False)
    with second.writing() as may:
        assert may


def test_who_opened_an_older_index_writes_nothing_over_a_newer(folder, history):
    old, new = Index.open(folder)[0], Index.open(folder)[0]
    assert not old.is_outdated
    history.follow(new, MOMENT, MOMENT + 1)
    new.keep(history.mark(MOMENT + 1), everything=True)
    assert old.is_outdated
    assert not new.is_outdated
    written = (folder / MANIFEST).read_bytes()
    history.follow(old, MOMENT, MOMENT + 2)
    old.keep(history.mark(MOMENT + 2), everything=True)
    assert (folder / MANIFEST).read_bytes() == written
    history.check(old, MOMENT + 2)


def test_little_that_is_new_is_not_written_at_once(folder, history):
    index, _ = Index.open(folder)
    history.follow(index, MOMENT, MOMENT + 2)
    index.keep(history.mark(MOMENT + 2))
    assert Index.open(folder)[1] == history.mark(MOMENT)
    history.follow(index, MOMENT + 2, MOMENT + 12)
    index.keep(history.mark(MOMENT + 12))
    assert Index.open(folder)[1] == history.mark(MOMENT + 12)


def test_while_another_writes_an_index_is_made_in_memory(folder, history):
    with Keeper.open(folder).writing() as may:
        assert may
        before = (folder / MANIFEST).read_bytes()
        index = history.filled(folder, MOMENT + 30)
        history.check(index, MOMENT + 30)
        assert (folder / MANIFEST).read_bytes() == before


def test_waiting_for_work_ends_when_another_writes(folder, history):
    index, _ = Index.open(folder)
    history.follow(index, MOMENT, 2 * MOMENT)
    with Keeper.open(folder).writing():
        index.settle()
        history.check(index, 2 * MOMENT)
    index.settle()
    history.check(index, 2 * MOMENT)


def test_waiting_for_work_ends_when_a_file_is_damaged(folder, history, caplog):
    for points in folder.glob("segment-*/points.npy"):
        points.write_bytes(flipped(points.read_bytes(), 200))
    index, _ = Index.open(folder)
    history.follow(index, MOMENT, 2 * MOMENT)
    index.settle()
    assert "could not be made anew" in caplog.text


def test_what_changes_while_the_island_is_measured_anew_is_kept(folder, history, monkeypatch):
    index, _ = Index.open(folder)
    measured, go_on = threading.Event(), threading.Event()
    worked = Island.worked

    def worked_slowly(*args):
        made = worked(*args)
        measured.set()
        assert go_on.wait(60)
        return made

    monkeypatch.setattr(Island, "worked", worked_slowly)
    history.follow(index, MOMENT, 2 * MOMENT)
    before = index.islands[0].geometry
    index.search(history.spec(1), max_learnwares=1)
    assert measured.wait(60)
    for moment in range(2 * MOMENT, 2 * MOMENT + 10):
        history.follow(index, moment, moment + 1)
        history.check(index, moment + 1)
        index.keep(history.mark(moment + 1), everything=True)
    go_on.set()
    index.settle()
    assert index.islands[0].geometry != before
    history.check(index, 2 * MOMENT + 10)
    index.keep(history.mark(2 * MOMENT + 10), everything=True)
    assert outcome(folder, history) == "right"


def test_work_that_fails_is_not_begun_again_by_every_search(folder, history, monkeypatch):
    index, _ = Index.open(folder)
    begun = []

    def work_on_a_full_disk(island, *_):
        begun.append(island)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Island, "worked", work_on_a_full_disk)
    history.follow(index, MOMENT, 2 * MOMENT)
    for _ in range(5):
        history.check(index, 2 * MOMENT)
        index.settle()
    assert len(begun) == 1


def test_one_writes_at_a_time_and_an_error_of_its_own_stays_its_own(folder):
    keeper, other = Keeper.open(folder), Keeper.open(folder)
    with keeper.writing() as may, other.writing() as others_may:
        assert (may, others_may) == (True, False)
    with pytest.raises(BlockingIOError), keeper.writing():
        raise BlockingIOError("of whoever writes, and not of the lock")


def test_two_processes_read_while_one_writes(folder, history):
    until = MOMENT + 45
    script = [sys.executable, str(Path(__file__).with_name("index_process.py"))]
    readers = [
        subprocess.Popen(
            [*script, str(folder), str(until)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        for _ in range(2)
    ]
    index, _ = Index.open(folder)
    for moment in range(MOMENT + 1, until + 1):
        history.follow(index, moment - 1, moment)
        index.keep(history.mark(moment), everything=True)
        history.check(index, moment)
        index.settle()
    (folder.parent / "stop").touch()
    for reader in readers:
        told, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0
        assert int(told) > 1


# A catalogue that an index follows


class SmallDock:
    """A catalogue with its files, and the index of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.catalogue = Catalogue(folder / "catalogue.sqlite")
        self._blobs = Blobs(folder)
        self._digests = itertools.count()
        self.specs = {}

    def publish(self, spec):
        digest = self._blobs.put(dumps_pointset(spec))
        semantic = SemanticSpecification(
            name="Sums of columns",
            description="Adds up three columns.",
            data="Table",
            task="Classification",
            library="Others",
            scenarios=("Education",),
            license="MIT",
            input=Dimensions(3),
            output=Dimensions(2),
        )
        draft = Draft(
            archive_sha256=f"{next(self._digests):064x}",
            size=1_000,
            specification_sha256=digest,
            semantic=semantic,
            kind="table",
            dimension=3,
            steps=(Step("archive", "passed", "1,000 bytes."),),
        )
        entered = self.catalogue.submit("", draft)
        claimed = self.catalogue.claim(entered.key, "me", lambda name: False)
        assert self.catalogue.publish(claimed, Step("accommodate", "passed", "Published."))
        self.specs[entered.learnware] = spec
        return entered.learnware

    def opened(self):
        return Identification(Listing(self.catalogue), self._blobs, str, self.folder / "index")

    def check(self, identification, user, brute_force):
        result = identification.search(Requirement(user), 100, 1)
        brute_force(self.specs).check(result, user, 100)


@pytest.fixture(name="dock")
def _dock(small, history, tmp_path):
    dock = SmallDock(tmp_path / "dock")
    for seed in range(60):
        dock.publish(history.spec(seed))
    identification = dock.opened()
    identification.settle()
    withdrawn = sorted(dock.specs)[11]
    dock.catalogue.withdraw(withdrawn)
    del dock.specs[withdrawn]
    identification.settle()
    yield dock
    dock.catalogue.close()


def test_a_dock_goes_on_from_its_index_and_follows_its_catalogue(dock, history, brute_force):
    written = (dock.folder / "index" / MANIFEST).read_bytes()
    first, second = dock.opened(), dock.opened()
    dock.check(first, history.spec(2_000), brute_force)
    assert (dock.folder / "index" / MANIFEST).read_bytes() == written
    for seed in range(100, 140):
        dock.publish(history.spec(seed))
        if seed % 5 == 0:
            gone = min(dock.specs)
            dock.catalogue.withdraw(gone)
            del dock.specs[gone]
            dock.check(first, history.spec(seed), brute_force)
            dock.check(second, history.spec(seed), brute_force)
    first.settle()
    second.settle()
    dock.check(dock.opened(), history.spec(2_001), brute_force)


def test_a_dock_makes_its_index_again_whatever_file_is_damaged(dock, history, brute_force):
    index, good = dock.folder / "index", dock.folder / "good"
    index.rename(good)
    files = [path for path in good.rglob("*") if path.is_file() and path.name != "lock"]
    assert len(files) > 18
    for i, file in enumerate(files):
        shutil.copytree(good, index)
        path = index / file.relative_to(good)
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, len(whole) - 1 - i % 2))
        identification = dock.opened()
        dock.check(identification, history.spec(2_000 + i), brute_force)
        identification.settle()
        assert history.left_over(index) == set()
        shutil.rmtree(index)


def test_a_file_that_is_damaged_under_an_open_index_is_noticed(dock, history, brute_force):
    identification = dock.opened()
    dock.check(identification, history.spec(1), brute_force)
    for points in (dock.folder / "index").glob("segment-*/points.npy"):
        with points.open("r+b") as file:
            file.seek(300)
            file.write(b"\x01\x02\x03")
    dock.check(identification, history.spec(2), brute_force)


def test_the_index_of_another_catalogue_is_not_used(dock, history, brute_force, tmp_path):
    other = SmallDock(tmp_path / "other")
    for seed in range(61):
        other.publish(history.spec(500 + seed))
    other.catalogue.withdraw(max(other.specs))
    del other.specs[max(other.specs)]
    shutil.copytree(dock.folder / "index", other.folder / "index")
    other.check(other.opened(), history.spec(2_000), brute_force)
    other.catalogue.close()


def test_an_index_that_is_ahead_of_its_catalogue_is_not_used(dock, history, brute_force, tmp_path):
    earlier = SmallDock(tmp_path / "earlier")
    for seed in range(10):
        earlier.publish(history.spec(seed))
    shutil.copytree(dock.folder / "index", earlier.folder / "index")
    earlier.check(earlier.opened(), history.spec(2_000), brute_force)
    earlier.catalogue.close()
