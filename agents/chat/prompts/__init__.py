"""Prompts, which are files: `<language>/<task>.md`, a part for each message, named by a line such as `=== system`.

`{{name}}` marks a place. All places are filled in one pass over the file, so that a value that looks like a place stays
what it is. A prompt's version is a digest of its file and stands in the fingerprint of whoever uses it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agents.chat.endpoint import Message, Role
from knowledge_base.errors import InputError

FOLDER = Path(__file__).parent
PART = re.compile(r"^=== (system|user|assistant)\n", re.MULTILINE)
PLACE = re.compile(r"\{\{([a-z_]+)\}\}")


@dataclass(frozen=True)
class Prompt:
    """A prompt file.

    Attributes:
        task, language: which.
        version: digest (12 hex digits) of the file.
        parts: role and text of each message, places unfilled.
    """

    task: str
    language: str
    version: str
    parts: tuple[tuple[Role, str], ...]

    @property
    def places(self) -> frozenset[str]:
        """Names of its places."""
        return frozenset(name for _, text in self.parts for name in PLACE.findall(text))

    def fill(self, **values: str) -> tuple[Message, ...]:
        """The messages with every place filled, in one pass.

        Raises:
            KeyError: a place has no value.
        """
        return tuple(Message(role, PLACE.sub(lambda place: values[place[1]], text)) for role, text in self.parts)


def languages() -> tuple[str, ...]:
    """Languages that have prompts."""
    return tuple(sorted(p.name for p in FOLDER.iterdir() if p.is_dir() and any(p.glob("*.md"))))


@lru_cache
def load_prompt(task: str, language: str) -> Prompt:
    """The prompt of a task in a language.

    Raises:
        InputError: there are no prompts in this language, or none for this task.
    """
    path = FOLDER / language / f"{task}.md"
    if language not in languages():
        raise InputError(f"there are no prompts in language {language!r}; use {' or '.join(languages())}")
    if not path.is_file():
        raise InputError(f"there is no prompt {task!r} in language {language!r}")
    text = path.read_text(encoding="utf-8")
    pieces = PART.split(text)[1:]
    parts = tuple((role, body.strip("\n")) for role, body in zip(pieces[::2], pieces[1::2], strict=True))
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Prompt(task, language, digest, parts)  # type: ignore[arg-type]  # the pattern admits the three roles only
