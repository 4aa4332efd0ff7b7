"""The chat worker: a chat model reads two texts and a criterion, and says which text is better by it, or abstains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property

from agents.chat.crew import as_they_come
from agents.chat.endpoint import Call, ChatModel
from agents.chat.question import View, call_together, judgment_of, pair_call
from agents.chat.replies import Missing, PairReplies, PairReply
from agents.chat.terms import HEAD_START, IN_FLIGHT, LIMIT, PROBED, Terms, probing
from agents.chat.text_limit import TextLimit
from agents.judge import Question
from agents.judgments import Ask, Judgment, Order
from agents.pairs import Pair
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError


class ChatJudge:
    """A `Judge` that asks a chat model.

    All calls about one pair in one order begin alike, and one of them goes ahead of the others, so that the endpoint
    computes that beginning once (see `agents.chat.crew`).

    Args:
        model: who answers. It retries, waits for its turn and pays; what it raises for good is a `failed` judgment
            here, or the end of the run.
        secret: what the fences are made from; known to this deployment only.
        language: of the prompts.
        limit: how much of each text is shown.
        criteria_per_call: more than 1 asks so many criteria of a pair in one call: cheaper, and another judge.
        in_flight: most calls at once.
        head_start: seconds for which the calls about a pair wait at most for the first of them; 0: they do not wait.

    Raises:
        InputError: an argument that no judge can work with, such as a language without prompts.
    """

    symmetric = False

    def __init__(
        self,
        model: ChatModel,
        *,
        secret: bytes,
        language: str = "en",
        limit: TextLimit = LIMIT,
        criteria_per_call: int = 1,
        in_flight: int = IN_FLIGHT,
        head_start: float = HEAD_START,
    ) -> None:
        if criteria_per_call < 1 or in_flight < 1:
            raise InputError(f"criteria_per_call is {criteria_per_call} and in_flight is {in_flight}; use 1 or more")
        self._terms = Terms(model, secret, "judge" if criteria_per_call == 1 else "judges", language, limit)
        self._together, self._in_flight, self._head_start = criteria_per_call, in_flight, head_start
        probe, _ = probing(limit, language)
        self.fingerprint = self._terms.fingerprint(self._call(probe, [PROBED] * criteria_per_call, 0))

    def can_judge(self, criterion: Criterion) -> bool:
        """Always: every criterion has words."""
        return True

    async def answer(self, questions: Sequence[Question]) -> AsyncGenerator[Judgment, None]:
        """One judgment a question, as replies come; close the generator, and the calls in flight are cancelled.

        A reply that cannot be read is `invalid`, a call that did not succeed is `failed`, both with the reason.

        Raises:
            EndpointClosed: no call will succeed; what had come was yielded first.
            BudgetSpent: nothing may be called any more; what was paid for was yielded first.
        """
        calls = as_they_come(self._groups(questions), self._answered, self._in_flight, self._head_start)
        async with aclosing(calls):
            async for judgments in calls:
                for judgment in judgments:
                    yield judgment

    def _groups(self, questions: Sequence[Question]) -> Iterator[list[_Errand]]:
        alike: defaultdict[tuple[str, Order, int], list[Question]] = defaultdict(list)
        for question in questions:
            ask, _, pair = question
            alike[pair.hash, ask.order, ask.sample].append(question)
        return (self._errands(group) for group in alike.values())

    def _errands(self, group: Sequence[Question]) -> list[_Errand]:
        # In an order of their own, so that the same criteria share a call in whatever order they were asked.
        ordered = sorted(group, key=lambda question: question[0].criterion) if self._together > 1 else group
        sight = _Sight(self._terms, *ordered[0])
        return [_Errand(sight, ordered[i : i + self._together]) for i in range(0, len(ordered), self._together)]

    async def _answered(self, errand: _Errand) -> list[Judgment]:
        view, (first, _, _) = errand.sight.view, errand.questions[0]
        call = self._call(view, [criterion for _, criterion, _ in errand.questions], first.sample)
        reply = await self._reply(call)
        keys = enumerate((ask.key for ask, _, _ in errand.questions), 1)
        return [judgment_of(key, reply.by(number), view, self._terms.language) for number, key in keys]

    async def _reply(self, call: Call) -> PairReply | PairReplies | Missing:
        if self._together == 1:
            return await self._terms.ask(call, PairReply)
        return await self._terms.ask(call, PairReplies)

    def _call(self, view: View, criteria: Sequence[Criterion], sample: int) -> Call:
        if self._together == 1:
            return pair_call(self._terms.prompt, view, criteria[0], sample)
        return call_together(self._terms.prompt, view, criteria, sample)


class _Sight:
    """What all calls about a pair in one order show, made when the first of them needs it."""

    def __init__(self, terms: Terms, ask: Ask, _: Criterion, pair: Pair) -> None:
        self._terms, self._pair, self._order = terms, pair, ask.order

    @cached_property
    def view(self) -> View:
        return self._terms.view_pair(self._pair, self._order)


@dataclass(frozen=True)
class _Errand:
    """One call: a pair in an order, and what is asked of it."""

    sight: _Sight
    questions: Sequence[Question]
