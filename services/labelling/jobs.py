"""The job of labelling: a chunk of pairs. It may be killed at any moment and run again; its payload is an id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from agents.chat.accounts import charging
from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from knowledge_base.errors import BudgetSpent, EndpointClosed, WrongJudge
from services.deployment import Deployment, standing
from services.labelling.answer_store import AnswerStore
from services.labelling.chunks import ChunkQueue, begin, blame, give_back, give_up
from services.labelling.pair_vote import PairResult, PairVote
from services.labelling.register import load_labelling
from services.labelling.sheet import judges_by_name
from services.labelling.waves import Waves
from services.settings import load_settings
from services.stopping import Stopped
from services.telemetry.logs import about


def label_chunk(chunk: str) -> None:
    """Job: label what is open of a chunk."""
    label_pairs(standing(load_settings()), chunk)


def label_pairs(deployment: Deployment, chunk: str) -> int:
    """Label what is open of a chunk; returns how many pairs that was.

    Raises:
        WrongJudge: the labelling is for other workers than this one; it is given up.
        EndpointClosed, BudgetSpent: nothing more will be answered; the labelling is given up until somebody mends that.
        Stopped: the worker is to end; the open pairs are handed out again.
        Exception: whatever a judge raises; it is noted on the open pairs, which a sweep hands out again.
    """
    try:
        count = _label_pairs(deployment, chunk)
    except BaseException:
        # Should this fail as well, a sweep finds the place that stays empty.
        with suppress(Exception):
            deployment.turns.ended(chunk)
        raise
    deployment.turns.ended(chunk)
    return count


def _label_pairs(deployment: Deployment, chunk: str) -> int:
    labelling, pairs = begin(deployment.database, chunk)
    if not pairs:
        return 0
    try:
        with about(labelling=labelling, batch=chunk), _charged(deployment, labelling):
            _vote(deployment, labelling, pairs)
    except (WrongJudge, EndpointClosed, BudgetSpent) as error:
        give_up(deployment.database, labelling, chunk, f"{type(error).__name__}: {error}")
        raise
    except Stopped:
        give_back(deployment.database, labelling, chunk, ChunkQueue(deployment.queue, deployment.turns))
        raise
    except Exception as error:
        blame(deployment.database, chunk, f"{type(error).__name__}: {error}")
        raise
    return len(pairs)


def _vote(deployment: Deployment, labelling: str, pairs: Mapping[int, Pair]) -> None:
    found = load_labelling(deployment.database, labelling)
    judges = judges_by_name(found.sheet.panel, deployment.parties.workers())
    store = AnswerStore(deployment.database, labelling)
    asks = [ask for pair in pairs.values() for c in found.sheet.criteria for ask in found.sheet.asks(c, pair.hash)]
    votes = {position: PairVote(pair, found.sheet) for position, pair in pairs.items()}
    kept: list[tuple[str, str]] = []

    def keep(answers: Sequence[tuple[Ask, Judgment]], finished: Mapping[int, PairResult]) -> None:
        store.keep(answers, finished)
        kept.extend((ask.judge, judgment.status) for ask, judgment in answers)

    try:
        asyncio.run(Waves(votes, found.sheet, judges, store.stored(asks), keep).run())
    finally:
        deployment.tally.judged(kept)


@contextmanager
def _charged(deployment: Deployment, labelling: str) -> Iterator[None]:
    """Charge the calls of the block to the labelling."""
    if deployment.parties.panel().free:
        yield
        return
    from services.sql_account import SqlAccount

    settings, budget = deployment.settings, load_labelling(deployment.database, labelling).budget
    with (
        SqlAccount(deployment.database, labelling, settings.price_table, budget, "label") as account,
        charging(account),
    ):
        yield
