"""What `touchstone label` hands over: the labelled pairs, and preference data for TRL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from knowledge_base.errors import InputError
from services.database import Database
from services.datasets.encoding import LINE_BYTES
from services.labelling.label import CALIBRATION
from services.labelling.labelled import LabelledPair, pages
from services.labelling.pair_vote import Answer
from services.labelling.register import Labelling
from services.labelling.sinks import Sink, check_ending, sink
from services.labelling.summary import LabelSummary, Tally

MARK = "touchstone"
"""Metadata key of a Parquet file that says what its labels come from."""


@dataclass(frozen=True)
class Outputs:
    """Where to write.

    Attributes:
        labels: all pairs with their labels; `.parquet` or `.jsonl`.
        trl: preference data for TRL; None if not wanted.
        least_margin: margin in [0, 1] below which a pair is left out of the preference data. Ties always are.
    """

    labels: Path
    trl: Path | None = None
    least_margin: float = 0.0


def write_outputs(database: Database, labelling: Labelling, outputs: Outputs) -> LabelSummary:
    """Write the files of a finished labelling, in bounded memory; the same labels give the same bytes.

    Raises:
        InputError: a place cannot be written to.
    """
    tally, about = Tally(labelling), {MARK: json.dumps(_about(labelling))}
    with ExitStack() as stack:
        trl = stack.enter_context(sink(outputs.trl, trl_schema(labelling.prompted), about)) if outputs.trl else None
        labels = stack.enter_context(sink(outputs.labels, label_schema(), about))
        for page in pages(database, labelling):
            tally.add(page)
            labels.write([_row(pair, labelling) for pair in page])
            if trl is not None:
                tally.exported += _export(trl, page, outputs.least_margin, labelling)
    return tally.summary(exported=outputs.trl is not None)


def summary_of(database: Database, labelling: Labelling) -> LabelSummary:
    """What a finished labelling came to; nothing is written."""
    tally = Tally(labelling)
    for page in pages(database, labelling):
        tally.add(page)
    return tally.summary(exported=False)


def check_output(path: Path, labelling: str, *, force: bool) -> None:
    """Make sure that `path` may be written: it is absent, or holds labels of this very labelling, or `force` is given.

    Args:
        path: the file.
        labelling: id; empty where the labelling is not known yet, and any of ours passes.
        force: overwrite whatever file is there.

    Raises:
        InputError: it is a folder, its ending is another, its folder is a file, or it holds something else.
    """
    check_ending(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file that ends in .parquet or .jsonl")
    taken = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
    if taken is not None:
        raise InputError(f"{taken} is a file, so {path} cannot be in it; give another --out")
    if not path.exists() or force:
        return
    found = _labelling_of(path)
    if found is None:
        raise InputError(f"{path} exists and is not of `touchstone label`; give another name, or --force to replace it")
    if labelling and found != labelling:
        raise InputError(f"{path} holds other labels ({found}); give another name, or --force to replace them")


def label_schema() -> Any:
    """Columns of the labelled pairs."""
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

    answer = {"criterion": pa.string(), "name": pa.string(), "verdict": pa.string(), "hesitation": pa.string()}
    answer |= {"order": pa.string(), "status": pa.string(), "judge": pa.string(), "sample": pa.int32()}
    columns = {"id": pa.string(), "a": pa.string(), "b": pa.string(), "prompt": pa.string()}
    columns |= {"preferred_given": pa.string(), "probability": pa.float64(), "label": pa.string()}
    columns |= {"margin": pa.float64(), "log_odds": pa.float64(), "majority": pa.string()}
    columns |= dict.fromkeys(("votes_for_a", "votes_for_b", "abstained", "missing", "asked"), pa.int32())
    columns |= {"effective_votes": pa.float64(), "stopped_early": pa.bool_()}
    columns |= {"answers": pa.list_(pa.struct(list(answer.items()))), "judge": pa.string()}
    columns |= {"criteria_set": pa.string(), "labelling": pa.string()}
    return pa.schema(list(columns.items()))


def trl_schema(prompted: bool) -> Any:
    """TRL's preference type in the standard format, with an explicit prompt if any pair has one.

    https://huggingface.co/docs/trl/dataset_formats#preference. Plain text suits texts that are no conversations, and
    trainers take it as it is. The scores are the probabilities of the two texts; they are not called `margin`, for
    TRL's RewardTrainer subtracts a column of that name from the difference of the rewards.
    """
    import pyarrow as pa

    texts = (*(("prompt",) if prompted else ()), "chosen", "rejected")
    scores = dict.fromkeys(("score_chosen", "score_rejected"), pa.float64())
    return pa.schema([*((name, pa.string()) for name in texts), *scores.items(), ("labelling", pa.string())])


def preference(pair: LabelledPair, least_margin: float) -> dict[str, Any] | None:
    """A pair as a preference; None for a tie, or where the margin is below the least."""
    label = pair.label
    if label.label == "tie" or label.margin < least_margin:
        return None
    better = label.label == "a"
    chosen, rejected = (pair.a, pair.b) if better else (pair.b, pair.a)
    score = label.probability if better else 1 - label.probability
    texts = {"prompt": pair.prompt, "chosen": chosen, "rejected": rejected}
    return texts | {"score_chosen": score, "score_rejected": 1 - score}


def _export(trl: Sink, page: list[LabelledPair], least_margin: float, labelling: Labelling) -> int:
    found = [preference(pair, least_margin) for pair in page]
    without = set() if labelling.prompted else {"prompt"}
    rows = [{k: v for k, v in row.items() if k not in without} | {"labelling": labelling.id} for row in found if row]
    trl.write(rows)
    return len(rows)


def _row(pair: LabelledPair, labelling: Labelling) -> dict[str, Any]:
    label = pair.label
    return {
        "id": pair.name, "a": pair.a, "b": pair.b, "prompt": pair.prompt, "preferred_given": pair.given or None,
        "probability": label.probability, "label": label.label, "margin": label.margin, "log_odds": label.log_odds,
        "majority": label.majority, "votes_for_a": label.votes_for_a, "votes_for_b": label.votes_for_b,
        "abstained": label.abstained, "missing": label.missing, "asked": len(pair.answers),
        "effective_votes": label.effective_votes, "stopped_early": pair.early,
        "answers": [_answer(answer, labelling) for answer in pair.answers], "judge": labelling.sheet.panel.name,
        "criteria_set": labelling.version, "labelling": labelling.id,
    }  # fmt: skip


def _answer(answer: Answer, labelling: Labelling) -> dict[str, Any]:
    return {
        "criterion": answer.criterion, "name": labelling.sheet.criteria[answer.criterion].name,
        "verdict": answer.verdict, "hesitation": answer.hesitation, "order": answer.order, "status": answer.status,
        "judge": labelling.sheet.panel.seats[answer.seat].judge, "sample": answer.sample,
    }  # fmt: skip


def _about(labelling: Labelling) -> Mapping[str, str]:
    sheet = labelling.sheet
    return {
        "labelling": labelling.id, "criteria_set": labelling.version, "judge": sheet.panel.name,
        "stop": sheet.rule.model_dump_json(), "calibration": CALIBRATION,
    }  # fmt: skip


def _labelling_of(path: Path) -> str | None:
    """The labelling that a file of ours was written from; empty for an empty file, None if it is no file of ours."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema  # type: ignore[import-untyped]  # ships no types

    try:
        if path.suffix.lower() == ".jsonl":
            with path.open("rb") as file:
                line = file.readline(LINE_BYTES)
            found = orjson.loads(line) if line else {"labelling": ""}
        else:
            found = json.loads((read_schema(path).metadata or {})[MARK.encode()])
        return str(found["labelling"])
    except (ArrowException, OSError, ValueError, KeyError, TypeError):
        return None
