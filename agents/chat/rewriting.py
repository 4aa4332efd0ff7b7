"""Criteria that went wrong on some pairs: what was wrong with their words, and the same criteria worded better."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.chat.desk import Desk, Question, listed, one_line, together
from agents.chat.drafts import Draft, Words, written_by
from agents.chat.question import criterion_text
from agents.manager import Brief, Case, Mistake, Proposal
from knowledge_base.criterion import Criterion

MISTAKES = 4
"""Mistakes shown in one call unless the brief is thorough: the clearest."""

LONGEST = 600
"""Characters kept of one critique."""

LONGEST_RATIONALE = 1000


class Critiques(BaseModel):
    """Reply: one critique for each mistake shown."""

    model_config = ConfigDict(title="critiques")

    critiques: list[str]


class Rewrite(Draft):
    """Reply: a criterion worded anew."""

    model_config = ConfigDict(title="criterion")

    name: Words = ""


async def refine(desk: Desk, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
    """A rewrite of each case's criterion, in order; None where nothing was learnt or no rewrite could be read."""
    return await together(_rewrite(desk, brief, case) for case in cases)


async def critiques_of(desk: Desk, brief: Brief, case: Case) -> list[str]:
    """Critiques of a case's mistakes: each in a call of its own if the brief is thorough, else the clearest in one."""
    mistakes = sorted(case.mistakes, key=lambda m: (-m.judgment.margin, m.pair.hash))
    batches = [[m] for m in mistakes] if brief.thorough else [mistakes[:MISTAKES]] if mistakes else []
    replies = await together(desk.ask(_critique(desk, brief, case, batch), Critiques) for batch in batches)
    told = (reply.critiques[: len(batch)] for reply, batch in zip(replies, batches, strict=True) if reply)
    return [line for lines in told for line in (one_line(text, LONGEST) for text in lines) if line]


async def _rewrite(desk: Desk, brief: Brief, case: Case) -> Proposal | None:
    critiques = await critiques_of(desk, brief, case)
    if not critiques and not case.assessment.abstained:
        return None
    reply = await desk.ask(_request(brief, case, critiques), Rewrite)
    new = _reworded(desk, case.criterion, reply) if reply else None
    return Proposal(new, "rewrite", f"reworded after {len(critiques)} critiques by {desk.model.name}") if new else None


def _reworded(desk: Desk, old: Criterion, draft: Rewrite) -> Criterion | None:
    """The old criterion in the draft's words, under its own name whatever the draft calls it.

    An expression measures what the old words asked for, so it is left behind. None if nothing but case and spaces
    changed, or the words make no criterion.
    """
    not_when = draft.not_when if "not_when" in draft.model_fields_set else old.not_when
    if _squeezed(draft.description, not_when) == _squeezed(old.description, old.not_when):
        return None
    source = old.provenance.locator if old.provenance.kind == "mined" else f"reworded from: {old.provenance.source}"
    try:
        return Criterion(
            name=old.name,
            description=draft.description,
            not_when=not_when,
            domains=old.domains,
            provenance=written_by(desk.model.name, source),
        )
    except ValidationError as error:
        desk.note(f"rewrite: {old.name!r} stays as it was: {one_line(str(error), LONGEST)}")
        return None


def _squeezed(*words: str) -> str:
    return " | ".join(" ".join(part.split()).casefold() for part in words)


def _critique(desk: Desk, brief: Brief, case: Case, mistakes: Sequence[Mistake]) -> Question:
    blocks = [("criterion", criterion_text(case.criterion))]
    for number, mistake in enumerate(mistakes, start=1):
        blocks += [(f"mistake {number} {name}", text) for name, text in _parts(desk, mistake, len(mistakes))]
    return Question("critique", case.criterion.hash, tuple(blocks), brief.seed)


def _parts(desk: Desk, mistake: Mistake, sharing: int) -> list[tuple[str, str]]:
    pair, said = mistake.pair, mistake.judgment
    texts = [("prompt", pair.prompt), ("a", pair.a), ("b", pair.b)]
    worker = f"{said.verdict.lower()}: {one_line(said.rationale, LONGEST_RATIONALE)}"
    return [(name, desk.cut(text, sharing)) for name, text in texts] + [("people", pair.preferred), ("worker", worker)]


def _request(brief: Brief, case: Case, critiques: Sequence[str]) -> Question:
    did = case.assessment
    accuracy = f"{did.accuracy:.2f} (right {did.right}, decided {did.decided}, asked {did.asked})"
    blocks = (("criterion", criterion_text(case.criterion)), ("accuracy", accuracy), ("critiques", listed(critiques)))
    return Question("rewrite", case.criterion.hash, blocks, brief.seed)
