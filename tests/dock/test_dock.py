"""The dock as its users meet it: real archives, real processes, a real folder."""

from __future__ import annotations

import html
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from beimingwu.dock import Dock
from beimingwu.errors import (
    BeimingwuError,
    CheckFailed,
    Conflict,
    DockDamaged,
    InvalidArchive,
    InvalidInput,
    InvalidSpecification,
    NotFound,
)
from beimingwu.learnware.manifest import Manifest
from beimingwu.learnware.model import Learnware
from beimingwu.search import Requirement, SemanticFilter
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

Archive = Callable[..., bytes]
Semantic = Callable[..., SemanticSpecification]
Specification = Callable[..., RKME]
Submitted = Callable[..., str]


def files_of(folder: Path) -> set[str]:
    """Everything but the catalogue's own files and the locks."""
    there = {path for path in folder.rglob("*") if path.is_file()}
    return {
        str(path.relative_to(folder))
        for path in there
        if not path.name.startswith("catalogue.") and path.parent.name != "locks"
    }


def test_a_submission_tells_its_steps_as_they_happen(
    dock: Dock, archive: Archive, semantic: Semantic
) -> None:
    submission = dock.submit(archive(), semantic())
    assert submission.id == "00000001"
    steps = list(submission)
    names = ["archive", "manifest", "semantic", "statistical", "usability", "accommodate"]
    assert [step.name for step in steps] == names
    assert submission.wait() is submission
    assert submission.state == "published"
    assert dock.show("00000001").steps == tuple(steps)
    assert list(submission) == steps


@pytest.mark.parametrize(
    ("spoiled", "error"),
    [
        ({"learnware.yaml": b"model: !!python/object:os.system {}"}, InvalidArchive),
        ({"stat.json": b'{"z": [[NaN]], "beta": [1.0]}'}, InvalidSpecification),
        ({"inputs": 4}, InvalidSpecification),
        ({"../../outside": b""}, InvalidArchive),
    ],
)
def test_a_refusal_leaves_no_trace(
    dock: Dock, archive: Archive, semantic: Semantic, spoiled: dict[str, bytes], error: type
) -> None:
    with pytest.raises(error):
        dock.submit(archive(**spoiled), semantic(3))
    assert files_of(dock.folder) == set()
    assert dock.list(state=None) == []
    assert dock.submit(archive(), semantic()).id == "00000001"


def test_a_duplicate_is_refused_by_name(dock: Dock, archive: Archive, semantic: Semantic) -> None:
    first = dock.submit(archive(), semantic(), owner="ada")
    with pytest.raises(Conflict, match=first.id):
        dock.submit(archive(), semantic(), owner="ada")
    assert dock.submit(archive(), semantic(), owner="bob").wait().id == "00000002"
    assert [record.id for record in dock.list(owner="bob")] == ["00000002"]


def test_a_learnware_predicts_as_its_archive_says(dock: Dock, submitted: Submitted) -> None:
    with dock.get(submitted(answer="2 * X.sum(axis=1)")) as learnware:
        assert learnware.predict(np.ones((4, 3), dtype=np.float32)).tolist() == [6.0] * 4


def test_a_rejected_learnware_keeps_its_log_and_not_its_archive(
    dock: Dock, archive: Archive, semantic: Semantic
) -> None:
    submission = dock.submit(archive(answer="X / 0"), semantic())
    with pytest.raises(CheckFailed):
        submission.wait()
    dock.close()
    with Dock.open(dock.folder) as again:
        assert files_of(again.folder) == set()
        record = again.show(submission.id)
        assert (record.state, record.steps[-1].state) == ("rejected", "failed")
        assert again.list() == []
        with pytest.raises(CheckFailed):
            again.submission(submission.id).wait()
        with pytest.raises(Conflict) as refused:
            again.get(submission.id)
        assert refused.value.code == "conflict.state"


def test_closing_finishes_what_was_submitted(
    tmp_path: Path, archive: Archive, semantic: Semantic
) -> None:
    with Dock.open(tmp_path) as dock:
        submissions = [dock.submit(archive(centre=centre), semantic()) for centre in range(3)]
    assert [submission.state for submission in submissions] == ["published"] * 3


