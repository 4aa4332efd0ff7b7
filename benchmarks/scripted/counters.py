"""What an endpoint has done: counts that tests and benchmarks read, and a log for people who want to look."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from agents.chat.endpoint import Tokens
from benchmarks.scripted.answers import Request


class Counters:
    """Requests by outcome, tokens, the most requests at once, and requests that were answered again.

    A reply counts, with its tokens, once it was handed over whole: `answered` if it is as it should be, the name of its
    fault if its text is spoiled. A client that went away before counts as `abandoned`.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Start at zero; requests in flight go on counting."""
        self.outcomes: Counter[str] = Counter()
        self.tokens = Tokens()
        self.most_in_flight = self.in_flight
        self._answered: Counter[str] = Counter()
        self._duplicates = 0

    def enter(self) -> None:
        """A request is being served."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def leave(self, outcome: str) -> None:
        """It no longer is."""
        self.in_flight -= 1
        self.outcomes[outcome] += 1

    def handed_over(self, digest: str, outcome: str, tokens: Tokens) -> None:
        """A reply went out whole."""
        self.tokens += tokens
        if outcome == "answered":
            self._duplicates += digest in self._answered
            self._answered[digest] += 1

    def as_json(self) -> dict[str, Any]:
        """Plain values: see docs of `GET /stats` in `server`."""
        return {
            "requests": self.outcomes.total(),
            "outcomes": dict(sorted(self.outcomes.items())),
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "tokens": {
                "prompt": self.tokens.prompt,
                "cached": self.tokens.cached,
                "completion": self.tokens.completion,
            },
            "answered_once": len(self._answered),
            "duplicates": self._duplicates,
        }


class Log:
    """One line of JSON for each request that had a fate, in order of their ends.

    Args:
        path: appended to; None keeps no log.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else path.open("ab")

    def write(self, request: Request, attempt: int, outcome: str, reply: str | None, tokens: Tokens) -> None:
        """Note what was asked and what became of it; `reply`: None if none was made."""
        if self._file is None:
            return
        line = {
            "digest": request.digest,
            "attempt": attempt,
            "outcome": outcome,
            "model": request.model,
            "title": request.title,
            "sample": request.sample,
            "temperature": request.temperature,
            "prompt": tokens.prompt,
            "cached": tokens.cached,
            "completion": tokens.completion,
            "messages": [[m.role, m.content] for m in request.messages],
            "reply": reply,
        }
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Let readers of the file see what was written."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._file is not None:
            self._file.close()
