"""An annotation tool's export read as a file of pairs with votes: what the readers of data files expect of any source.

What people did not hand in is left out and counted; what they handed in and cannot be read is a fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from agents.pairs import Preference
from knowledge_base.errors import InputError
from services.datasets.faults import Fault, Faults, shown
from services.datasets.formats import NATIVE
from services.datasets.formats.messages import answer, question
from services.datasets.record import Record
from services.datasets.rows import Row
from services.exchange.answers import higher
from services.exchange.choosing import Choice, Plan, plan_for
from services.exchange.records import records
from services.exchange.sheets import COUNTS, Answered, Filled, Tool

SAMPLE = 200
"""Records with an answer that counts by which is decided how all are read."""

LEFT_OUT = {
    "draft": "responses were never handed in (drafts)",
    "discarded": "responses were discarded by their annotators",
    "cancelled": "annotations were cancelled or skipped",
    "unanswered": "responses do not answer the question",
    "contradictory": "responses say two different things of one pair",
    "empty": "records have no response that counts",
}
"""Why something is left out -> in words, after its number."""


_NOTHING = "export a dataset in which people have submitted answers"


class VotesFile:
    """Pairs with votes out of an export.

    Args:
        path: the export.
        tool: whose it is.
        choice: what the user says about it.

    Attributes:
        counts: of the last pass: `records`, `pairs`, `votes`, `expert`, `unstated`, and the keys of `LEFT_OUT`.
        annotators: names met in the last pass.
    """

    textual = False

    def __init__(self, path: Path, tool: Tool, choice: Choice | None = None) -> None:
        self.path, self.tool = path, tool
        self.counts: Counter[str] = Counter()
        self.annotators: set[str] = set()
        self._choice = choice or Choice()

    @cached_property
    def plan(self) -> Plan:
        """How it is read.

        Raises:
            FaultyRows: no record with an answer that counts can be read.
            InputError: there is none, or fields or answers are ambiguous.
        """
        faults, sample, idle = Faults(), [], Counter[str]()
        for row in records(self.path):
            if isinstance(row, Fault):
                faults.add(row)
            elif self.tool.knows(row.fields):
                filled = self.tool.read(row.number, row.fields)
                idle.update(answered.state for answered in filled.answers)
                sample += [filled] if COUNTS & {answered.state for answered in filled.answers} else []
            if len(sample) == SAMPLE:
                break
        if not sample:
            faults.check()
            raise InputError(f"{self.path.name} holds no vote that counts{_told(idle)}; {_NOTHING}")
        return plan_for(self.path.name, sample, self._choice)

    def columns(self) -> tuple[str, ...]:
        """The columns of Touchstone's own format that rows come with."""
        return ("id", "a", "b", "prompt", "votes")

    def rows(self, wanted: frozenset[str]) -> Iterator[Row | Fault]:
        """Every pair with its votes, or what is wrong with a record.

        Raises:
            InputError: nothing counts.
        """
        self.counts, self.annotators = Counter(), set()
        plan, faulty = self.plan, False
        for row in records(self.path):
            self.counts["records"] += 1
            for made in [row] if isinstance(row, Fault) else self._made(row, plan):
                faulty = faulty or isinstance(made, Fault)
                yield made
        if not self.counts["pairs"] and not faulty:
            raise InputError(f"{self.path.name} holds no vote that counts{_told(self.counts)}; {_NOTHING}")

    def left_out(self) -> list[str]:
        """What the last pass left out, a clause each."""
        return _clauses(self.counts)

    def notes(self) -> list[str]:
        """What a reader of the votes should know, a sentence each; complete once all rows were read."""
        plan = self.plan
        prompt = f', prompt is "{plan.prompt}"' if plan.prompt else ""
        reason = f', reasons are from "{plan.reason}"' if plan.reason else ""
        asked = " and ".join(f'"{name}"' for name in plan.questions)
        notes = [
            f'an export of {self.tool.name}: a is "{plan.a}", b is "{plan.b}"{prompt}; answers to {asked} are the '
            f"votes{reason}"
        ]
        if self.counts["unstated"]:
            many = f"{self.counts['unstated']:,} responses"
            notes.append(f"{many} do not say whether they were handed in, and count; drafts may be among them")
        if self.counts["expert"]:
            notes.append(
                f"{self.counts['expert']:,} annotations are marked as ground truth; they count as any other vote"
            )
        return notes + ([f"left out: {'; '.join(self.left_out())}"] if self.left_out() else [])

    def _made(self, row: Row, plan: Plan) -> list[Row | Fault]:
        if not self.tool.knows(row.fields):
            remedy = f"export it again from {self.tool.name}"
            return [Fault(self.path.name, row.number, "", f"no record of {self.tool.name}", remedy)]
        filled = self.tool.read(row.number, row.fields)
        faults = [Fault(self.path.name, row.number, *flaw) for flaw in filled.flaws]
        votes: list[dict[str, str]] = []
        for answered in filled.answers:
            found = self._vote(answered, plan, row.number)
            if isinstance(found, Fault):
                faults.append(found)
            elif found:
                votes.append(found)
        if faults:
            return list(faults)
        if not votes:
            self.counts["empty"] += 1
            return []
        return self._pair(filled, votes, plan)

    def _pair(self, filled: Filled, votes: list[dict[str, str]], plan: Plan) -> list[Row | Fault]:
        record = Record(self.path.name, Row(filled.number, filled.texts), textual=False)
        fields: dict[str, object] = {"a": answer(record, plan.a), "b": answer(record, plan.b)}
        if prompt := question(record, plan.prompt) if plan.prompt else "":
            fields["prompt"] = prompt
        named: dict[str, object] = {"id": filled.id} if filled.id else {}
        made = Row(filled.number, {**named, **fields, "votes": votes})
        faults = record.faults or _faults_of(self.path.name, made)
        if faults:
            return list(faults)
        self.counts["pairs"] += 1
        self.counts["votes"] += len(votes)
        self.annotators |= {vote["annotator"] for vote in votes if "annotator" in vote}
        return [made]

    def _vote(self, answered: Answered, plan: Plan, number: int) -> dict[str, str] | Fault | None:
        """One vote; None if it does not count, which is counted."""
        if answered.state not in COUNTS:
            self.counts[answered.state] += 1
            return None
        given = {name: answered.values.get(name) for name in plan.questions}
        said = {name: value for name, value in given.items() if value not in (None, "", [])}
        if not said or (plan.rated and len(said) < 2):
            self.counts["unanswered"] += 1
            return None
        preferred = _rated(said, plan) if plan.rated else _read(said, plan)
        if isinstance(preferred, tuple):
            return Fault(self.path.name, number, *preferred)
        if not preferred:
            self.counts["contradictory"] += 1
            return None
        self.counts["unstated"] += answered.state == "unstated"
        self.counts["expert"] += answered.expert
        told = {"annotator": answered.annotator, "reason": _words(answered, plan), "at": _moment(answered.at)}
        return {"preferred": preferred, **{key: value for key, value in told.items() if value}}