def test_a_dock_without_workers_leaves_the_work_to_the_next(
    tmp_path: Path, archive: Archive, semantic: Semantic
) -> None:
    with Dock.open(tmp_path, workers=0) as dock:
        submission = dock.submit(archive(), semantic())
        assert submission.state == "uploaded"
        with pytest.raises(Conflict) as alone:
            submission.wait()
        assert alone.value.code == "conflict.nobody_verifies"
        with Dock.open(tmp_path) as other:
            assert submission.wait().state == "published"
            assert len(other) == len(dock) == 1


def test_an_interrupted_program_leaves_its_queue_to_the_next(
    tmp_path: Path, archive: Archive, semantic: Semantic
) -> None:
    with pytest.raises(KeyboardInterrupt), Dock.open(tmp_path) as dock:
        for centre in range(4):
            dock.submit(archive(centre=centre), semantic())
        raise KeyboardInterrupt
    with Dock.open(tmp_path) as again:
        for record in again.list(state=None):
            again.submission(record.id).wait()
        assert len(again) == 4


def test_search_finds_the_nearest_among_what_the_filter_allows(
    dock: Dock, submitted: Submitted, specification: Specification
) -> None:
    near = submitted(centre=0.0, license="MIT")
    far = submitted(centre=9.0, license="GPL-3.0")
    mine = specification(centre=0.2, seed=5)
    assert dock.search(mine).best.id == near  # type: ignore[union-attr]
    only = dock.search(Requirement(mine, SemanticFilter(license="GPL-3.0")))
    assert [match.id for match in only] == [far]
    assert dock.search(Requirement(mine, SemanticFilter(text="nothing like it"))).single == ()
    assert isinstance(dock.search(mine)[0].learnware, Learnware)


def test_a_search_by_words_alone_has_no_scores(dock: Dock, submitted: Submitted) -> None:
    rain = submitted("Rain of tomorrow", centre=1.0)
    submitted("Wind of tomorrow", centre=2.0)
    result = dock.search(SemanticFilter(text="rain"))
    assert [(match.id, match.score) for match in result] == [(rain, None)]
    assert len(dock.search({}, limit=1)) == len(dock.list(limit=1)) == 1
    assert len(dock.list(limit=None)) == 2
    for ask in (lambda: dock.search({}, limit=0), lambda: dock.list(limit=0)):
        with pytest.raises(BeimingwuError) as refused:
            ask()
        assert refused.value.code == "requirement.limit"


def test_search_sees_what_another_process_does(
    dock: Dock, submitted: Submitted, specification: Specification
) -> None:
    first, second = submitted(centre=0.0), submitted(centre=9.0)
    mine = specification(centre=0.0, seed=5)
    assert [match.id for match in dock.search(mine)] == [first, second]
    act = f"from beimingwu.dock import Dock\nwith Dock.open({str(dock.folder)!r}) as dock: "
    subprocess.run([sys.executable, "-c", f"{act}dock.withdraw({first!r})"], check=True)
    assert [match.id for match in dock.search(mine)] == [second]
    subprocess.run([sys.executable, "-c", f"{act}dock.restore({first!r})"], check=True)
    assert [match.id for match in dock.search(mine)] == [first, second]
    subprocess.run([sys.executable, "-c", f"{act}dock.delete({second!r})"], check=True)
    assert [match.id for match in dock.search(mine)] == [first]


def test_one_damaged_specification_does_not_end_every_search(
    dock: Dock, submitted: Submitted, specification: Specification
) -> None:
    submitted(centre=0.0), submitted(centre=9.0)
    dock.close()
    for blob in (dock.folder / "blobs").glob("*/*"):
        if blob.read_bytes()[:1] == b"{":
            blob.write_bytes(b"{}")
            break
    with Dock.open(dock.folder) as again:
        result = again.search(specification(centre=0.0, seed=5))
        assert len(result) == 1
        assert any("cannot be read" in note for note in result.notes)


