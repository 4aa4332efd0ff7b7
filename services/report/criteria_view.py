"""Every criterion of the set as the report tells it: figures, words, and the way it took through the rounds."""

from __future__ import annotations

from dataclasses import dataclass

from agents.assessment import Assessment
from agents.chronicle import Entry
from agents.criteria_set import Member
from services.run_result import RunResult

ORIGINS = {
    "knowledge base": "from the knowledge base",
    "search": "found by searching the signals",
    "rewrite": "rewritten",
    "manager": "proposed by the manager",
    "incumbent": "of the set before",
}


@dataclass(frozen=True)
class CriterionView:
    """One criterion.

    Attributes:
        number: 1 for the strongest; the same in every figure of the report.
        member: the criterion, its weight and how it did on mining pairs.
        held_out: how it did on sealed or test pairs; None in a cross-fit and where nothing was held out.
        origin: where it came from, in words.
        why: the policy's last word on it.
        story: its rounds, oldest first, as sentences; a rewrite begins with what it was before.
        redundant_with: names of criteria that nearly vote as it does.
    """

    number: int
    member: Member
    held_out: Assessment | None
    origin: str
    why: str
    story: tuple[str, ...]
    redundant_with: tuple[str, ...]

    @property
    def name(self) -> str:
        """The criterion's name."""
        return self.member.criterion.name


def criteria_views(result: RunResult) -> list[CriterionView]:
    """The criteria of a run's set, strongest first."""
    held_out = {a.criterion: a for a in result.held_out_assessments}
    seen = _entries(result)
    return [
        _view(number, member, held_out.get(member.criterion.hash), seen, result)
        for number, member in enumerate(result.criteria_set.members, start=1)
    ]


Seen = dict[str, list[tuple[int, Entry]]]
"""Criterion hash -> (round, entry), oldest first."""


def _entries(result: RunResult) -> Seen:
    seen: Seen = {}
    for record in result.rounds:
        for entry in record.entries:
            seen.setdefault(entry.criterion, []).append((record.number, entry))
    return seen


def _view(number: int, member: Member, held_out: Assessment | None, seen: Seen, result: RunResult) -> CriterionView:
    rounds = seen.get(member.criterion.hash, [])
    last = rounds[-1][1] if rounds else None
    return CriterionView(
        number=number,
        member=member,
        held_out=held_out,
        origin=ORIGINS[last.origin] if last else "not in any round",
        why=last.why if last else "",
        story=tuple(_story(member.criterion.hash, seen)),
        redundant_with=tuple(_redundant(member.criterion.name, result)),
    )


def _story(criterion: str, seen: Seen) -> list[str]:
    told: list[str] = []
    followed: set[str] = set()
    while criterion in seen and criterion not in followed:
        followed.add(criterion)
        told = [_told(number, entry) for number, entry in seen[criterion]] + told
        criterion = seen[criterion][0][1].parent
    return told


def _told(number: int, entry: Entry) -> str:
    return f"Round {number}: “{entry.name}”, {ORIGINS[entry.origin]}: {entry.fate} ({entry.why})"


def _redundant(name: str, result: RunResult) -> list[str]:
    return [r.second if r.first == name else r.first for r in result.redundant if name in (r.first, r.second)]
