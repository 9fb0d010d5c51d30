"""Every change of state is one transaction with its event."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from beimingwu.dock.catalogue import Catalogue
from beimingwu.dock.records import Draft
from beimingwu.dock.schema import revision
from beimingwu.errors import Conflict, NotFound
from beimingwu.learnware.record import Step

Publish = Callable[..., str]
DONE = Step("accommodate", "passed", "Published.")
BAD = Step("usability", "failed", "predict raised.", "guest.crashed", remedy="Mend it.")


def nobody(name: str) -> bool:
    return False


def everybody(name: str) -> bool:
    return True


def events(catalogue: Catalogue) -> list[str]:
    with catalogue.reading() as connection:
        return list(connection.execute(sa.text("SELECT kind FROM event ORDER BY id")).scalars())


def rows(catalogue: Catalogue, table: str) -> int:
    with catalogue.reading() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_ids_are_eight_digits_and_count_up(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    ids = [catalogue.submit("", draft(digest)).learnware for digest in "abc"]
    assert ids == ["00000001", "00000002", "00000003"]


def test_a_deleted_id_is_never_used_again(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    first = catalogue.submit("", draft("a")).learnware
    catalogue.delete(first)
    assert catalogue.submit("", draft("a")).learnware == "00000002"
    for look in (catalogue.current, catalogue.latest, catalogue.withdraw, catalogue.delete):
        with pytest.raises(NotFound) as gone:
            look(first)
        assert gone.value.code == "not_found.learnware"


@pytest.mark.parametrize("id", ["42", "", "abcdefgh", "٠٠٠٠٠٠٠١", "-0000001", "../../x"])
def test_what_is_no_id_is_not_found(catalogue: Catalogue, id: str) -> None:
    with pytest.raises(NotFound) as refused:
        catalogue.current(id)
    assert refused.value.code == "not_found.id"


def test_an_owner_submits_an_archive_once(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    first = catalogue.submit("ada", draft("a")).learnware
    with pytest.raises(Conflict, match=first) as refused:
        catalogue.submit("ada", draft("a"))
    assert refused.value.code == "conflict.duplicate"
    assert catalogue.submit("bob", draft("a")).learnware != first


def test_a_rejected_archive_may_be_submitted_again(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    entered = catalogue.submit("", draft("a"))
    claimed = catalogue.claim(entered.key, "me", nobody)
    assert claimed is not None
    assert catalogue.reject(claimed, BAD)
    assert catalogue.submit("", draft("a")).learnware != entered.learnware


def test_each_state_is_entered_with_its_event(
    catalogue: Catalogue, published: Publish, draft: Callable[..., Draft]
) -> None:
    id = published(catalogue, "a")
    catalogue.withdraw(id)
    catalogue.restore(id)
    catalogue.amend(id, draft("a", name="Another name"), catalogue.latest(id))
    catalogue.delete(id)
    assert events(catalogue) == [
        "submitted",
        "verifying",
        "published",
        "withdrawn",
        "restored",
        "amended",
        "deleted",
    ]


def test_a_revision_is_claimed_by_one_at_a_time(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    key = catalogue.submit("", draft("a")).key
    first = catalogue.claim(key, "first", everybody)
    assert first is not None
    assert catalogue.claim(key, "second", everybody) is None
    assert catalogue.claim(key, "first", everybody) is None
    second = catalogue.claim(key, "second", nobody)
    assert second is not None
    assert not catalogue.record(first, DONE)
    assert not catalogue.publish(first, DONE)
    assert not catalogue.reject(first, BAD)
    assert catalogue.publish(second, DONE)
    assert catalogue.claim(key, "third", nobody) is None


def test_a_submission_is_reserved_for_the_dock_that_will_verify_it(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    key = catalogue.submit("", draft("a"), "submitter").key
    assert catalogue.claim(key, "passer-by", everybody) is None
    assert catalogue.claim(key, "submitter", everybody) is not None


def test_who_takes_over_goes_on_with_the_log_and_the_interruption_is_counted(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    key = catalogue.submit("", draft("a")).key
    first = catalogue.claim(key, "first", nobody)
    assert first is not None
    assert catalogue.interruptions(first) == 0
    catalogue.record(first, Step("usability", "passed", "It answers."))
    again = catalogue.claim(key, "second", nobody)
    assert again is not None
    assert [step.name for step in again.steps] == ["archive", "usability"]
    assert catalogue.interruptions(again) == 1


def test_a_step_that_is_done_again_stands_in_the_log_once(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    key = catalogue.submit("", draft("a")).key
    claimed = catalogue.claim(key, "me", nobody)
    assert claimed is not None
    catalogue.record(claimed, Step("usability", "passed", "It answers."))
    catalogue.record(claimed, Step("usability", "passed", "It answers once more."))
    found = catalogue.revision(key)
    assert found is not None
    assert [step.message for step in found.steps] == ["1,000 bytes.", "It answers once more."]


def test_a_released_claim_is_free(catalogue: Catalogue, draft: Callable[..., Draft]) -> None:
    key = catalogue.submit("", draft("a")).key
    claimed = catalogue.claim(key, "first", everybody)
    assert claimed is not None
    catalogue.release(claimed)
    assert [revision.key for revision in catalogue.unfinished()] == [key]
    assert catalogue.claim(key, "second", everybody) is not None


def test_the_old_revision_is_in_force_until_the_new_one_is_published(
    catalogue: Catalogue, published: Publish, draft: Callable[..., Draft]
) -> None:
    id = published(catalogue, "a")
    revised = catalogue.revise(id, draft("b"), catalogue.latest(id))
    assert (catalogue.current(id).number, catalogue.latest(id).number) == (1, 2)
    with pytest.raises(Conflict) as refused:
        catalogue.revise(id, draft("c"), catalogue.latest(id))
    assert refused.value.code == "conflict.verifying"
    claimed = catalogue.claim(revised.key, "me", nobody)
    assert claimed is not None
    catalogue.publish(claimed, DONE)
    assert catalogue.current(id).number == 2


def test_a_rejected_revision_leaves_the_published_one_in_force(
    catalogue: Catalogue, published: Publish, draft: Callable[..., Draft]
) -> None:
    id = published(catalogue, "a")
    revised = catalogue.revise(id, draft("b"), catalogue.latest(id))
    claimed = catalogue.claim(revised.key, "me", nobody)
    assert claimed is not None
    catalogue.reject(claimed, BAD)
    assert catalogue.current(id).number == 1
    assert catalogue.latest(id).steps[-1] == BAD
    assert catalogue.revise(id, draft("b"), catalogue.latest(id)).number == 3


def test_an_update_of_what_changed_meanwhile_is_refused(
    catalogue: Catalogue, published: Publish, draft: Callable[..., Draft]
) -> None:
    id = published(catalogue, "a")
    seen = catalogue.latest(id)
    catalogue.amend(id, draft("a", name="The first one"), seen)
    with pytest.raises(Conflict) as refused:
        catalogue.amend(id, draft("a", name="The other one"), seen)
    assert refused.value.code == "conflict.updated"


def test_a_withdrawn_learnware_stays_so_when_it_is_updated(
    catalogue: Catalogue, published: Publish, draft: Callable[..., Draft]
) -> None:
    id = published(catalogue, "a")
    catalogue.withdraw(id)
    revised = catalogue.revise(id, draft("b"), catalogue.latest(id))
    claimed = catalogue.claim(revised.key, "me", nobody)
    assert claimed is not None
    catalogue.publish(claimed, DONE)
    assert (catalogue.current(id).state, catalogue.current(id).number) == ("withdrawn", 2)
    catalogue.restore(id)
    assert catalogue.current(id).state == "published"


@pytest.mark.parametrize("act", ["withdraw", "restore"])
def test_only_what_is_published_is_withdrawn_and_only_what_is_withdrawn_restored(
    catalogue: Catalogue, draft: Callable[..., Draft], act: str
) -> None:
    id = catalogue.submit("", draft("a")).learnware
    with pytest.raises(Conflict, match="uploaded") as refused:
        getattr(catalogue, act)(id)
    assert refused.value.code == "conflict.state"


def test_a_verification_whose_learnware_was_deleted_is_lost(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    entered = catalogue.submit("", draft("a"))
    claimed = catalogue.claim(entered.key, "me", nobody)
    assert claimed is not None
    catalogue.delete(entered.learnware)
    assert not catalogue.publish(claimed, DONE)
    assert catalogue.unfinished() == []
    assert catalogue.revision(entered.key) is None


def test_a_deleted_learnware_leaves_no_words_behind(
    catalogue: Catalogue, published: Publish
) -> None:
    catalogue.delete(published(catalogue, "a"))
    assert [rows(catalogue, table) for table in ("facet", "learnware_text")] == [0, 0]
    with catalogue.reading() as connection:
        left = connection.execute(sa.text("SELECT name FROM learnware")).scalar()
        words = connection.execute(sa.select(revision.c.semantic)).scalar()
    assert (left, words) == ("", {})


def test_blobs_are_live_while_a_kept_revision_needs_them(
    catalogue: Catalogue, draft: Callable[..., Draft], published: Publish
) -> None:
    kept = published(catalogue, "a")
    entered = catalogue.submit("", draft("b"))
    assert catalogue.live_digests() == {"a" * 64, "b" * 64, "f" * 64}
    claimed = catalogue.claim(entered.key, "me", nobody)
    assert claimed is not None
    catalogue.reject(claimed, BAD)
    assert catalogue.live_digests() == {"a" * 64, "f" * 64}
    assert catalogue.is_live("a" * 64)
    assert not catalogue.is_live("b" * 64)
    catalogue.delete(kept)
    assert catalogue.live_digests() == set()


def test_a_failure_in_the_middle_of_a_change_leaves_the_old_state(
    catalogue: Catalogue,
    draft: Callable[..., Draft],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    catalogue.submit("", draft("a"))

    def break_off(*_: Any) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(catalogue.text, "put", break_off)
    with pytest.raises(RuntimeError, match="power"):
        catalogue.submit("", draft("b"))
    assert [rows(catalogue, table) for table in ("learnware", "revision", "event")] == [1, 1, 1]


def test_what_nobody_alive_will_verify_is_adopted(
    catalogue: Catalogue, draft: Callable[..., Draft]
) -> None:
    unclaimed = catalogue.submit("", draft("a")).key
    abandoned = catalogue.submit("", draft("b"), "dead").key
    others = catalogue.submit("", draft("c"), "alive").key
    catalogue.claim(abandoned, "dead", everybody)

    def is_alive(name: str) -> bool:
        return name in ("alive", "me")

    adopted = catalogue.adopt("me", is_alive)
    assert [revision.key for revision in adopted] == [unclaimed, abandoned]
    assert catalogue.adopt("me", is_alive) == []
    assert catalogue.claim(others, "me", is_alive) is None
    assert catalogue.claim(abandoned, "me", is_alive) is not None
