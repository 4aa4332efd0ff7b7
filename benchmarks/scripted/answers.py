"""What an endpoint is asked, as a plain function sees it: any server or client can be served by the same function."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

import orjson

from agents.chat.endpoint import Message
from agents.chat.fence import read_blocks
from knowledge_base.errors import InputError


@dataclass(frozen=True)
class Request:
    """One question to a model.

    Attributes:
        messages: the conversation.
        title: the task: `title` of the JSON schema asked for, else the schema's name; empty if none was asked for.
        model: its name at the endpoint.
        sample: the request's `seed`, 0 if it has none; another number asks for another answer.
        temperature: None if the request has none.
    """

    messages: tuple[Message, ...]
    title: str = ""
    model: str = ""
    sample: int = 0
    temperature: float | None = None

    @cached_property
    def digest(self) -> str:
        """32 hex digits over model, messages, title and sample; the request's fate is drawn from it.

        Raises:
            ValueError: a message holds a lone surrogate.
        """
        said = [[m.role, m.content] for m in self.messages]
        return _digest([self.model, said, self.title, self.sample])

    @cached_property
    def opening(self) -> tuple[Message, ...]:
        """The messages before the model first spoke."""
        return tuple(takewhile(lambda m: m.role != "assistant", self.messages))

    @cached_property
    def question(self) -> str:
        """32 hex digits over model, opening and sample: the same for a question and for its repair turns."""
        return _digest([self.model, [[m.role, m.content] for m in self.opening], self.sample])

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        """(name, text) of the fenced blocks of the opening's user messages, in order."""
        return read_blocks("\n\n".join(m.content for m in self.opening if m.role == "user"))


Answer = Callable[[Request], str]
"""What a model says: the same text for the same request, in any process. It is never told how often it was asked."""


def _digest(what: object) -> str:
    return hashlib.blake2b(orjson.dumps(what), digest_size=16).hexdigest()


def load_answer(name: str, arguments: Mapping[str, Any] | None = None) -> Answer:
    """The answer function `module:function`.

    Args:
        name: of the answer function itself or, if there are arguments, of a function that makes one from them.
        arguments: plain JSON values; `{}` calls a maker that needs none.

    Raises:
        InputError: there is no such function, or it does not take these arguments.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"no answer function {name!r} ({error}); give it as package.module:function") from error
    if arguments is None:
        return found  # type: ignore[no-any-return]  # whoever names the function vouches for it
    try:
        return found(**arguments)  # type: ignore[no-any-return]
    except TypeError as error:
        raise InputError(f"{name} does not take the arguments {dict(arguments)!r}: {error}") from error
