"""A thread beside a block of code, for what must go on meanwhile: a lease renewed, a sign of life given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def alongside(go_on: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Run `go_on(done)` in a thread for as long as the block runs; it returns soon after `done` is set.

    Args:
        go_on: does its work again and again; waits for `done` in between.
        name: of the thread, for whoever looks at the process.
    """
    done = threading.Event()
    thread = threading.Thread(target=go_on, args=(done,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
