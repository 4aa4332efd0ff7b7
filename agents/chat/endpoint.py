"""What a chat model's endpoint offers: one request, one reply, counted. No retries, limits or accounts here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "refusal"]
Stage = Literal["judge", "repair", "explain", "propose", "critique", "rewrite", "probe"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        messages: the conversation so far.
        stage: what the call is for; accounts are kept by it.
        schema: JSON schema of the reply; sent along where the endpoint enforces schemas.
        sample: 0 for the first answer to these messages; another number asks for another.
    """

    messages: tuple[Message, ...]
    stage: Stage
    schema: Mapping[str, Any] = field(default_factory=dict)
    sample: int = 0

    @cached_property
    def key(self) -> str:
        """sha256 (64 hex digits) of everything that decides the reply, the model aside."""
        seen = [[(m.role, m.content) for m in self.messages], self.schema, self.sample]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()

    def after(self, reply: str, complaint: str) -> Call:
        """The conversation continued with the model's reply and what is wrong with it."""
        more = (Message("assistant", reply), Message("user", complaint))
        return Call((*self.messages, *more), "repair", self.schema, self.sample)


@dataclass(frozen=True)
class Tokens:
    """What a call took: `prompt` tokens, those of them read from the endpoint's `cached` prefix, and `completion`."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.prompt + other.prompt, self.cached + other.cached, self.completion + other.completion)

    @property
    def uncached(self) -> int:
        """Prompt tokens that had to be computed."""
        return self.prompt - self.cached


@dataclass(frozen=True)
class Reply:
    """What came back: text, why it ended (`length`: cut off at the completion limit), tokens, and seconds it took."""

    text: str
    finish: Finish
    tokens: Tokens
    seconds: float


class ChatModel(Protocol):
    """A model behind an endpoint, or anything that answers as one.

    Attributes:
        name: `provider:model`.
        fingerprint: name and every parameter that can change a reply; not where the model runs.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...

    async def reply(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            TransientFault: another try may succeed.
            BadCall: this call never will.
            EndpointClosed: no call will.
        """
        ...
