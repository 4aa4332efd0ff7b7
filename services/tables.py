"""The database's tables. The database is the truth of every run; Redis only carries ids of work to do."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Hash = String(64)
Id = String(96)


class Tables(DeclarativeBase):
    """Registry of all tables."""


class DatasetRow(Tables):
    """A dataset by content hash; `points` and `notes` are JSON."""

    __tablename__ = "datasets"
    hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    points: Mapped[str] = mapped_column(Text, default="[]")
    notes: Mapped[str] = mapped_column(Text, default="[]")


class PairRow(Tables):
    """What a judge sees of a pair, by content hash; labels stand in `dataset_pairs`."""

    __tablename__ = "pairs"
    hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    prompt: Mapped[str] = mapped_column(Text)
    a: Mapped[str] = mapped_column(Text)
    b: Mapped[str] = mapped_column(Text)


class DatasetPairRow(Tables):
    """A pair's place in a dataset and what people said of it; `label` is JSON."""

    __tablename__ = "dataset_pairs"
    dataset: Mapped[str] = mapped_column(ForeignKey("datasets.hash"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    pair: Mapped[str] = mapped_column(ForeignKey("pairs.hash"))
    label: Mapped[str] = mapped_column(Text)


class CriterionRow(Tables):
    """A criterion's whole body by digest. `hash` covers only what a judge sees, so several bodies may share one."""

    __tablename__ = "criteria"
    digest: Mapped[str] = mapped_column(Hash, primary_key=True)
    hash: Mapped[str] = mapped_column(Hash, index=True)
    body: Mapped[str] = mapped_column(Text)


class ThreadCriterionRow(Tables):
    """Which body a thread remembers under a criterion hash."""

    __tablename__ = "thread_criteria"
    thread: Mapped[str] = mapped_column(ForeignKey("threads.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("criteria.digest"))


class JudgmentRow(Tables):
    """One judgment, asked or answered.

    `status` is `missing` until answered, then as in `agents.judgments`. `asked_by` is the run that has it answered,
    `batch` the job it was last handed to (empty: none yet), `attempts` how often a worker began it. While it is
    missing, `rationale` holds the last fault. Times are seconds since the epoch, 0 for never.
    """

    __tablename__ = "judgments"
    key: Mapped[str] = mapped_column(Hash, primary_key=True)
    judge: Mapped[str] = mapped_column(Text)
    criterion: Mapped[str] = mapped_column(Hash)
    pair: Mapped[str] = mapped_column(ForeignKey("pairs.hash"))
    order: Mapped[str] = mapped_column(String(2))
    sample: Mapped[int]
    status: Mapped[str] = mapped_column(String(12), default="missing", index=True)
    verdict: Mapped[str] = mapped_column(String(8), default="abstain")
    margin: Mapped[float] = mapped_column(default=0.0)
    rationale: Mapped[str] = mapped_column(Text, default="")
    hesitation: Mapped[str] = mapped_column(String(16), default="")
    truncated: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    asked_by: Mapped[str] = mapped_column(Id)
    batch: Mapped[str] = mapped_column(Id, default="", index=True)
    asked_at: Mapped[float] = mapped_column(default=0.0)
    answered_at: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (Index("judgments_of_criterion", "criterion", "pair"),)


class WantRow(Tables):
    """A thread wants a judgment.

    `void` is `invalid` or `failed` once another run has asked again for what this thread was answered so: the
    thread's own view then never changes. Empty otherwise.
    """

    __tablename__ = "wants"
    thread: Mapped[str] = mapped_column(ForeignKey("threads.id"), primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("judgments.key"), primary_key=True)
    void: Mapped[str] = mapped_column(String(12), default="")

    __table_args__ = (Index("wants_of_key", "key"),)


class RunRow(Tables):
    """A run's inputs; where it stands, its threads say. `config` and `facts` are JSON, `seconds` is time spent."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("datasets.hash"))
    test: Mapped[str] = mapped_column(Hash, default="")
    config: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(default=0.0)
    seconds: Mapped[float] = mapped_column(default=0.0)


class ThreadRow(Tables):
    """A mining thread of a run: `main`, or one fold of a cross-fit.

    `mining` and `sealed` are JSON lists of positions, `mining` in the run's dataset and `sealed` in `sealed_of`.
    `status` is `running`, `finished` or `failed` (with `fault`). The lease is free where `lease_owner` is empty.
    `attempts` counts advances begun since the last one that ended well. `round` is for display; `stage` says
    which part of the budget its judgments are charged to; `spent`, which budget ended the asking, empty while there is
    one.
    """

    __tablename__ = "threads"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    name: Mapped[str] = mapped_column(String(24))
    mining: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)
    sealed_of: Mapped[str] = mapped_column(Hash)
    status: Mapped[str] = mapped_column(String(12), default="running")
    fault: Mapped[str] = mapped_column(Text, default="")
    lease_owner: Mapped[str] = mapped_column(Text, default="")
    lease_until: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(String(12), default="race")
    spent: Mapped[str] = mapped_column(Text, default="")


class RoundRow(Tables):
    """What happened in a round of a thread; `body` is a `RoundRecord` as JSON."""

    __tablename__ = "rounds"
    thread: Mapped[str] = mapped_column(ForeignKey("threads.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class OutcomeRow(Tables):
    """What a finished thread handed over; `body` is an `Outcome` as JSON."""

    __tablename__ = "outcomes"
    thread: Mapped[str] = mapped_column(ForeignKey("threads.id"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class MeasurementRow(Tables):
    """A signal's value on a text, under the version of the signals that measured it; NULL where it does not apply."""

    __tablename__ = "measurements"
    version: Mapped[str] = mapped_column(String(24), primary_key=True)
    text: Mapped[str] = mapped_column(Hash, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[float | None]


class CallRow(Tables):
    """A request that was sent to a model.

    `run` is whatever asked: a mining run or another command's work, so it names no row. `work` is the part of the run
    (`services.budget.Work`), `stage` and `ended` are as in `agents.chat`. `cost` is NULL where the model has no price.
    `prompt` counts the `cached` tokens, too. `at` is when it ended, in seconds since the epoch.
    """

    __tablename__ = "calls"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(Id, index=True)
    work: Mapped[str] = mapped_column(String(12))
    stage: Mapped[str] = mapped_column(String(12))
    model: Mapped[str] = mapped_column(Text)
    prompt: Mapped[int] = mapped_column(default=0)
    cached: Mapped[int] = mapped_column(default=0)
    completion: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    ended: Mapped[str] = mapped_column(String(12))
    cost: Mapped[float | None]
    at: Mapped[float] = mapped_column(default=0.0)


class ReplyRow(Tables):
    """A model's reply, by a digest of what it was asked; `body` is JSON."""

    __tablename__ = "replies"
    key: Mapped[str] = mapped_column(Hash, primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[float] = mapped_column(default=0.0)


class SpendingRow(Tables):
    """What the recorded calls of a run took, by kind of work: the sums that a budget is held against."""

    __tablename__ = "spending"
    run: Mapped[str] = mapped_column(Id, primary_key=True)
    work: Mapped[str] = mapped_column(String(12), primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger, default=0)
    tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    money: Mapped[int] = mapped_column(BigInteger, default=0)


class ReservationRow(Tables):
    """What a process has set aside of a run's budget for calls that are not recorded yet; `money` is in billionths.

    It stands until `until` (seconds since the epoch) unless its holder renews it or gives it back.
    """

    __tablename__ = "reservations"
    run: Mapped[str] = mapped_column(Id, primary_key=True)
    holder: Mapped[str] = mapped_column(String(160), primary_key=True)
    work: Mapped[str] = mapped_column(String(12))
    calls: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    money: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[float]