def _clauses(counts: Mapping[str, int]) -> list[str]:
    return [f"{counts[key]:,} {words}" for key, words in LEFT_OUT.items() if counts.get(key)]


def _told(counts: Mapping[str, int]) -> str:
    clauses = _clauses(counts)
    return f" ({'; '.join(clauses)})" if clauses else ""


def _faults_of(file: str, made: Row) -> list[Fault]:
    """What the reader of pairs would find wrong with a row, such as two texts that are the same."""
    record = Record(file, made, textual=False)
    NATIVE.read(record)
    return record.faults


def _read(said: dict[str, object], plan: Plan) -> Preference | tuple[str, str, str] | None:
    """What the answers say; None if they contradict each other, a flaw if one cannot be read."""
    found: set[Preference] = set()
    for name, value in said.items():
        preferred = plan.reader.preference(value)
        if preferred is None:
            return name, shown(value), "say what this answer means by --means, or correct it in the tool"
        found.add(preferred)
    return found.pop() if len(found) == 1 else None


def _rated(said: dict[str, object], plan: Plan) -> Preference | tuple[str, str, str]:
    values: list[Any] = [said[name] for name in plan.questions]
    for name, value in zip(plan.questions, values, strict=True):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return name, shown(value), "a rating must be a number"
    return higher(values[0], values[1])


def _words(answered: Answered, plan: Plan) -> str:
    value = answered.values.get(plan.reason) if plan.reason else None
    parts = value if isinstance(value, list) else [value]
    return "\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())


def _moment(at: str) -> str:
    """A time in UTC as ISO 8601 has it; empty if the tool's spelling cannot be read. A time without zone is UTC."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return ""
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
