"""The baseline of one prompt: a chat model sees all criteria at once and says which text is better altogether.

CritiQ (Guo et al., ACL 2025, arXiv 2502.19279, section 4) compares voting workers with it. It answers for no single
criterion, so it is no `Judge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import aclosing

from agents.chat.crew import as_they_come
from agents.chat.endpoint import ChatModel
from agents.chat.question import judgment_of, overall_call
from agents.chat.replies import PairReply
from agents.chat.terms import IN_FLIGHT, LIMIT, PROBED, Terms, probing
from agents.chat.text_limit import TextLimit
from agents.judgments import Ask, Judgment
from agents.pairs import Pair
from agents.panel import first_look
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError


class OverallJudge:
    """Asks a chat model for one verdict by all criteria. Arguments are those of `agents.chat.judge.ChatJudge`.

    Raises:
        InputError: there are no prompts in this language, the secret is empty, or `in_flight` is below 1.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        secret: bytes,
        language: str = "en",
        limit: TextLimit = LIMIT,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        if in_flight < 1:
            raise InputError(f"in_flight is {in_flight}; use 1 or more")
        self._terms, self._in_flight = Terms(model, secret, "overall", language, limit), in_flight
        probe, _ = probing(limit, language)
        self.fingerprint = self._terms.fingerprint(overall_call(self._terms.prompt, probe, [PROBED, PROBED], 0))

    def ask_of(self, pair: Pair, criteria: Sequence[Criterion]) -> Ask:
        """What is asked of a pair: in one order, chosen by its hash; the criteria count by content, in their order."""
        listed = hashlib.sha256(" ".join(c.hash for c in criteria).encode()).hexdigest()[:16]
        order = first_look(pair.hash, symmetric=False)
        return Ask(judge=self.fingerprint, criterion=f"all-{listed}", pair=pair.hash, order=order)

    async def verdicts(self, pairs: Sequence[Pair], criteria: Sequence[Criterion]) -> list[Judgment]:
        """One judgment a pair, in the order of the pairs, under the keys of `ask_of`.

        Raises:
            InputError: there are no criteria.
            EndpointClosed, BudgetSpent: as `ChatJudge.answer` does; nothing is returned then.
        """
        if not criteria:
            raise InputError("an overall verdict needs criteria, and there are none")
        asked = [(self.ask_of(pair, criteria), pair, criteria) for pair in pairs]
        calls = as_they_come(([one] for one in asked), self._answered, self._in_flight, 0.0)
        async with aclosing(calls):
            found = {judgment.key: judgment async for judgment in calls}
        return [found[ask.key] for ask, _, _ in asked]

    async def _answered(self, asked: tuple[Ask, Pair, Sequence[Criterion]]) -> Judgment:
        ask, pair, criteria = asked
        view = self._terms.view_pair(pair, ask.order)
        call = overall_call(self._terms.prompt, view, criteria, ask.sample)
        return judgment_of(ask.key, await self._terms.ask(call, PairReply), view, self._terms.language)
