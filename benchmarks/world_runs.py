"""One run of a policy in a simulated world, through our own judge, manager and prompts: what it found, what it took."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from agents.chat.accounts import OpenAccount, charging
from agents.chat.caller import Caller
from agents.chat.endpoint import Call, ChatModel, Message, Reply
from agents.chat.gate import LocalGate
from agents.chat.judge import ChatJudge
from agents.chat.manager import ChatManager
from agents.criteria_set import CriteriaSet, Lineage
from agents.local_run import run_local
from agents.manager import Brief
from agents.memory_ledger import MemoryLedger
from agents.mining import Mining
from agents.pairs import Pair
from agents.panel import Panel, first_look, seat_of, turned
from agents.policy import Policy
from agents.votes import DECIDED, Votes
from benchmarks.scripted.faults import Script, TextFault
from benchmarks.scripted.in_process import ScriptedModel
from benchmarks.world.catalogue import knowledge_base
from benchmarks.world.dialect import Simulation
from benchmarks.world.oracle import oracle_accuracy
from benchmarks.world.people import DESCRIPTION, World
from benchmarks.world.temper import Temper
from knowledge_base.index import Index

MINED, SEALED, BASE = 30, 300, 60
SECRET = b"simulated world"
LINEAGE = Lineage(dataset="world", pairs=MINED, judge="", manager="", policy="", rounds=0, size=0, seed=0)
UNREADABLE: tuple[TextFault, ...] = ("truncated", "malformed", "wrong_enum", "refusal", "empty", "prose_refusal")


@dataclass(frozen=True)
class Condition:
    """What makes a world harder.

    Attributes:
        noise: labels turned round, as a share.
        position_bias: of the judge.
        malformed: share of replies that cannot be read.
    """

    name: str = "plain"
    noise: float = 0.0
    position_bias: float = 0.0
    malformed: float = 0.0


PLAIN = Condition()


@dataclass(frozen=True)
class Way:
    """A way to mine.

    Attributes:
        policy: how a round is judged.
        base: entries of the knowledge base; 0 for none.
        best_only: whether the single strongest criterion votes alone.
        criterion_first: whether prompts show the criterion before the pair, as the published ones do.
        plain_vote: whether the majority votes, not the weights.
        looks_later: whether sealed pairs are shown in the other order too, where the first look decided.
    """

    name: str
    policy: Policy
    base: int = BASE
    best_only: bool = False
    criterion_first: bool = False
    plain_vote: bool = False
    looks_later: bool = False


@dataclass(frozen=True)
class Taken:
    """What mining took: calls by stage, prompt tokens and those of them that no cache had, completion tokens."""

    judging: int
    managing: int
    prompt: int
    uncached: int
    completion: int

    @property
    def calls(self) -> int:
        """All of them."""
        return self.judging + self.managing


@dataclass(frozen=True)
class Found:
    """A run's worth: accuracy on sealed pairs (an undecided pair counts half), on mining pairs, and what it took."""

    accuracy: float
    claimed: float
    oracle: float
    criteria: int
    taken: Taken
    names: tuple[str, ...] = field(default=(), repr=False)


class CriterionFirst:
    """A model whose prompts are turned to have the criterion before the pair; their blocks are the same."""

    def __init__(self, model: ChatModel) -> None:
        self._model, self.name, self.fingerprint = model, model.name, model.fingerprint

    async def reply(self, call: Call) -> Reply:
        """Ask with the last block first."""
        *before, last = call.messages
        if call.stage != "judge":
            return await self._model.reply(call)
        head, rest = last.content.split("\n\n", 1)
        at = rest.index("[[criterion ")
        message = Message(last.role, f"{head}\n\n{rest[at:]}\n\n{rest[:at]}")
        return await self._model.reply(replace(call, messages=(*before, message)))


@lru_cache(maxsize=64)
def base_of(seed: int, size: int) -> Index | None:
    """The knowledge base of a world."""
    return Index.build(knowledge_base(World(seed), size)) if size else None


