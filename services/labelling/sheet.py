"""What all pairs of a labelling have in common: the criteria in order of asking, who judges by each, when to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agents.ballot import Ballot
from agents.criteria_set import CriteriaSet, Member
from agents.early_stop import Left, StopRule, left_of
from agents.judge import Judge
from agents.judgments import Ask
from agents.panel import Panel, first_look
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError, WrongJudge

Voters = Mapping[str, tuple[int, ...]]
"""Criterion hash -> the seats (by number) that can judge by it; a criterion that nobody can judge by is not there."""


@dataclass(frozen=True)
class Sheet:
    """A criteria set as a panel votes by it.

    Attributes:
        criteria_set: the set; its weights are the ballot.
        panel: the workers.
        voters: who judges by what.
        rule: when to stop asking about a pair.
    """

    criteria_set: CriteriaSet
    panel: Panel
    voters: Voters
    rule: StopRule

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Those that can be judged by, heaviest vote first: what is asked early decides most."""
        able = [m for m in self.criteria_set.members if m.criterion.hash in self.voters]
        return tuple(sorted(able, key=lambda m: -abs(m.weight)))

    @cached_property
    def left(self) -> tuple[Left, ...]:
        """What the rule of stopping must know of each member, in the same order."""
        return tuple(map(left_of, self.members))

    @cached_property
    def ballot(self) -> Ballot:
        """The weighted vote."""
        return self.criteria_set.ballot

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The members' criteria by hash."""
        return {m.criterion.hash: m.criterion for m in self.members}

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the criteria that nobody on the panel can judge by; they do not vote."""
        return tuple(m.criterion.name for m in self.criteria_set.members if m.criterion.hash not in self.voters)

    @cached_property
    def per_pair(self) -> int:
        """Judgments that a pair takes if nothing is left out."""
        return sum(self.panel.seats[i].samples for seats in self.voters.values() for i in seats)

    @cached_property
    def first_block(self) -> int:
        """Judgments that every pair takes at least, as long as nobody abstains."""
        criteria = self.members[: self.rule.next_block(0.0, self.left)]
        return sum(self.panel.seats[i].samples for m in criteria for i in self.voters[m.criterion.hash])

    def asks(self, criterion: str, pair: str) -> list[Ask]:
        """What is asked of a pair by a criterion (content hashes): each seat in one order, set by the pair's hash."""
        seats = [self.panel.seats[i] for i in self.voters[criterion]]
        return [
            Ask(judge=s.judge, criterion=criterion, pair=pair, order=first_look(pair, s.symmetric), sample=sample)
            for s in seats
            for sample in range(s.samples)
        ]


def voters_of(criteria_set: CriteriaSet, panel: Panel, judges: Sequence[Judge]) -> Voters:
    """Which seats can judge by which criteria.

    Raises:
        InputError: nobody can judge by any.
        WrongJudge: a seat of the panel has no judge here.
    """
    known = judges_by_name(panel, judges)
    found = {
        c.hash: tuple(i for i, seat in enumerate(panel.seats) if known[seat.judge].can_judge(c))
        for c in criteria_set.criteria
    }
    if not any(found.values()):
        raise InputError(f"{panel.name} can judge by none of these criteria; give them expressions, or name a model")
    return {criterion: seats for criterion, seats in found.items() if seats}


def judges_by_name(panel: Panel, judges: Sequence[Judge]) -> dict[str, Judge]:
    """The judges by fingerprint.

    Raises:
        WrongJudge: a seat of the panel has no judge among them.
    """
    known = {judge.fingerprint: judge for judge in judges}
    for seat in panel.seats:
        if seat.judge not in known:
            has = " + ".join(known)
            why = "code or settings changed after the labelling began or the worker was started"
            remedy = "run the command again, and restart workers that no command started"
            raise WrongJudge(f"judge {seat.judge!r} is asked, but this worker has {has!r}: {why}; {remedy}")
    return known
