"""Finding pairs that were lost: handed to a job that lives no more, or to none. Sweeping twice does no harm."""

from __future__ import annotations

from collections.abc import Sequence

from agents.judgments import Ask, Judgment
from services.dataset_store import bare_pairs
from services.deployment import Deployment
from services.embedded_registry import Registry
from services.labelling.answer_store import AnswerStore
from services.labelling.chunks import FEWEST, PAIRS, ChunkQueue, hand_out, hand_out_again, open_pairs, outstanding
from services.labelling.pair_vote import PairVote
from services.labelling.register import Labelling
from services.queue import Live
from services.turns import Standing


class LabelSweeper:
    """Hands out what is open of one labelling, again and again until nothing is."""

    def __init__(self, deployment: Deployment, labelling: Labelling) -> None:
        self._deployment, self._labelling = deployment, labelling
        self._database = deployment.database
        self._turns = deployment.turns
        self._queue = ChunkQueue(deployment.queue, self._turns)
        self._registry = Registry(deployment.settings.home)
        self._size = chunk_size(deployment, labelling)

    def sweep(self) -> None:
        """Hand out what nobody has, and fail what was begun too often."""
        hand_out(self._database, self._labelling.id, self._size, self._queue)
        # Chunks first, then what is alive: a job that ends in between has labelled its pairs, so they stay as they are.
        held = outstanding(self._database, self._labelling.id)
        standing = self._turns.standing()
        live = self._deployment.queue.live()
        dead = sorted(chunk for chunk in held if not self._alive(chunk, live, standing))
        if dead:
            self._fail(dead)
            hand_out_again(self._database, self._labelling.id, dead, self._size, self._queue)
        self._turns.repair(live, standing)

    def _alive(self, chunk: str, live: Live, standing: Standing) -> bool:
        transport = chunk.split("-")[1]
        if transport == self._deployment.queue.transport:
            return chunk in live.ids or (chunk in standing and not standing[chunk][1])
        return self._registry.lives(transport)

    def _fail(self, dead: Sequence[str]) -> None:
        """End the vote on pairs that were begun too often: what is not answered counts as failed."""
        with self._database.read() as connection:
            rows = open_pairs(connection, self._labelling.id, dead)
            spent = [r for r in rows if r.attempts >= self._deployment.settings.max_attempts]
            pairs = bare_pairs(connection, {r.pair for r in spent})
        store = AnswerStore(self._database, self._labelling.id)
        for r in spent:
            why = f"no answer after {r.attempts} attempts; {r.fault or 'each time the worker died'}"
            vote = PairVote(pairs[r.pair], self._labelling.sheet)
            failed = _end(vote, store, why)
            store.keep(failed, {r.position: vote.result()})


def _end(vote: PairVote, store: AnswerStore, why: str) -> list[tuple[Ask, Judgment]]:
    """Take a vote to its end without a judge; returns what nobody answered."""
    failed: list[tuple[Ask, Judgment]] = []
    while asks := vote.next_asks():
        stored = store.stored(asks)
        for ask in asks:
            missing = Judgment(key=ask.key, status="failed", rationale=why)
            judgment, reused = stored.get(ask.key, (missing, False))
            vote.take(judgment, reused=reused)
            if ask.key not in stored:
                failed.append((ask, missing))
    return failed


def chunk_size(deployment: Deployment, labelling: Labelling) -> int:
    """Pairs in a chunk: enough to keep an endpoint busy for a while, and few enough that every worker has some."""
    enough = max(PAIRS, deployment.batch_size // max(1, labelling.sheet.first_block))
    each = -(-labelling.pairs // max(1, deployment.settings.workers))
    return min(enough, max(FEWEST, each))
