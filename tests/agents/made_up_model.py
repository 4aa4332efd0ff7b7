"""A chat model that follows a script: what it says is a function of the call, and it remembers what it was asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable

from agents.chat.endpoint import Call, Reply, Tokens
from agents.chat.fence import read_blocks

Says = Callable[[Call], str]


class MadeUpModel:
    """Answers each call with what `says` makes of it, after `seconds`; what `says` raises is raised.

    Attributes:
        calls: in the order in which they came.
        most: calls that were in flight at once.
        cancelled: calls that were given up.
    """

    def __init__(self, says: Says | None = None, seconds: float = 0.0, name: str = "made-up:model") -> None:
        self.name, self.fingerprint = name, f"{name}/1"
        self.calls: list[Call] = []
        self.most = self.cancelled = self._in_flight = 0
        self._says, self._seconds = says or by_content, seconds

    async def reply(self, call: Call) -> Reply:
        self.calls.append(call)
        self._in_flight += 1
        self.most = max(self.most, self._in_flight)
        try:
            await asyncio.sleep(self._seconds)
            return Reply(self._says(call), "stop", Tokens(), self._seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self._in_flight -= 1


def blocks_of(call: Call) -> dict[str, str]:
    """The blocks of the question, by name."""
    return dict(read_blocks(call.messages[1].content))


def criterion_of(call: Call) -> str:
    """Name of the one criterion that is asked about."""
    return blocks_of(call)["criterion"].partition(":")[0]


def always(verdict: str) -> Says:
    """The same verdict whatever is asked."""
    return lambda call: verdict_reply(verdict)


def verdict_reply(verdict: str, reasoning: str = "So it seems.") -> str:
    """A reply about one criterion."""
    return json.dumps({"reasoning": reasoning, "verdict": verdict})


def by_content(call: Call) -> str:
    """Answers that depend on the words of criterion and texts alone, not on the order in which they are shown."""
    blocks, kind = blocks_of(call), call.schema["title"]
    if kind == "point":
        return verdict_reply("yes" if _liking(blocks["criterion"], blocks["text"]) > "8" else "no")
    criteria = [text for name, text in blocks.items() if name.startswith("criteri")]
    verdicts = [_verdict(criterion, blocks["a"], blocks["b"]) for criterion in criteria]
    if kind == "judgment":
        return verdict_reply(verdicts[0])
    numbered = enumerate(verdicts, 1)
    judgments = [{"criterion": i, "reasoning": "So it seems.", "verdict": verdict} for i, verdict in numbered]
    return json.dumps({"judgments": judgments})


def _verdict(criterion: str, a: str, b: str) -> str:
    if a == b:
        return "equal"
    return "A" if _liking(criterion, a) > _liking(criterion, b) else "B"


def _liking(criterion: str, text: str) -> str:
    return hashlib.sha256(f"{criterion}|{text}".encode()).hexdigest()
