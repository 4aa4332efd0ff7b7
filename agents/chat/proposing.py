"""New criteria in a model's words, sampled so that they differ.

Asked for the best criteria, a model names the same few each time. It is asked instead for a sample with a probability
for each (verbalised sampling, Zhang et al. 2025, arXiv 2510.01171), in several calls that see different explanations.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from agents.chat.desk import Desk, Question, listed, one_line, shown_in_lists, together
from agents.chat.drafts import Drafts, LikelyDraft, Sieve, criterion_of
from agents.manager import Brief, Proposal
from knowledge_base.criterion import Criterion

HANDFUL = 5
"""Criteria asked for in one call."""

SURPLUS = 1.3
"""Criteria asked for, for each that is wanted: some will mean the same."""

WAVES = 3
"""Times that the model is asked for what is still wanting; fewer if it has nothing new to say. As published it is asked
once, and again only if the answer could not be read."""

PORTIONS = 3
"""Calls of one wave see different halves or thirds of the explanations."""

FEWEST_EXPLANATIONS = 4
"""A portion is not made smaller than this."""

LONGEST_LISTED = 300
"""Characters of a criterion in the lists of what is taken and what is banned."""

MOST_BANNED = 60
"""Banned criteria listed, the latest; nothing of the others' meaning passes either."""


@dataclass(frozen=True)
class Request:
    """What new criteria are to explain, and from what they must differ.

    Attributes:
        brief: description, domain and seed.
        explanations: of people's choices.
        taken: criteria that are there already.
        banned: criteria that failed.
        failures: what was wrong with earlier criteria, a line each.
    """

    brief: Brief
    explanations: tuple[str, ...] = ()
    taken: tuple[Criterion, ...] = ()
    banned: tuple[Criterion, ...] = ()
    failures: tuple[str, ...] = ()


async def propose(desk: Desk, request: Request, n: int) -> list[Proposal]:
    """Up to `n` criteria unlike what is taken or banned and unlike one another, the most probable of a wave first."""
    sieve, found, asked = Sieve(request.taken, request.banned), list[Proposal](), 0
    for _ in range(WAVES):
        if len(found) >= n:
            break
        written = tuple(p.criterion for p in found)
        questions = _questions(request, written, n - len(found), asked)
        asked += len(questions)
        drafts = _ranked(await together(desk.ask(question, Drafts) for question in questions), request.brief)
        new = [p for draft in drafts if (p := _admitted(desk, draft, sieve, request.brief))]
        found += new
        if drafts and (request.brief.thorough or not new):
            break
    return found[:n]


def _questions(request: Request, written: Sequence[Criterion], wanting: int, asked: int) -> list[Question]:
    """The calls of one wave: as published one for everything, else one for each handful."""
    known = _known(request, written)
    if request.brief.thorough:
        return [_question("propose_all", request, known, wanting, request.explanations, asked)]
    wanted = math.ceil(wanting * SURPLUS)
    calls = math.ceil(wanted / HANDFUL)
    number = math.ceil(wanted / calls)
    portions = [_portion(request, asked + i, calls) for i in range(calls)]
    return [_question("propose", request, known, number, part, asked + i) for i, part in enumerate(portions)]


def _portion(request: Request, call: int, calls: int) -> tuple[str, ...]:
    """The explanations that a call sees: dealt like cards, shuffled anew each time that all have been dealt."""
    different = set(request.explanations)
    portions = max(1, min(PORTIONS, calls, len(different) // FEWEST_EXPLANATIONS))
    deal = f"{request.brief.seed} {call // portions}"
    shuffled = sorted(different, key=lambda text: hashlib.sha256(f"{deal} {text}".encode()).hexdigest())
    return tuple(shuffled[call % portions :: portions])


def _known(request: Request, written: Sequence[Criterion]) -> tuple[tuple[str, str], ...]:
    """Blocks that all calls of a wave begin with."""
    taken = shown_in_lists([*request.taken, *written], LONGEST_LISTED)
    banned = shown_in_lists(request.banned[-MOST_BANNED:], LONGEST_LISTED)
    return (
        ("description", request.brief.description),
        ("taken", taken),
        ("banned", banned),
        ("failures", listed(request.failures)),
    )


def _question(
    task: str, request: Request, known: tuple[tuple[str, str], ...], number: int, explanations: Sequence[str], call: int
) -> Question:
    about = hashlib.sha256(repr(known).encode("utf-8", "surrogatepass")).hexdigest()
    blocks = (*known, ("number", str(number)), ("explanations", listed(explanations)))
    return Question(task, about, blocks, request.brief.seed + call)


def _ranked(replies: Sequence[Drafts | None], brief: Brief) -> list[LikelyDraft]:
    """The most probable first, and of equals those named first; as published, in the order of the reply."""
    drafts = [(rank, draft) for reply in replies if reply for rank, draft in enumerate(reply.criteria)]
    if brief.thorough:
        return [draft for _, draft in drafts]
    return [draft for _, draft in sorted(drafts, key=lambda d: (-d[1].probability, d[0]))]


def _admitted(desk: Desk, draft: LikelyDraft, sieve: Sieve, brief: Brief) -> Proposal | None:
    try:
        criterion = sieve.admit(criterion_of(draft, brief.domain, desk.model.name))
    except ValidationError as error:
        desk.note(f"propose: left out {one_line(draft.name, 80)!r}: {one_line(str(error), LONGEST_LISTED)}")
        return None
    likely = "" if brief.thorough else f", probability {draft.probability:.2f}"
    return Proposal(criterion, "manager", f"written by {desk.model.name}{likely}") if criterion else None
