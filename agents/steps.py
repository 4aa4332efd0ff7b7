"""The steps of a round, as plain functions of state and context; `agents.graph` only wires them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from agents.assessment import Assessment, flip_rate, scores
from agents.assessment import assess as assess_votes
from agents.chronicle import Entry, RoundRecord
from agents.judgments import Order
from agents.manager import Case, Mistake, Proposal
from agents.mining import Mining, MiningState
from agents.panel import FLIPS, first_look, in_sample, turned
from agents.policy import Decision
from agents.votes import ABSTAINED, DECIDED, Votes
from knowledge_base.criterion import Criterion

MISTAKES_SHOWN = 8
"""Mistakes of one criterion that a manager is shown, unless the policy has it look at all; the clearest first."""

Cell = tuple[str, str]
"""Hashes of a criterion and a pair."""


def seed(mining: Mining) -> MiningState:
    """First candidates: incumbents, then from the base and the manager; or all of the base, to be screened."""
    state: MiningState = {"round": 1, "kept": [], "refining": [], "archive": [], "failing": [], "banned": []}
    state |= {"parents": {}, "origins": {}, "final": []}
    base = mining.manager.base(mining.brief) if mining.policy.screens else []
    if base:
        everything = [Proposal(c, "knowledge base", "all of it is screened") for c in base]
        return state | _enter(state, mining, _after_incumbents(mining, everything)) | {"stage": "screen"}
    seeds = mining.manager.seed(mining.brief, mining.policy.candidates)
    return state | _enter(state, mining, _after_incumbents(mining, seeds))


def _after_incumbents(mining: Mining, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Incumbents first. One that is proposed anew stays an incumbent."""
    standing = [Proposal(c, "incumbent", "it stands in the set to be renewed") for c in mining.brief.incumbents]
    return [*standing, *(p for p in proposals if p.criterion.hash not in mining.incumbents)]


def nothing_proposed() -> MiningState:
    """The state of a thread whose manager could not be asked for a first criterion."""
    return {
        "round": 0, "stage": "finished", "contenders": [], "kept": [], "refining": [], "archive": [], "failing": [],
        "banned": [], "parents": {}, "origins": {}, "final": [],
    }  # fmt: skip


def top_up(state: MiningState, mining: Mining) -> MiningState:
    """What the screening leaves enters the first round, with as many new candidates as are wanting."""
    votes = mining.ledger.votes(state["contenders"], mining.pairs)
    winners = mining.policy.screened(_assess(votes, mining))
    wanting = 0 if mining.ledger.spent() else mining.policy.candidates - len(winners)
    known = mining.ledger.recall(winners)
    proposals = mining.manager.replace(mining.brief, known, [], [], wanting) if wanting > 0 else []
    entered = _enter(state | {"contenders": winners}, mining, proposals)
    contenders = [*winners, *entered["contenders"]]
    return entered | {"contenders": contenders, "candidates": len(state["contenders"]) + len(entered["contenders"])}


def dispatch(state: MiningState, mining: Mining) -> int:
    """Want what the stage needs of first looks; returns how many judgments are missing."""
    return _want(mining, [(cell, _first(cell, mining)) for cell in _cells(state, mining)])


def look_again(state: MiningState, mining: Mining) -> int:
    """Want the other order where the stage needs it and the first look is there; returns how many are missing.

    After a first look that came to no decision the other order could change nothing; who loses the race on few pairs
    would lose it with twice the looks, too; and where the order hardly matters a sample shows it.
    """
    looks = "one" if state["stage"] == "sealed" else mining.policy.looks
    racing_on = looks in ("second", "sampled") and not _last_rung(state, mining)
    if looks == "one" or racing_on or mining.panel.symmetric:
        return 0
    again = _cells(state, mining) if looks == "both" else _decided(state, mining)
    if looks == "sampled" and not _order_matters(state, mining):
        again = [cell for cell in again if in_sample(cell[1])]
    return _want(mining, [(cell, turned(_first(cell, mining))) for cell in again])


def _order_matters(state: MiningState, mining: Mining) -> bool:
    votes = mining.ledger.votes([*state["kept"], *state["refining"], *state["contenders"]], mining.pairs)
    return flip_rate(votes) > FLIPS


def _cells(state: MiningState, mining: Mining) -> list[Cell]:
    if state["stage"] == "sealed":
        return [(c, p.hash) for p in mining.sealed for c in state["final"]]
    return [(c, p) for p in rung_pairs(state, mining) for c in state["contenders"]]


def _first(cell: Cell, mining: Mining) -> Order:
    return first_look(cell[1], mining.panel.symmetric)


def _decided(state: MiningState, mining: Mining) -> list[Cell]:
    """Cells in which somebody has come to a decision, even if the decisions balance."""
    votes = mining.ledger.votes(state["contenders"], rung_pairs(state, mining))
    rows, columns = np.nonzero((votes.states == DECIDED) | votes.flipped)
    return [(votes.criteria[c], votes.pairs[p]) for c, p in zip(rows, columns, strict=True)]


