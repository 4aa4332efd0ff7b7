"""Documented, deterministic measures of a text. Importing this package registers every one of them in `SIGNALS`."""

from __future__ import annotations

from agents.signals import (
    code,
    coherence,
    conversation,
    evidence,
    formatting,
    grammar,
    lexical,
    mathematics,
    mechanics,
    prompt,
    prompt_code,
    readability,
    repetition,
    size,
    stance,
    style,
)
from agents.signals.passage import Passage
from agents.signals.signal import SIGNALS, Signal

FAMILIES = (
    code, coherence, conversation, evidence, formatting, grammar, lexical, mathematics, mechanics, prompt,
    prompt_code, readability, repetition, size, stance, style,
)  # fmt: skip
"""The modules that declare signals."""

__all__ = ["FAMILIES", "SIGNALS", "Passage", "Signal"]
