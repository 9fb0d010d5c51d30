"""Linear algebra on one thread, while anybody is in such a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from beimingwu.specification.threads import one_thread


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(2, user_api="blas"):
        if threads() != {2}:
            pytest.skip("this machine's linear algebra has one thread anyway")
        yield


def test_blocks_that_overlap_in_any_order_leave_things_as_they_were() -> None:
    first, second = ExitStack(), ExitStack()
    first.enter_context(one_thread)
    second.enter_context(one_thread)
    assert threads() == {1}
    first.close()
    assert threads() == {1}
    second.close()
    assert threads() == {2}


def test_an_error_ends_a_block_too() -> None:
    with pytest.raises(ZeroDivisionError), one_thread:
        1 / 0  # noqa: B018
    assert threads() == {2}
