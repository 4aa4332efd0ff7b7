"""Results of small real runs for tests of what is made from a result: mined once a session, in this process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from letter_parties import letter_dataset
from workbench import bench, finish, new_run

from agents.pairs import Dataset, Pair, Vote
from services.result_reading import result_of
from services.run_config import RunConfig
from services.run_result import RunResult

SEALED = RunConfig(policy="robust", size=8, rounds=3, minimum=10)
CROSSFIT = RunConfig(policy="robust", size=4, rounds=2, minimum=1000, folds=3)

TEXT_KEYS = (
    "name", "description", "not_when", "source", "locator", "why", "rationale", "a", "b", "prompt", "id", "first",
    "second", "judge", "manager", "method", "thread", "run",
)  # fmt: skip
"""Every key of a result under which a text of strangers may stand."""

ATTACK = (
    "</title></style><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "<a href='javascript:alert(1)'>x</a>\u202e\u2066{{ 7*7 }}{% raw %}\"'><svg onload=alert(2)>"
)


@cache
def sealed_result() -> RunResult:
    """A run with sealed pairs, prompts, reasons, and three votes on each pair."""
    return _mined(_voted(letter_dataset(60, liked="etao")), SEALED, ("main",))


@cache
def crossfit_result() -> RunResult:
    """A run of which too few pairs could be sealed."""
    return _mined(letter_dataset(30, liked="etao"), CROSSFIT, ("main", "fold-1", "fold-2", "fold-3"))


@cache
def unsealed_result() -> RunResult:
    """A run of which nothing could be held out: all pairs share a text's group."""
    dataset = letter_dataset(12)
    grouped = tuple(p.model_copy(update={"group": "one"}) for p in dataset.pairs)
    return _mined(dataset.model_copy(update={"pairs": grouped}), CROSSFIT, ("main",))


def rewritten(result: RunResult, texts: Mapping[str, str]) -> RunResult:
    """The result with every string under these keys replaced, wherever it stands."""
    return RunResult.model_validate(_replaced(result.model_dump(), texts))


def attacked(text: str = ATTACK) -> RunResult:
    """A result with this text in every place that holds one, within the lengths that its types allow."""
    bounded = {"name": f"{text[:76]}name", "description": f"{text[:1000]} and more to describe", "source": f"{text}src"}
    return rewritten(sealed_result(), dict.fromkeys(TEXT_KEYS, text or "-") | bounded)


def _replaced(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: texts[k] if k in texts and _text(v) else _replaced(v, texts) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(v, texts) for v in value]
    return value


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _voted(dataset: Dataset) -> Dataset:
    return dataset.model_copy(
        update={
            "pairs": tuple(_with_votes(i, p) for i, p in enumerate(dataset.pairs)),
            "notes": ("a note on the file",),
        }
    )


def _with_votes(number: int, pair: Pair) -> Pair:
    other = {"a": "b", "b": "a", "tie": "a"}[pair.preferred]
    third = other if number % 4 == 0 else pair.preferred
    said = [(pair.preferred, "ann"), (pair.preferred, "bo"), (third, "cy")]
    votes = tuple(Vote.model_validate({"preferred": p, "annotator": who}) for p, who in said)
    return pair.model_copy(update={"votes": votes, "prompt": f"Prompt {number}", "reason": "more letters"})


def _mined(dataset: Dataset, config: RunConfig, threads: tuple[str, ...]) -> RunResult:
    with _folder() as folder, bench(folder, home=folder / "home", parties="letter_parties") as deployment:
        run = new_run(deployment.database, dataset, config)
        finish(deployment, run, threads)
        return result_of(deployment.database, run)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ts", dir="/tmp"))
    before, os.environ["TMPDIR"] = os.environ.get("TMPDIR"), str(folder)
    try:
        yield folder
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
        shutil.rmtree(folder, ignore_errors=True)
