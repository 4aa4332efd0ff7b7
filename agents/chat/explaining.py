"""The warm-up: why people preferred what they did, pair by pair, in a chat model's words and their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from agents.chat.desk import Desk, Question, listed, one_line, together
from agents.manager import Brief
from agents.pairs import Pair
from knowledge_base.embedding import embed

MOST_PAIRS = 60
"""Pairs explained; of more, those whose hashes come first, which is as good as chance and always the same."""

LONGEST = 900
"""Characters kept of one explanation, several times what is asked for."""

LONGEST_REASON = 600
MOST_REASONS = 12


class Explanation(BaseModel):
    """Reply: why the preferred text of a pair was preferred."""

    model_config = ConfigDict(title="explanation")

    explanation: str


async def explain(desk: Desk, brief: Brief) -> tuple[str, ...]:
    """Explanations of up to `MOST_PAIRS` pairs, in the order of the pairs' hashes; ties and failures are left out."""
    told = sorted((pair for pair in brief.pairs if pair.sign), key=lambda pair: pair.hash)[:MOST_PAIRS]
    replies = await together(desk.ask(_question(desk, brief, pair), Explanation) for pair in told)
    lines = (one_line(reply.explanation, LONGEST) for reply in replies if reply)
    return tuple(line for line in lines if line)


def representative(texts: Sequence[str], n: int) -> list[str]:
    """At most `n` of the texts, chosen to stand for all of them, the most central first.

    Each next one brings the texts nearest to some chosen one: greedy facility location, within 1 - 1/e of the best
    choice (Nemhauser, Wolsey and Fisher 1978; for summaries, Lin and Bilmes, ACL 2011).
    """
    if len(texts) <= n:
        return list(texts)
    vectors = embed(texts)
    closeness = np.maximum(vectors @ vectors.T, 0.0).astype(np.float64)
    nearest, chosen = np.zeros(len(texts)), list[int]()
    while len(chosen) < n:
        gains = np.round(np.maximum(closeness, nearest).sum(axis=1), 4)
        gains[chosen] = -np.inf
        chosen.append(int(np.argmax(gains)))
        nearest = np.maximum(nearest, closeness[chosen[-1]])
    return [texts[i] for i in chosen]


def _question(desk: Desk, brief: Brief, pair: Pair) -> Question:
    blocks = (
        ("description", brief.description),
        ("prompt", desk.cut(pair.prompt)),
        ("preferred", pair.preferred),
        ("reasons", _reasons(pair)),
        ("a", desk.cut(pair.a)),
        ("b", desk.cut(pair.b)),
    )
    return Question("explain", pair.hash, blocks, brief.seed)


def _reasons(pair: Pair) -> str:
    """What people said, each with the text that it speaks for; those of the majority first."""
    given = [(pair.preferred, pair.reason), *((vote.preferred, vote.reason) for vote in pair.votes)]
    lines = dict.fromkeys(f"for {side}: {one_line(why, LONGEST_REASON)}" for side, why in given if why.strip())
    return listed(sorted(lines, key=lambda line: not line.startswith(f"for {pair.preferred}:"))[:MOST_REASONS])
