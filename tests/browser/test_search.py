"""Finding learnwares: by words, by tags, and by a table of which no value leaves the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from beimingwu.dock.testing import a_specification
from beimingwu.specification import disclosure_audit
from beimingwu.specification.files import read_specification, write_specification

from .conftest import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


def test_words_and_tags_stand_in_the_address(visitor: Visitor) -> None:
    page = visitor.go("/search")
    page.get_by_label("Words").fill("rainfall")
    expect(page.get_by_role("status")).to_contain_text("1 learnware")
    page.wait_for_url("**text=rainfall")
    page.get_by_label("Words").fill("")
    expect(page.get_by_role("status")).to_contain_text("4 learnwares")
    page.get_by_label("Nature (1)").check()
    expect(page.locator("article")).to_have_count(1)
    page.reload()
    expect(page.locator("article")).to_have_count(1)
    page.get_by_role("button", name="Reset the filters").click()
    page.get_by_role("button", name="Without Nature").click()
    expect(page.locator("article")).to_have_count(3)
    page.go_back()


def test_a_mistyped_word_is_understood(visitor: Visitor) -> None:
    page = visitor.go("/search?text=rianfall")
    expect(page.get_by_text("Did you mean")).to_be_visible()


def table(tmp_path: Path, centre: float) -> tuple[Path, np.ndarray]:
    """A table whose values nobody else would write, with a column of words beside."""
    rows = np.random.default_rng(7).normal(centre, 1.0, (400, 2))
    lines = [f"{a!r},{b!r},street {i}" for i, (a, b) in enumerate(rows.tolist())]
    path = tmp_path / "private.csv"
    path.write_text("\n".join(["column 0,column 1,where", *lines]))
    return path, rows


def test_a_table_is_described_in_the_browser_and_no_value_of_it_is_sent(
    visitor: Visitor, tmp_path: Path
) -> None:
    path, rows = table(tmp_path, centre=4.0)
    page = visitor.go("/search")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("400 records, 3 columns")).to_be_visible()
    expect(page.get_by_label("where")).to_be_disabled()
    page.get_by_role("button", name="Describe 2 columns").click()
    page.get_by_text("No point shows a record").wait_for(timeout=60_000)
    before = len(visitor.requests)
    assert not [r for r in visitor.requests if r.method == "POST"], "sent before it was agreed to"
    page.get_by_role("button", name="Search with these points").click()
    page.get_by_role("heading", name="Single learnwares").wait_for()
    first = page.locator("article", has_text="Rainfall in spring").last
    expect(first).to_contain_text("close to your data")

    sent = [r.post_data or "" for r in visitor.requests[before:] if r.method == "POST"]
    assert len(sent) == 1
    spec = read_specification(json.dumps(json.loads(sent[0])["specification"]).encode())
    assert disclosure_audit(rows, spec).clean
    everything = "\n".join(f"{r.url} {r.post_data or ''}" for r in visitor.requests)
    written = [word for line in path.read_text().splitlines()[1:] for word in line.split(",")]
    assert not [word for word in written if word in everything]


def test_data_of_strangers_fits_nothing(visitor: Visitor, tmp_path: Path) -> None:
    path, _ = table(tmp_path, centre=900.0)
    page = visitor.go("/search")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Describe 2 columns").click()
    page.get_by_role("button", name="Search with these points").click(timeout=60_000)
    expect(page.get_by_text("Nothing here fits your data")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("short.csv", b"a,b\n1,2\n3,4\n", "at least 20 records"),
        ("no.json", b"{", "This is not a table"),
        ("no.parquet", b"PAR1 no", "cannot be read"),
    ],
)
def test_what_is_no_table_is_told_so(
    visitor: Visitor, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    page = visitor.go("/search")
    page.locator("input[type=file]").set_input_files(path)
    if name == "short.csv":
        page.get_by_role("button", name="Describe").click()
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_a_specification_that_was_made_before_is_sent_as_it_is(
    visitor: Visitor, tmp_path: Path
) -> None:
    path = write_specification(a_specification(2, centre=8.0, seed=5), tmp_path / "stat.json")
    page = visitor.go("/search")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("a specification of 20 points")).to_be_visible()
    page.get_by_role("button", name="Search with these points").click()
    expect(page.locator("article").first).to_contain_text("Rents in the north")


def test_a_learnware_names_those_with_data_like_its_own(visitor: Visitor) -> None:
    first = visitor.site.dock.list()[-1].id
    page = visitor.go(f"/learnwares/{first}")
    similar = page.locator("section", has=page.get_by_role("heading", name="Similar learnwares"))
    expect(similar.locator("article")).to_have_count(3)
    expect(similar).not_to_contain_text(first)