def test_a_withdrawn_learnware_is_not_found_and_still_served(
    dock: Dock, submitted: Submitted, specification: Specification
) -> None:
    id = submitted()
    dock.withdraw(id)
    assert dock.search(specification()).single == ()
    assert dock.list() == [] == list(dock.search({}))
    assert [record.id for record in dock.list(state="withdrawn")] == [id]
    assert dock.get(id).id == id
    dock.restore(id)
    assert len(dock) == 1


def test_a_deleted_learnware_is_gone_with_its_files_and_its_id(
    dock: Dock, submitted: Submitted
) -> None:
    id = submitted()
    dock.delete(id)
    assert files_of(dock.folder) == set()
    for look in (dock.get, dock.show, dock.submission, dock.delete, dock.withdraw):
        with pytest.raises(NotFound):
            look(id)
    assert submitted() == "00000002"


def test_every_change_of_state_is_in_the_history_and_outlives_the_learnware(
    dock: Dock, submitted: Submitted
) -> None:
    id = submitted(owner="ada")
    dock.withdraw(id)
    dock.restore(id)
    dock.delete(id)
    kinds = ["submitted", "verifying", "published", "withdrawn", "restored", "deleted"]
    assert [event.kind for event in dock.events(id)] == kinds
    assert {event.actor for event in dock.events(id)} >= {"ada"}
    with pytest.raises(NotFound):
        dock.events("00000009")


def test_shared_blobs_outlive_one_of_their_learnwares(dock: Dock, submitted: Submitted) -> None:
    first, second = submitted(owner="ada"), submitted(owner="bob")
    dock.delete(first)
    assert dock.get(second).specification.n == 20


def test_new_words_are_in_force_at_once_and_the_model_is_not_run_again(
    dock: Dock, submitted: Submitted, semantic: Semantic
) -> None:
    id = submitted("The old name")
    update = dock.update(id, semantic=semantic(name="The new name"))
    assert (update.state, update.number) == ("published", 2)
    assert dock.show(id).name == "The new name"
    assert dock.get(id).semantic == semantic(name="The new name")
    assert [step.name for step in update.steps] == [step.name for step in dock.show(id).steps]


def test_a_new_task_is_verified_again_behind_the_old_revision(
    dock: Dock, submitted: Submitted, semantic: Semantic
) -> None:
    id = submitted()
    update = dock.update(id, semantic=semantic(task="Classification", output=Dimensions(2)))
    with pytest.raises(CheckFailed) as failed:
        update.wait()
    assert failed.value.code == "usability.labels"
    assert dock.show(id).semantic.task == "Regression"
    assert dock.show(id).state == "published"


def test_a_new_archive_replaces_the_old_one_when_it_is_published(
    dock: Dock, submitted: Submitted, archive: Archive
) -> None:
    id = submitted(answer="X.sum(axis=1)")
    dock.update(id, archive=archive(answer="-X.sum(axis=1)")).wait()
    with dock.get(id) as learnware:
        assert learnware.predict(np.ones((1, 3), dtype=np.float32)).tolist() == [-3.0]
    assert dock.show(id).revision == 2


def test_an_update_that_is_refused_leaves_no_trace(
    dock: Dock, submitted: Submitted, archive: Archive, semantic: Semantic
) -> None:
    id, other = submitted(centre=0.0), submitted(centre=5.0)
    before = files_of(dock.folder)
    with pytest.raises(InvalidInput):
        dock.update(id)
    with pytest.raises(InvalidSpecification):
        dock.update(id, semantic=semantic(4))
    with pytest.raises(Conflict, match=other):
        dock.update(id, archive=archive(centre=5.0))
    with pytest.raises(NotFound):
        dock.update("00000099", archive=archive(centre=7.0))
    assert files_of(dock.folder) == before
    assert dock.show(id).revision == 1


