"""Which prompt tokens a server need not compute again: accounting after vLLM's automatic prefix caching.

As there (vLLM documentation, "Automatic Prefix Caching", design of V1): the tokens of a conversation are cut into
blocks of 16; only full blocks are kept; a block is known by a hash of its own tokens and of the block before it, so
that it stands for its whole prefix; at least the prompt's last token is always computed; the blocks of a reply are
kept like those of a prompt, so that a further turn finds them; the least recently used block goes first, and of one
request the last. Other than there: blocks in use may go too, and time is whatever clock the caller reads.
"""

from __future__ import annotations

from collections import OrderedDict

from benchmarks.scripted.tokenizer import BYTES

BLOCK_TOKENS = 16
BLOCK_BYTES = BLOCK_TOKENS * BYTES


class PrefixCache:
    """Blocks by hash, each with the time from which it can be used.

    Args:
        capacity: tokens it holds; 0 for no caching.
    """

    def __init__(self, capacity: int) -> None:
        self._most = capacity // BLOCK_TOKENS
        self._ready: OrderedDict[int, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ready)

    def clear(self) -> None:
        """Forget every block."""
        self._ready.clear()

    def read(self, chain: list[int], tokens: int, now: float) -> int:
        """Tokens of a prompt that are cached.

        Args:
            chain: hashes of the prompt's full blocks.
            tokens: length of the prompt; the last one does not count as cached.
            now: seconds; blocks ready later do not count.
        """
        most = max(tokens - 1, 0) // BLOCK_TOKENS
        hits = 0
        for key in chain[:most]:
            ready = self._ready.get(key)
            if ready is None or ready > now:
                break
            hits += 1
        return hits * BLOCK_TOKENS

    def keep(self, chain: list[int], ready: float) -> None:
        """Keep blocks, and count them as used; `ready`: when they will have been computed, in seconds."""
        kept = self._ready
        for key in reversed(chain):
            before = kept.pop(key, ready)
            kept[key] = before if before < ready else ready
        while len(kept) > self._most:
            kept.popitem(last=False)


def chain_of(model: str, data: bytes) -> list[int]:
    """A hash for each full block of `data`, each depending on the model and on all blocks before it.

    The hashes differ from process to process, what is equal does not: no count depends on them.
    """
    last, chain = hash(model), []
    for start in range(0, len(data) - BLOCK_BYTES + 1, BLOCK_BYTES):
        last = hash((last, data[start : start + BLOCK_BYTES]))
        chain.append(last)
    return chain