def _want(mining: Mining, asked: Sequence[tuple[Cell, Order]]) -> int:
    return mining.ledger.want([ask for (c, p), order in asked for ask in mining.panel.asks(c, p, (order,))])


def assess(state: MiningState, mining: Mining) -> MiningState:
    """One rung further in the race or, when it is over, the fate of everything alive."""
    if not _last_rung(state, mining) and not mining.ledger.spent():
        winners = _winners(state, mining)
        if winners:
            return {"contenders": winners, "rung": state["rung"] + 1}
        state = state | {"contenders": []}
    alive, reasons = _settle(state, mining)
    votes = mining.ledger.votes(alive, mining.pairs)
    assessments = _assess(votes, mining)
    decisions = mining.policy.decide(votes, assessments)
    mining.ledger.record(_record(state, mining, assessments, decisions, reasons))
    fates = {fate: [d.criterion for d in decisions if d.fate == fate] for fate in ("keep", "refine", "replace")}
    beaten = {*state["refining"]} - {*alive}
    archive = [c for c in dict.fromkeys([*state["archive"], *fates["keep"]]) if c not in beaten]
    return {
        "kept": fates["keep"], "refining": fates["refine"], "failing": fates["replace"],
        "archive": archive, "contenders": [], "rung": 0,
    }  # fmt: skip


def racing(state: MiningState, mining: Mining) -> bool:
    """Whether contenders still have pairs to meet."""
    return bool(state["contenders"])


def reflect(state: MiningState, mining: Mining) -> MiningState:
    """Ban what failed, so that nothing of its meaning is proposed again."""
    return {"banned": list(dict.fromkeys([*state["banned"], *state["failing"]]))}


def enough(state: MiningState, mining: Mining) -> bool:
    """Whether rounds or budget are used up, or the set is full with nothing left to improve."""
    if mining.ledger.spent():
        return True
    full = len(state["kept"]) >= mining.policy.size and not state["refining"]
    return full or state["round"] >= mining.policy.rounds


def refine(state: MiningState, mining: Mining) -> MiningState:
    """Rewrites of the middling criteria enter the next round's race; their parents stay until beaten."""
    cases = [] if mining.ledger.spent() else [_case(c, mining) for c in state["refining"]]
    rewrites = mining.manager.refine(mining.brief, cases) if cases else []
    found = {r.criterion.hash: (r, case.criterion.hash) for r, case in zip(rewrites, cases, strict=True) if r}
    entered = _enter(state, mining, [rewrite for rewrite, _ in found.values()])
    parents = state["parents"] | {child: found[child][1] for child in entered["contenders"]}
    return entered | {"parents": parents, "round": state["round"] + 1}


def replace(state: MiningState, mining: Mining) -> MiningState:
    """New candidates for what the failures missed join the rewrites in the race."""
    recall = mining.ledger.recall
    room = mining.policy.room(len(state["kept"]) + len(state["refining"]), len(state["contenders"]))
    failures = [_case(c, mining) for c in state["failing"]]
    alive = [*state["kept"], *state["refining"], *state["contenders"]]
    room = 0 if mining.ledger.spent() else room
    known, banned = recall(alive), recall(state["banned"])
    proposals = mining.manager.replace(mining.brief, known, failures, banned, room) if room else []
    entered = _enter(state, mining, proposals)
    contenders = [*state["contenders"], *entered["contenders"]]
    return entered | {"contenders": contenders, "candidates": len(contenders)}


def examine(state: MiningState, mining: Mining) -> MiningState:
    """Compose the final set; only sealed pairs are judged from here on."""
    final, _ = compose(state, mining)
    return {"stage": "sealed", "final": final}


def compose(state: MiningState, mining: Mining) -> tuple[list[str], dict[str, float]]:
    """The final criteria, strongest first, and their vote weights, from every criterion that was ever kept."""
    alive = dict.fromkeys([*state["archive"], *state["kept"], *state["refining"]])
    pool = [c for c in alive if c not in state["banned"] and c not in state["failing"]]
    pool = pool or state["failing"]
    if not pool:
        return [], {}
    votes = mining.ledger.votes(pool, mining.pairs)
    weights = np.array([mining.by_hash[p].weight for p in mining.pairs])
    priors = mining.priors(mining.ledger.recall(pool))
    final, ballot = mining.policy.compose(votes, mining.truth(mining.pairs), weights, priors)
    return final, ballot.weights


def rung_pairs(state: MiningState, mining: Mining) -> tuple[str, ...]:
    """The mining pairs that contenders meet on the current rung."""
    if state["stage"] == "screen":
        return mining.pairs
    return mining.pairs[: _rungs(mining)[state["rung"]]]


def _rungs(mining: Mining) -> tuple[int, ...]:
    return mining.policy.rungs(len(mining.pairs))


