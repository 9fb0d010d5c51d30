"""Archives of the old layouts, as honest tools write them."""

from __future__ import annotations

import hashlib
import io
import py_compile
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from beimingwu.errors import (
    BeimingwuError,
    InvalidArchive,
    InvalidSpecification,
    NotFound,
    TooLarge,
)
from beimingwu.learnware import Learnware, open_archive
from beimingwu.learnware.zipwriter import write_archive
from beimingwu.specification import RKME, Dimensions, SemanticSpecification
from beimingwu.specification.files import dumps_specification

SPECIFICATION = RKME(np.eye(2), np.array([0.5, 0.5]), n=20, features=("rain", "wind"))
SEMANTIC = SemanticSpecification(
    name="Rain and wind",
    description="Adds rain and wind.",
    data="Table",
    task="Regression",
    library="Others",
    scenarios="Nature",
    license="MIT",
    input=Dimensions.of(["rain", "wind"]),
    output=Dimensions(1),
)
MODULE = """
from learnware.model import BaseModel

class Model(BaseModel):
    def __init__(self):
        super().__init__(input_shape=(2,), output_shape=(1,))

    def predict(self, X):
        return X.sum(axis=1)
"""
MANIFEST = """
model: {class_name: Model}
stat_specifications:
- {module_path: learnware.specification, class_name: RKMEStatSpecification,
   file_name: stat.json, kwargs: {}}
"""
Files = dict[str, str | bytes]


def the_files(**more: str) -> Files:
    return {
        "learnware.yaml": MANIFEST,
        "__init__.py": MODULE,
        "stat.json": dumps_specification(SPECIFICATION),
        "requirements.txt": "numpy\n",
        **{name.replace("__", "."): text for name, text in more.items()},
    }


def zipped(files: Files, top: str = "", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as writer:
        for name, content in files.items():
            writer.writestr(top + name, content)
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("top", ["", "my learnware/", "学件/"])
def test_flat_archives_and_one_top_folder_are_the_same(top: str, method: int) -> None:
    data = zipped(the_files(), top, method)
    with open_archive(data) as archive:
        assert archive.names == ("__init__.py", "learnware.yaml", "requirements.txt", "stat.json")
        assert archive.read("__init__.py").decode() == MODULE
        assert archive.specification().features == ("rain", "wind")
        assert (archive.requirements().kind, archive.requirements().text) == (
            "requirements.txt",
            "numpy\n",
        )
        assert archive.semantic() is None
        assert archive.size == len(data)
        assert archive.sha256 == hashlib.sha256(data).hexdigest()


def test_an_archive_opens_by_path_bytes_and_file(tmp_path: Path) -> None:
    data = zipped(the_files())
    path = tmp_path / "learnware.zip"
    path.write_bytes(data)
    digests = set()
    with path.open("rb") as file:
        for source in (path, str(path), data, file):
            with open_archive(source) as archive:
                digests.add(archive.sha256)
        assert not file.closed
    assert len(digests) == 1


def test_environment_yaml_wins_over_requirements() -> None:
    with open_archive(zipped(the_files(environment__yaml="name: x\n"))) as archive:
        assert archive.requirements().kind == "environment.yaml"


def test_an_embedded_semantic_specification_is_read() -> None:
    files = the_files(semantic__json=SEMANTIC.dumps())
    files["learnware.yaml"] = MANIFEST + "semantic_specification: {file_name: semantic.json}\n"
    with open_archive(zipped(files)) as archive:
        assert archive.semantic() == SEMANTIC


def test_a_manifest_without_specifications_has_none_to_give() -> None:
    files = the_files() | {"learnware.yaml": "model: {}\nstat_specifications: []"}
    with open_archive(zipped(files)) as archive, pytest.raises(InvalidArchive) as caught:
        archive.specification()
    assert caught.value.code == "archive.no_specification"


def test_a_specification_made_by_a_dock_is_passed_over() -> None:
    files = the_files(hetero__json="{}")
    files["learnware.yaml"] = MANIFEST.replace(
        "stat_specifications:\n",
        "stat_specifications:\n- {class_name: HeteroMapTableSpecification, "
        "file_name: hetero.json, module_path: learnware.specification, kwargs: {}}\n",
    )
    with open_archive(zipped(files)) as archive:
        assert archive.specification().dimension == 2


def test_what_the_finder_adds_is_left_out(tmp_path: Path) -> None:
    files = {f"mine/{name}": content for name, content in the_files().items()}
    files["__MACOSX/mine/._learnware.yaml"] = b"\0\5\26\7"
    with open_archive(zipped(files)) as archive:
        assert archive.names == ("__init__.py", "learnware.yaml", "requirements.txt", "stat.json")
        archive.extract(tmp_path / "out")
    assert not list(tmp_path.rglob("._*"))


def test_the_source_of_a_learnware_runs_and_not_bytecode_that_came_with_it(tmp_path: Path) -> None:
    files = the_files()
    source = tmp_path / "other.py"
    source.write_text(MODULE.replace("X.sum(axis=1)", "X.sum(axis=1) + 1000"))
    compiled = tmp_path / "other.pyc"
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(compiled), invalidation_mode=unchecked)
    tag = sys.implementation.cache_tag
    for name in (f"__pycache__/__init__.{tag}.pyc", f"deep/__PyCache__/x.{tag}.pyc", "sole.pyc"):
        files[name] = compiled.read_bytes()
    path = tmp_path / "learnware.zip"
    path.write_bytes(zipped(files))
    with open_archive(path) as archive:
        assert set(archive.names) == set(the_files())
    with Learnware.open(path) as learnware:
        assert learnware.predict(np.ones((2, 2))).ravel().tolist() == [2.0, 2.0]


