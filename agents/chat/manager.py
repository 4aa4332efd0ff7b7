"""The manager that writes: a chat model explains people's choices, proposes criteria, finds fault and rewrites."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from agents.chat.desk import STAGES, Desk, together
from agents.chat.drafts import Sieve
from agents.chat.endpoint import ChatModel
from agents.chat.explaining import explain, representative
from agents.chat.journal import Journalled, MemoryJournal
from agents.chat.prompts import load_prompt
from agents.chat.proposing import Request, propose
from agents.chat.rewriting import critiques_of, refine
from agents.chat.text_limit import TextLimit
from agents.fingerprints import source_digest
from agents.manager import Brief, Case, Proposal
from knowledge_base.criterion import Criterion
from knowledge_base.entries import criteria_digest
from knowledge_base.errors import InputError
from knowledge_base.index import Index
from knowledge_base.retrieval import retrieve

QUERIES = 8
"""Sentences, beside the description, that the knowledge base is searched with."""

FAILURES = 6
"""Failed criteria whose mistakes are looked at before their places are filled: those with the most mistakes."""

SOURCES = ("manager", "explaining", "proposing", "drafts", "rewriting", "desk")
"""Modules of this room that decide what is asked and what is made of the answers."""


class ChatManager:
    """A `Manager` that asks a chat model.

    A brief that is `thorough` follows the published procedure (Guo et al. 2025, section 3): every mistake is critiqued
    in a call of its own, and new criteria come from one call and never by retrieval, since there the whole knowledge
    base is screened on the pairs instead.

    Args:
        model: who answers. Wrap it in `agents.chat.journal.Journalled` with a journal that lasts, so that a step that
            runs again pays for no answer twice; within one manager none is paid for twice in any case.
        index: the knowledge base; None works without one.
        secret: what the fences around texts are made from.
        language: of the prompts.
        limit: how much of a long text the model is shown.
        in_flight: calls under way at once.
        share_from_base: share of new criteria that the knowledge base may fill, in [0, 1]; the model writes the others.

    Attributes:
        notes: a sentence for each answer that had to be done without.

    Raises:
        InputError: no prompts in this language, or a share or a number of calls that makes no sense.
    """

    def __init__(
        self,
        model: ChatModel,
        index: Index | None,
        *,
        secret: bytes,
        language: str = "en",
        limit: TextLimit | None = None,
        in_flight: int = 8,
        share_from_base: float = 0.4,
    ) -> None:
        if in_flight < 1 or not 0.0 <= share_from_base <= 1.0:
            raise InputError(
                f"the manager has {in_flight} calls in flight and a share of {share_from_base:g} from the knowledge "
                "base; give 1 call or more, and a share from 0 to 1"
            )
        self._model, self._index, self._share = Journalled(model, MemoryJournal()), index, share_from_base
        self._limit = limit if limit is not None else TextLimit()
        self._secret, self._language, self._in_flight = secret, language, in_flight
        self.notes: list[str] = []
        self.fingerprint = self._named()

    def base(self, brief: Brief) -> list[Criterion]:
        """Every criterion of the knowledge base."""
        return list(self._index.criteria) if self._index and brief.from_base else []

    def seed(self, brief: Brief, n: int) -> list[Proposal]:
        """Prior criteria near what the texts are and why people chose, then what the model adds."""
        return asyncio.run(self._seed(self._desk(), brief, n)) if n > 0 else []

    def refine(self, brief: Brief, cases: Sequence[Case]) -> list[Proposal | None]:
        """Each criterion worded anew from critiques of its mistakes; None where it stays as it is."""
        return asyncio.run(refine(self._desk(), brief, cases)) if cases else []

    def replace(
        self, brief: Brief, kept: Sequence[Criterion], failures: Sequence[Case], banned: Sequence[Criterion], n: int
    ) -> list[Proposal]:
        """Prior criteria near what the failures missed, then what the model adds; nothing kept, failed or banned."""
        refused = (*banned, *(case.criterion for case in failures))
        request = Request(brief, taken=tuple(kept), banned=refused)
        return asyncio.run(self._replace(self._desk(), request, failures, n)) if n > 0 else []

    async def _seed(self, desk: Desk, brief: Brief, n: int) -> list[Proposal]:
        return await self._fill(desk, Request(brief, await explain(desk, brief)), n)

    async def _replace(self, desk: Desk, request: Request, failures: Sequence[Case], n: int) -> list[Proposal]:
        brief = request.brief
        explanations = await explain(desk, brief)
        missed = () if brief.thorough else await _missed(desk, brief, failures)
        return await self._fill(desk, dataclasses.replace(request, explanations=explanations, failures=missed), n)

    async def _fill(self, desk: Desk, request: Request, n: int) -> list[Proposal]:
        """The base's share, what the model writes, and where it writes too little, more of the base."""
        prior = self._from_base(request, n)
        first = prior[: round(self._share * n)]
        taken = (*request.taken, *(p.criterion for p in first))
        found = first + await propose(desk, dataclasses.replace(request, taken=taken), n - len(first))
        sieve = Sieve([*request.taken, *(p.criterion for p in found)], request.banned)
        spare = prior[len(first) :] if len(found) < n else []
        return (found + [p for p in spare if sieve.admit(p.criterion) == p.criterion])[:n]

    def _from_base(self, request: Request, n: int) -> list[Proposal]:
        """What the knowledge base offers, best first; nothing as published, where all of it is screened instead."""
        brief = request.brief
        if self._index is None or brief.thorough or not (self._share and brief.from_base):
            return []
        told = representative(request.failures, QUERIES - 2)
        told += representative(request.explanations, QUERIES - len(told))
        refused = [*request.banned, *request.taken]
        queries = [brief.description, *told]
        found = retrieve(self._index, queries, n, away_from=request.taken, banned=refused, domain=brief.domain)
        return [Proposal(r.criterion, "knowledge base", f"relevance {r.relevance:.2f}") for r in found]

    def _desk(self) -> Desk:
        return Desk(
            self._model,
            secret=self._secret,
            language=self._language,
            limit=self._limit,
            in_flight=self._in_flight,
            notes=self.notes,
        )

    def _named(self) -> str:
        prompts = ",".join(load_prompt(task, self._language).version for task in STAGES)
        code = source_digest(*(Path(__file__).with_name(f"{name}.py") for name in SOURCES))
        base = criteria_digest(self._index.criteria)[:12] if self._index else "none"
        shown = f"{self._limit.tokens} {self._limit.keep}"
        return (
            f"chat-manager/{self._model.fingerprint}/{self._language}/{prompts}/{code}/{shown}/{base} x {self._share:g}"
        )


async def _missed(desk: Desk, brief: Brief, failures: Sequence[Case]) -> tuple[str, ...]:
    """What was wrong with failed criteria, a line for each critique, under the criterion's name."""
    worst = sorted(failures, key=lambda case: (-len(case.mistakes), case.criterion.hash))[:FAILURES]
    told = await together(critiques_of(desk, brief, case) for case in worst)
    return tuple(f"{case.criterion.name}: {text}" for case, texts in zip(worst, told, strict=True) for text in texts)
