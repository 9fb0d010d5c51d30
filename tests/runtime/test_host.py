"""A learnware's model in a process of its own: real processes, real crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from beimingwu.errors import (
    BeimingwuError,
    GuestCrashed,
    GuestFailed,
    GuestOutOfMemory,
    GuestTimedOut,
    InvalidInput,
    TooLarge,
)
from beimingwu.learnware import Manifest
from beimingwu.runtime import GuestModel, start
from beimingwu.runtime.cancellation import Cancellation

BASE = """
import os, sys, time
import numpy as np
from learnware.model import BaseModel

class Model(BaseModel):
    def __init__(self, shape=(2,)):
        super().__init__(input_shape=shape, output_shape=(1,))

    def predict(self, X):
{predict}
"""
Starter = Callable[..., GuestModel]


def a_module(predict: str = "return X.sum(axis=1)") -> str:
    return BASE.format(predict=textwrap.indent(textwrap.dedent(predict), " " * 8))


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Starter]:
    """Start the model of a module with these files beside it; close it at the end."""
    models: list[GuestModel] = []

    def start_it(module: str, manifest: Manifest | None = None, **files: str) -> GuestModel:
        folder = tmp_path / f"learnware{len(models)}"
        folder.mkdir()
        manifest = manifest or Manifest()
        (folder / manifest.module_path).write_text(module)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        models.append(start(folder, manifest))
        return models[-1]

    yield start_it
    for model in models:
        model.close()


def test_a_model_predicts_in_another_process(started: Starter) -> None:
    model = started(a_module("return np.full(len(X), os.getpid())"))
    (pid,) = set(model.predict(np.zeros((3, 2))).tolist())
    assert pid != os.getpid()
    assert model.predict(np.zeros((1, 2))).tolist() == [pid]  # kept, not started again
    assert (model.input_shape, model.output_shape) == ((2,), (1,))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6.0).reshape(3, 2),
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.arange(6, dtype=np.int64).reshape(3, 2),
        np.array([[True, False]]),
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.arange(6, dtype=">f4").reshape(3, 2),
        np.zeros((0, 2)),
    ],
    ids=lambda values: f"{values.dtype}{values.shape}",
)
def test_an_array_comes_back_as_it_was_sent(values: np.ndarray, started: Starter) -> None:
    before = values.copy()
    answer = started(a_module("return X")).predict(values)
    assert answer.dtype == values.dtype
    assert np.array_equal(answer, before)
    assert np.array_equal(values, before)


def test_a_model_may_change_and_keep_what_it_is_given(started: Starter) -> None:
    model = started(
        a_module("""
            assert X.flags.writeable and X.flags.aligned and X.flags.c_contiguous
            kept, self.kept = getattr(self, "kept", X), X
            X += 1
            return np.column_stack([X, kept])
        """)
    )
    assert model.predict(np.zeros((2, 2))).tolist() == [[1, 1, 1, 1]] * 2
    assert model.predict(np.full((2, 2), 5.0)).tolist() == [[6, 6, 1, 1]] * 2


def test_texts_travel_to_the_model_and_labels_come_back(started: Starter) -> None:
    model = started(
        a_module("return ['long' if len(text) > 3 else 'short' for text in X]"),
        Manifest(kwargs={"shape": None}),
    )
    answer = model.predict(["a text\n", "中文", "\u0000"])
    assert answer.tolist() == ["long", "short", "short"]


def test_arrays_and_columns_of_texts_are_texts(started: Starter) -> None:
    model = started(a_module("return [len(text) for text in X]"), Manifest(kwargs={"shape": None}))
    assert model.predict(np.array(["a", "bcd"])).tolist() == [1, 3]
    assert model.predict(np.array(["a", "bcd"], dtype=object)).tolist() == [1, 3]


def test_images_travel_as_arrays(started: Starter) -> None:
    model = started(a_module("return X.max(axis=(1, 2, 3))"), Manifest(kwargs={"shape": (3, 4, 4)}))
    images = np.random.default_rng(0).normal(size=(5, 3, 4, 4))
    assert np.array_equal(model.predict(images), images.max(axis=(1, 2, 3)))


def test_tensors_and_lists_and_frames_come_back_as_arrays(started: Starter) -> None:
    module = a_module("""
        class Tensor:
            def detach(self): return self
            def cpu(self): return self
            def numpy(self): return np.ones(len(X))
        class Frame:
            def to_numpy(self): return np.ones(len(X))
        return [Tensor(), Frame(), [1] * len(X), [1.0] * len(X)][int(X[0, 0])]
    """)
    model = started(module)
    for kind in range(4):
        assert model.predict(np.full((2, 2), kind)).tolist() == [1, 1]


def test_arguments_keep_their_types(started: Starter) -> None:
    module = a_module("return [repr(self.given)] * len(X)").replace(
        "def __init__(self, shape=(2,)):",
        "def __init__(self, shape=(2,), given=None):\n        self.given = given",
    )
    given = {"tuple": (1, (2.5, "x")), "list": [None, True], "dict": {"dict": 1}}
    model = started(module, Manifest(kwargs={"given": given}))
    assert model.predict(np.zeros((1, 2))).tolist() == [repr(given)]


def test_a_module_imports_its_neighbours_and_finds_its_files(started: Starter) -> None:
    module = "from .weights import SLOPE\nfrom pathlib import Path\n" + a_module(
        "return X.sum(axis=1) * SLOPE + len(Path(__file__).with_name('weights.py').read_text())"
    )
    model = started(module, weights="SLOPE = 3")
    assert model.predict(np.ones((1, 2))).tolist() == [6 + len("SLOPE = 3")]


def test_a_module_of_another_name_imports_its_neighbours(started: Starter) -> None:
    module = "from .weights import SLOPE\n" + a_module("return X.sum(axis=1) * SLOPE")
    model = started(module, Manifest(module_path="model.py"), weights="SLOPE = 3")
    assert model.predict(np.ones((1, 2))).tolist() == [6]


@pytest.mark.parametrize(
    "line",
    [
        "from learnware.model import BaseModel",
        "from learnware.model.base import BaseModel",
        "import learnware.model; BaseModel = learnware.model.BaseModel",
    ],
)
def test_old_ways_to_import_the_base_class_work(line: str, started: Starter) -> None:
    module = a_module().replace("from learnware.model import BaseModel", line)
    assert started(module).predict(np.ones((1, 2))).tolist() == [2]


def test_what_a_learnware_prints_is_kept_and_does_not_disturb_the_pipe(started: Starter) -> None:
    model = started(
        a_module("""
            print("to stdout"); print("to stderr", file=sys.stderr)
            os.write(1, b"to fd 1"); os.system("echo from a child")
            print(input_is_empty := sys.stdin.read() == "")
            return X.sum(axis=1)
        """)
    )
    assert model.predict(np.ones((1, 2))).tolist() == [2]
    output = model.report.output
    for text in ("to stdout", "to stderr", "to fd 1", "from a child", "True"):
        assert text in output


def test_only_the_end_of_much_output_is_kept(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_GUEST_OUTPUT_MAX_BYTES", "1000")
    model = started(a_module("print('x' * 5_000_000); print('end'); return X.sum(axis=1)"))
    model.predict(np.ones((1, 2)))
    assert len(model.report.output) == 1000
    assert model.report.output.endswith("end\n")


def test_a_raised_error_names_its_line_and_leaves_the_process_running(started: Starter) -> None:
    model = started(
        a_module("""
            if X[0, 0] < 0:
                print("about to fail")
                raise ValueError("negative!")
            return np.full(len(X), os.getpid())
        """)
    )
    before = model.predict(np.ones((1, 2)))
    with pytest.raises(GuestCrashed) as caught:
        model.predict(-np.ones((1, 2)))
    assert caught.value.code == "guest.raised"
    for text in ("ValueError: negative!", "about to fail", "__init__.py", "in predict"):
        assert text in str(caught.value)
    assert model.predict(np.ones((1, 2))).tolist() == before.tolist()


ENDINGS = {
    "os._exit(3)": "ended with status 3",
    "sys.exit(5)": "SystemExit: 5",
    "os.kill(os.getpid(), 11)": "SIGSEGV",
    "os.kill(os.getpid(), 9)": "SIGKILL",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_crash_tells_how_and_what_was_printed_and_the_next_call_starts_anew(
    ending: str, started: Starter
) -> None:
    model = started(a_module(f"if X[0, 0] < 0:\n    print('last words'); {ending}\nreturn X[:, 0]"))
    with pytest.raises(GuestCrashed) as caught:
        model.predict(-np.ones((1, 2)))
    assert ENDINGS[ending] in str(caught.value)
    assert "last words" in str(caught.value)
    assert model.predict(np.ones((1, 2))).tolist() == [1]


def test_a_slow_model_times_out_and_the_next_call_starts_anew(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = started(
        a_module("if X[0, 0] < 0:\n    print('sleepy'); time.sleep(60)\nreturn X[:, 0]")
    )
    monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "0.3")
    with pytest.raises(GuestTimedOut, match="sleepy"):
        model.predict(-np.ones((1, 2)))
    monkeypatch.undo()
    assert model.predict(np.ones((1, 2))).tolist() == [1]


def test_a_model_that_stops_reading_times_out(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is larger than a pipe holds, so that writing it would wait for ever."""
    model = started(a_module("os.kill(os.getpid(), 19)"))
    monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "0.3")
    with pytest.raises(GuestTimedOut):
        model.predict(np.ones((100_000, 2)))
    with pytest.raises(GuestTimedOut):
        model.predict(np.ones((1, 2)))


