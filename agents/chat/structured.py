"""Asking for an answer of a given shape; a reply that does not fit is sent back with what is wrong, twice at most."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import BaseModel

from agents.chat.endpoint import Call, ChatModel, Reply
from agents.chat.json_reply import ReplyFault, read_reply, schema_of
from agents.chat.prompts import load_prompt
from knowledge_base.errors import TouchstoneError

__all__ = ["REPAIRS", "Unreadable", "ask", "schema_of"]

REPAIRS = 2
"""Times a model is told what is wrong with its reply."""

QUOTED = 2000
"""Characters of an unreadable reply that the model is shown again."""

SHOWN = 160
"""Characters of it that an error shows."""

Kind = TypeVar("Kind", bound=BaseModel)


class Unreadable(TouchstoneError):
    """A model's reply could not be read, after repairs, or it refused to answer.

    Attributes:
        reply: the last reply, shortened.
        fields: what a reply must have.
        refused: whether the model, or a filter before it, would not answer; it is not asked again then.
        tries: replies that were read.
    """

    def __init__(self, message: str, *, reply: str, fields: tuple[str, ...], refused: bool, tries: int) -> None:
        super().__init__(message)
        self.reply, self.fields, self.refused, self.tries = reply, fields, refused, tries


async def ask(model: ChatModel, call: Call, kind: type[Kind], repairs: int = REPAIRS, language: str = "en") -> Kind:
    """The model's answer to `call`, read as `kind` (see `read_reply` for what is accepted).

    A reply that was cut off at the completion limit, or does not fit, is sent back with what is wrong with it, in
    `language`, up to `repairs` times; those calls are of stage `repair`.

    Raises:
        Unreadable: no reply could be read, or the model refused.
        TransientFault, BadCall, EndpointClosed: as the model raises them.
    """
    asked = call
    for number in range(1, repairs + 2):
        reply = await model.reply(asked)
        if reply.finish == "refusal":
            raise _unreadable(model, reply, kind, "it refused", number, refused=True)
        try:
            return _read(reply, kind)
        except ReplyFault as error:
            fault = str(error)
        asked = asked.after(_quoted(reply.text), _complaint(fault, kind, language))
    raise _unreadable(model, reply, kind, fault, number)


def _read(reply: Reply, kind: type[Kind]) -> Kind:
    if reply.finish == "length":
        raise ReplyFault("it was cut off for its length, give a shorter one")
    return read_reply(reply.text, kind)


def _complaint(fault: str, kind: type[BaseModel], language: str) -> str:
    schema = json.dumps(schema_of(kind), ensure_ascii=False, separators=(",", ":"))
    return load_prompt("repair", language).fill(fault=fault, schema=schema)[0].content


def _quoted(text: str) -> str:
    """A reply as it may be sent back: some endpoints take no message without text."""
    return text[:QUOTED] if text.strip() else "(nothing)"


def _unreadable(
    model: ChatModel, reply: Reply, kind: type[BaseModel], fault: str, tries: int, refused: bool = False
) -> Unreadable:
    fields = tuple(kind.model_fields)
    words = " ".join(reply.text.split())
    shown = f"{words[:SHOWN]}..." if len(words) > SHOWN else words
    message = f"{model.name}: reply {tries} could not be read: {fault}; wanted {', '.join(fields)}, got {shown!r}"
    return Unreadable(message, reply=reply.text[:QUOTED], fields=fields, refused=refused, tries=tries)
