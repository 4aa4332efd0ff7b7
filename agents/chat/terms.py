"""On what terms chat judges ask their model: the prompt, the fences, how much is shown, what a missing answer is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from agents.chat.endpoint import Call, ChatModel
from agents.chat.fence import Fence
from agents.chat.prompts import Prompt, load_prompt
from agents.chat.question import View, view_pair, view_point
from agents.chat.rationale import tidy
from agents.chat.replies import Missing
from agents.chat.structured import Unreadable, ask
from agents.chat.text_limit import TextLimit
from agents.judgments import Order
from agents.pairs import Pair, Point
from knowledge_base.criterion import Criterion, Provenance
from knowledge_base.errors import BadCall, InputError, TransientFault

LIMIT = TextLimit()
IN_FLIGHT = 64
HEAD_START = 2.0
"""Seconds: by then the beginning of a prompt is computed nearly everywhere, though the reply may take longer."""

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True)
class Terms:
    """What a judge asks its model by.

    Attributes:
        model: who answers.
        secret: what the fences are made from; known to this deployment only.
        task, language: of the prompt.
        limit: how much of each text is shown.

    Raises:
        InputError: the secret is empty, or there is no such prompt.
    """

    model: ChatModel
    secret: bytes
    task: str
    language: str
    limit: TextLimit

    def __post_init__(self) -> None:
        if not self.secret:
            raise InputError("the secret for fences is empty; any bytes that texts cannot know will do")
        load_prompt(self.task, self.language)

    @property
    def prompt(self) -> Prompt:
        """The prompt."""
        return load_prompt(self.task, self.language)

    def view_pair(self, pair: Pair, order: Order) -> View:
        """A pair as it is shown; its fence depends on the pair alone."""
        return view_pair(pair, order, Fence(self.secret, pair.hash), self.limit, self.language)

    def view_point(self, point: Point) -> View:
        """A text as it is shown."""
        return view_point(point, Fence(self.secret, point.hash), self.limit, self.language)

    async def ask(self, call: Call, kind: type[Reply]) -> Reply | Missing:
        """The model's reply, if there is one that can be read.

        Raises:
            EndpointClosed: no call will succeed.
            BudgetSpent: nothing may be called any more.
        """
        try:
            return await ask(self.model, call, kind, language=self.language)
        except Unreadable as error:
            return Missing("invalid", tidy(str(error)))
        except (BadCall, TransientFault) as error:
            return Missing("failed", tidy(str(error)))

    def fingerprint(self, probe: Call, *also: object) -> str:
        """The model's name, the language, and 16 hex digits over all that decides a reply, `also` included.

        `probe` is a made-up question, worded as this judge words it (see `PROBED`): a prompt, or code, that words it
        otherwise is another judge, and code that changes no word is the same one. The secret does not count.
        """
        worded = [[(m.role, m.content) for m in probe.messages], probe.schema]
        limit = [self.limit.tokens, self.limit.keep]
        decides = [self.model.fingerprint, self.task, self.language, self.prompt.version, limit, worded, *also]
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        return f"chat/{self.model.name}/{self.language}/{digest[:16]}"


LONG = "Nothing is asked of this text but to be long. 它只需要够长。\n\n" * 40
PROBED = Criterion(
    name="probe",
    description="What made-up questions ask, so that a judge can be named by how it words them.",
    not_when="anybody is asked in earnest",
    provenance=Provenance(kind="person", source="Touchstone"),
)


def probing(limit: TextLimit, language: str) -> tuple[View, View]:
    """A made-up pair and a made-up text, as shown where texts this long are cut."""
    tight, fence = TextLimit(keep=limit.keep, tokens=128), Fence(b"probe", "probe")
    pair = Pair(id="probe", prompt="\x00 {{a}}\r\n", a=LONG, b=fence.mark, preferred="tie")
    point = Point(id="probe", prompt=pair.prompt, text=LONG, label=0)
    return view_pair(pair, "ba", fence, tight, language), view_point(point, fence, tight, language)
