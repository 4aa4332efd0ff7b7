"""G-Eval metrics for DeepEval: as data (JSON), and as a Python file that builds them.

One `GEval` for each criterion (Liu et al. 2023, arXiv 2303.16634), and one `ArenaGEval` that picks the better of two
texts by all of them. https://deepeval.com/docs/metrics-llm-evals, https://deepeval.com/docs/metrics-arena-g-eval
"""

from __future__ import annotations

import pprint
from typing import Any, Literal

from agents.criteria_set import CriteriaSet
from services.exchange.exported import Exported
from services.exchange.items import Item, about, distinct_names, items_of, notes_of
from services.exchange.words import json_text, one_line

Form = Literal["python", "json"]

PARAMS = ["input", "actual_output"]
THRESHOLD = 0.5
RUBRIC = (
    ((0, 2), "does not meet it, or hardly"),
    ((3, 5), "meets it in part; the lapses weigh more"),
    ((6, 8), "meets it mostly; the lapses are small"),
    ((9, 10), "meets it everywhere"),
)
GENERIC = "the score ranges are generic: the set was mined from comparisons, which do not say what deserves which score"
ARENA_IN_WORDS = "ArenaGEval judges by all criteria at once, so their weights are told in words instead of being summed"

PYTHON = '''\
"""DeepEval metrics made from the Touchstone criteria set {version}; written by `touchstone export --as deepeval`.

    metrics = geval_metrics()              # one GEval for each criterion, strongest first
    score = weighted_score({{m.name: m.score for m in metrics}})    # after each has measured the same test case
    judge = arena_metric()                 # picks the better of two contestants by all criteria

A model may be given to both as DeepEval takes it. Everything below `SET` is data; edit words there.
"""

from deepeval.metrics import ArenaGEval, GEval
from deepeval.metrics.g_eval import Rubric

try:
    from deepeval.test_case import SingleTurnParams as Params
except ImportError:
    from deepeval.test_case import LLMTestCaseParams as Params

SET = {data}


def geval_metrics(model=None):
    """One metric for each criterion."""
    return [_geval(metric, model) for metric in SET["metrics"]]


def arena_metric(model=None):
    """One metric that picks the better of two texts by all criteria."""
    arena = SET["arena"]
    return ArenaGEval(
        name=arena["name"],
        evaluation_steps=arena["evaluation_steps"],
        evaluation_params=[Params(name) for name in arena["evaluation_params"]],
        model=model,
    )


def weighted_score(scores):
    """The criteria's scores by metric name, each in [0, 1], as one: the mean by the criteria's shares."""
    shares = {{metric["name"]: metric["share"] for metric in SET["metrics"] if metric["name"] in scores}}
    return sum(share * scores[name] for name, share in shares.items()) / (sum(shares.values()) or 1.0)


def _geval(metric, model):
    return GEval(
        name=metric["name"],
        evaluation_steps=metric["evaluation_steps"],
        evaluation_params=[Params(name) for name in metric["evaluation_params"]],
        rubric=[Rubric(**level) for level in metric["rubric"]],
        threshold=metric["threshold"],
        model=model,
    )
'''


def deepeval(criteria_set: CriteriaSet, form: Form = "python") -> Exported:
    """DeepEval metrics.

    Args:
        criteria_set: the set.
        form: `python` is a module with `geval_metrics`, `arena_metric` and `weighted_score`; `json` the data alone.
    """
    items = items_of(criteria_set, one_line)
    data = {
        "touchstone": about(criteria_set, one_line),
        "metrics": [_metric(item, name) for item, name in zip(items, distinct_names(items), strict=True)],
        "arena": _arena(items, criteria_set.version),
    }
    text = json_text(data) if form == "json" else _module(data, criteria_set.version)
    notes = [*notes_of(criteria_set, "DeepEval"), GENERIC, ARENA_IN_WORDS]
    return Exported(target="deepeval", version=criteria_set.version, text=text, notes=tuple(notes))


def _module(data: dict[str, Any], version: str) -> str:
    """Foreign words stand in string literals alone, as `repr` writes them, which also escapes what cannot be seen."""
    literal = pprint.pformat(data, width=118, sort_dicts=False)
    return PYTHON.format(version=version, data=literal)


def _metric(item: Item, name: str) -> dict[str, Any]:
    return {
        "class": "GEval",
        "name": name,
        "evaluation_steps": _steps(item),
        "evaluation_params": PARAMS,
        "rubric": [{"score_range": list(span), "expected_outcome": outcome} for span, outcome in RUBRIC],
        "threshold": THRESHOLD,
        "weight": item.weight,
        "share": item.share,
        "against": item.against,
        "measure": item.measure,
        "source": item.source,
        "hash": item.hash,
    }


def _steps(item: Item) -> list[str]:
    judged = "how far the actual output is free of it" if item.against else "how far the actual output meets it"
    steps = [
        f"The only criterion is this: {item.words}",
        "Find in the actual output what bears on the criterion; the input says what it was written in answer to.",
        f"Score {judged}; nothing else counts, neither length nor style unless the criterion asks about them.",
    ]
    return [*steps, "If the criterion does not apply, score 5."] if item.not_when else steps


def _arena(items: tuple[Item, ...], version: str) -> dict[str, Any]:
    asked = "decide who does better, or nobody"
    listed = [f"By this, which counts {i.percent}{_against(i)}, {asked}: {i.words}" for i in items]
    last = "The winner is whoever has the larger sum of shares. Nothing but these criteria counts."
    return {
        "class": "ArenaGEval",
        "name": f"Touchstone {version}",
        "evaluation_steps": [*listed, last],
        "evaluation_params": PARAMS,
    }


def _against(item: Item) -> str:
    return " and speaks against whoever shows it" if item.against else ""
