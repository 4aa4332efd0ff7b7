"""What goes on beside a block ends with it, whatever the block does."""

from __future__ import annotations

import threading

import pytest

from services.alongside import alongside


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_the_thread_works_while_the_block_runs_and_is_gone_after_it() -> None:
    worked = threading.Event()

    def work(done: threading.Event) -> None:
        worked.set()
        done.wait()

    with alongside(work, "a sign of life"):
        assert worked.wait(10)
        assert "a sign of life" in names()
    assert "a sign of life" not in names()


def test_a_block_that_fails_ends_its_thread_and_its_failure_is_told() -> None:
    ended = threading.Event()

    def work(done: threading.Event) -> None:
        done.wait()
        ended.set()

    with pytest.raises(ValueError, match="the block"), alongside(work, "a renewal"):
        raise ValueError("the block")
    assert ended.is_set()


def test_work_that_ends_by_itself_does_not_end_the_block() -> None:
    with alongside(lambda done: None, "short"):
        reached = True
    assert reached
