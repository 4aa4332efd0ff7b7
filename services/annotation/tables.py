"""The tables of datasets that people annotate. Texts stand in `pairs`, once for all datasets; votes are only added.

Times are seconds since the epoch. A dataset's `changed_at` is its clock: every write moves it on, and rows are stamped
with it, so that in one dataset no two writes have the same moment and none appears behind one that was seen.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Hash, Id, Tables

Name = String(200)


class OpenDatasetRow(Tables):
    """A dataset that grows.

    `secret` keys everything that is decided by chance: who knows texts and ids cannot foresee it. `sampling` is JSON.
    `pairs`, `votes`, `turns` and `draws` count what was added, stored, handed out and drawn; `sampled` says how far
    the random order of the pairs has been gone through.
    """

    __tablename__ = "open_datasets"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    domain: Mapped[str] = mapped_column(String(16), default="")
    secret: Mapped[str] = mapped_column(String(64))
    sampling: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]
    created_by: Mapped[str] = mapped_column(Name, default="")
    changed_at: Mapped[float]
    pairs: Mapped[int] = mapped_column(default=0)
    points: Mapped[int] = mapped_column(default=0)
    votes: Mapped[int] = mapped_column(BigInteger, default=0)
    turns: Mapped[int] = mapped_column(BigInteger, default=0)
    draws: Mapped[int] = mapped_column(default=0)
    sampled: Mapped[int] = mapped_column(default=0)


class OpenPairRow(Tables):
    """A pair's place in an open dataset.

    `texts` is a digest of prompt and texts in either order, `name` the user's id (empty: none) and `name_key` its
    digest. `lot` is the pair's place in the random order. `state` is `fresh` until it is drawn (`drawn`) or answered
    without (`known`). `why`, `drawn` (number of the draw), `left` and `probability` are of the draw; `since` and
    `known` are draws that were made before the pair came in and before it was answered without being drawn. `voters`
    to `ties` count the votes that stand.
    """

    __tablename__ = "open_pairs"
    dataset: Mapped[str] = mapped_column(ForeignKey("open_datasets.id"), primary_key=True)
    pair: Mapped[str] = mapped_column(ForeignKey("pairs.hash"), primary_key=True)
    position: Mapped[int]
    texts: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Text, default="")
    name_key: Mapped[str | None] = mapped_column(String(32))
    group: Mapped[str] = mapped_column(Text, default="")
    weight: Mapped[float] = mapped_column(default=1.0)
    added_at: Mapped[float]
    lot: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(8), default="fresh")
    why: Mapped[str] = mapped_column(String(12), default="")
    drawn: Mapped[int | None]
    left: Mapped[int] = mapped_column(default=0)
    probability: Mapped[float | None]
    since: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    voters: Mapped[int] = mapped_column(default=0)
    for_a: Mapped[int] = mapped_column(default=0)
    for_b: Mapped[int] = mapped_column(default=0)
    ties: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("dataset", "position"),
        UniqueConstraint("dataset", "texts"),
        UniqueConstraint("dataset", "name_key"),
        UniqueConstraint("dataset", "drawn"),
        Index("open_pairs_by_lot", "dataset", "lot", "position"),
        Index("open_pairs_by_state", "dataset", "state", "voters", "lot", "position"),
        Index("open_pairs_by_voters", "dataset", "voters", "lot"),
    )


class OpenPointRow(Tables):
    """A text that people labelled by itself, in the order of its coming in; `body` is a `Point` as JSON."""

    __tablename__ = "open_points"
    dataset: Mapped[str] = mapped_column(ForeignKey("open_datasets.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    position: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    added_at: Mapped[float]


class UploadRow(Tables):
    """A file that was taken in, by a digest of what its rows say; the same content in another file is the same."""

    __tablename__ = "uploads"
    dataset: Mapped[str] = mapped_column(ForeignKey("open_datasets.id"), primary_key=True)
    content: Mapped[str] = mapped_column(Hash, primary_key=True)
    file: Mapped[str] = mapped_column(Name)
    by: Mapped[str] = mapped_column(Name, default="")
    rows: Mapped[int]
    recorded_at: Mapped[float]


class StatementRow(Tables):
    """What a row of a file said of a pair, beside the votes that carry its id.

    The id covers the row's content and how often the file had said the same before. `listed`: the row has a list of
    votes; otherwise it is one answer, which is its vote. `preferred` is the answer it states beside its list (empty:
    none), `reason` the reason beside the list.
    """

    __tablename__ = "statements"
    id: Mapped[str] = mapped_column(Hash, primary_key=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("open_datasets.id"))
    pair: Mapped[str] = mapped_column(Hash)
    row: Mapped[int]
    listed: Mapped[bool]
    preferred: Mapped[str] = mapped_column(String(4), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    recorded_at: Mapped[float]

    __table_args__ = (
        ForeignKeyConstraint(["dataset", "pair"], ["open_pairs.dataset", "open_pairs.pair"]),
        Index("statements_of_pair", "dataset", "pair"),
    )


class VoteRow(Tables):
    """One answer of one person, or (`choice` = `withdrawn`) that the vote `withdraws` no longer stands.

    `at` is when it was given, `recorded_at` when it came in here. `source` is `upload`, `page` or `import`; `why`
    says why the pair was shown: `random`, `information`, `further`, `repeat`, or empty where nobody was asked by this
    dataset; `probability` is the chance it was drawn with. `shown` is the order of the texts, `ab` or `ba`, empty where
    not known. `statement` and `number` say which row of a file it stood in, and where.
    """

    __tablename__ = "votes"
    id: Mapped[str] = mapped_column(Hash, primary_key=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("open_datasets.id"))
    pair: Mapped[str] = mapped_column(Hash)
    annotator: Mapped[str] = mapped_column(Name, default="")
    choice: Mapped[str] = mapped_column(String(9))
    confidence: Mapped[float | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    seconds: Mapped[float | None]
    at: Mapped[float]
    recorded_at: Mapped[float]
    source: Mapped[str] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(String(12), default="")
    probability: Mapped[float | None]
    shown: Mapped[str] = mapped_column(String(2), default="")
    withdraws: Mapped[str] = mapped_column(Hash, default="")
    upload: Mapped[str] = mapped_column(Hash, default="")
    statement: Mapped[str] = mapped_column(Hash, default="")
    number: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        ForeignKeyConstraint(["dataset", "pair"], ["open_pairs.dataset", "open_pairs.pair"]),
        Index("votes_of_pair", "dataset", "pair"),
        Index("votes_by_moment", "dataset", "recorded_at", "id"),
        Index("votes_of_annotator", "dataset", "annotator", "at"),
    )


class AssignmentRow(Tables):
    """A pair handed to an annotator until `until`, and the vote that came of it (empty: none yet).

    `occasion` is 0 for the first time this annotator sees the pair, higher for repeats; `slot` keeps two people from
    holding the same place at a pair, and is NULL for repeats, skips and what was let go.
    """

    __tablename__ = "assignments"
    id: Mapped[str] = mapped_column(Hash, primary_key=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("open_datasets.id"))
    pair: Mapped[str] = mapped_column(Hash)
    annotator: Mapped[str] = mapped_column(Name)
    occasion: Mapped[int]
    turn: Mapped[int] = mapped_column(BigInteger)
    slot: Mapped[int | None]
    why: Mapped[str] = mapped_column(String(12))
    probability: Mapped[float | None]
    shown: Mapped[str] = mapped_column(String(2))
    made_at: Mapped[float]
    until: Mapped[float]
    vote: Mapped[str] = mapped_column(Hash, default="")

    __table_args__ = (
        ForeignKeyConstraint(["dataset", "pair"], ["open_pairs.dataset", "open_pairs.pair"]),
        UniqueConstraint("dataset", "pair", "annotator", "occasion"),
        UniqueConstraint("dataset", "pair", "slot"),
        UniqueConstraint("dataset", "turn"),
        Index("assignments_of_annotator", "dataset", "annotator", "vote"),
    )
