"""What an owner is told names files as the owner knows them, and no place of the dock's machine."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from beimingwu.dock import Dock
from beimingwu.errors import CheckFailed, GuestCrashed, SandboxUnavailable
from beimingwu.learnware import Manifest, pack
from beimingwu.runtime import GuestModel, start
from beimingwu.runtime.launch import GUEST, Launch, current_interpreter
from beimingwu.runtime.places import Places
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import confined
from beimingwu.runtime.trial import require
from beimingwu.specification import RKME

FRAMES = """
import json, os, sys, warnings
import numpy as np
from . import deep

class Model:
    input_shape = (2,)
    output_shape = (1,)

    def predict(self, X):
        print("here:", __file__, "there:", np.__file__, json.__file__, sys.argv[0])
        warnings.warn("old")
        return deep.fall(os.path.dirname(__file__))
"""
DEEP = """
import numpy as np

def fall(folder):
    try:
        np.load(folder + "/weights.npy")
    except OSError as error:
        raise ValueError(str(error)) from None
"""


@pytest.fixture(params=[Profile.BUBBLEWRAP, Profile.LANDLOCK, Profile.NONE], ids=str)
def launch(request: pytest.FixtureRequest) -> Launch:
    if request.param is Profile.NONE:
        return current_interpreter()
    try:
        require(request.param)
    except SandboxUnavailable as error:
        pytest.skip(error.problem)
    return confined(current_interpreter(), profile=request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "unpacked" / "5f1d"
    made.mkdir(parents=True)
    (made / "__init__.py").write_text(FRAMES)
    (made / "deep.py").write_text(DEEP)
    return made


def falls(model: GuestModel) -> GuestCrashed:
    with model, pytest.raises(GuestCrashed) as caught:
        model.predict(np.ones((1, 2)))
    return caught.value


def has_no_place_of_ours(text: str, *more: Path) -> bool:
    ours = (Path(sys.prefix), Path(sys.base_prefix), GUEST, Path.home(), *more)
    return not any(str(place) in text for place in ours if place != Path("/usr"))


def test_files_have_the_names_that_the_owner_knows(launch: Launch, folder: Path) -> None:
    model = start(folder, Manifest(), launch=launch)
    told = str(falls(model))
    assert "ValueError: [Errno 2] No such file or directory: 'weights.npy'" in told
    assert 'File "deep.py", line 8, in fall' in told
    assert "here: __init__.py there: numpy/__init__.py json/__init__.py guest.py" in told
    assert "__init__.py:12: UserWarning: old" in told
    assert has_no_place_of_ours(told + model.report.output, folder.parent)


def test_the_line_that_is_named_is_the_learnwares_own(launch: Launch, folder: Path) -> None:
    (folder / "deep.py").write_text("import json\n\ndef fall(_):\n    json.loads('{')\n")
    told = str(falls(start(folder, Manifest(), launch=launch)))
    assert 'File "deep.py", line 4, in fall' in told
    assert "decoder.py" not in told


def test_a_rejected_submission_tells_no_place_of_the_dock(tmp_path: Path, folder: Path) -> None:
    (folder / "requirements.txt").write_text("numpy\n")
    archive = pack(
        folder,
        RKME(np.eye(2, dtype=np.float32), np.full(2, 0.5), n=200),
        path=tmp_path / "learnware.zip",
        class_name="Model",
        name="One that falls",
        description="Reads a file that is not there.",
        scenarios="Education",
        license="MIT",
        task="Regression",
        outputs=["x"],
    )
    with Dock.open(tmp_path / "dock") as dock:
        submission = dock.submit(archive)
        with pytest.raises(CheckFailed):
            submission.wait()
        [*_, step] = submission.steps
    assert (step.state, step.code) == ("failed", "guest.raised")
    assert 'File "deep.py", line 8' in step.message
    assert has_no_place_of_ours(step.message, tmp_path, Path("/learnware"))


def test_only_whole_names_are_taken_out() -> None:
    launch = Launch(
        ("python3",), installations=(Path("/opt/env"), Path("/opt/env/base"), Path("/usr"))
    )
    plain = Places(launch, Path("/d/5f"), Path("/tmp/guest-1")).plain
    assert plain("/d/5f/a.py /d/5f0/a.py /x/d/5f/a.py") == "a.py /d/5f0/a.py /x/d/5f/a.py"
    assert plain("file:///d/5f/a.py") == "file://a.py"
    assert plain("in /tmp/guest-1/x") == "in /tmp/x"
    assert plain("/opt/env/lib/python3.13t/site-packages/a/b.py") == "a/b.py"
    assert plain("/opt/env/base/lib/python3.8/json/decoder.py") == "json/decoder.py"
    assert plain("/opt/env/bin/python, /usr/lib/x.so") == "bin/python, /usr/lib/x.so"
    assert plain("at /opt/env, or /opt/environment") == "at its environment, or /opt/environment"
