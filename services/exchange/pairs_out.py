"""Pairs written for trainers and evaluators: TRL, plain or as chat; Bradley-Terry; DeepEval's arena."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from knowledge_base.errors import InputError
from services.exchange.compared import Compared, Comparisons, comparisons, first_prompt
from services.exchange.csv_sink import CsvSink, csv_sink
from services.labelling.output import MARK
from services.labelling.sinks import Sink, sink

PairsTarget = Literal["trl", "trl-chat", "bradley-terry", "deepeval"]

PAGE = 200
"""Pairs that are handed to the file at once."""

PAIR_ENDINGS: dict[PairsTarget, tuple[str, ...]] = {
    "trl": (".jsonl", ".parquet", ".csv"),
    "trl-chat": (".jsonl", ".parquet"),
    "bradley-terry": (".jsonl", ".parquet", ".csv"),
    "deepeval": (".jsonl",),
}
"""Endings that a file of each target may have."""

LABELLED_NOTE = (
    "the scores are a vote's log-odds through the logistic function, a ranking rather than calibrated probabilities; "
    "see docs/labelling.md"
)


@dataclass(frozen=True)
class PairsWanted:
    """How pairs are to be written.

    Attributes:
        target: `trl` (`prompt`, `chosen`, `rejected` as text), `trl-chat` (the same as messages), `bradley-terry`
            (`a`, `b` and the probability that `a` is better) or `deepeval` (arena test cases).
        margin: also write a column `margin` for TRL's RewardTrainer, in [0, 1].
        least_margin: pairs with a smaller margin are left out, in [0, 1].
    """

    target: PairsTarget = "trl"
    margin: bool = False
    least_margin: float = 0.0


class PairsExported(BaseModel):
    """What an export of pairs came to.

    Attributes:
        target: the format.
        read: pairs in the input; written: of those.
        ties, unsure: pairs left out since neither text is better, or since the margin is too small.
        prompted: whether there is a column `prompt`.
        notes: what a reader should know, a sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: PairsTarget
    read: int
    written: int
    ties: int
    unsure: int
    prompted: bool
    notes: tuple[str, ...] = ()


def export_pairs(path: Path, out: Path, wanted: PairsWanted) -> PairsExported:
    """Write the pairs of a file in another format; the same input gives the same bytes.

    A labelling's output is streamed. `out` takes its place whole or not at all.

    Raises:
        FaultyRows: rows of the input are at fault.
        InputError: the input cannot be read, the target has no such ending, or `out` cannot be written.
    """
    _check(out, wanted)
    found = comparisons(path)
    prompted = first_prompt(found)
    counts = {"read": 0, "written": 0, "ties": 0, "unsure": 0}
    columns = _columns(wanted, prompted)
    with _opened(out, wanted, columns) as written:
        for page in _pages(_kept(found, wanted, counts)):
            written.write([_row(pair, wanted, columns) for pair in page])
            counts["written"] += len(page)
    notes = [*found.notes, *_notes(found, wanted, prompted), *_changed(written)]
    return PairsExported(target=wanted.target, **counts, prompted=prompted, notes=tuple(notes))


def _check(out: Path, wanted: PairsWanted) -> None:
    allowed = PAIR_ENDINGS[wanted.target]
    if out.suffix.lower() not in allowed:
        raise InputError(f"{out} ends in {out.suffix!r}; pairs as {wanted.target} go to a {' or '.join(allowed)} file")
    if wanted.margin and wanted.target not in ("trl", "trl-chat"):
        raise InputError(f"{wanted.target} has no column margin; leave --margin out, or export as trl")


def _kept(found: Comparisons, wanted: PairsWanted, counts: dict[str, int]) -> Iterator[Compared]:
    for pair in found:
        counts["read"] += 1
        if pair.preferred == "tie":
            counts["ties"] += 1
        elif pair.margin < wanted.least_margin:
            counts["unsure"] += 1
        else:
            yield pair


