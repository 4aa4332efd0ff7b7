"""Replies kept by what was asked, so that a step that runs again pays for nothing twice."""

from __future__ import annotations

from typing import Protocol

from agents.chat.endpoint import Call, ChatModel, Reply


class Journal(Protocol):
    """Keeps replies by key."""

    def read(self, key: str) -> Reply | None:
        """The reply kept under a key; None if there is none."""
        ...

    def write(self, key: str, reply: Reply) -> None:
        """Keep a reply; the first one of a key stands."""
        ...


class MemoryJournal:
    """A journal that lives as long as the process."""

    def __init__(self) -> None:
        self._replies: dict[str, Reply] = {}

    def read(self, key: str) -> Reply | None:
        return self._replies.get(key)

    def write(self, key: str, reply: Reply) -> None:
        self._replies.setdefault(key, reply)


class Journalled:
    """A `ChatModel` that answers from its journal what it was asked before."""

    def __init__(self, model: ChatModel, journal: Journal) -> None:
        self._model, self._journal = model, journal
        self.name, self.fingerprint = model.name, model.fingerprint

    async def reply(self, call: Call) -> Reply:
        """The reply from the journal, else a new one, which is kept before it is used."""
        key = f"{self.fingerprint}/{call.key}"
        kept = self._journal.read(key)
        if kept is None:
            self._journal.write(key, await self._model.reply(call))
            kept = self._journal.read(key)
        assert kept is not None
        return kept
