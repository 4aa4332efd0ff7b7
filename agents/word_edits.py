"""Two wordings of one text, word by word: what stayed, what went, what came."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from pydantic import BaseModel, ConfigDict

_IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_IDEOGRAPH}]\s*|[^\s{_IDEOGRAPH}]+\s*|\s+")
"""A word with the space after it; scripts without spaces are taken a character at a time."""


class Edit(BaseModel):
    """A run of words: the `same` in both wordings, `removed` from the old one, or `added` by the new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["same", "removed", "added"]
    text: str


def edits(old: str, new: str) -> tuple[Edit, ...]:
    """The edits that make `new` of `old`; spaces alone make no difference.

    `same` and `added` together are `new` to the letter, `same` and `removed` are `old` but for its spaces.
    """
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, [w.strip() for w in before], [w.strip() for w in after], autojunk=False)
    found: list[Edit] = []
    for operation, i, i_end, j, j_end in matcher.get_opcodes():
        if operation == "equal":
            found.append(Edit(kind="same", text="".join(after[j:j_end])))
            continue
        removed, added = "".join(before[i:i_end]), "".join(after[j:j_end])
        found += [Edit(kind="removed", text=removed)] if removed else []
        found += [Edit(kind="added", text=added)] if added else []
    return tuple(found)


def marked(found: Sequence[Edit]) -> str:
    """The edits in one line of text, as `wdiff` marks them: `[-removed-]` and `{+added+}`."""
    signs = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
    return "".join(_between(*signs[e.kind], e.text) for e in found)


def _between(opening: str, closing: str, text: str) -> str:
    """The marks stand close to the words, before the space that follows them."""
    words = text.rstrip()
    return f"{opening}{words}{closing}{text[len(words) :]}" if opening else text
