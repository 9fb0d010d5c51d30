"""Environments: made once, shared, read-only, kept within a size, and made without running code."""

from __future__ import annotations

import http.server
import os
import stat
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from beimingwu.config import MiB
from beimingwu.errors import EnvironmentFailed, InvalidArchive
from beimingwu.learnware.archive import Requirements
from beimingwu.learnware.manifest import Manifest
from beimingwu.runtime.environment import Environment, Environments, environment_launch
from beimingwu.runtime.host import start
from beimingwu.runtime.installer import Installer
from beimingwu.runtime.interpreters import find_interpreters
from beimingwu.runtime.room import files_of


def asking(*lines: str) -> Requirements:
    return Requirements("requirements.txt", "\n".join(lines))


def said(environment: Environment, program: str) -> str:
    done = subprocess.run(
        [environment.python, "-I", "-B", "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_an_environment_has_what_was_asked_for_and_nothing_of_ours(environments):
    with environments.use(environments.lock(asking("paint==1.1.0"))) as made:
        assert said(made, "import paint; print(paint.version)") == "1.1.0"
        program = "import importlib.util as u; print(u.find_spec('scipy'), u.find_spec('pip'))"
        assert said(made, program) == "None None"
        assert made.lock.versions == {"numpy": "2.0.0", "paint": "1.1.0"}
        assert made.readable[0] in made.python.parents
        assert made.readable[1] in made.python.resolve().parents


def test_all_may_read_it_and_nobody_write_it_whatever_our_umask(environments):
    before = os.umask(0o077)
    try:
        made = environments.use(environments.lock(asking("paint")))
    finally:
        os.umask(before)
    with made:
        entries = [made.folder, *(p for p in made.folder.rglob("*") if not p.is_symlink())]
        assert {path.stat().st_mode & 0o666 for path in entries} == {0o444}
        assert all(path.stat().st_mode & 0o111 == 0o111 for path in entries if path.is_dir())


def test_its_modules_are_compiled(environments):
    with environments.use(environments.lock(asking("paint"))) as made:
        assert list(made.folder.rglob("__pycache__/paint.*.pyc"))


def test_what_was_compiled_for_one_environment_is_linked_into_the_next(environments, shop):
    shop.wheel("twin", "1.0", {"twin.py": "version = 'honest'\n", "broken.py": "print 1\n"})
    shop.wheel("twin", "2.0", {"twin.py": "version = 'other!'\n", "kin.py": "version = 1\n"})
    compiled = {}
    for line in ("twin==1.0", "paint==1.1.0\ntwin==1.0", "twin==2.0"):
        with environments.use(environments.lock(asking(line))) as made:
            [compiled[line]] = made.folder.rglob("__pycache__/twin.*.pyc")
            assert said(made, "import twin; print(twin.version)") in ("honest", "other!")
            assert not list(made.folder.rglob("__pycache__/broken.*"))
            assert str(made.folder) in said(
                made, "import twin; print(twin.__loader__.get_code('twin').co_filename)"
            )
    first, second, other = (path.stat().st_ino for path in compiled.values())
    assert first == second != other


def test_the_second_use_makes_nothing_and_asks_nobody(environments, shop, tmp_path: Path):
    requirements = asking("paint")
    with environments.use(environments.lock(requirements)) as first:
        folder = first.folder
    told: list[str] = []
    deaf = Installer(tmp_path / "absent", confine=lambda words, _: ("/bin/false",))
    again = Environments(
        environments.folder, installer=replace(deaf, indexes=environments._installer.indexes)
    )
    with again.use(again.lock(requirements, on_line=told.append), on_line=told.append) as second:
        assert second.folder == folder
    assert told == []


def test_each_step_is_told(environments):
    told: list[str] = []
    lock = environments.lock(asking("paint", "absent"), on_line=told.append)
    environments.use(lock, on_line=told.append).close()
    text = "\n".join(told)
    for step in ("finding versions", "`absent` is left out", "+ paint==1.2.0", "compiling"):
        assert step in text


def test_another_folder_makes_the_same_from_a_recorded_lock(
    environments, installer, pythons, tmp_path
):
    lock = environments.lock(asking("paint"))
    elsewhere = Environments(tmp_path / "elsewhere", installer=installer, interpreters=pythons[:1])
    with (
        environments.use(lock) as here,
        elsewhere.use(type(lock).from_json(lock.to_json())) as there,
    ):
        assert here.folder.name == there.folder.name
        assert said(there, "import paint; print(paint.version)") == "1.2.0"


def test_a_package_that_is_not_what_the_lock_says_is_not_installed(
    environments, installer, shop, pythons, tmp_path: Path
):
    lock = environments.lock(asking("paint==1.2.0"))
    shop.wheel("paint", "1.2.0", {"paint.py": "version = 'evil'\n"})
    forgetful = replace(installer, cache=tmp_path / "another-cache")
    later = Environments(environments.folder, installer=forgetful, interpreters=pythons[:1])
    with pytest.raises(EnvironmentFailed, match=r"[Hh]ash") as caught:
        later.use(lock)
    assert caught.value.code == "environment.install"
    assert later.list() == ()


def test_two_who_need_it_at_once_make_one(environments, slow):
    lock = environments.lock(asking("paint"))
    told: list[list[str]] = [[], []]

    def use(number: int) -> Path:
        both = Environments(
            environments.folder, installer=slow, interpreters=environments._interpreters
        )
        with both.use(lock, on_line=told[number].append) as made:
            return made.folder

    with ThreadPoolExecutor(2) as pool:
        folders = set(pool.map(use, range(2)))
    assert len(folders) == 1
    makers = [lines for lines in told if any("making an environment" in line for line in lines)]
    assert len(makers) == 1
    [waiter] = [lines for lines in told if lines not in makers]
    assert any("another process" in line for line in waiter) or waiter == []


def test_a_package_that_unpacks_to_more_than_is_allowed_is_stopped_while_it_does(
    environments, shop, monkeypatch
):
    shop.wheel("bomb", "1.0", {f"bomb/{i}.bin": "0" * 100 * MiB for i in range(4)})
    monkeypatch.setenv("BEIMINGWU_ENVIRONMENT_MAX_BYTES", str(10 * MiB))
    with pytest.raises(EnvironmentFailed) as caught:
        environments.use(environments.lock(asking("bomb")))
    assert caught.value.code == "environment.too_large"
    assert "was ended" in caught.value.problem
    assert environments.room().packages < 50 * MiB


def test_a_build_that_fails_leaves_nothing(environments, monkeypatch):
    monkeypatch.setenv("BEIMINGWU_ENVIRONMENT_MAX_BYTES", "10")
    with pytest.raises(EnvironmentFailed) as caught:
        environments.use(environments.lock(asking("paint")))
    assert caught.value.code == "environment.too_large"
    assert sorted(entry.suffix or entry.name for entry in environments.folder.iterdir()) == [
        ".lock",
        "locks",
    ]


def test_a_build_over_its_time_is_ended_and_leaves_nothing(environments, slow, monkeypatch):
    lock = environments.lock(asking("paint"))
    monkeypatch.setenv("BEIMINGWU_ENVIRONMENT_BUILD_SECONDS", "0.5")
    hurried = Environments(
        environments.folder, installer=slow, interpreters=environments._interpreters
    )
    with pytest.raises(EnvironmentFailed) as caught:
        hurried.use(lock)
    assert caught.value.code == "environment.timed_out"
    assert hurried.list() == ()


def test_no_code_of_a_package_runs_while_it_is_installed(environments, shop, tmp_path: Path):
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w')\n"
    shop.wheel(
        "eager",
        "1.0",
        {
            "eager.pth": f"import os; {code}",
            "eager.py": code,
            "sitecustomize.py": code,
            "py_compile.py": code,
            "site.py": code,
        },
    )
    with environments.use(environments.lock(asking("eager"))) as made:
        assert not ran.exists()
        said(made, "import eager")
    assert ran.exists(), "it would have run, had anything started it"


@pytest.mark.parametrize(
    "where", ["data/bin/python", "data/pyvenv.cfg", "data/environment.json", "data/bin/python/x"]
)
def test_a_package_that_replaces_the_python_of_its_environment_is_refused(
    environments, shop, where
):
    shop.wheel("usurper", "1.0", {"usurper.py": "", f"usurper-1.0.data/{where}": "#!/bin/sh\n"})
    with pytest.raises(EnvironmentFailed) as caught:
        environments.use(environments.lock(asking("usurper")))
    assert caught.value.code in ("environment.replaces_python", "environment.install")
    assert environments.list() == ()


def test_a_package_cannot_write_beside_its_environment(environments, shop, tmp_path: Path):
    shop.wheel("climber", "1.0", {"climber.py": "", "../../../../../../climbed.txt": "x"})
    shop.wheel("jumper", "1.0", {"jumper.py": "", f"{tmp_path}/climbed.txt": "x"})
    for name in ("climber", "jumper"):
        try:
            environments.use(environments.lock(asking(name))).close()
        except EnvironmentFailed as refused:
            assert refused.code in ("environment.install", "environment.uv")
    outside = [p for p in tmp_path.rglob("climbed.txt") if environments.folder not in p.parents]
    assert [p for p in outside if (tmp_path / "uv") not in p.parents] == []


def test_those_unused_for_longest_go_first_and_those_in_use_stay(environments):
    locks = [environments.lock(asking(f"paint=={version}")) for version in ("1.1.0", "1.2.0")]
    oldest, newest = [environments.use(lock) for lock in locks]
    newest.close()
    for age, environment in ((200, oldest), (100, newest)):
        then = time.time() - age
        os.utime(environments.folder / f"{environment.folder.name}.lock", (then, then))
    assert [info.in_use for info in environments.list()] == [False, True]
    assert [info.id for info in environments.prune(0)] == [newest.folder.name]
    oldest.close()
    environments.use(locks[1]).close()
    size = environments.room().environments - 1
    assert [info.id for info in environments.prune(size)] == [oldest.folder.name]
    assert [info.packages["paint"] for info in environments.list()] == ["1.2.0"]


def test_making_one_more_than_there_is_room_for_removes_another(environments, monkeypatch):
    environments.use(environments.lock(asking("paint==1.1.0"))).close()
    monkeypatch.setenv("BEIMINGWU_ENVIRONMENTS_MAX_BYTES", "1")
    with environments.use(environments.lock(asking("paint==1.2.0"))) as made:
        assert [info.id for info in environments.list()] == [made.folder.name]


def test_pruning_frees_what_the_cache_of_packages_had_of_them(environments, shop):
    big = "x = " + repr("y" * 1_000_000)
    shop.wheel("huge", "1.0", {"huge.py": big})
    for age, name in ((200, "huge"), (100, "paint")):
        with environments.use(environments.lock(asking(name))) as made:
            then = time.time() - age
            os.utime(environments.folder / f"{made.folder.name}.lock", (then, then))
    before = environments.room()
    assert before.environments > 1_000_000
    [gone] = environments.prune(before.total - 500_000)
    assert "huge" in gone.packages
    assert environments.room().total < before.total - 1_000_000
    # What the other environment has is still at hand, without any shelf to fetch it from.
    shop.folder.rename(shop.folder.with_name("closed"))
    environments.use(environments.lock(asking("paint"))).close()


def test_what_a_failed_building_fetched_is_counted_and_goes(environments, shop, monkeypatch):
    big = "x = " + repr("y" * 1_000_000)
    shop.wheel("usurper", "1.0", {"huge.py": big, "usurper-1.0.data/scripts/python": "#!/bin/sh\n"})
    monkeypatch.setenv("BEIMINGWU_ENVIRONMENTS_MAX_BYTES", "500000")
    with pytest.raises(EnvironmentFailed):
        environments.use(environments.lock(asking("usurper")))
    assert environments.room().total < 500_000


def test_a_cache_that_others_use_too_is_left_to_them(tmp_path: Path, installer, pythons):
    here = tmp_path / "elsewhere" / "environments"
    ours = Environments(here, installer=installer, interpreters=pythons[:1])
    ours.use(ours.lock(asking("paint"))).close()
    packages = sum(size for _, size in files_of(installer.cache))
    ours.prune(0)
    assert ours.list() == ()
    assert ours.room().total == 0
    left = sum(size for _, size in files_of(installer.cache))
    assert 0 < left < packages  # Our bytecode is gone from it.


def test_one_held_by_another_process_is_not_removed(environments):
    lock = environments.lock(asking("paint"))
    environments.use(lock).close()
    path = environments.folder / f"{lock.digest[:40]}.lock"
    holder = subprocess.Popen(["flock", "--shared", path, "cat"], stdin=subprocess.PIPE)
    with holder:
        while not environments.list()[0].in_use:
            time.sleep(0.01)
        assert environments.prune(0) == ()
    assert len(environments.prune(0)) == 1


def test_one_whose_python_was_removed_is_made_again(environments, pythons, tmp_path: Path):
    lock = environments.lock(asking("paint"))
    with environments.use(lock) as made:
        python = made.folder / "bin" / "python"
        python.parent.chmod(0o755)
        python.unlink()
        python.symlink_to(tmp_path / "gone")
    assert environments.find(lock) is None
    with environments.use(lock) as again:
        assert said(again, "print(1)") == "1"


def test_a_lock_of_another_system_or_python_is_refused(environments):
    lock = environments.lock(asking("paint"))
    for wrong, code in (
        ({"platform": "plan9-vax"}, "platform"),
        ({"python": "3.5"}, "needs_python"),
    ):
        with pytest.raises(EnvironmentFailed) as caught:
            environments.use(replace(lock, **wrong))
        assert caught.value.code == f"environment.{code}"


def test_a_file_that_is_refused_is_refused_before_anything_is_looked_up(environments):
    with pytest.raises(InvalidArchive):
        environments.lock(asking("--index-url https://evil.example"))
    assert list(environments.folder.iterdir()) == []


def test_a_memory_of_an_answer_that_is_damaged_is_asked_for_again(environments):
    lock = environments.lock(asking("paint"))
    [remembered] = (environments.folder / "locks").iterdir()
    remembered.write_text("{")
    assert environments.lock(asking("paint")) == lock


@pytest.fixture
def index(shop) -> Iterator[http.server.ThreadingHTTPServer]:
    """Return a package index on this machine that serves the shop."""

    class Shelf(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            _, first, *rest = self.path.strip("/").join("//").split("/")
            if first != "simple":
                return super().do_GET()
            wanted = rest[0].replace("-", "_")
            names = [p.name for p in shop.folder.iterdir() if p.name.startswith(f"{wanted}-")]
            page = "".join(f'<a href="/{name}">{name}</a>' for name in names).encode()
            self.send_response(200 if names else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    served = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Shelf, directory=shop.folder)
    )
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.mark.parametrize("knows", [False, True], ids=["the index is down", "set offline"])
def test_without_the_network_a_warm_cache_is_enough(
    index, installer, pythons, tmp_path: Path, knows, monkeypatch
):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    address = f"http://127.0.0.1:{index.server_address[1]}/simple"
    online = replace(installer, indexes=("--default-index", address))
    first = Environments(tmp_path / "first", installer=online, interpreters=pythons[:1])
    with first.use(first.lock(asking("paint", "absent"))) as made:
        assert set(made.lock.versions) == {"numpy", "paint"}
    index.shutdown()
    index.server_close()
    offline = replace(online, offline=knows)
    later = Environments(tmp_path / "later", installer=offline, interpreters=pythons[:1])
    with later.use(later.lock(asking("paint"))) as made:
        assert said(made, "import paint; print(paint.version)") == "1.2.0"
    with pytest.raises(EnvironmentFailed) as caught:
        later.lock(asking("paint", "brush"))
    assert caught.value.code == "environment.offline"


MODULE = """
import numpy as np
import paint
from learnware.model import BaseModel

class Model(BaseModel):
    def __init__(self):
        super().__init__(input_shape=(2,), output_shape=(1,))

    def predict(self, X):
        return X.sum(axis=1, keepdims=True) * float(paint.version[2])
"""


def numpy_of_ours(folder: Path) -> None:
    """Pack the installed numpy as a wheel again."""
    installed = metadata.distribution("numpy")
    [tag, *_] = [
        line[5:]
        for line in (installed.read_text("WHEEL") or "").splitlines()
        if line.startswith("Tag: ")
    ]
    with zipfile.ZipFile(folder / f"numpy-{installed.version}-{tag}.whl", "w") as archive:
        for path in installed.files or ():
            if (
                ".." not in path.parts
                and "__pycache__" not in path.parts
                and "tests" not in path.parts
            ):
                archive.write(str(path.locate()), str(path))


def test_a_learnware_predicts_by_the_python_and_the_packages_it_asked_for(
    environments, shop, tmp_path: Path
):
    numpy_of_ours(shop.folder)
    folder = tmp_path / "learnware"
    folder.mkdir()
    (folder / "__init__.py").write_text(MODULE)
    manifest = Manifest(class_name="Model")
    lock = environments.lock(asking("paint==1.2.0", f"numpy=={np.__version__}"))
    with environments.use(lock) as made:
        model = start(folder, manifest, launch=environment_launch(made))
        try:
            X = np.ones((3, 2), dtype=np.float32)
            assert np.array_equal(model.predict(X), np.full((3, 1), 4.0, dtype=np.float32))
        finally:
            model.close()


@pytest.mark.network
def test_scikit_learn_from_the_index_that_is_configured(tmp_path: Path, pythons):
    from beimingwu.config import settings
    from beimingwu.runtime.installer import configured

    shared = Path(settings().cache) / "uv"
    environments = Environments(
        tmp_path, installer=replace(configured(), cache=shared), interpreters=pythons[:1]
    )
    with environments.use(environments.lock(asking("scikit-learn", "pywin32", "sqlite"))) as made:
        assert len([note for note in made.lock.notes if "left out" in note]) == 2
        assert (
            said(made, "import sklearn; print(sklearn.__version__)")
            == made.lock.versions["scikit-learn"]
        )
    assert stat.S_ISDIR(tmp_path.stat().st_mode)
    environments.prune(0)


def test_a_package_may_bring_programs_named_after_python(environments, shop):
    shop.wheel(
        "completer",
        "1.0",
        {
            "completer.py": "",
            "completer-1.0.data/data/bin/python-complete": "#!/bin/sh\n",
            "completer-1.0.data/data/bin/python-more/x": "#!/bin/sh\n",
        },
    )
    with environments.use(environments.lock(asking("completer"))) as made:
        said(made, "import completer")


SYSTEM_PYTHON = Path("/usr/bin/python3")


@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="the system has no Python of its own")
def test_of_a_systems_python_the_installation_is_seen_and_not_all_beside_it(
    tmp_path: Path, installer
):
    pythons = find_interpreters([SYSTEM_PYTHON])
    made = Environments(tmp_path / "environments", installer=installer, interpreters=pythons)
    with made.use(made.lock(asking("paint"))) as environment:
        seen = environment.readable
        assert environment.folder in seen
        assert environment.python.resolve() in seen
        assert not {Path("/"), Path("/usr"), Path("/usr/local"), Path("/usr/bin")} & {*seen}
    made.prune(0)


def test_an_answer_whose_python_is_gone_is_sought_anew(tmp_path: Path, installer, pythons):
    if len(pythons) < 2:
        pytest.skip("one Python on this machine")
    gone, there = (
        Environments(tmp_path / "environments", installer=installer, interpreters=[python])
        for python in pythons[:2]
    )
    before = gone.lock(asking("paint"))
    after = there.lock(asking("paint"))
    assert before.python != after.python == ".".join(map(str, pythons[1].minor))
    gone.use(before).close()
    assert there.lock(asking("paint")) == after, "what was found last is remembered"
