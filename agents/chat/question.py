"""What a chat judge is asked, and what its reply says of the pair: pure functions, from values to values.

All calls about a pair in one order begin alike, byte for byte: rules, then the pair. The criterion comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.chat.endpoint import Call
from agents.chat.fence import Fence
from agents.chat.prompts import Prompt
from agents.chat.rationale import tidy
from agents.chat.replies import Missing, NumberedReply, PairReplies, PairReply, PointReply
from agents.chat.structured import schema_of
from agents.chat.text_limit import TextLimit
from agents.judgments import Judgment, Order
from agents.pairs import Pair, Point
from knowledge_base.criterion import Criterion

CLEAR = 1.0
"""The margin of a decision: a chat judge does not say how clear one is."""


@dataclass(frozen=True)
class View:
    """Texts as a judge is shown them.

    Attributes:
        fence: fences what else stands in the prompt.
        blocks: the texts, fenced.
        order: in which order the texts of a pair are shown.
        truncated: whether a part of a text only is shown.
    """

    fence: Fence
    blocks: str
    order: Order
    truncated: bool


def view_pair(pair: Pair, order: Order, fence: Fence, limit: TextLimit, language: str) -> View:
    """A pair in an order: blocks `prompt` (if it has one), `a` for the text shown first, and `b`."""
    first, second = (pair.a, pair.b) if order == "ab" else (pair.b, pair.a)
    return _view([("prompt", pair.prompt), ("a", first), ("b", second)], order, fence, limit, language)


def view_point(point: Point, fence: Fence, limit: TextLimit, language: str) -> View:
    """One text: blocks `prompt` (if it has one) and `text`."""
    return _view([("prompt", point.prompt), ("text", point.text)], "ab", fence, limit, language)


def _view(named: Sequence[tuple[str, str]], order: Order, fence: Fence, limit: TextLimit, language: str) -> View:
    shown = [(name, limit.show(text, language)) for name, text in named if text or name != "prompt"]
    blocks = fence.blocks((name, part.text) for name, part in shown)
    return View(fence, blocks, order, any(part.cut for _, part in shown))


def criterion_text(criterion: Criterion) -> str:
    """A criterion as shown: name and description, and a line on when it does not apply if it says so."""
    return f"{criterion.words}\nDoes not apply: {criterion.not_when}" if criterion.not_when else criterion.words


def one_line(criterion: Criterion) -> str:
    """A criterion as an item of a list."""
    words, *rest = criterion_text(criterion).replace("\r", "\n").rsplit("\nDoes not apply: ", 1)
    return "\n  Does not apply: ".join(["- " + " ".join(words.split()), *(" ".join(r.split()) for r in rest)])


def pair_call(prompt: Prompt, view: View, criterion: Criterion, sample: int) -> Call:
    """One criterion asked of a pair."""
    asked = view.fence.block("criterion", criterion_text(criterion))
    return Call(
        prompt.fill(mark=view.fence.mark, pair=view.blocks, criterion=asked), "judge", schema_of(PairReply), sample
    )


def call_together(prompt: Prompt, view: View, criteria: Sequence[Criterion], sample: int) -> Call:
    """Several criteria asked of a pair in one call, numbered from 1."""
    numbered = ((f"criterion {i}", criterion_text(c)) for i, c in enumerate(criteria, 1))
    asked = view.fence.blocks(numbered)
    return Call(
        prompt.fill(mark=view.fence.mark, pair=view.blocks, criteria=asked), "judge", schema_of(PairReplies), sample
    )


def overall_call(prompt: Prompt, view: View, criteria: Sequence[Criterion], sample: int) -> Call:
    """Which text is better altogether, by a list of criteria."""
    asked = view.fence.block("criteria", "\n".join(one_line(c) for c in criteria))
    return Call(
        prompt.fill(mark=view.fence.mark, pair=view.blocks, criteria=asked), "judge", schema_of(PairReply), sample
    )


def point_call(prompt: Prompt, view: View, criterion: Criterion, sample: int) -> Call:
    """One criterion asked of one text."""
    asked = view.fence.block("criterion", criterion_text(criterion))
    return Call(
        prompt.fill(mark=view.fence.mark, text=view.blocks, criterion=asked), "judge", schema_of(PointReply), sample
    )


def judgment_of(key: str, reply: PairReply | NumberedReply | Missing, view: View, language: str) -> Judgment:
    """A reply about texts as shown, said of the pair's own a and b."""
    fields: dict[str, Any] = {"key": key, "truncated": view.truncated}
    if isinstance(reply, Missing):
        return Judgment(**fields, status=reply.status, rationale=reply.reason)
    fields["rationale"] = tidy(reply.reasoning, view.order, language)
    if reply.verdict == "A" or reply.verdict == "B":
        verdict = verdict_on_pair(reply.verdict, view.order)
        return Judgment(**fields, status="decided", verdict=verdict, margin=CLEAR)
    return Judgment(**fields, status="abstained", hesitation=reply.verdict)


def verdict_on_pair(seen: Literal["A", "B"], order: Order) -> Literal["A", "B"]:
    """Which of the pair's texts is meant by a text as shown."""
    if order == "ab":
        return seen
    return "B" if seen == "A" else "A"
