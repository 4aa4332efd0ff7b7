"""What asking several criteria in one call does to the answers, in simulated worlds, and what it saves.

    python -m benchmarks.bench_together [--worlds 10] [--write]

The crowding of a call with many criteria (errors grow, answers follow the first one's) is a parameter of the simulated
judge and no finding about any model; what is measured is what the options cost and save under it. The last row is the
published baseline: all criteria in one prompt, and one verdict.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.chat.accounts import OpenAccount, charging
from agents.chat.caller import Caller
from agents.chat.gate import LocalGate
from agents.chat.judge import ChatJudge
from agents.chat.overall import OverallJudge
from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from agents.panel import first_look
from benchmarks.page import table, write_section
from benchmarks.scripted.in_process import ScriptedModel
from benchmarks.world.catalogue import criterion_from
from benchmarks.world.chance import generator
from benchmarks.world.dialect import Simulation
from benchmarks.world.people import World
from benchmarks.world.qualities import quality_named
from benchmarks.world.wording import Wording, describe, name_for
from knowledge_base.criterion import Criterion

SIZES = (1, 2, 5, 10)
PAIRS = 150
SECRET = b"together"


@dataclass(frozen=True)
class Way:
    """Verdicts by criterion and pair (+1, -1, 0), the vote's accuracy, and what it took."""

    signs: np.ndarray
    accuracy: float
    calls: int
    uncached: int


def criteria_of(world: World) -> list[Criterion]:
    """Two wordings of four concepts for each quality that people care about: ten or twelve criteria."""
    rng = generator("together", world.seed)
    found = []
    for quality in world.cared:
        for _ in range(2):
            words = rng.sample(quality_named(quality).words, 4)
            found.append(criterion_from(Wording(name_for(words[0], rng), describe(words, 1, rng))))
    return list({c.name: c for c in found}.values())


def judged(world: World, criteria: Sequence[Criterion], pairs: Sequence[Pair], together: int) -> Way:
    """Every criterion on every pair, `together` in a call."""
    caller = Caller(ScriptedModel(Simulation(world).answer), LocalGate(64))
    judge = ChatJudge(caller, secret=SECRET, criteria_per_call=together)
    asked = [
        (Ask(judge=judge.fingerprint, criterion=c.hash, pair=p.hash, order=first_look(p.hash, False)), c, p)
        for p in pairs
        for c in criteria
    ]
    account = OpenAccount()

    async def answers() -> dict[str, Judgment]:
        return {j.key: j async for j in judge.answer(asked)}

    with charging(account):
        found = asyncio.run(answers())
    signs = np.array([found[ask.key].sign for ask, _, _ in asked]).reshape(len(pairs), len(criteria)).T
    return _way(signs, np.sign(signs.sum(axis=0)), pairs, account)


def overall(world: World, criteria: Sequence[Criterion], pairs: Sequence[Pair]) -> Way:
    """One verdict by all criteria at once."""
    judge = OverallJudge(Caller(ScriptedModel(Simulation(world).answer), LocalGate(64)), secret=SECRET)
    account = OpenAccount()
    with charging(account):
        found = asyncio.run(judge.verdicts(pairs, criteria))
    votes = np.array([j.sign for j in found])
    return _way(votes[None, :], votes, pairs, account)


def _way(signs: np.ndarray, vote: np.ndarray, pairs: Sequence[Pair], account: OpenAccount) -> Way:
    truth = np.array([p.sign for p in pairs])
    accuracy = float(np.where(vote == 0, 0.5, vote == truth).mean())
    return Way(signs, accuracy, len(account.records), sum(r.tokens.uncached for r in account.records))


def run(worlds: int) -> str:
    """A row for each number of criteria in a call, and one for the baseline."""
    found: dict[str, list[Way]] = {}
    for seed in range(worlds):
        world = World(seed)
        criteria, pairs = criteria_of(world), world.pairs(PAIRS, "together")
        for size in SIZES:
            found.setdefault(f"{size} in a call", []).append(judged(world, criteria, pairs, size))
        found.setdefault("all in one prompt, one verdict", []).append(overall(world, criteria, pairs))
    alone = found["1 in a call"]
    head = [
        f"{worlds} worlds, {PAIRS} pairs",
        "agrees with 1 in a call",
        "majority's accuracy",
        "calls",
        "uncached tokens",
    ]
    return table(head, [_row(name, ways, alone) for name, ways in found.items()])


def _row(name: str, ways: Sequence[Way], alone: Sequence[Way]) -> list[str]:
    same = [_agreement(w, a) for w, a in zip(ways, alone, strict=True) if w.signs.shape == a.signs.shape]
    means = [f"{np.mean([w.calls for w in ways]):,.0f}", f"{np.mean([w.uncached for w in ways]) / 1000:,.0f}k"]
    return [name, f"{np.mean(same):.3f}" if same else "-", f"{np.mean([w.accuracy for w in ways]):.3f}", *means]


def _agreement(one: Way, other: Way) -> float:
    """Share of the verdicts that both decided on which they are the same."""
    both = (one.signs != 0) & (other.signs != 0)
    return float((one.signs[both] == other.signs[both]).mean())


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", type=int, default=10)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    given = options.parse_args()
    told = run(given.worlds)
    print(told)
    if given.write:
        write_section("together", f"python -m benchmarks.bench_together --worlds {given.worlds} --write", told)


if __name__ == "__main__":
    main()
