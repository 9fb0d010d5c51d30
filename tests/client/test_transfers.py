"""Archives arrive whole through connections that break anywhere, and are not sent twice."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beimingwu.client import Client, transfers
from beimingwu.client.transfers import outgoing
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import BeimingwuError, Unavailable

Through = Callable[..., Client]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "_PIECE", 4000)
    monkeypatch.setattr(transfers, "_CHUNK", 1000)


@pytest.fixture
def archive() -> bytes:
    return a_learnware(padding=20_000)


def received(served: Any) -> list[int]:
    """How far each upload is that the server knows of."""
    folder = served.service.dock.folder / "uploads"
    return sorted(path.stat().st_size for path in folder.iterdir())


@pytest.mark.parametrize("cut", [1, 200, 900, 1500, 4000, 5000, 9000, 13000, 20000])
def test_a_submission_survives_a_cut_after_any_number_of_bytes_sent(
    served: Any, through: Through, archive: bytes, cut: int
) -> None:
    client = through((cut, None), (cut, None))
    submission = client.submit(archive)
    assert submission.wait().state == "published"
    assert client.show(submission.id).sha256 == hashlib.sha256(archive).hexdigest()
    assert len(client) == 1
    assert received(served) == []


@pytest.mark.slow
def test_submissions_survive_cuts_about_every_chunk_both_ways(
    served: Any, through: Through
) -> None:
    cuts = [(at, None) for at in range(0, 26_000, 1000)] + [
        (None, at) for at in range(0, 5000, 300)
    ]
    made = []
    for seed, cut in enumerate(cuts):
        sent = a_learnware(padding=20_000, seed=seed, name=f"Cut at {cut}")
        submission = through(cut).submit(sent)
        made.append((submission, hashlib.sha256(sent).hexdigest()))
    with Client(served.url, served.ada) as client:
        for submission, digest in made:
            assert submission.wait().state == "published"
            assert client.show(submission.id).sha256 == digest
        assert client.count(state=None) == len(cuts)
    # An upload whose id never arrived stays empty until it expires.
    assert set(received(served)) <= {0}


@pytest.mark.parametrize("cut", [1, 100, 400, 700, 1000, 1500, 2000, 2500, 3000, 4000])
def test_a_submission_whose_answers_are_lost_is_made_once(
    served: Any, through: Through, archive: bytes, cut: int
) -> None:
    client = through((None, cut), (None, cut))
    assert client.submit(archive).wait().state == "published"
    assert client.count(state=None) == 1


@pytest.mark.parametrize("cut", [1, 300, 700, 2000, 9000, 20000])
def test_a_download_goes_on_where_it_was_cut(
    client: Client, way: Any, through: Through, archive: bytes, tmp_path: Path, cut: int
) -> None:
    id = client.submit(archive).wait().id
    remote = through((None, cut), (None, cut), (None, cut))
    told: list[tuple[str, int, int]] = []
    remote._progress = remote._fetching._progress = lambda *what: told.append(what)
    path = remote.export(id, tmp_path / "exported.zip")
    assert path.read_bytes() == client.export(id, tmp_path / "again.zip").read_bytes()
    fetched = [done for what, done, size in told if what == "fetching"]
    assert fetched[-1] == len(archive)
    assert fetched == sorted(fetched), "some of it was fetched twice"


def test_an_upload_that_was_given_up_is_gone_on_with_by_the_next_process(
    served: Any, through: Through, archive: bytes
) -> None:
    broken = [(9_500, None)] * 2 + [(0, 0)] * 50
    with pytest.raises(Unavailable) as given_up:
        through(*broken).submit(archive)
    assert given_up.value.code in ("transfer.broken", "transfer.unreachable")
    [there] = received(served)
    assert 4000 <= there < len(archive)
    told: list[int] = []
    again = through()
    again._progress = lambda what, done, size: told.append(done)
    assert again.submit(archive).wait().state == "published"
    assert told[0] == there
    assert received(served) == []


def test_a_refused_archive_is_not_left_on_the_server(served: Any, client: Client) -> None:
    with pytest.raises(BeimingwuError):
        client.submit(b"no archive at all")
    assert received(served) == []
    assert not list((Path(os.environ["BEIMINGWU_CACHE"])).rglob("upload-*.json"))


def test_progress_is_told_to_the_end(served: Any, archive: bytes) -> None:
    told: list[tuple[str, int, int]] = []
    with Client(served.url, served.ada, on_progress=lambda *what: told.append(what)) as client:
        client.submit(archive).wait()
        client.get("00000001").close()
    for what in ("sending", "fetching"):
        mine = [(done, size) for kind, done, size in told if kind == what]
        assert mine[-1] == (len(archive), len(archive))
        assert [done for done, _ in mine] == sorted(done for done, _ in mine)


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "pipe"])
def test_every_kind_of_source_is_the_same_archive(tmp_path: Path, kind: str) -> None:
    content = os.urandom(5000)
    path = tmp_path / "learnware.zip"
    path.write_bytes(content)
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        sources: dict[str, Any] = {
            "path": path,
            "text": str(path),
            "bytes": content,
            "file": io.BytesIO(content),
            "pipe": pipe,
        }
        with outgoing(sources[kind]) as whole:
            assert (whole.size, whole.digest) == (5000, hashlib.sha256(content).hexdigest())
            whole.file.seek(0)
            assert whole.file.read() == content