def test_the_served_zip_is_what_the_clients_of_2024_read(
    dock: Dock, submitted: Submitted, tmp_path: Path
) -> None:
    id = submitted("Sums, as served")
    path = dock.export(id, tmp_path)
    assert path == tmp_path / f"{id}.zip"
    with zipfile.ZipFile(path) as served:
        assert {"learnware.yaml", "__init__.py", "stat.json"} <= set(served.namelist())
        manifest = Manifest.parse(served.read("learnware.yaml"))
        assert manifest.id == id
        assert manifest.semantic_file == "semantic_specification.json"
        words = json.loads(served.read("semantic_specification.json"))
        assert words["Name"] == {"Type": "String", "Values": "Sums, as served"}
    first = path.read_bytes()
    assert dock.export(id, path).read_bytes() == first
    assert sorted(tmp_path.glob("*.part")) == []
    with Dock.open(tmp_path / "another", database="") as another:
        assert another.submit(path).wait().state == "published"


def test_a_damaged_archive_is_noticed_before_it_is_used(
    dock: Dock, submitted: Submitted, tmp_path: Path
) -> None:
    id = submitted()
    digest = dock.show(id).sha256
    (dock.folder / "blobs" / digest[:2] / digest).write_bytes(b"something else")
    with pytest.raises(DockDamaged):
        dock.export(id, tmp_path / "served.zip")
    assert not (tmp_path / "served.zip").exists()


def test_unpacked_learnwares_may_be_deleted_at_any_time(dock: Dock, submitted: Submitted) -> None:
    id = submitted()
    (unpacked,) = (dock.folder / "unpacked").iterdir()
    for path in unpacked.iterdir():
        path.unlink()
    unpacked.rmdir()
    assert (dock.get(id).folder / "__init__.py").exists()


def test_facets_count_what_is_published(dock: Dock, submitted: Submitted) -> None:
    submitted(centre=1.0, license="MIT"), submitted(centre=2.0, license="GPL-3.0")
    dock.withdraw(submitted(centre=3.0, license="MIT"))
    assert dock.facets()["license"] == {"GPL-3.0": 1, "MIT": 1}
    assert dock.count(SemanticFilter(license="MIT")) == 1


def test_an_open_file_and_a_path_are_archives_as_well(
    dock: Dock, archive: Archive, semantic: Semantic, tmp_path: Path
) -> None:
    (tmp_path / "learnware.zip").write_bytes(archive(centre=1.0))
    dock.submit(tmp_path / "learnware.zip", semantic()).wait()
    dock.submit(io.BytesIO(archive(centre=2.0)), semantic()).wait()
    assert len(dock) == 2


def test_a_closed_dock_says_so(dock: Dock, submitted: Submitted) -> None:
    id = submitted()
    dock.close()
    dock.close()
    for call in (dock.list, lambda: dock.get(id), lambda: dock.search({}), dock.facets):
        with pytest.raises(Conflict) as closed:
            call()
        assert closed.value.code == "conflict.closed"
    assert "closed" in repr(dock)


def test_a_folder_that_cannot_be_made_and_workers_that_cannot_be_are_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput) as refused:
        Dock.open(tmp_path / "file" / "dock")
    assert refused.value.code == "input.dock_folder"
    with pytest.raises(InvalidInput, match="on a server") as refused:
        Dock.open("https://dock.example.org")
    assert not Path("https:").exists()
    with pytest.raises(InvalidInput) as refused:
        Dock.open(tmp_path, workers=-1)
    assert refused.value.code == "input.workers"


def test_the_dock_shows_itself(dock: Dock, submitted: Submitted) -> None:
    submitted()
    assert "1 learnwares" not in repr(dock)
    assert "1 learnware>" in repr(dock)
    shown = dock._repr_html_()
    assert html.escape(str(dock.folder)) in shown
    assert "<th>learnwares</th><td>1</td>" in shown
    assert "<th>Regression</th><td>1</td>" in shown
    dock.close()
    assert "closed" in dock._repr_html_()


def test_a_learnware_shows_what_it_is_for(dock: Dock, submitted: Submitted) -> None:
    id = submitted(name="<Sums>", description="Adds up <columns> of a table.")
    shown = dock.get(id)._repr_html_()
    assert f"<caption>{id} &lt;Sums&gt;</caption>" in shown
    assert "<td>Adds up &lt;columns&gt; of a table.</td>" in shown
    assert "<th>task</th><td>Regression</td>" in shown
    assert "20 points of 3 features" in shown
