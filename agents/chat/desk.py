"""Where a manager's questions go out: few at a time, foreign text fenced, an answer that fails noted and survived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel

from agents.chat.endpoint import Call, ChatModel, Stage
from agents.chat.fence import UNPRINTABLE, Fence
from agents.chat.prompts import load_prompt
from agents.chat.structured import Unreadable, ask, schema_of
from agents.chat.text_limit import TextLimit
from knowledge_base.criterion import Criterion
from knowledge_base.errors import BadCall

STAGES: dict[str, Stage] = {
    "explain": "explain", "propose": "propose", "propose_all": "propose", "critique": "critique", "rewrite": "rewrite",
}  # fmt: skip
"""Prompt of a manager -> the stage that its calls are accounted under."""

MOST_SAMPLES = 2**31
"""Seeds wrap here: endpoints take a signed 32-bit number."""

FEWEST_SHARED = 256
"""Tokens of a text that are shown however many pairs share a prompt, unless the limit itself is lower."""

_log = logging.getLogger(__name__)

T = TypeVar("T")
Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True)
class Question:
    """One question to the manager's model.

    Attributes:
        task: name of the prompt, one of `STAGES`.
        about: what the question is about; questions about one thing share their fence, and so a prefix.
        blocks: name and text of each block, in order; blank ones are left out.
        sample: any integer; another number asks for another answer.
    """

    task: str
    about: str
    blocks: tuple[tuple[str, str], ...]
    sample: int


class Desk:
    """Sends questions to one model, at most `in_flight` at once.

    Args:
        model: who answers.
        secret: what the fences are made from.
        language: of the prompts.
        limit: how much of a long text is shown.
        in_flight: questions under way at once.
        notes: takes a sentence for each answer that had to be done without.
    """

    def __init__(
        self, model: ChatModel, *, secret: bytes, language: str, limit: TextLimit, in_flight: int, notes: list[str]
    ) -> None:
        self.model, self.limit = model, limit
        self._secret, self._language, self._notes = secret, language, notes
        self._places = asyncio.Semaphore(in_flight)
        self._failure: Exception | None = None

    async def ask(self, question: Question, kind: type[Reply]) -> Reply | None:
        """The answer; None if it could not be read, or this one question was refused.

        After any other failure no further question is sent: each raises that failure.
        """
        async with self._places:
            if self._failure is not None:
                raise self._failure
            try:
                return await ask(self.model, self._call(question, kind), kind, language=self._language)
            except (Unreadable, BadCall) as error:
                self.note(f"{question.task}: went on without an answer: {error}")
                return None
            except Exception as error:
                self._failure = error
                raise

    def note(self, sentence: str) -> None:
        """Keep what a reader of the run should know."""
        self._notes.append(sentence)
        _log.warning("%s", sentence)

    def cut(self, text: str, sharing: int = 1) -> str:
        """As much of a text as is shown in a prompt that `sharing` pairs have to share."""
        tokens = max(self.limit.tokens // sharing, min(self.limit.tokens, FEWEST_SHARED))
        return replace(self.limit, tokens=tokens).show(text, self._language).text

    def _call(self, question: Question, kind: type[Reply]) -> Call:
        fence = Fence(self._secret, f"{question.task} {question.about}")
        blocks = fence.blocks((name, text) for name, text in question.blocks if text.strip())
        messages = load_prompt(question.task, self._language).fill(mark=fence.mark, blocks=blocks)
        return Call(messages, STAGES[question.task], schema_of(kind), question.sample % MOST_SAMPLES)


async def together(jobs: Iterable[Awaitable[T]]) -> list[T]:
    """Results in order. If one fails, what is under way ends first (it is paid for, and kept), then that is raised."""
    results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def one_line(text: str, longest: int) -> str:
    """A reply's text as one line of at most `longest` characters, fit to be stored."""
    line = " ".join(UNPRINTABLE.sub(" ", text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def listed(lines: Iterable[str]) -> str:
    """One line for each."""
    return "\n".join(f"- {line}" for line in lines)


def shown_in_lists(criteria: Sequence[Criterion], longest: int) -> str:
    """Criteria one a line, each at most `longest` characters."""
    return listed(one_line(c.words, longest) for c in criteria)