def _pages(pairs: Iterable[Compared]) -> Iterator[list[Compared]]:
    held: list[Compared] = []
    for pair in pairs:
        held.append(pair)
        if len(held) == PAGE:
            yield held
            held = []
    if held:
        yield held


def _columns(wanted: PairsWanted, prompted: bool) -> tuple[str, ...]:
    prompt = ("prompt",) if prompted else ()
    if wanted.target == "deepeval":
        return ("id", "contestants", "winner", "probability", "source", "criteria_set")
    if wanted.target == "bradley-terry":
        return ("id", *prompt, "a", "b", "preferred", "probability", "weight", "source", "criteria_set")
    margin = ("margin",) if wanted.margin else ()
    return (*prompt, "chosen", "rejected", "score_chosen", "score_rejected", *margin, "id", "source", "criteria_set")


def _row(pair: Compared, wanted: PairsWanted, columns: tuple[str, ...]) -> dict[str, Any]:
    made = {
        "id": pair.id, "preferred": pair.preferred, "probability": pair.probability, "weight": pair.weight,
        "source": pair.source, "criteria_set": pair.criteria_set, "margin": pair.margin,
        "score_chosen": pair.support, "score_rejected": 1 - pair.support,
    }  # fmt: skip
    if wanted.target == "bradley-terry":
        made |= {"prompt": pair.prompt, "a": pair.a, "b": pair.b}
    elif wanted.target == "deepeval":
        made |= {"contestants": _contestants(pair), "winner": pair.preferred}
    else:
        made |= _preference(pair, chat=wanted.target == "trl-chat")
    return {name: made[name] for name in columns}


def _preference(pair: Compared, *, chat: bool) -> dict[str, Any]:
    chosen, rejected = (pair.a, pair.b) if pair.preferred == "a" else (pair.b, pair.a)
    if not chat:
        return {"prompt": pair.prompt, "chosen": chosen, "rejected": rejected}
    # Where other pairs have a prompt, one that has none still needs a turn of the user for chat templates.
    return {
        "prompt": [_message("user", pair.prompt)],
        "chosen": [_message("assistant", chosen)],
        "rejected": [_message("assistant", rejected)],
    }


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _contestants(pair: Compared) -> list[dict[str, Any]]:
    texts = (("a", pair.a), ("b", pair.b))
    return [{"name": side, "test_case": {"input": pair.prompt, "actual_output": text}} for side, text in texts]


@contextmanager
def _opened(out: Path, wanted: PairsWanted, columns: tuple[str, ...]) -> Iterator[Sink]:
    if out.suffix.lower() == ".csv":
        with csv_sink(out, columns) as written:
            yield written
        return
    about = {MARK: json.dumps({"target": wanted.target, "least_margin": wanted.least_margin})}
    schema = _schema(wanted, columns) if out.suffix.lower() == ".parquet" else None
    with sink(out, schema, about) as rows:
        yield rows


def _schema(wanted: PairsWanted, columns: tuple[str, ...]) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

    message = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    text = message if wanted.target == "trl-chat" else pa.string()
    kinds = dict.fromkeys(("prompt", "chosen", "rejected"), text)
    kinds |= dict.fromkeys(("score_chosen", "score_rejected", "margin", "probability", "weight"), pa.float64())
    return pa.schema([(name, kinds.get(name, pa.string())) for name in columns])


def _notes(found: Comparisons, wanted: PairsWanted, prompted: bool) -> list[str]:
    notes = []
    labelled = next((pair.source != "people" for pair in found), False)
    if labelled:
        notes.append(LABELLED_NOTE)
    if not prompted and wanted.target in ("trl", "trl-chat"):
        notes.append("no pair has a prompt, so there is no such column; TRL's RewardTrainer takes that, DPOTrainer not")
    if wanted.margin:
        notes.append("RewardTrainer subtracts `margin` from the difference of the rewards")
    return notes


def _changed(written: object) -> list[str]:
    if not isinstance(written, CsvSink) or not written.changed:
        return []
    return [f"{written.changed:,} cells begin like a formula and got an apostrophe; train on JSON Lines or Parquet"]
