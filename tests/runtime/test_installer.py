"""Installing processes: bounded, tied to our life, and deaf to what is not the operator's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from beimingwu.config import Settings
from beimingwu.errors import EnvironmentFailed
from beimingwu.runtime.installer import Installer, configured

SHELL = ("/bin/sh", "-c")


def ended(process: int) -> bool:
    """Whether a process is gone, within a few seconds."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_each_line_is_told_as_it_comes_and_kept(installer: Installer):
    told: list[str] = []
    outcome = installer.run(
        (*SHELL, "echo one; echo two >&2; exit 3"), seconds=20, writable=(), on_line=told.append
    )
    assert (outcome.status, outcome.text) == (3, "one\ntwo")
    assert told == ["one", "two"]


def test_a_process_over_its_time_is_ended_with_all_that_it_started(installer: Installer):
    told: list[str] = []
    with pytest.raises(EnvironmentFailed) as caught:
        installer.run(
            (*SHELL, "sleep 60 & echo $!; echo $$; wait"),
            seconds=0.5,
            writable=(),
            on_line=told.append,
        )
    assert caught.value.code == "environment.timed_out"
    assert all(ended(int(number)) for number in told)


def test_what_is_called_off_is_ended_with_all_that_it_started(installer: Installer):
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        if len(told) == 2:
            threading.Thread(target=installer.cancellation.cancel).start()

    words = (*SHELL, "sleep 60 & echo $!; echo $$; wait")
    for _ in range(2):  # What begins after it was called off ends as well.
        with pytest.raises(EnvironmentFailed) as caught:
            installer.run(words, seconds=60, writable=(), on_line=tell)
        assert caught.value.code == "environment.cancelled"
    assert all(ended(int(number)) for number in told)


def test_a_process_ends_when_we_are_killed(tmp_path: Path):
    program = f"""
import pathlib
from beimingwu.runtime.installer import Installer
Installer(pathlib.Path({str(tmp_path)!r})).run(
    ("/bin/sh", "-c", "echo $$; exec sleep 60"), seconds=60, writable=(),
    on_line=lambda line: print(line, flush=True),
)
"""
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with host:
        assert host.stdout is not None
        number = int(host.stdout.readline())
        host.send_signal(signal.SIGKILL)
    assert ended(number)


def test_only_what_an_operator_sets_for_indexes_reaches_uv(
    installer: Installer, monkeypatch: pytest.MonkeyPatch
):
    for name in (
        "UV_INDEX_STRATEGY",
        "UV_TORCH_BACKEND",
        "UV_INDEX_CORP_PASSWORD",
        "HTTPS_PROXY",
        "SSL_CERT_FILE",
        "UV_NO_BINARY",
        "UV_OVERRIDE",
        "UV_CONFIG_FILE",
        "BEIMINGWU_OWNER",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, "x")
    outcome = installer.run(
        (sys.executable, "-c", "import os; print(*os.environ)"), seconds=20, writable=()
    )
    given = {name for name in outcome.text.split() if not name.startswith("LC_")}
    assert {"UV_INDEX_STRATEGY", "UV_TORCH_BACKEND", "UV_INDEX_CORP_PASSWORD"} <= given
    assert {"HTTPS_PROXY", "SSL_CERT_FILE", "PATH"} <= given
    assert not {"UV_NO_BINARY", "UV_OVERRIDE", "UV_CONFIG_FILE"} & given
    assert not {"BEIMINGWU_OWNER", "PYTHONPATH"} & given


def test_the_walls_are_told_what_may_be_written(tmp_path: Path):
    seen = []

    def confine(words: tuple[str, ...], writable: tuple[Path, ...]) -> tuple[str, ...]:
        seen.append((words[1:3], writable))
        return ("/bin/echo", "walled")

    walled = Installer(tmp_path / "uv", confine=confine)
    outcome = walled.uv(("pip", "list"), seconds=20, writable=(tmp_path / "made",))
    assert outcome.text == "walled"
    assert seen == [(("pip", "list"), (tmp_path / "uv", tmp_path / "made"))]


def test_settings_become_options_of_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    made = configured(
        Settings(
            cache=str(tmp_path),
            index_url="https://a/simple",
            extra_index_url="https://b/simple https://c/simple",
            find_links="wheels https://d/wheels",
            offline=1,
        )
    )
    assert made.cache == tmp_path / "uv"
    assert made.offline
    assert made.indexes == (
        *("--default-index", "https://a/simple"),
        *("--index", "https://b/simple", "--index", "https://c/simple"),
        *("--find-links", str(tmp_path / "wheels"), "--find-links", "https://d/wheels"),
    )


def test_the_cache_of_uv_may_be_one_that_other_projects_share(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UV_CACHE_DIR", "/shared/uv")
    assert configured(Settings(cache="/ours")).cache == Path("/shared/uv")
    assert configured(Settings(cache="/ours", uv_cache="/mine")).cache == Path("/mine")


def test_a_configuration_file_of_uv_is_not_read(installer: Installer, tmp_path: Path, monkeypatch):
    home = tmp_path / "home"
    (home / ".config" / "uv").mkdir(parents=True)
    (home / ".config" / "uv" / "uv.toml").write_text("not toml [")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert installer.uv(("cache", "dir"), seconds=20).succeeded
    read = subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"],
        env=os.environ | {"HOME": str(home)},
        capture_output=True,
    )
    assert read.returncode != 0, "the file would have been an error, had it been read"
