"""Chat messages made into text, as preference data for chat models holds them."""

from __future__ import annotations

from typing import TypeGuard

from services.datasets.faults import shown
from services.datasets.record import Record

Message = dict[str, object]
_REMEDY = 'write a string, or a list of messages with "role" and "content"'


def conversation(record: Record, field: str) -> list[Message] | None:
    """The messages in a column; None if it holds a plain text or nothing."""
    value = record.structure(field)
    return value if _is_conversation(value) else None


def shared_start(first: list[Message], second: list[Message]) -> int:
    """How many messages two conversations open with alike."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (one, two) in enumerate(pairs) if one != two), min(len(first), len(second)))


def rendered(record: Record, field: str, messages: list[Message], *, roles: bool) -> str:
    """Messages as one text, a blank line between them, each after its role if `roles` is set."""
    contents = [_content(record, field, message.get("content")) for message in messages]
    if roles:
        contents = [f"{message.get('role')}: {text}" for message, text in zip(messages, contents, strict=True)]
    return "\n\n".join(contents)


def answer(record: Record, field: str) -> str:
    """A required text: plain, or the messages' contents (a single speaker needs no role)."""
    messages = conversation(record, field)
    if messages is None:
        return _plain(record, field)
    return record.sound(field, rendered(record, field, messages, roles=many_speakers(messages)))


def question(record: Record, field: str = "prompt") -> str:
    """An optional text: plain, or messages, with their roles if there is more than one."""
    messages = conversation(record, field)
    if messages is None:
        return record.words(field)
    return record.checked(field, rendered(record, field, messages, roles=len(messages) > 1))


def opening(messages: list[Message], prompt: object, shared: int) -> int:
    """How many of the first `shared` messages only repeat a prompt that is given by itself."""
    if isinstance(prompt, list):
        return len(prompt) if len(prompt) <= shared and messages[: len(prompt)] == prompt else 0
    return next((i + 1 for i in range(shared) if messages[i].get("content") == prompt), 0)


def many_speakers(messages: list[Message]) -> bool:
    """Whether more than one role speaks."""
    return len({str(message.get("role")) for message in messages}) > 1


def _plain(record: Record, field: str) -> str:
    if isinstance(record.raw(field), list):
        record.fault(field, shown(record.raw(field)), _REMEDY)
        return ""
    return record.text(field)


def _is_conversation(value: object) -> TypeGuard[list[Message]]:
    return isinstance(value, list) and bool(value) and all(isinstance(m, dict) and "content" in m for m in value)


def _content(record: Record, field: str, content: object) -> str:
    """The text of one message; its content may be a list of parts, all of which must be text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) == len(content):
            return "\n".join(texts)
    record.fault(field, f"holding the message {shown(content)}", "keep only messages of text")
    return ""
