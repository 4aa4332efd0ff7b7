"""The formats in which a criteria set leaves, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from agents.criteria_set import CriteriaSet
from knowledge_base.errors import InputError
from services.criteria_file import criteria_yaml
from services.exchange.criteria_json import criteria_json
from services.exchange.deepeval import deepeval
from services.exchange.exported import Exported
from services.exchange.judge_prompt import Language, judge_prompt
from services.exchange.markdown_rubric import markdown_rubric
from services.exchange.prometheus import prometheus
from services.exchange.promptfoo import Mode, promptfoo

Target = Literal["yaml", "json", "prometheus", "promptfoo", "deepeval", "prompt", "markdown"]

ENDINGS: dict[Target, tuple[str, ...]] = {
    "yaml": (".yaml", ".yml"),
    "json": (".json",),
    "prometheus": (".json",),
    "promptfoo": (".yaml", ".yml"),
    "deepeval": (".py", ".json"),
    "prompt": (".txt", ".md"),
    "markdown": (".md",),
}
"""Endings that a file of each target may have, the usual one first."""

MODES: dict[Target, Mode] = {"promptfoo": "pointwise", "prompt": "pairwise"}
"""Targets that come in two modes, and the one that is meant if none is named."""


@dataclass(frozen=True)
class Wanted:
    """What to export.

    Attributes:
        target: the format.
        mode: `pairwise` or `pointwise`; None for the target's usual one. Only promptfoo and prompt have two.
        language: of the prompt's frame; only prompt has two.
        ending: of the file; decides whether DeepEval's metrics are a Python module or JSON.
    """

    target: Target
    mode: Mode | None = None
    language: Language = "en"
    ending: str = ""


def export_set(criteria_set: CriteriaSet, wanted: Wanted) -> Exported:
    """A criteria set in another format; a pure function.

    Raises:
        InputError: the target has no such mode, language or ending.
    """
    _check(wanted)
    mode = wanted.mode or MODES.get(wanted.target, "pairwise")
    match wanted.target:
        case "yaml":
            return Exported(target="yaml", version=criteria_set.version, text=criteria_yaml(criteria_set))
        case "json":
            return criteria_json(criteria_set)
        case "prometheus":
            return prometheus(criteria_set)
        case "promptfoo":
            return promptfoo(criteria_set, mode)
        case "deepeval":
            return deepeval(criteria_set, "json" if wanted.ending.lower() == ".json" else "python")
        case "prompt":
            return judge_prompt(criteria_set, mode, wanted.language)
        case "markdown":
            return markdown_rubric(criteria_set)


def _check(wanted: Wanted) -> None:
    target = wanted.target
    if target not in get_args(Target):
        raise InputError(f"there is no export as {target!r}; use {', '.join(get_args(Target))}")
    if wanted.mode is not None and target not in MODES:
        raise InputError(f"{target} has no modes, so {wanted.mode} means nothing to it; leave the mode out")
    if wanted.language != "en" and target != "prompt":
        raise InputError(
            f"only the prompt comes in languages; leave the language out, or export as prompt, not {target}"
        )
    if wanted.ending and wanted.ending.lower() not in ENDINGS[target]:
        allowed = " or ".join(ENDINGS[target])
        raise InputError(f"an export as {target} is a {allowed} file, not {wanted.ending!r}; give such a name")
