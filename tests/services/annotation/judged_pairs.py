"""A criteria set and its judgments, put into the store as if workers had given them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from letter_parties import letter_criterion
from made_up import assessment

from agents.criteria_set import CriteriaSet, Lineage, Member
from agents.judgments import Ask
from services.database import Database, insert_new
from services.tables import JudgmentRow

LINEAGE = Lineage(
    dataset="d", pairs=10, judge="letters/1", manager="m", policy="robust", rounds=1, size=2, seed=0
)  # fmt: skip


def letter_set(letters: str, *, right: int = 0, decided: int = 0, seed: int = 0) -> CriteriaSet:
    """A set of one criterion a letter, all of the same weight."""
    members = tuple(
        Member(
            criterion=letter_criterion(letter), weight=1.0,
            mining=assessment(letter, right=right, decided=decided),
        )
        for letter in letters
    )  # fmt: skip
    return CriteriaSet(members=members, method="made up", lineage=LINEAGE.model_copy(update={"seed": seed}))


def judge(database: Database, criteria: CriteriaSet, pairs: Sequence[str], said: Mapping[str, str]) -> None:
    """Store what each criterion says of the pairs: a letter a pair, `A`, `B`, `-` (abstained) or `?` (failed)."""
    status = {"A": "decided", "B": "decided", "-": "abstained", "?": "failed", " ": ""}
    rows = [
        {
            "key": ask.key, "judge": ask.judge, "criterion": ask.criterion, "pair": ask.pair, "order": "ab",
            "sample": 0, "status": status[letter], "verdict": letter if letter in "AB" else "abstain",
            "margin": 0.5, "asked_by": "test",
        }
        for member in criteria.members
        for pair, letter in zip(pairs, said[member.criterion.name[-1]], strict=True)
        if status[letter]
        for ask in [Ask(judge="letters/1", criterion=member.criterion.hash, pair=pair)]
    ]  # fmt: skip
    with database.write() as connection:
        insert_new(connection, JudgmentRow, rows)
