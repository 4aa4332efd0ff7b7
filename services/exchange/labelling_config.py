"""Which data keys a Label Studio project compares: read from its labelling configuration, which exports do not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from knowledge_base.errors import InputError
from services.exchange.choosing import Choice

MOST_BYTES = 1_000_000


def with_config(choice: Choice, path: Path) -> Choice:
    """The choice with the texts, the prompt and the question that a labelling configuration names.

    What the user named already stands. The texts are the `toName` of the `Pairwise` control, left one first; a single
    other text that is shown is the prompt.

    Raises:
        InputError: it cannot be read, or compares no two texts by name.
    """
    root = _parsed(path)
    shown = {tag.get("name", ""): tag.get("value", "")[1:] for tag in root.iter() if tag.get("value", "")[:1] == "$"}
    control = next((tag for tag in root.iter() if tag.tag.lower() == "pairwise"), None)
    compared = [name.strip() for name in (control.get("toName") or "").split(",")] if control is not None else []
    if control is None or len(compared) != 2 or any(name not in shown for name in compared):
        raise InputError(f'{path} has no <Pairwise toName="one,other"> of two shown texts; give --a and --b instead')
    others = [key for name, key in shown.items() if name not in compared]
    return replace(
        choice,
        a=choice.a or shown[compared[0]],
        b=choice.b or shown[compared[1]],
        prompt=choice.prompt or (others[0] if len(others) == 1 else ""),
    )


def _parsed(path: Path) -> ElementTree.Element:
    """The configuration's XML, without document types: entities can make a few bytes fill the memory."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give the project's labelling configuration"
        ) from None
    if len(text) > MOST_BYTES or b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\x00" in text:
        raise InputError(f"{path} is no labelling configuration; save it from the project's settings as UTF-8")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is not XML ({error}); save it again from the project's settings") from None
