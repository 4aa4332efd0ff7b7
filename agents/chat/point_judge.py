"""Single texts judged by a criterion: yes, no or unsure; for data that people labelled text by text."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from pydantic import BaseModel, ConfigDict

from agents.chat.crew import as_they_come
from agents.chat.endpoint import ChatModel
from agents.chat.question import View, point_call
from agents.chat.rationale import tidy
from agents.chat.replies import Met, Missing, PointReply
from agents.chat.terms import HEAD_START, IN_FLIGHT, LIMIT, PROBED, Terms, probing
from agents.chat.text_limit import TextLimit
from agents.judgments import Status
from agents.pairs import Point
from knowledge_base.criterion import Criterion
from knowledge_base.errors import InputError

PointQuestion = tuple[Criterion, Point]


class PointJudgment(BaseModel):
    """What a judge says of one text by one criterion.

    Attributes:
        key: sha256 (64 hex digits) over criterion, text and judge: content, never position.
        criterion, point: content hashes.
        status: as of a `Judgment`; `unsure` counts as abstained.
        verdict: `yes` if the text meets the criterion.
        rationale: why, in a sentence or two.
        truncated: whether the judge saw a part of the text only.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    criterion: str
    point: str
    status: Status
    verdict: Met = "unsure"
    rationale: str = ""
    truncated: bool = False


class PointJudge:
    """Asks a chat model about single texts. Arguments are those of `agents.chat.judge.ChatJudge`.

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
        head_start: float = HEAD_START,
    ) -> None:
        if in_flight < 1:
            raise InputError(f"in_flight is {in_flight}; use 1 or more")
        self._terms = Terms(model, secret, "point", language, limit)
        self._in_flight, self._head_start = in_flight, head_start
        _, probe = probing(limit, language)
        self.fingerprint = self._terms.fingerprint(point_call(self._terms.prompt, probe, PROBED, 0))

    async def answer(self, questions: Sequence[PointQuestion]) -> AsyncGenerator[PointJudgment, None]:
        """One judgment a question, as replies come, in any order.

        Raises:
            EndpointClosed, BudgetSpent: as `ChatJudge.answer` does.
        """
        calls = as_they_come(self._groups(questions), self._answered, self._in_flight, self._head_start)
        async with aclosing(calls):
            async for judgment in calls:
                yield judgment

    def _groups(self, questions: Sequence[PointQuestion]) -> Iterator[list[PointQuestion]]:
        alike: defaultdict[str, list[PointQuestion]] = defaultdict(list)
        for criterion, point in questions:
            alike[point.hash].append((criterion, point))
        return iter(alike.values())

    async def _answered(self, question: PointQuestion) -> PointJudgment:
        criterion, point = question
        view = self._terms.view_point(point)
        call = point_call(self._terms.prompt, view, criterion, 0)
        return self._judgment(question, await self._terms.ask(call, PointReply), view)

    def _judgment(self, question: PointQuestion, reply: PointReply | Missing, view: View) -> PointJudgment:
        criterion, point = (part.hash for part in question)
        key = hashlib.sha256(f"point|{criterion}|{point}|{self.fingerprint}".encode()).hexdigest()
        if isinstance(reply, Missing):
            status: Status = reply.status
            verdict: Met = "unsure"
            rationale = reply.reason
        else:
            verdict, rationale = reply.verdict, tidy(reply.reasoning)
            status = "abstained" if verdict == "unsure" else "decided"
        return PointJudgment(
            key=key, criterion=criterion, point=point, status=status, verdict=verdict, rationale=rationale,
            truncated=view.truncated,
        )  # fmt: skip
