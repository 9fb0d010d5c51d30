"""Four threads search while one changes the island: every answer is right for some moment.

The changer writes down what there is before and after each change. An answer has to be what a
comparison with everything gives for one of the moments between the begin of its search and its
end: of one geometry, with nothing half in or half out.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from beimingwu.search import Index, SearchResult

SEARCHERS, LIMIT = 4, 12
BEGIN, END = 30, 150


@dataclass(frozen=True)
class Answer:
    """A result, the seed of who asked, and the moments in which the search began and ended."""

    result: SearchResult
    seed: int
    first: int
    last: int


def steps(history):
    """Return what there is after each single change, and the changes."""
    now = dict(history.published(BEGIN))
    states, changes = [dict(now)], []
    for moment in range(BEGIN + 1, END + 1):
        for id_, spec in history.events(moment).items():
            if spec is None and id_ not in now:
                continue
            changes.append((id_, spec))
            if spec is None:
                del now[id_]
            else:
                now[id_] = spec
            states.append(dict(now))
    return states, changes


@pytest.mark.parametrize("kept", ["in memory", "in a folder"])
def test_every_answer_is_right_for_a_moment_of_its_search(
    kept, small, history, brute_force, tmp_path
):
    states, changes = steps(history)
    index = Index.open(tmp_path)[0] if kept == "in a folder" else Index()
    for id_, spec in states[0].items():
        index.add(id_, spec)
    begun = ended = 0
    answers: list[Answer] = []
    failures: list[BaseException] = []
    asked = [threading.Event() for _ in range(SEARCHERS)]

    def search(number):
        try:
            seed = number
            while ended < len(changes):
                seed += SEARCHERS
                first = ended
                result = index.search(history.spec(2_000 + seed % 40), limit=LIMIT)
                answers.append(Answer(result, 2_000 + seed % 40, first, begun))
                asked[number].set()
        except BaseException as failure:
            failures.append(failure)
            asked[number].set()

    searchers = [threading.Thread(target=search, args=[number]) for number in range(SEARCHERS)]
    for searcher in searchers:
        searcher.start()
    for i, (id_, spec) in enumerate(changes):
        begun = i + 1
        if spec is None:
            index.remove(id_)
        else:
            index.add(id_, spec)
        ended = i + 1
        if i % 8 == 0:
            # Everyone gets a word in: the changes do not outrun the searches.
            for event in asked:
                event.clear()
                assert event.wait(60)
            index.keep(history.mark(i), everything=True)
    for searcher in searchers:
        searcher.join()
    assert failures == []
    assert len(answers) > len(changes) / 2
    geometries = {answer.result.island.geometry for answer in answers}
    assert len(geometries) > 2
    for answer in answers:
        check(answer, states, history, brute_force)


def check(answer, states, history, brute_force):
    """See that an answer is that of one of the moments it may be of."""
    user = history.spec(answer.seed)
    told = []
    for state in states[answer.first : answer.last + 1]:
        if answer.result.island.size != len(state):
            continue
        try:
            brute_force(state).check(answer.result, user, LIMIT)
        except AssertionError as wrong:
            told.append(wrong)
            continue
        # The mixture is of the same moment and the same geometry.
        mixture = answer.result.mixture
        if mixture is not None:
            assert {member.id for member in mixture.members} <= state.keys()
            assert mixture.weights.sum() == pytest.approx(1.0)
            parts = [state[member.id] for member in mixture.members]
            kernel = answer.result.kernel
            products = np.array([user.inner(part, kernel) for part in parts])
            gram = np.array([[a.inner(b, kernel) for b in parts] for a in parts])
            mmd2 = user.inner(user, kernel) - 2 * products @ mixture.weights
            mmd2 += mixture.weights @ gram @ mixture.weights
            assert mixture.mmd**2 == pytest.approx(mmd2, abs=1e-9)
        return
    raise AssertionError(f"right for none of {answer.last - answer.first + 1} moments: {told}")