def test_an_archive_written_to_a_pipe_is_read() -> None:
    """Such a writer cannot go back, so that sizes follow the data in descriptors."""

    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, more: object) -> int:
            self.data += bytes(more)  # type: ignore[call-overload]
            return len(bytes(more))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in the_files().items():
            with writer.open(name, "w", force_zip64=name == "stat.json") as member:
                member.write(content.encode() if isinstance(content, str) else content)
    with open_archive(pipe.data) as archive:
        assert archive.specification().dimension == 2


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs Info-ZIP")
@pytest.mark.parametrize("folder", [".", "mine"])
def test_an_archive_by_info_zip_is_read(folder: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name, content in the_files().items():
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "mine" / name).write_bytes(data)
    where = tmp_path / "mine" if folder == "." else tmp_path
    subprocess.run(["zip", "-qr", tmp_path / "out.zip", folder], cwd=where, check=True)
    with open_archive(tmp_path / "out.zip") as archive:
        assert archive.specification().dimension == 2


@pytest.mark.parametrize("comment", [b"", b"0123456789abcdef0123456789abcdef01234567"])
def test_the_comment_that_git_archive_writes_is_tolerated(comment: bytes) -> None:
    file = io.BytesIO(zipped(the_files()))
    with zipfile.ZipFile(file, "a") as writer:
        writer.comment = comment
    with open_archive(file.getvalue()) as archive:
        assert archive.manifest.class_name == "Model"


def test_extraction_writes_the_files_and_their_folders(tmp_path: Path) -> None:
    files = the_files() | {"weights/deep/w.bin": bytes(range(256))}
    with open_archive(zipped(files, "top/")) as archive:
        archive.extract(tmp_path / "out")
    assert (tmp_path / "out" / "weights" / "deep" / "w.bin").read_bytes() == bytes(range(256))
    assert (tmp_path / "out" / "learnware.yaml").read_text() == MANIFEST


def test_extraction_never_writes_over_anything(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    with open_archive(zipped(the_files())) as archive, pytest.raises(InvalidArchive) as caught:
        archive.extract(tmp_path)
    assert caught.value.code == "archive.folder_not_empty"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_archive(tmp_path / "nothing.zip")
    with pytest.raises(InvalidArchive):
        open_archive(tmp_path)
    with open_archive(zipped(the_files())) as archive:
        with pytest.raises(NotFound):
            archive.read("nothing")
        with pytest.raises(TooLarge):
            archive.read("__init__.py", limit=10)


def test_writing_is_deterministic_and_leaves_nothing_when_it_fails(tmp_path: Path) -> None:
    files = {
        name: content.encode() if isinstance(content, str) else content
        for name, content in the_files().items()
    }
    one = write_archive(files, tmp_path / "one.zip").read_bytes()
    two = write_archive(dict(reversed(files.items())), tmp_path / "two.zip").read_bytes()
    assert one == two
    del files["__init__.py"]
    with pytest.raises(InvalidArchive):
        write_archive(files, tmp_path / "one.zip")
    assert (tmp_path / "one.zip").read_bytes() == one
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.zip", "two.zip"]


def test_a_learnware_opens_from_an_archive_and_from_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "sum.zip"
    path.write_bytes(zipped(the_files(), "top/"))
    with open_archive(path) as archive:
        archive.extract(tmp_path / "sum")
    for source, expected in ((path, "sum"), (tmp_path / "sum", "sum")):
        with Learnware.open(source, semantic=SEMANTIC) as learnware:
            assert (learnware.id, learnware.semantic) == (expected, SEMANTIC)
            assert learnware.specification.dimension == 2
            assert learnware.predict([[1, 2], [3, 4]]).tolist() == [3, 7]
    assert Learnware.open(path, id="00000042").id == "00000042"


def test_an_embedded_semantic_specification_that_breaks_the_rules_can_be_replaced(
    tmp_path: Path,
) -> None:
    files = the_files(semantic__json="{}")
    files["learnware.yaml"] = MANIFEST + "semantic_specification: {file_name: semantic.json}\n"
    path = tmp_path / "sum.zip"
    path.write_bytes(zipped(files))
    with pytest.raises(InvalidSpecification):
        Learnware.open(path)
    with Learnware.open(path, semantic=SEMANTIC) as learnware:
        assert learnware.semantic == SEMANTIC


def test_threads_that_predict_at_once_share_one_process(tmp_path: Path) -> None:
    files = the_files() | {
        "__init__.py": "import os\nimport numpy as np\n"
        + MODULE.replace("X.sum(axis=1)", "np.full(len(X), os.getpid())")
    }
    path = tmp_path / "sum.zip"
    path.write_bytes(zipped(files))
    with Learnware.open(path) as learnware, ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda _: learnware.predict([[1, 2]])[0], range(8))
        assert len(set(answers)) == 1


def test_closing_a_learnware_removes_what_it_extracted_and_only_that(tmp_path: Path) -> None:
    path = tmp_path / "sum.zip"
    path.write_bytes(zipped(the_files()))
    learnware = Learnware.open(path)
    folder = learnware.folder
    assert folder.exists()
    learnware.close()
    assert not folder.exists()
    with open_archive(path) as archive:
        archive.extract(tmp_path / "sum")
    with Learnware.open(tmp_path / "sum") as kept:
        folder = kept.folder
    assert (folder / "learnware.yaml").exists()


def test_a_folder_that_is_no_learnware_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive) as caught:
        Learnware.open(tmp_path)
    assert caught.value.code == "archive.no_manifest"
    (tmp_path / "learnware.yaml").write_text("model: {}")
    with pytest.raises(BeimingwuError) as also:
        Learnware.open(tmp_path)
    assert also.value.code == "archive.no_such_file"
