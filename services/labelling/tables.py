"""The tables of labelling. What judges said lies in `judgments`, shared with mining; here is what came of it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Hash, Id, Tables


class LabellingRow(Tables):
    """One criteria set on one file of pairs: inputs, where it stands, and running totals over its labels.

    `criteria_set`, `panel`, `voters`, `rule` and `notes` are JSON; `voters` says which seats of the panel can judge by
    each criterion. `digest` is of the pairs as read, `pairs` how many of them differ. `prompted`: any has a prompt.
    `status` is `reading` until all pairs are there, then `running`, `finished` or `failed` (with `fault`). `done`,
    `reused` and `saved` are the sums over the labels, `asked` counts the judgments it had made. `seconds` is time
    spent. `budget` is JSON, that of the last command.
    """

    __tablename__ = "labellings"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Hash)
    criteria_set: Mapped[str] = mapped_column(Text)
    panel: Mapped[str] = mapped_column(Text)
    voters: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    budget: Mapped[str] = mapped_column(Text, default="{}")
    notes: Mapped[str] = mapped_column(Text, default="[]")
    prompted: Mapped[bool] = mapped_column(default=False)
    pairs: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(12), default="reading")
    fault: Mapped[str] = mapped_column(Text, default="")
    done: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)
    reused: Mapped[int] = mapped_column(default=0)
    saved: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[float] = mapped_column(default=0.0)
    seconds: Mapped[float] = mapped_column(default=0.0)


class LabelRow(Tables):
    """A pair of a labelling and, once `done`, its answers.

    `position` is the row of the file, `texts` a digest of prompt and texts in either order, `name` the user's id,
    `given` the preference that the file states, `size` the bytes of text. `chunk` is the job it was last handed to,
    `attempts` how often a worker began it, `fault` what the last one died of. `asked` counts the judgments that this
    labelling had made, `reused` those that were there, `saved` those that early stopping left out, `failed` those that
    nobody gave. `answers` is JSON, see `services.labelling.pair_vote`.
    """

    __tablename__ = "labels"
    labelling: Mapped[str] = mapped_column(ForeignKey("labellings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    pair: Mapped[str] = mapped_column(ForeignKey("pairs.hash"))
    texts: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Text)
    given: Mapped[str] = mapped_column(String(4), default="")
    size: Mapped[int] = mapped_column(default=0)
    chunk: Mapped[str] = mapped_column(Id, default="", index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(Text, default="")
    done: Mapped[bool] = mapped_column(default=False)
    asked: Mapped[int] = mapped_column(default=0)
    reused: Mapped[int] = mapped_column(default=0)
    saved: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    early: Mapped[bool] = mapped_column(default=False)
    audited: Mapped[bool] = mapped_column(default=False)
    turned: Mapped[bool] = mapped_column(default=False)
    answers: Mapped[str] = mapped_column(Text, default="[]")

    __table_args__ = (UniqueConstraint("labelling", "texts"), Index("labels_open", "labelling", "done", "chunk"))
