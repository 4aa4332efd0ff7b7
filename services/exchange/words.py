"""Words of criteria made harmless for whoever reads them next: a template engine, a Markdown viewer, a JSON parser.

Criteria come from models and from strangers' files. In a target format their words are data: they may not start a
template, a link, a tag, a file reference, or a line of their own.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from services.inert import shown

Neutral = Callable[[str], str]
"""Makes words harmless for one target."""

_TEMPLATE = re.compile(r"\{(?=[{%#])|(?<=[}%#])\}")
_REFERENCE = re.compile(r"\b(file|package|python|exec)(?=:)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_{}\[\]<>&|~$!#])|(?<=:)(?=//)|^(?=[-+=])|(?<=^\d)(?=[.)])|(?<=^\d\d)(?=[.)])")
_NOT_ASCII = re.compile(r"[^\n -~]")
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WIDEST = 0xFFFF
"""JSON writes a character beyond this as two escapes, which YAML would read as two halves of none."""


def one_line(text: str) -> str:
    """The words on one line, without characters that act on their surroundings."""
    return " ".join(shown(text).split())


def untemplated(text: str) -> str:
    """One line in which nothing opens or closes a Nunjucks or Jinja template, however often it is rendered.

    A space is put into `{{`, `{%`, `{#` and their ends, and between a scheme such as `file` and its colon, since
    promptfoo loads values that begin with `file://` or `package:`.
    """
    opened = _TEMPLATE.sub(lambda brace: brace.group() + " " if brace.group() == "{" else " }", one_line(text))
    return _REFERENCE.sub(r"\1 ", opened)


def markdown(text: str) -> str:
    """One line of Markdown that shows the words as they are: whatever could be markup, a tag or a link is escaped."""
    return _MARKUP.sub(lambda found: "\\" + found.group(), one_line(text))


def json_text(value: Any) -> str:
    """Indented JSON that ends in a line feed; characters that act on their surroundings are escaped, none is lost."""
    plain = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    return _NOT_ASCII.sub(lambda found: _escaped(found.group()), plain) + "\n"


def _escaped(character: str) -> str:
    acts = unicodedata.category(character) in _ACTING and ord(character) <= _WIDEST
    return f"\\u{ord(character):04x}" if acts else character
