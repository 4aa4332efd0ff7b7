"""What people annotate, and schedules with their windows, refreshes, anchors and states of drift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "votes",
    "statements",
    "assignments",
    "uploads",
    "schedule_windows",
    "refreshes",
    "open_points",
    "open_pairs",
    "drift_states",
    "anchors",
    "schedules",
    "open_datasets",
)
"""Made here, those that refer to others first."""


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    op.create_table(
        "open_datasets",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("domain", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("sampling", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("votes", sa.BigInteger(), nullable=False),
        sa.Column("turns", sa.BigInteger(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("sampled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("criteria_set", sa.String(length=96), nullable=False),
        sa.Column("cron", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("cursor", sa.Float(precision=53), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "anchors",
        sa.Column("schedule", sa.String(length=96), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("pinned_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["pair"],
            ["pairs.hash"],
        ),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
        ),
        sa.PrimaryKeyConstraint("schedule", "version", "pair"),
    )
    op.create_table(
        "drift_states",
        sa.Column("schedule", sa.String(length=96), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("votes_until", sa.Float(precision=53), nullable=False),
        sa.Column("refresh", sa.String(length=96), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
        ),
        sa.PrimaryKeyConstraint("schedule", "version"),
    )
    op.create_table(
        "open_pairs",
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("texts", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.String(length=32), nullable=True),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.Column("lot", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=True),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("voters", sa.Integer(), nullable=False),
        sa.Column("for_a", sa.Integer(), nullable=False),
        sa.Column("for_b", sa.Integer(), nullable=False),
        sa.Column("ties", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["open_datasets.id"],
        ),
        sa.ForeignKeyConstraint(
            ["pair"],
            ["pairs.hash"],
        ),
        sa.PrimaryKeyConstraint("dataset", "pair"),
        sa.UniqueConstraint("dataset", "drawn"),
        sa.UniqueConstraint("dataset", "name_key"),
        sa.UniqueConstraint("dataset", "position"),
        sa.UniqueConstraint("dataset", "texts"),
    )
    op.create_index("open_pairs_by_lot", "open_pairs", ["dataset", "lot", "position"])
    op.create_index("open_pairs_by_state", "open_pairs", ["dataset", "state", "voters", "lot", "position"])
    op.create_index("open_pairs_by_voters", "open_pairs", ["dataset", "voters", "lot"])
    op.create_table(
        "open_points",
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["open_datasets.id"],
        ),
        sa.PrimaryKeyConstraint("dataset", "hash"),
    )
    op.create_table(
        "refreshes",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("schedule", sa.String(length=96), nullable=False),
        sa.Column("window", sa.String(length=20), nullable=False),
        sa.Column("occupies", sa.String(length=96), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=96), nullable=False),
        sa.Column("criteria_set", sa.String(length=96), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("old", sa.String(length=64), nullable=False),
        sa.Column("new", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("mining", sa.String(length=96), nullable=False),
        sa.Column("drift", sa.Text(), nullable=False),
        sa.Column("comparison", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("gathered_at", sa.Float(precision=53), nullable=False),
        sa.Column("ended_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("occupies"),
    )
    op.create_index("ix_refreshes_key", "refreshes", ["key"])
    op.create_index("ix_refreshes_schedule", "refreshes", ["schedule"])
    op.create_index("ix_refreshes_status", "refreshes", ["status"])
    op.create_table(
        "schedule_windows",
        sa.Column("schedule", sa.String(length=96), nullable=False),
        sa.Column("window", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("refresh", sa.String(length=96), nullable=False),
        sa.Column("noted_at", sa.Float(precision=53), nullable=False),
        sa.Column("begun_at", sa.Float(precision=53), nullable=False),
        sa.Column("ended_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
        ),
        sa.PrimaryKeyConstraint("schedule", "window"),
    )
    op.create_index("windows_by_status", "schedule_windows", ["schedule", "status"])
    op.create_table(
        "uploads",
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["open_datasets.id"],
        ),
        sa.PrimaryKeyConstraint("dataset", "content"),
    )
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("annotator", sa.String(length=200), nullable=False),
        sa.Column("occasion", sa.Integer(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("shown", sa.String(length=2), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("vote", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset", "pair"],
            ["open_pairs.dataset", "open_pairs.pair"],
        ),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["open_datasets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dataset", "pair", "annotator", "occasion"),
        sa.UniqueConstraint("dataset", "pair", "slot"),
        sa.UniqueConstraint("dataset", "turn"),
    )
    op.create_index("assignments_of_annotator", "assignments", ["dataset", "annotator", "vote"])
    op.create_table(
        "statements",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("preferred", sa.String(length=4), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset", "pair"],
            ["open_pairs.dataset", "open_pairs.pair"],
        ),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["open_datasets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("statements_of_pair", "statements", ["dataset", "pair"])
    op.create_table(
        "votes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("annotator", sa.String(length=200), nullable=False),
        sa.Column("choice", sa.String(length=9), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("recorded_at", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("shown", sa.String(length=2), nullable=False),
        sa.Column("withdraws", sa.String(length=64), nullable=False),
        sa.Column("upload", sa.String(length=64), nullable=False),
        sa.Column("statement", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset", "pair"],
            ["open_pairs.dataset", "open_pairs.pair"],
        ),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["open_datasets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("votes_by_moment", "votes", ["dataset", "recorded_at", "id"])
    op.create_index("votes_of_annotator", "votes", ["dataset", "annotator", "at"])
    op.create_index("votes_of_pair", "votes", ["dataset", "pair"])


def downgrade() -> None:
    """Back; what only the newer revision can hold is lost."""
    for table in TABLES:
        op.drop_table(table)
