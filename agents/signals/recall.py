"""A bounded memory of what was worked out for a passage.

Signals are asked one by one, so thirty signals of the same text would parse or embed it thirty times. A
`Recall` keeps the small result (never the parse tree) by the passage's content hash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from agents.signals.passage import Passage

T = TypeVar("T")

MOST = 20_000
"""Results kept by default. When there are more, all are dropped at once: simple, and safe between threads."""


class Recall(Generic[T]):
    """Results by content hash of the passage.

    Args:
        most: results kept before all are dropped (1 or more).
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._kept: dict[str, T] = {}

    def one(self, passage: Passage, work: Callable[[Passage], T]) -> T:
        """What `work` gives for `passage`, worked out only if it is not remembered."""
        return self.all([passage], lambda missing: [work(p) for p in missing])[0]

    def all(self, passages: Sequence[Passage], work: Callable[[Sequence[Passage]], Sequence[T]]) -> list[T]:
        """What `work` gives for each of `passages`, in order; `work` sees the unremembered ones together, each once."""
        found = {p.hash: self._kept[p.hash] for p in passages if p.hash in self._kept}
        missing = list({p.hash: p for p in passages if p.hash not in found}.values())
        if missing:
            fresh = dict(zip((p.hash for p in missing), work(missing), strict=True))
            found |= fresh
            self._keep(fresh)
        return [found[p.hash] for p in passages]

    def _keep(self, fresh: dict[str, T]) -> None:
        if len(self._kept) + len(fresh) > self.most:
            self._kept.clear()
        self._kept |= dict(list(fresh.items())[: self.most])
