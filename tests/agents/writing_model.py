"""A made-up chat model that answers as a manager's model would, by rule, from the blocks of the prompt alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cache
from typing import Any

from made_up import assessment

from agents.chat.endpoint import Call, Reply, Tokens
from agents.chat.fence import read_blocks
from agents.judge import Question
from agents.judgments import Judgment, Verdict
from agents.manager import Brief, Case, Mistake
from agents.pairs import Pair
from knowledge_base.criterion import Criterion
from knowledge_base.entries import load_catalogue

SECRET = b"known to the tests only"
QUALITIES = (
    "gives reasons for what it advises", "orders its steps", "names amounts and times", "avoids slang",
    "answers what was asked", "checks its own result", "keeps to plain words", "gives an example",
)  # fmt: skip

Rule = Callable[[Call, dict[str, str]], "str | Exception | None"]
"""What to answer to a call with these blocks instead of what the model would say; None leaves it to the model."""


class WritingModel:
    """Writes explanations, criteria, critiques and rewrites. Remembers every call, and how many were open at once.

    Args:
        rule: answers first.
        pool: criteria that it knows, in the order in which they come to its mind.
    """

    name = "made-up:writer"
    fingerprint = "made-up:writer/1"

    def __init__(self, rule: Rule | None = None, pool: Sequence[dict[str, Any]] | None = None) -> None:
        self._rule, self._pool = rule, pool
        self.calls: list[Call] = []
        self.open = self.most_open = 0

    async def reply(self, call: Call) -> Reply:
        self.calls.append(call)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await asyncio.sleep(0)
        self.open -= 1
        blocks = dict(read_blocks(call.messages[1].content))
        ruled = self._rule(call, blocks) if self._rule else None
        if isinstance(ruled, Exception):
            raise ruled
        text = json.dumps(self._write(call, blocks), ensure_ascii=False) if ruled is None else ruled
        return Reply(text, "stop", Tokens(prompt=10, completion=5), 0.0)

    @property
    def stages(self) -> Counter[str]:
        """Calls by stage."""
        return Counter(call.stage for call in self.calls)

    @property
    def prompts(self) -> list[str]:
        """Everything that was sent, message by message."""
        return [message.content for call in self.calls for message in call.messages]

    def asked(self, stage: str) -> list[dict[str, str]]:
        """Blocks of each call of a stage, in order."""
        return [dict(read_blocks(c.messages[1].content)) for c in self.calls if c.stage == stage]

    def _write(self, call: Call, blocks: dict[str, str]) -> dict[str, Any]:
        title = call.schema["title"]
        if title == "explanation":
            return {"explanation": explanation_of(blocks)}
        if title == "criteria":
            return {"criteria": self._criteria(blocks)}
        if title == "critiques":
            count = sum(name.endswith(" worker") for name in blocks)
            return {"critiques": [f"It rewards a mere sign of the quality, case {i + 1}." for i in range(count)]}
        described = blocks["criterion"].partition(": ")[2].partition("\nDoes not apply: ")[0]
        return {"name": "Another name", "description": f"{described} Only what bears on the matter counts."}

    def _criteria(self, blocks: dict[str, str]) -> list[dict[str, Any]]:
        """As many as asked for, from a place in the pool that the explanations decide; what is listed is left out."""
        pool = list(self._pool if self._pool is not None else written_pool())
        start = 0 if self._pool is not None else _number(blocks.get("explanations", "")) % len(pool)
        listed = blocks.get("taken", "") + blocks.get("banned", "")
        fresh = [c for c in pool[start:] + pool[:start] if f"- {c['name']}: " not in listed]
        return fresh[: int(blocks["number"])]


class CountingJudge:
    """Judges by any criterion: prefers the longer text, but for a share of pairs that the criterion's hash decides."""

    fingerprint = "counting/1"
    symmetric = True

    def can_judge(self, criterion: Criterion) -> bool:
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncIterator[Judgment]:
        for ask, by, of in questions:
            longer: Verdict = "A" if len(of.a) > len(of.b) else "B"
            shorter: Verdict = "B" if longer == "A" else "A"
            verdict = shorter if int(of.hash[:2], 16) < int(by.hash[-1], 16) * 16 else longer
            yield Judgment(key=ask.key, status="decided", verdict=verdict, rationale="Counted.", margin=0.5)


@cache
def written_pool() -> tuple[dict[str, Any], ...]:
    """Criteria of the catalogue that `small_index` leaves out, as a model might write them."""
    known = load_catalogue()[3::8]
    return tuple(
        {"name": c.name, "description": c.description, "not_when": c.not_when, "probability": (i % 7) / 10}
        for i, c in enumerate(known)
    )


def explanation_of(blocks: dict[str, str]) -> str:
    """What the model says of a pair."""
    return f"The preferred text {QUALITIES[_number(blocks['a']) % len(QUALITIES)]}."


def case_of(criterion: Criterion, wrong: Sequence[Pair] = (), rationale: str = "It is longer.", **did: float) -> Case:
    """A criterion with a mistake on each of these pairs; the earlier the clearer."""
    mistakes = tuple(
        Mistake(
            pair,
            Judgment(
                key=pair.hash,
                status="decided",
                verdict="B" if pair.preferred == "a" else "A",
                rationale=rationale,
                margin=1 - i / 100,
            ),
        )
        for i, pair in enumerate(wrong)
    )
    return Case(criterion, assessment(criterion.hash, **did), mistakes)


def clear_pairs(brief: Brief) -> list[Pair]:
    """The pairs that people did not tie."""
    return [pair for pair in brief.pairs if pair.sign]


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
