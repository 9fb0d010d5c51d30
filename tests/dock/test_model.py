"""A catalogue does what a few lists and dictionaries would do, whatever is done to it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.filtering import STATES
from beimingwu.dock.fulltext import folded
from beimingwu.dock.listing import Listing
from beimingwu.dock.records import Draft
from beimingwu.dock.schema import KEPT
from beimingwu.errors import Conflict, NotFound
from beimingwu.learnware.record import UNFINISHED, Step
from beimingwu.search.semantic import KEYS, SemanticFilter
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

Lend = Callable[[], AbstractContextManager[Path | str]]
DONE = Step("accommodate", "passed", "Published.")
BAD = Step("usability", "failed", "predict raised.", "guest.crashed", remedy="Mend it.")


@dataclass
class Version:
    key: int
    draft: Draft
    state: str = "uploaded"


@dataclass
class Modelled:
    """A learnware as one would keep it in memory."""

    owner: str
    state: str
    versions: list[Version]
    current: Version | None = None

    @property
    def shown(self) -> SemanticSpecification:
        return (self.current or self.versions[-1]).draft.semantic


@dataclass
class Model:
    learnwares: dict[str, Modelled] = field(default_factory=dict)

    def there(self) -> dict[str, Modelled]:
        return {id: one for id, one in self.learnwares.items() if one.state != "deleted"}

    def has(self, owner: str, digest: str, besides: str = "") -> bool:
        """Whether an owner has a learnware of this archive."""
        return any(
            one.owner == owner and version.draft.archive_sha256 == digest and version.state in KEPT
            for id, one in self.there().items()
            for version in one.versions
            if id != besides
        )

    def wanted(self, filter: SemanticFilter, state: str | None, owner: str | None) -> set[str]:
        return {
            id
            for id, one in self.there().items()
            if state in (None, one.state)
            and owner in (None, one.owner)
            and filter.matches(one.shown)
            and holds(one.shown, filter.text)
        }


def holds(semantic: SemanticSpecification, text: str) -> bool:
    """Whether each word is within the name, the description, a feature or a tag."""
    described = semantic.input.names if semantic.input else ()
    tags = (*semantic.scenarios, semantic.task, semantic.library)
    texts = [folded(part) for part in (semantic.name, semantic.description, *described, *tags)]
    return all(any(word in part for part in texts) for word in folded(text).split())


words = st.sampled_from(
    ["rain", "Rainfall", "空气", "气", "质量 预测", "北京", "a_c", "100%", '"q"', "Ｗ"]
)
semantics = st.builds(
    SemanticSpecification,
    name=st.lists(words, min_size=3, max_size=4).map(" ".join),
    description=st.lists(words, min_size=5, max_size=6).map(" / ".join),
    data=st.just("Table"),
    task=st.sampled_from(["Regression", "Classification"]),
    library=st.just("Others"),
    scenarios=st.lists(st.sampled_from(["Nature", "Health"]), min_size=1, unique=True).map(tuple),
    license=st.sampled_from(["MIT", "GPL-3.0"]),
    input=st.lists(words, min_size=3, max_size=3).map(Dimensions.of),
    output=st.just(Dimensions(2)),
)
drafts = st.builds(
    Draft,
    archive_sha256=st.sampled_from("abcdefgh").map(lambda digit: digit * 64),
    size=st.integers(1, 2**40),
    specification_sha256=st.sampled_from("01").map(lambda digit: digit * 64),
    semantic=semantics,
    kind=st.just("table"),
    dimension=st.just(3),
    steps=st.just((Step("archive", "passed", "1,000 bytes."),)),
    environment=st.sampled_from([None, {"python": "3.11"}]),
)
filters = st.builds(
    SemanticFilter,
    task=st.sampled_from([(), ("Regression",), ("Regression", "Classification")]),
    license=st.sampled_from([(), ("MIT",)]),
    scenario=st.sampled_from([(), ("Nature",), ("Health", "Nature")]),
    text=st.sampled_from(
        ["", "rain", "空", "空气", "空气 rain", "预测", "C", "0%", "_", "wind", "w"]
    ),
)
owners = st.sampled_from(["ada", "bob"])
ends = st.sampled_from(["publish", "publish", "publish", "reject", "release", "leave"])


class Machine(RuleBasedStateMachine):
    """Does the same to a catalogue and to a model, and asks both the same."""

    lend: Lend

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.held = ExitStack()
        # What an index would know that follows the catalogue.
        self.sequence = 0
        self.followed: dict[str, Draft] = {}

    @initialize(first=st.lists(drafts, min_size=2, max_size=3))
    def open_it(self, first: list[Draft]) -> None:
        self.catalogue = Catalogue(self.held.enter_context(type(self).lend()))
        self.held.callback(self.catalogue.close)
        self.listing = Listing(self.catalogue)
        # A run may never come to submit anything; the rest has something to do all the same.
        for draft in first:
            self.do_submit("ada", draft, "publish")

    def teardown(self) -> None:
        self.held.close()

    def some(self, data: st.DataObject, where: Callable[[Modelled], bool] = lambda _: True) -> str:
        ids = sorted(id for id, one in self.model.there().items() if where(one))
        return data.draw(st.sampled_from(ids)) if ids else ""

    # What is done

    @rule(owner=owners, draft=drafts, how=ends)
    def submit(self, owner: str, draft: Draft, how: str) -> None:
        self.do_submit(owner, draft, how)

    def do_submit(self, owner: str, draft: Draft, how: str) -> None:
        if self.model.has(owner, draft.archive_sha256):
            with pytest.raises(Conflict, match="already"):
                self.catalogue.submit(owner, draft)
            return
        entered = self.catalogue.submit(owner, draft, "me")
        assert entered.learnware not in self.model.learnwares
        assert entered.learnware > max(self.model.learnwares, default="")
        version = Version(entered.key, draft)
        self.model.learnwares[entered.learnware] = Modelled(owner, "uploaded", [version])
        self.end(entered.learnware, how)

    @rule(data=st.data(), draft=drafts, verify=st.booleans(), how=ends)
    def update(self, data: st.DataObject, draft: Draft, verify: bool, how: str) -> None:
        if not (id := self.some(data)):
            return
        one = self.model.learnwares[id]
        if not verify and one.current is None:
            return  # The dock asks for what is in force first, and is refused.
        latest = self.catalogue.latest(id)
        enter = self.catalogue.revise if verify else self.catalogue.amend
        duplicate = verify and self.model.has(one.owner, draft.archive_sha256, besides=id)
        if duplicate or one.versions[-1].state in UNFINISHED:
            with pytest.raises(Conflict):
                enter(id, draft, latest)
            return
        entered = enter(id, draft, latest)
        assert entered.number == len(one.versions) + 1
        one.versions.append(Version(entered.key, draft, entered.state))
        if not verify:
            one.current = one.versions[-1]
            assert entered.state == one.state
            return
        if one.state == "rejected":
            one.state = "uploaded"
        self.end(id, how)

    @rule(data=st.data(), how=ends)
    def verify(self, data: st.DataObject, how: str) -> None:
        if id := self.some(data, lambda one: one.versions[-1].state in UNFINISHED):
            self.end(id, how)

    def end(self, id: str, how: str) -> None:
        """Verify the newest version, in one way or another, or leave it for later."""
        if how == "leave":
            return
        one = self.model.learnwares[id]
        version = one.versions[-1]
        claimed = self.catalogue.claim(version.key, "me", lambda name: True)
        assert claimed is not None
        assert self.catalogue.claim(version.key, "you", lambda name: True) is None
        if how == "release":
            self.catalogue.release(claimed)
            version.state = "uploaded"
        else:
            assert getattr(self.catalogue, how)(claimed, DONE if how == "publish" else BAD)
            assert not self.catalogue.publish(claimed, DONE)
            published = one.state if one.state == "withdrawn" else "published"
            version.state = published if how == "publish" else "rejected"
        if how == "publish":
            one.state, one.current = version.state, version
        elif one.current is None:
            one.state = version.state

    @rule(data=st.data(), other=st.integers(0, 3).map(lambda drawn: drawn == 0))
    def move(self, data: st.DataObject, other: bool) -> None:
        """Withdraw what is published and restore what is withdrawn; seldom try the other."""
        if not (id := self.some(data)):
            return
        one = self.model.learnwares[id]
        withdrawing = (one.state == "published") != other
        verb = "withdraw" if withdrawing else "restore"
        before, after = "published", "withdrawn"
        if not withdrawing:
            before, after = after, before
        if one.state != before:
            with pytest.raises(Conflict):
                getattr(self.catalogue, verb)(id)
            return
        getattr(self.catalogue, verb)(id)
        assert one.current is not None
        one.state = one.current.state = after

    @rule(data=st.data(), surely=st.integers(0, 3))
    def delete(self, data: st.DataObject, surely: int) -> None:
        if surely or not (id := self.some(data)):
            return  # Rarely, so that others live through more.
        one = self.model.learnwares[id]
        assert [gone.key for gone in self.catalogue.delete(id)] == [had.key for had in one.versions]
        one.state, one.current = "deleted", None
        for version in one.versions:
            version.state = "deleted"
        with pytest.raises(NotFound):
            self.catalogue.latest(id)

    # What is asked

    @rule(filter=filters, state=st.sampled_from([None, *STATES]), owner=st.none() | owners)
    def ask(self, filter: SemanticFilter, state: Any, owner: str | None) -> None:
        self.list_and_search(filter, state, owner)
        self.facets(filter)
        self.follow()

    def list_and_search(self, filter: SemanticFilter, state: Any, owner: str | None) -> None:
        found = self.listing.records(filter, state, owner, None, None)
        assert {record.id for record in found} == self.model.wanted(filter, state, owner)
        assert len({record.id for record in found}) == len(found)
        if not filter.text:
            assert found == sorted(found, key=lambda record: record.id, reverse=True)
        for record in found:
            one = self.model.learnwares[record.id]
            assert (record.state, record.owner, record.semantic) == (
                one.state,
                one.owner,
                one.shown,
            )
            assert record.size == (one.current or one.versions[-1]).draft.size
        assert self.listing.count(filter, state) == len(self.model.wanted(filter, state, None))

    def facets(self, filter: SemanticFilter) -> None:
        counts = self.listing.facets(filter, "published")
        for key in ("task", "license", "scenario"):
            others = replace(filter, **{key: ()})
            values: Counter[str] = Counter()
            for id in self.model.wanted(others, "published", None):
                has = getattr(
                    self.model.learnwares[id].shown, f"{key}s" if key == "scenario" else key
                )
                values.update([has] if isinstance(has, str) else has)
            assert counts[key] == values
        assert set(counts) == set(KEYS)

    def follow(self) -> None:
        self.sequence, changed = self.listing.changes(self.sequence)
        for id, now in changed.items():
            self.followed.pop(id, None)
            if now is not None:
                self.followed[id] = now
        published = {
            id: one.current.draft.specification_sha256
            for id, one in self.model.there().items()
            if one.state == "published" and one.current
        }
        assert {id: now.specification_sha256 for id, now in self.followed.items()} == published
        sequence, everything = self.listing.published()
        assert sequence == self.sequence
        assert {found.id: found for found in everything} == self.followed

    @invariant()
    def blobs_are_live_while_a_kept_version_needs_them(self) -> None:
        needed = {
            digest
            for one in self.model.learnwares.values()
            for version in one.versions
            if version.state in KEPT
            for digest in (version.draft.archive_sha256, version.draft.specification_sha256)
        }
        assert self.catalogue.live_digests() == needed

    @invariant()
    def states_and_names_agree(self) -> None:
        everything = self.listing.records(SemanticFilter(), None, None, None, None)
        assert {record.id: (record.state, record.name) for record in everything} == {
            id: (one.state, one.shown.name) for id, one in self.model.there().items()
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def lend(request: pytest.FixtureRequest, tmp_path: Path) -> Lend:
    """Lend an empty catalogue for each run."""
    if request.param == "sqlite":
        paths = (tmp_path / f"{number}.sqlite" for number in itertools.count())

        @contextmanager
        def lend() -> Iterator[Path]:
            yield next(paths)

        return lend
    server, template = map(request.getfixturevalue, ("postgresql", "empty_dock"))
    return lambda: server.database(template)


def test_a_catalogue_does_what_lists_and_dictionaries_would_do(lend: Lend) -> None:
    lent = lend

    class Lent(Machine):
        lend = staticmethod(lent)

    run_state_machine_as_test(
        Lent,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
