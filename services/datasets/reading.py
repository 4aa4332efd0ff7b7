"""A user's file made into a dataset: all of it, or none of it and every fault that stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.agreement import Agreement, agreement
from agents.pairs import Dataset, Pair, Point
from knowledge_base.errors import InputError
from services.datasets.allowance import Allowance
from services.datasets.drafts import Draft, Format, PairFormat, PointFormat
from services.datasets.faults import Fault, Faults
from services.datasets.points import PointPool, pairs_of
from services.datasets.pooling import PairPool
from services.datasets.recognition import recognise
from services.datasets.record import Record
from services.datasets.rows import Row, Source, open_rows
from services.datasets.settling import Sides, settle

LIMIT = 200_000
"""Most distinct pairs (or pointwise texts) in one file, unless told otherwise."""

TOTAL_BYTES = 1_000_000_000
"""Most bytes of text in one file, unless told otherwise."""

_IGNORED_SHOWN = 20


@dataclass(frozen=True)
class Reading:
    """A file that was read.

    Attributes:
        dataset: its pairs (and points), with notes.
        format: name of the format it was recognised as: native, trl, reference, arena or pointwise; or of the tool
            that exported it: argilla or label-studio.
        agreement: how far its annotators agree; None if no pair has two votes.
    """

    dataset: Dataset
    format: str
    agreement: Agreement | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the file should know, a sentence each; also kept in the dataset."""
        return self.dataset.notes


def read_dataset(
    path: str | Path,
    *,
    description: str = "",
    limit: int = LIMIT,
    sides: Sides = "keep",
    total_bytes: int = TOTAL_BYTES,
) -> Reading:
    """Read a JSONL, CSV or Parquet file, or an export of Argilla or Label Studio.

    docs/data-formats.md says what a file may hold and what happens when; docs/exchange.md says it of exports.

    Args:
        path: the file; the dataset is named after it.
        description: what people compared, in a sentence or two.
        limit: most distinct pairs (or texts) taken in (>= 1); ten times as many rows are read.
        sides: `keep` the file's sides or `shuffle` them by content (see `services.datasets.settling`).
        total_bytes: most bytes of text (UTF-8) taken in.

    Raises:
        FaultyRows: the file has faults; carries the first 20 and their number.
        InputError: the file as a whole cannot be used: missing, empty, not recognised, over a limit, or nothing in it
            prefers one text to another.
    """
    # Imported here, since exports are read by means of this package.
    from services.exchange.recognising import exported_votes

    path = Path(path)
    opened = open_rows(path)
    export = exported_votes(path)
    source = export or opened
    known = _recognised(path.name, source)
    allowance = Allowance(path.name, limit, total_bytes)
    if isinstance(known, PointFormat):
        texts = PointPool(path.name, allowance)
        notes = _fill(path.name, source, known, texts.add)
        return _from_points(path, texts, description, limit, notes)
    pool = PairPool(path.name, allowance)
    notes = _fill(path.name, source, known, pool.add)
    if export is not None:
        return _from_pairs(path, pool, description, sides, export.tool.name, notes + export.notes())
    return _from_pairs(path, pool, description, sides, known.name, notes)


def _recognised(file: str, source: Source) -> PairFormat | PointFormat:
    """The format; a file without a single readable row is reported by its faults instead."""
    columns = source.columns()
    if not columns:
        faults = Faults()
        for row in source.rows(frozenset()):
            if isinstance(row, Fault):
                faults.add(row)
        faults.check()
        raise InputError(f"{file} is empty; give at least one pair")
    return recognise(file, columns)


def _fill(file: str, source: Source, known: Format[Draft], add: Callable[[Draft], Fault | None]) -> list[str]:
    """Send every row to `add`; gives back a note on ignored columns, or raises all faults together."""
    faults = Faults()
    ignored = dict.fromkeys(name for name in source.columns() if name not in known.knows)
    rows = 0
    for row in source.rows(known.knows):
        rows += 1
        if isinstance(row, Fault):
            faults.add(row)
            continue
        _note_columns(ignored, row, known.knows)
        for fault in _taken(Record(file, row, textual=source.textual), known, add):
            faults.add(fault)
    faults.check()
    if not rows:
        raise InputError(f"{file} has columns but no rows; give at least one pair")
    return [_ignored_note(list(ignored))] if ignored else []


def _taken(record: Record, known: Format[Draft], add: Callable[[Draft], Fault | None]) -> list[Fault]:
    draft = known.read(record)
    if draft is None:
        return record.faults
    fault = add(draft)
    return [fault] if fault else []


def _note_columns(ignored: dict[str, None], row: Row, knows: frozenset[str]) -> None:
    for name in row.fields.keys() - knows:
        if len(ignored) <= _IGNORED_SHOWN:
            ignored[name] = None


def _ignored_note(names: list[str]) -> str:
    more = " and more" if len(names) > _IGNORED_SHOWN else ""
    listed = ", ".join(name[:40] for name in sorted(names)[:_IGNORED_SHOWN])
    return f"columns that mean nothing here were ignored: {listed}{more}"


def _from_pairs(
    path: Path, pool: PairPool, description: str, sides: Sides, format_name: str, notes: list[str]
) -> Reading:
    pairs, settled = settle(pool.pairs(), sides)
    notes = notes + settled + _balance(path.name, pairs)
    dataset = Dataset(name=path.stem, description=description, pairs=pairs, notes=tuple(notes))
    return Reading(dataset, format_name, agreement([pair.votes for pair in pairs]))


def _balance(file: str, pairs: tuple[Pair, ...]) -> list[str]:
    """Notes on ties and on one-sided answers.

    Raises:
        InputError: every pair is a tie.
    """
    ties = sum(pair.preferred == "tie" for pair in pairs)
    same = sum(pair.preferred == "tie" and pair.a == pair.b for pair in pairs)
    sides = {pair.preferred for pair in pairs} - {"tie"}
    if not sides:
        raise InputError(f"{file}: all {ties} pairs are ties, so nothing can be learnt; add pairs with a preference")
    notes = [f"{ties} of {len(pairs)} pairs are ties; they are kept and carry no accuracy"] if ties else []
    if same:
        notes.append(f"{same} of the ties are between identical texts")
    if len(sides) == 1 and len(pairs) - ties > 1:
        side = next(iter(sides))
        notes.append(
            f'all {len(pairs) - ties} decided pairs prefer "{side}"; read with --sides shuffle so that '
            "a judge's liking for one side cannot pass for skill"
        )
    return notes


def _from_points(path: Path, texts: PointPool, description: str, limit: int, notes: list[str]) -> Reading:
    points, merged = texts.points()
    _two_labels(path.name, points)
    pairs = pairs_of(points, limit)
    if not pairs:
        raise InputError(
            f"{path.name}: no prompt and group has texts of both labels, so no two texts can be compared; "
            "leave out prompt or group, or add texts with the other label"
        )
    used = len({text for pair in pairs for text in (pair.a, pair.b)})
    made = f"{len(pairs)} pairs were made from {used} of {len(points)} labelled texts"
    dataset = Dataset(
        name=path.stem, description=description, pairs=pairs, points=points, notes=(*notes, *merged, made)
    )
    return Reading(dataset, "pointwise", None)


def _two_labels(file: str, points: tuple[Point, ...]) -> None:
    labels = {point.label for point in points}
    if len(labels) == 2:
        return
    found = f'every "label" is {min(labels)}' if labels else "every text is labelled both 0 and 1"
    raise InputError(f"{file}: {found}, so nothing can be compared; give texts of both labels")
