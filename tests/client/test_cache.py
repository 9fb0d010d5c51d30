"""What was fetched is kept by what it is, checked, and enough where there is no network."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beimingwu.client import Client
from beimingwu.client.cache import Cache
from beimingwu.dock.testing import a_learnware
from beimingwu.errors import NotFound, Unavailable

CONTENT = b"the archive of a learnware"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "kept", 10**9)


def test_what_is_kept_is_not_fetched_again(cache: Cache) -> None:
    fetched = []

    def fetch(target: Path) -> None:
        fetched.append(target)
        target.write_bytes(CONTENT)

    for _ in range(3):
        assert cache.archive(DIGEST, fetch).read_bytes() == CONTENT
    assert len(fetched) == 1
    assert [path.suffix for path in fetched[0].parent.iterdir()] == [".zip"]


def test_what_is_not_what_was_promised_is_fetched_anew_and_never_kept(cache: Cache) -> None:
    answers = [b"something else", CONTENT, b"wrong", b"wrong again"]

    def fetch(target: Path) -> None:
        target.write_bytes(answers.pop(0))

    assert cache.archive(DIGEST, fetch).read_bytes() == CONTENT
    with pytest.raises(Unavailable) as refused:
        cache.archive("0" * 64, fetch)
    assert refused.value.code == "transfer.digest"
    assert answers == []


def test_a_part_that_was_left_is_gone_on_with(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "kept" / "archives").mkdir(parents=True)
    (tmp_path / "kept" / "archives" / f"{DIGEST}.part").write_bytes(CONTENT[:10])

    def fetch(target: Path) -> None:
        with target.open("ab") as file:
            file.write(CONTENT[target.stat().st_size :])

    assert cache.archive(DIGEST, fetch).read_bytes() == CONTENT


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    cache, contents = Cache(tmp_path, 2500), [bytes([number]) * 1000 for number in range(4)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for age, (content, digest) in enumerate(zip(contents, digests, strict=True)):
        path = cache.archive(digest, lambda target, c=content: target.write_bytes(c))  # type: ignore[misc]
        days_ago = time.time() - (10 - age) * 24 * 3600
        os.utime(path, (days_ago, days_ago))
    there = {path.stem for path in (tmp_path / "archives").iterdir()}
    assert there == set(digests[2:]), "the last one that came found room by the two oldest"


def test_a_damaged_archive_is_noticed_and_fetched_again(client: Client) -> None:
    id = client.submit(a_learnware()).wait().id
    client.get(id).close()
    home = Path(os.environ["BEIMINGWU_CACHE"]) / "docks"
    [kept] = (home / "archives").glob("*.zip")
    [folder] = (home / "unpacked").iterdir()
    kept.write_bytes(b"damaged")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(Unavailable) as refused:
        client.get(id)
    assert refused.value.code == "transfer.digest"
    with client.get(id) as learnware:
        assert learnware.specification.n == 20


def test_a_learnware_that_was_used_once_can_be_used_without_a_network(
    served: Any, way: Any, tmp_path: Path
) -> None:
    with Client(way.url, served.ada) as client:
        id = client.submit(a_learnware(answer="2 * X.sum(axis=1)")).wait().id
        client.get(id).close()
        exported = client.export(id, tmp_path / "before.zip").read_bytes()
    way.close()
    with Client(way.url) as offline:
        with offline.get(id) as learnware:
            answers = learnware.predict(np.ones((2, 3), dtype=np.float32))
            assert answers.tolist() == [6.0, 6.0]
        assert offline.export(id, tmp_path / "after.zip").read_bytes() == exported
        with pytest.raises(Unavailable) as unreachable:
            offline.get("00000002")
        assert unreachable.value.code == "transfer.unreachable"
        with pytest.raises(Unavailable):
            offline.search({})


def test_what_the_dock_says_is_gone_is_gone_though_it_is_kept(served: Any, client: Client) -> None:
    id = client.submit(a_learnware()).wait().id
    client.get(id).close()
    served.service.dock.delete(id)
    with pytest.raises(NotFound):
        client.get(id)


def test_a_new_revision_is_fetched_though_the_old_one_is_kept(client: Client) -> None:
    id = client.submit(a_learnware(answer="X.sum(axis=1)")).wait().id
    with client.get(id) as learnware:
        assert learnware.predict(np.ones((1, 3), dtype=np.float32)).tolist() == [3.0]
    client.update(id, archive=a_learnware(answer="-X.sum(axis=1)")).wait()
    with client.get(id) as learnware:
        assert learnware.predict(np.ones((1, 3), dtype=np.float32)).tolist() == [-3.0]