def _last_rung(state: MiningState, mining: Mining) -> bool:
    return state["rung"] >= len(_rungs(mining)) - 1


def _enter(state: MiningState, mining: Mining, proposals: Sequence[Proposal]) -> MiningState:
    """Remember new criteria and put them in the race.

    Left out is what is alive, was ever kept, is banned, or was a rewrite before: its parent has met it already.
    A newcomer that lost a race on few pairs may try again against others.
    """
    tried = {*state["kept"], *state["refining"], *state["archive"], *state["banned"], *state["parents"]}
    tried |= {*state.get("contenders", [])}
    new = {p.criterion.hash: p for p in proposals if p.criterion.hash not in tried}
    mining.ledger.remember([p.criterion for p in new.values()])
    origins = state["origins"] | {h: p.origin for h, p in new.items()}
    return {
        "stage": "race", "rung": 0, "contenders": list(new), "candidates": len(new), "origins": origins,
    }  # fmt: skip


def _winners(state: MiningState, mining: Mining) -> list[str]:
    """Who goes on to the next rung. Incumbents do: they won their place on more pairs than a rung has."""
    standing = [c for c in state["contenders"] if c in mining.incumbents]
    raced = [c for c in state["contenders"] if c not in mining.incumbents]
    votes = mining.ledger.votes(raced, rung_pairs(state, mining))
    return [*standing, *mining.policy.survivors(_assess(votes, mining), state["rung"], len(_rungs(mining)))]


def _assess(votes: Votes, mining: Mining) -> list[Assessment]:
    priors = mining.priors(mining.ledger.recall(votes.criteria))
    return assess_votes(votes, mining.truth(votes.pairs), priors)


def _settle(state: MiningState, mining: Mining) -> tuple[list[str], dict[str, str]]:
    """Everything alive, each rewrite either in its parent's place or gone; with the reason for each rewrite.

    The two are compared where both have evidence: a judgment that never came must not count as an abstention.
    """
    alive = list(dict.fromkeys([*state["kept"], *state["refining"], *state["contenders"]]))
    reasons: dict[str, str] = {}
    for child in [c for c in state["contenders"] if c in state["parents"]]:
        parent = state["parents"][child]
        votes = mining.ledger.votes([parent, child], mining.pairs)
        votes = votes.columns(np.flatnonzero(np.isin(votes.states, (DECIDED, ABSTAINED)).all(axis=0)).tolist())
        both = scores(votes, mining.truth(votes.pairs))
        accepted, why = mining.policy.accepts(both[0], both[1])
        loser = parent if accepted else child
        alive = [c for c in alive if c != loser]
        reasons[child if accepted else parent] = why
    return alive, reasons


def _case(criterion: str, mining: Mining) -> Case:
    """A criterion with its assessment and its clearest mistakes."""
    votes = mining.ledger.votes([criterion], mining.pairs)
    wrong = np.flatnonzero(scores(votes, mining.truth(mining.pairs))[0] < 0)
    clearest = sorted(wrong, key=lambda i: (-float(votes.margins[0, i]), votes.pairs[i]))
    if not mining.policy.thorough:
        clearest = clearest[:MISTAKES_SHOWN]
    judged = mining.ledger.judgments(criterion, [votes.pairs[i] for i in clearest])
    mistakes: dict[str, Mistake] = {}
    for pair, judgment in judged:
        if judgment.sign * mining.by_hash[pair].sign < 0:
            mistakes.setdefault(pair, Mistake(mining.by_hash[pair], judgment))
    return Case(mining.ledger.recall([criterion])[0], _assess(votes, mining)[0], tuple(mistakes.values()))


def _record(
    state: MiningState,
    mining: Mining,
    assessments: Sequence[Assessment],
    decisions: Sequence[Decision],
    reasons: dict[str, str],
) -> RoundRecord:
    by_hash = {a.criterion: a for a in assessments}
    bodies = {c.hash: c for c in mining.ledger.recall([d.criterion for d in decisions])}
    entries = [
        Entry(
            criterion=d.criterion,
            name=bodies[d.criterion].name,
            origin=state["origins"][d.criterion],
            parent=state["parents"].get(d.criterion, ""),
            assessment=by_hash[d.criterion],
            fate=d.fate,
            why=_readable("; ".join(filter(None, [d.why, reasons.get(d.criterion, "")])), bodies),
        )
        for d in decisions
    ]
    raced_out = state["candidates"] - len(state["contenders"])
    return RoundRecord(
        number=state["round"], candidates=state["candidates"], raced_out=raced_out, entries=tuple(entries)
    )


def _readable(why: str, known: Mapping[str, Criterion]) -> str:
    """A policy knows criteria by their hashes, people by their names."""
    return re.sub(r"\b[0-9a-f]{16}\b", lambda m: f'"{known[m[0]].name}"' if m[0] in known else m[0], why)
