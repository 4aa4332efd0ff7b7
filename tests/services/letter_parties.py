"""Small real parties for tests of the machinery: criteria about letters, judged by counting them.

Everything is a pure function of content. `LETTER_MS` makes each judgment take that many milliseconds, and `LETTER_TRAP`
names a letter whose criterion kills the process that judges by it. `LETTER_LOG` is a file that gets a line each time
parties are made (`made PID`) and each time questions are answered (`judged PID`).
"""

from __future__ import annotations

import asyncio
import os
import random
import string
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from agents.judge import Question
from agents.judgments import Judgment
from agents.manager import Brief, Case, Proposal
from agents.pairs import Dataset, Pair
from agents.panel import Panel, seat_of
from knowledge_base.criterion import Criterion, Domain, Provenance

SOURCE = Provenance(kind="mined", source="letter tests", year=2024)


def letter_criterion(letters: str) -> Criterion:
    """The criterion that more of these letters are better."""
    described = f"The better text uses the letters {', '.join(letters)} more often."
    return Criterion(name=f"Letters {letters}", description=described, provenance=SOURCE)


def letter_dataset(pairs: int, seed: int = 0, liked: str = "e", noise: float = 0.1) -> Dataset:
    """Pairs of random words in which people mostly prefer the text with more of the liked letters."""
    rng = random.Random(seed)
    return Dataset(name=f"letters-{seed}", pairs=tuple(_pair(i, rng, liked, noise) for i in range(pairs)))


def _pair(number: int, rng: random.Random, liked: str, noise: float) -> Pair:
    a, b = (" ".join("".join(rng.choices(string.ascii_lowercase, k=5)) for _ in range(8)) for _ in "ab")
    more = sum(map(a.count, liked)) - sum(map(b.count, liked))
    if rng.random() < noise:
        more = -more
    return Pair(id=str(number), a=a, b=b, preferred="a" if more > 0 else "b" if more < 0 else "tie")


class LetterJudge:
    """Prefers the text with more of a criterion's letters; abstains where they are level."""

    symmetric = True

    def __init__(self, name: str = "letters/1") -> None:
        self.fingerprint = name
        self._seconds = float(os.environ.get("LETTER_MS", "0")) / 1000
        self._trap = os.environ.get("LETTER_TRAP", "")

    def can_judge(self, criterion: Criterion) -> bool:
        return criterion.name.startswith("Letters ")

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        _note("judged")
        for ask, criterion, pair in questions:
            if self._seconds:
                await asyncio.sleep(self._seconds)
            letters = criterion.name.removeprefix("Letters ")
            if self._trap and self._trap in letters:
                os._exit(9)
            yield letter_judgment(ask.key, letters, pair)


def letter_judgment(key: str, letters: str, pair: Pair) -> Judgment:
    """What the judge says of a pair."""
    a, b = (sum(map(text.count, letters)) for text in (pair.a, pair.b))
    why = f"{letters}: A {a}, B {b}"
    if a == b:
        return Judgment(key=key, status="abstained", rationale=why)
    verdict = "A" if a > b else "B"
    return Judgment(key=key, status="decided", verdict=verdict, margin=abs(a - b) / max(a, b), rationale=why)


class LetterManager:
    """Proposes single letters, and rewrites a letter by adding the next one of the alphabet."""

    fingerprint = "letters/1"

    def base(self, brief: Brief) -> list[Criterion]:
        return []

    def seed(self, brief: Brief, n: int) -> list[Proposal]:
        return self._fresh(brief.seed, (), n)

    def refine(self, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
        return [self._rewrite(case.criterion) for case in cases]

    def replace(
        self, brief: Brief, kept: Sequence[Criterion], failures: Sequence[Case], banned: Sequence[Criterion], n: int
    ) -> list[Proposal]:
        return self._fresh(brief.seed, {c.name for c in (*kept, *banned)}, n)

    def _fresh(self, seed: int, used: Sequence[str] | set[str] | tuple[()], n: int) -> list[Proposal]:
        letters = list(string.ascii_lowercase)
        random.Random(seed).shuffle(letters)
        criteria = [letter_criterion(letter) for letter in letters]
        return [Proposal(c, "manager", "unused letter") for c in criteria if c.name not in used][:n]

    def _rewrite(self, criterion: Criterion) -> Proposal | None:
        letters = criterion.name.removeprefix("Letters ")
        if len(letters) > 2:
            return None
        after = chr((ord(letters[-1]) - ord("a") + 1) % 26 + ord("a"))
        return Proposal(letter_criterion(letters + after), "rewrite", "one letter more")


class LetterParties:
    """The parties of these tests."""

    def judge(self) -> LetterJudge:
        return LetterJudge()

    def workers(self) -> tuple[LetterJudge, ...]:
        return (self.judge(),)

    def panel(self) -> Panel:
        return Panel(seats=tuple(map(seat_of, self.workers())))

    def manager(self) -> LetterManager:
        return LetterManager()

    def domain(self, dataset: Dataset) -> Domain:
        return "answers"

    def preload(self) -> None:
        """Nothing to load."""


def parties(settings: object, database: object) -> LetterParties:
    """As `Settings.parties` names it."""
    _note("made")
    return LetterParties()


def _note(what: str) -> None:
    if path := os.environ.get("LETTER_LOG"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{what} {os.getpid()}\n")
