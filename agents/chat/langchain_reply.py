"""LangChain's messages as ours, and what they say about why a reply ended and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agents.chat.endpoint import Call, Finish, Message, Reply, Tokens
from agents.chat.tokens import estimate_tokens

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

ENDINGS = ("finish_reason", "stop_reason", "done_reason", "stopReason")
CUT_OFF = frozenset({"length", "max_tokens", "model_context_window_exceeded"})
REFUSED = frozenset(
    {"content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist", "prohibited_content", "spii",
     "guardrail_intervened"}
)  # fmt: skip
"""Why replies end, in lower case, over all providers; anything else is an ordinary end."""


def message_of(message: Message) -> BaseMessage:
    """One of our messages as LangChain's."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    if message.role == "assistant":
        return AIMessage(message.content)
    return SystemMessage(message.content) if message.role == "system" else HumanMessage(message.content)


def reply_of(message: AIMessage, call: Call, seconds: float) -> Reply:
    """LangChain's reply as ours; tokens that the endpoint did not count are estimated.

    A refusal's own words are its text.
    """
    refusal = message.additional_kwargs.get("refusal")
    text = str(message.text) or (refusal if isinstance(refusal, str) else "")
    finish: Finish = "refusal" if refusal else _finish(message.response_metadata)
    return Reply(text, finish, _tokens(message, call, text), seconds)


def _finish(metadata: Mapping[str, Any]) -> Finish:
    ended = next((str(metadata[name]).lower() for name in ENDINGS if metadata.get(name)), "")
    if ended in CUT_OFF:
        return "length"
    return "refusal" if ended in REFUSED else "stop"


def _tokens(message: AIMessage, call: Call, text: str) -> Tokens:
    usage = message.usage_metadata
    if not usage or not usage["input_tokens"]:
        return Tokens(sum(estimate_tokens(m.content) for m in call.messages), 0, estimate_tokens(text))
    # Some service tiers put their own name before it.
    details = usage.get("input_token_details") or {}
    cached = sum(int(n) for name, n in details.items() if name.endswith("cache_read") and isinstance(n, int))
    return Tokens(usage["input_tokens"], min(cached, usage["input_tokens"]), usage["output_tokens"])