def test_a_module_that_hangs_at_import_times_out(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_GUEST_START_SECONDS", "0.5")
    with pytest.raises(GuestTimedOut, match="START_SECONDS"):
        started("while True: pass")


UNSTARTABLE = {
    "a missing package": ("import no_such_package", "guest.import"),
    "a missing name": ("from learnware.model import NoSuchThing", "guest.import"),
    "a syntax error": ("def", "guest.raised"),
    "an error at import": ("1 / 0", "guest.raised"),
    "no class": ("class Other: pass", "guest.no_class"),
    "no predict": ("class Model: pass", "guest.no_predict"),
    "a constructor that fails": (a_module().replace("super()", "1 / 0; super()"), "guest.raised"),
    "an end at import": ("import os; os._exit(1)", "guest.ended"),
}


@pytest.mark.parametrize("name", UNSTARTABLE)
def test_a_model_that_cannot_start_says_why(name: str, started: Starter) -> None:
    module, code = UNSTARTABLE[name]
    with pytest.raises(GuestCrashed) as caught:
        started(module)
    assert caught.value.code == code
    assert caught.value.remedy


def test_running_out_of_memory_is_told_apart(started: Starter) -> None:
    model = started(a_module("return np.empty(1 << 60, dtype=np.uint8)"))
    with pytest.raises(GuestOutOfMemory):
        model.predict(np.ones((1, 2)))


UNFIT_ANSWERS = {
    "None": ("return None", "guest.reply_type"),
    "a mapping": ("return {'a': 1}", "guest.reply_type"),
    "objects": ("return np.array([object()] * len(X))", "guest.reply_type"),
    "a record array": ("return np.zeros(len(X), dtype='i4,i4')", "guest.reply_type"),
    "too few": ("return X[1:, 0]", "guest.reply_length"),
    "too many": ("return X.reshape(-1)", "guest.reply_length"),
    "a single number": ("return 1.0", "guest.reply_length"),
}


@pytest.mark.parametrize("name", UNFIT_ANSWERS)
def test_an_answer_that_does_not_fit_is_refused(name: str, started: Starter) -> None:
    predict, code = UNFIT_ANSWERS[name]
    with pytest.raises(GuestCrashed) as caught:
        started(a_module(predict)).predict(np.ones((3, 2)))
    assert caught.value.code == code


def test_an_answer_over_the_limit_is_refused_before_it_is_read(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = started(a_module("return np.zeros((len(X), 1000))"))
    monkeypatch.setenv("BEIMINGWU_GUEST_REPLY_MAX_BYTES", "20000")
    assert model.predict(np.ones((2, 2))).shape == (2, 1000)
    with pytest.raises(TooLarge) as caught:
        model.predict(np.ones((20, 2)))
    assert caught.value.code == "guest.reply_too_large"
    assert model.predict(np.ones((2, 2))).shape == (2, 1000)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a piece be four records of two float64 values."""
    monkeypatch.setenv("BEIMINGWU_GUEST_BATCH_MAX_BYTES", "64")


@pytest.mark.usefixtures("small_pieces")
def test_a_large_batch_is_cut_and_its_answers_are_joined(started: Starter) -> None:
    model = started(a_module("return np.column_stack([X, np.full(len(X), len(X))])"))
    X = np.arange(20.0).reshape(10, 2)
    answer = model.predict(X)
    assert np.array_equal(answer[:, :2], X)
    assert answer[:, 2].tolist() == [4] * 8 + [2] * 2  # the last piece is what is left
    assert model.predict(X[:0]).shape == (0, 3)
    assert model.predict(X[:4])[:, 2].tolist() == [4] * 4
    assert model.report.calls == 3


@pytest.mark.usefixtures("small_pieces")
def test_many_texts_are_cut_and_their_labels_are_joined(started: Starter) -> None:
    module = a_module("return [f'{text} of {len(X)}' for text in X]")
    model = started(module, Manifest(kwargs={"shape": None}))
    texts = [str(10**number) for number in range(20)]
    answer = model.predict(texts).tolist()
    assert [label.split(" of ")[0] for label in answer] == texts
    assert len({label.split(" of ")[1] for label in answer}) > 1  # pieces of several sizes


UNEVEN = {
    "types": ("return X.astype(np.float32 if X[0, 0] else np.float64)", "float64", "float32"),
    "kinds": ("return ['one'] * len(X) if X[0, 0] else X[:, 0]", "float64", "<U3"),
    "widths": ("return X[:, : 1 if X[0, 0] else 2]", "(2,)", "(1,)"),
}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("what", UNEVEN)
def test_pieces_answered_by_other_types_or_widths_are_refused(what: str, started: Starter) -> None:
    predict, first, second = UNEVEN[what]
    with pytest.raises(GuestCrashed) as caught:
        started(a_module(predict)).predict(np.arange(12.0).reshape(6, 2))
    assert caught.value.code == "guest.reply_pieces"
    assert first in caught.value.problem and second in caught.value.problem


@pytest.mark.usefixtures("small_pieces")
def test_the_answers_of_all_pieces_together_are_bounded(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = started(a_module("return np.zeros((len(X), 100))"))
    monkeypatch.setenv("BEIMINGWU_GUEST_REPLY_MAX_BYTES", "8000")
    assert model.predict(np.ones((8, 2))).nbytes == 6400
    with pytest.raises(TooLarge):
        model.predict(np.ones((12, 2)))


@pytest.mark.usefixtures("small_pieces")
def test_each_piece_has_the_time_of_a_call(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = started(a_module("time.sleep(0.3); return X[:, 0]"))
    monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "2")
    assert model.predict(np.ones((32, 2))).shape == (32,)
    assert model.report.call_seconds > 2


def test_arguments_that_no_guest_accepts_are_not_sent(started: Starter) -> None:
    with pytest.raises(TooLarge) as caught:
        started(a_module(), Manifest(kwargs={"shape": "x" * (17 << 20)}))
    assert caught.value.code == "guest.request_too_large"


def test_a_closed_guest_has_stopped_by_itself_and_all_it_printed_is_kept(started: Starter) -> None:
    model = started(a_module("print('last', end=''); return X[:, 0]"))
    model.predict(np.ones((1, 2)))
    process = model._process
    assert process is not None
    model.close()
    assert process.popen.returncode == 0
    assert model.report.output == "last"


@pytest.mark.parametrize("X", [["a", 1], [[object(), object()]], 3.0, np.ones(2, dtype=complex)])
def test_what_is_no_array_and_no_texts_is_not_sent(X: object, started: Starter) -> None:
    with pytest.raises(InvalidInput):
        started(a_module()).predict(X)  # type: ignore[arg-type]


def test_records_of_another_shape_are_not_sent(started: Starter) -> None:
    with pytest.raises(InvalidInput, match=r"\(2,\)"):
        started(a_module()).predict(np.ones((3, 5)))


def test_calls_from_many_threads_take_turns(started: Starter) -> None:
    model = started(a_module("time.sleep(0.002); return X[:, 0]"))

    def call(number: int) -> bool:
        return bool((model.predict(np.full((3, 2), number)) == number).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(call, range(60)))


def test_a_guest_survives_the_thread_that_started_it(started: Starter) -> None:
    """The trap of PR_SET_PDEATHSIG: it fires at the end of the starting thread."""
    models: list[GuestModel] = []
    module = a_module("return np.full(len(X), os.getpid())")
    thread = threading.Thread(target=lambda: models.append(started(module)))
    thread.start()
    thread.join()
    first = models[0].predict(np.ones((1, 2)))
    time.sleep(0.1)
    assert models[0].predict(np.ones((1, 2))).tolist() == first.tolist()


def test_the_guest_sees_nothing_of_our_environment(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_DOCK", "/secret")
    monkeypatch.setenv("SOME_TOKEN", "secret")
    model = started(
        a_module(
            "return [repr((sorted(os.environ), os.getcwd(), os.listdir(), sys.path))] * len(X)"
        )
    )
    (seen,) = model.predict(np.ones((1, 2))).tolist()
    assert "BEIMINGWU" not in seen
    assert "SOME_TOKEN" not in seen
    names, current, content, path = eval(seen)
    assert "OMP_NUM_THREADS" in names
    assert content == []
    assert current not in path
    assert not any(Path(entry).name == "runtime" for entry in path)


def test_no_bytecode_is_written_into_a_learnware(started: Starter, tmp_path: Path) -> None:
    model = started("from .weights import SLOPE\n" + a_module(), weights="SLOPE = 3")
    model.predict(np.ones((1, 2)))
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_report_measures_time_and_memory(started: Starter) -> None:
    model = started(a_module("self.kept = np.ones(int(X[0, 0])); time.sleep(0.05); return X[:, 0]"))
    model.predict(np.ones((1, 2)))
    before = model.report
    model.predict(np.full((1, 2), 8_000_000))
    after = model.report
    assert (before.calls, after.calls) == (1, 2)
    assert before.start_seconds > 0
    assert after.call_seconds >= 0.05
    assert after.peak_memory - before.peak_memory > 50_000_000


def test_the_memory_of_the_host_is_not_counted_as_the_guests(started: Starter) -> None:
    ours = np.ones(60_000_000)
    model = started(a_module())
    model.predict(np.ones((1, 2)))
    assert model.report.peak_memory < ours.nbytes / 2


def test_a_closed_model_has_no_process_and_no_folder(started: Starter) -> None:
    model = started(a_module("return [f'{os.getpid()} {os.getcwd()}'] * len(X)"))
    pid, folder = model.predict(np.ones((1, 2)))[0].split()
    model.close()
    model.close()
    assert not is_running(int(pid))
    assert not Path(folder).exists()
    with pytest.raises(GuestFailed) as caught:
        model.predict(np.ones((1, 2)))
    assert caught.value.code == "guest.closed"


def test_children_of_the_guest_end_with_it(started: Starter) -> None:
    model = started(
        "import subprocess\n"
        + a_module("return np.full(len(X), subprocess.Popen(['sleep', '60']).pid)")
    )
    child = int(model.predict(np.ones((1, 2)))[0])
    assert is_running(child)
    model.close()
    assert ends(child)


DEATHS = {
    "in Python": "while True: pass",
    "asleep": "time.sleep(60)",
    # One call of C that holds the interpreter for minutes: no thread of the guest can run.
    "in native code": "pow(3, 10**6000, 10**6000 + 7)",
    "idle": "return X[:, 0]",
}


@pytest.mark.parametrize("busy", DEATHS)
@pytest.mark.skipif(sys.platform != "linux", reason="signals on a closed pipe are Linux's")
def test_the_guest_dies_with_us_whatever_it_is_doing(
    busy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "pid"
    body = f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n{DEATHS[busy]}"
    (tmp_path / "__init__.py").write_text(a_module(body))
    script = (
        "import sys, time, numpy as np\n"
        "from beimingwu.learnware import Manifest\n"
        "from beimingwu.runtime import start\n"
        "model = start(sys.argv[1], Manifest())\n"
        "model.predict(np.ones((1, 2)))\n"
        "time.sleep(60)\n"
    )
    # What a killed host leaves in its temporary folder is left in this test's.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    host = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], env=environment)
    try:
        assert within(20, lambda: pid_file.exists() and bool(pid_file.read_text()))
        guest = int(pid_file.read_text())
        assert is_running(guest)
    finally:
        host.send_signal(signal.SIGKILL)
        host.wait()
    assert ends(guest)
    # Its folder was the host's to remove; whoever starts the next guest does.
    left = list(tmp_path.glob("beimingwu-guest-*"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "__init__.py").write_text(a_module())
    with start(tmp_path, Manifest()):
        assert len(left) == 1 and not left[0].exists()


def test_an_interrupted_call_ends_the_guest_and_the_next_starts_anew(started: Starter) -> None:
    """An answer that comes after the interruption must not be taken for the next one's."""
    model = started(a_module("time.sleep(0.3 if X[0, 0] < 0 else 0); return X[:, 0]"))
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.predict(-np.ones((1, 2)))
    timer.join()
    assert model.predict(np.ones((1, 2))).tolist() == [1]


@pytest.mark.parametrize("busy", [name for name in DEATHS if name != "idle"])
def test_a_call_can_be_called_off_from_another_thread(busy: str, tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text(a_module(f"print(os.getpid())\n{DEATHS[busy]}"))
    cancellation = Cancellation()
    with start(tmp_path, Manifest(), cancellation=cancellation) as model:
        with ThreadPoolExecutor(1) as pool:
            calling = pool.submit(model.predict, np.ones((1, 2)))
            assert within(20, lambda: bool(model.report.output))
            guest = int(model.report.output)
            cancellation.cancel()
            with pytest.raises(GuestFailed) as caught:
                calling.result(20)
        assert caught.value.code == "guest.cancelled"
        assert ends(guest)
        with pytest.raises(GuestFailed) as caught:
            model.predict(np.ones((1, 2)))
        assert caught.value.code == "guest.cancelled"


def test_a_start_can_be_called_off_from_another_thread(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("import time; time.sleep(600)")
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    with pytest.raises(GuestFailed) as caught:
        start(tmp_path, Manifest(), cancellation=cancellation)
    timer.join()
    assert caught.value.code == "guest.cancelled"


def test_errors_travel_between_our_own_processes(started: Starter) -> None:
    import pickle

    with pytest.raises(BeimingwuError) as caught:
        started(a_module("1 / 0")).predict(np.ones((1, 2)))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.code, str(again)) == (
        GuestCrashed,
        "guest.raised",
        str(caught.value),
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    return within(5, lambda: not is_running(pid))


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.01)
    return False