@lru_cache(maxsize=64)
def pairs_of(seed: int, stream: str, n: int, noise: float) -> tuple[Pair, ...]:
    """Pairs of a world; sealed ones carry no added noise, so that accuracies compare."""
    return tuple(World(seed).pairs(n, stream, noise))


def mine_world(seed: int, way: Way, condition: Condition = PLAIN, sealed: int = SEALED) -> Found:
    """Mine a world's 30 pairs in a way and try the set on its sealed pairs."""
    simulation = Simulation(World(seed), Temper(position_bias=condition.position_bias))
    rates: dict[TextFault, float] = dict.fromkeys(UNREADABLE, condition.malformed / len(UNREADABLE))
    scripted: ChatModel = ScriptedModel(simulation.answer, script=Script(seed=seed, rates=rates))  # type: ignore[arg-type]
    caller = Caller(CriterionFirst(scripted) if way.criterion_first else scripted, LocalGate(64))
    judge = ChatJudge(caller, secret=SECRET)
    manager = ChatManager(caller, base_of(seed, way.base), secret=SECRET)
    mined = pairs_of(seed, "mining", MINED, condition.noise)
    brief = Brief(mined, DESCRIPTION, "answers", seed, way.policy.thorough)
    mining = Mining(brief, (), MemoryLedger(mined), manager, way.policy, Panel(seats=(seat_of(judge, free=False),)))
    account = OpenAccount()
    with charging(account):
        outcome = run_local(mining, judge, LINEAGE)
    tested = pairs_of(seed, "sealed", sealed, 0.0)
    return Found(
        accuracy=_accuracy(outcome.criteria_set, way, tested, judge),
        claimed=outcome.mining_weighted.accuracy,
        oracle=oracle_accuracy(World(seed), tested),
        criteria=len(outcome.criteria_set.members),
        taken=_taken(account),
        names=tuple(m.criterion.name for m in outcome.criteria_set.members),
    )


def _taken(account: OpenAccount) -> Taken:
    judging = [r for r in account.records if r.stage in ("judge", "repair")]
    return Taken(
        judging=len(judging),
        managing=len(account.records) - len(judging),
        prompt=sum(r.tokens.prompt for r in account.records),
        uncached=sum(r.tokens.uncached for r in account.records),
        completion=sum(r.tokens.completion for r in account.records),
    )


def _accuracy(found: CriteriaSet, way: Way, pairs: Sequence[Pair], judge: ChatJudge) -> float:
    """Of the vote on pairs nobody mined from, each shown in one order that its content decides."""
    members = found.members[:1] if way.best_only else found.members
    votes = _votes([m.criterion.hash for m in members], found, pairs, judge, way.looks_later)
    weights = np.array([1.0 if way.plain_vote else m.weight for m in members])
    signs = np.sign(np.round(weights @ votes.signs.astype(np.float64), 9))
    truth = np.array([p.sign for p in pairs])
    return float(np.where(signs == 0, 0.5, signs == truth).mean())


def _votes(criteria: Sequence[str], found: CriteriaSet, pairs: Sequence[Pair], judge: ChatJudge, again: bool) -> Votes:
    ledger, panel = MemoryLedger(pairs), Panel(seats=(seat_of(judge, free=False),))
    ledger.remember(found.criteria)
    cells = [(c, p.hash) for p in pairs for c in criteria]
    ledger.want([a for c, p in cells for a in panel.asks(c, p, (first_look(p, False),))])
    asyncio.run(ledger.answer_missing(judge))
    hashes = [p.hash for p in pairs]
    if again:
        votes = ledger.votes(criteria, hashes)
        rows, columns = np.nonzero(votes.states == DECIDED)
        decided = [(votes.criteria[c], votes.pairs[p]) for c, p in zip(rows, columns, strict=True)]
        ledger.want([a for c, p in decided for a in panel.asks(c, p, (turned(first_look(p, False)),))])
        asyncio.run(ledger.answer_missing(judge))
    return ledger.votes(criteria, hashes)
