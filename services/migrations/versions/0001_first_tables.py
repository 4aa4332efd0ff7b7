"""The tables as they stood when revisions began: datasets, judgments, runs, labellings and what was paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.migrations.foreign import CHECKPOINTS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "wants",
    "thread_criteria",
    "rounds",
    "outcomes",
    "threads",
    "runs",
    "labels",
    "judgments",
    "dataset_pairs",
    "spending",
    "reservations",
    "replies",
    "pairs",
    "measurements",
    "labellings",
    "datasets",
    "criteria",
    "calls",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run", sa.String(length=96), nullable=False),
        sa.Column("work", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Integer(), nullable=False),
        sa.Column("cached", sa.Integer(), nullable=False),
        sa.Column("completion", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("ended", sa.String(length=12), nullable=False),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_calls_run", "calls", ["run"])
    op.create_table(
        "criteria",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_criteria_hash", "criteria", ["hash"])
    op.create_table(
        "datasets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "labellings",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("criteria_set", sa.Text(), nullable=False),
        sa.Column("panel", sa.Text(), nullable=False),
        sa.Column("voters", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("prompted", sa.Boolean(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.Column("saved", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "measurements",
        sa.Column("version", sa.String(length=24), nullable=False),
        sa.Column("text", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("version", "text", "name"),
    )
    op.create_table(
        "pairs",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("a", sa.Text(), nullable=False),
        sa.Column("b", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "replies",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "reservations",
        sa.Column("run", sa.String(length=96), nullable=False),
        sa.Column("holder", sa.String(length=160), nullable=False),
        sa.Column("work", sa.String(length=12), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run", "holder"),
    )
    op.create_table(
        "spending",
        sa.Column("run", sa.String(length=96), nullable=False),
        sa.Column("work", sa.String(length=12), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "work"),
    )
    op.create_table(
        "dataset_pairs",
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["datasets.hash"],
        ),
        sa.ForeignKeyConstraint(
            ["pair"],
            ["pairs.hash"],
        ),
        sa.PrimaryKeyConstraint("dataset", "position"),
    )
    op.create_table(
        "judgments",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("criterion", sa.String(length=64), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("order", sa.String(length=2), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("margin", sa.Double(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("hesitation", sa.String(length=16), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=96), nullable=False),
        sa.Column("batch", sa.String(length=96), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pair"],
            ["pairs.hash"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_judgments_batch", "judgments", ["batch"])
    op.create_index("ix_judgments_status", "judgments", ["status"])
    op.create_index("judgments_of_criterion", "judgments", ["criterion", "pair"])
    op.create_table(
        "labels",
        sa.Column("labelling", sa.String(length=96), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("texts", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("given", sa.String(length=4), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.String(length=96), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.Column("saved", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("early", sa.Boolean(), nullable=False),
        sa.Column("audited", sa.Boolean(), nullable=False),
        sa.Column("turned", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["labelling"],
            ["labellings.id"],
        ),
        sa.ForeignKeyConstraint(
            ["pair"],
            ["pairs.hash"],
        ),
        sa.PrimaryKeyConstraint("labelling", "position"),
        sa.UniqueConstraint("labelling", "texts"),
    )
    op.create_index("ix_labels_chunk", "labels", ["chunk"])
    op.create_index("labels_open", "labels", ["labelling", "done", "chunk"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("test", sa.String(length=64), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["datasets.hash"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "threads",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("run", sa.String(length=96), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("mining", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("sealed_of", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("spent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_threads_run", "threads", ["run"])
    op.create_table(
        "outcomes",
        sa.Column("thread", sa.String(length=96), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread"],
            ["threads.id"],
        ),
        sa.PrimaryKeyConstraint("thread"),
    )
    op.create_table(
        "rounds",
        sa.Column("thread", sa.String(length=96), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread"],
            ["threads.id"],
        ),
        sa.PrimaryKeyConstraint("thread", "number"),
    )
    op.create_table(
        "thread_criteria",
        sa.Column("thread", sa.String(length=96), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["criteria.digest"],
        ),
        sa.ForeignKeyConstraint(
            ["thread"],
            ["threads.id"],
        ),
        sa.PrimaryKeyConstraint("thread", "hash"),
    )
    op.create_table(
        "wants",
        sa.Column("thread", sa.String(length=96), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("void", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["key"],
            ["judgments.key"],
        ),
        sa.ForeignKeyConstraint(
            ["thread"],
            ["threads.id"],
        ),
        sa.PrimaryKeyConstraint("thread", "key"),
    )
    op.create_index("wants_of_key", "wants", ["key"])


def downgrade() -> None:
    """Drop every table, and the places of graphs: one is worth nothing without the thread that it is a place in."""
    for table in TABLES:
        op.drop_table(table)
    for table in sorted(CHECKPOINTS):
        op.drop_table(table, if_exists=True)
