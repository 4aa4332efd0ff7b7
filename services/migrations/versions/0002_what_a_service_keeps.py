"""What a service keeps: keys, actions, orders, criteria sets, prior criteria, turns, webhooks and sums of calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "orders",
    "webhook_deliveries",
    "set_decisions",
    "prior_decisions",
    "labelling_orders",
    "webhooks",
    "webhook_events",
    "turns",
    "prior_evidence",
    "prior_criteria",
    "once",
    "leaders",
    "knowledge_bases",
    "criteria_sets",
    "call_sums",
    "call_marks",
    "api_keys",
    "actions",
    "action_head",
)
"""Made here, those that refer to others first."""


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    op.create_table(
        "action_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "actions",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("key_name", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("request", sa.String(length=96), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("actions_of_kind", "actions", ["action", "number"])
    op.create_index("ix_actions_key", "actions", ["key"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("daily", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=False),
        sa.Column("last_used_at", sa.Double(), nullable=False),
        sa.Column("replaced_by", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "call_marks",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "call_sums",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("ended", sa.String(length=12), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("prompt", sa.BigInteger(), nullable=False),
        sa.Column("cached", sa.BigInteger(), nullable=False),
        sa.Column("completion", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("model", "stage", "ended"),
    )
    op.create_table(
        "criteria_sets",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("dataset", sa.String(length=96), nullable=False),
        sa.Column("run", sa.String(length=96), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_index("criteria_sets_by_time", "criteria_sets", ["created_at", "name", "version"])
    op.create_index("criteria_sets_by_version", "criteria_sets", ["version"])
    op.create_table(
        "knowledge_bases",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("short", sa.String(length=12), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_knowledge_bases_short", "knowledge_bases", ["short"])
    op.create_table(
        "leaders",
        sa.Column("duty", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=160), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("duty"),
    )
    op.create_table(
        "once",
        sa.Column("caller", sa.String(length=96), nullable=False),
        sa.Column("token", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "token"),
    )
    op.create_index("ix_once_at", "once", ["at"])
    op.create_table(
        "prior_criteria",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("live", sa.String(length=64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("who", sa.String(length=96), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("live"),
    )
    op.create_index("ix_prior_criteria_hash", "prior_criteria", ["hash"])
    op.create_index("prior_criteria_by_time", "prior_criteria", ["at", "digest"])
    op.create_index("prior_criteria_of_status", "prior_criteria", ["status"])
    op.create_table(
        "prior_evidence",
        sa.Column("criterion", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("criterion", "name", "version"),
    )
    op.create_table(
        "turns",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("batch", sa.String(length=96), nullable=False),
        sa.Column("transport", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=96), nullable=False),
        sa.Column("unit", sa.String(length=96), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("queued", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("batch"),
    )
    op.create_index("ix_turns_unit", "turns", ["unit"])
    op.create_index("turns_of_owner", "turns", ["transport", "owner", "queued", "number"])
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_webhook_events_at", "webhook_events", ["at"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("failing_since", sa.Double(), nullable=False),
        sa.Column("disabled_because", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "labelling_orders",
        sa.Column("labelling", sa.String(length=96), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["labelling"],
            ["labellings.id"],
        ),
        sa.PrimaryKeyConstraint("labelling"),
    )
    op.create_index("ix_labelling_orders_state", "labelling_orders", ["state"])
    op.create_index("labelling_orders_by_time", "labelling_orders", ["created_at", "labelling"])
    op.create_table(
        "prior_decisions",
        sa.Column("entry", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=96), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["prior_criteria.digest"],
        ),
        sa.PrimaryKeyConstraint("entry", "number"),
    )
    op.create_table(
        "set_decisions",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=96), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["name", "version"],
            ["criteria_sets.name", "criteria_sets.version"],
        ),
        sa.PrimaryKeyConstraint("name", "number"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("event", sa.String(length=96), nullable=False),
        sa.Column("webhook", sa.String(length=96), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("lease_owner", sa.String(length=160), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event"],
            ["webhook_events.id"],
        ),
        sa.ForeignKeyConstraint(
            ["webhook"],
            ["webhooks.id"],
        ),
        sa.PrimaryKeyConstraint("event", "webhook"),
    )
    op.create_index("webhook_deliveries_due", "webhook_deliveries", ["status", "next_at"])
    op.create_table(
        "orders",
        sa.Column("run", sa.String(length=96), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=96), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("run"),
    )
    op.create_index("ix_orders_state", "orders", ["state"])
    op.create_index("orders_by_time", "orders", ["created_at", "run"])


def downgrade() -> None:
    """Back; what only the newer revision can hold is lost."""
    for table in TABLES:
        op.drop_table(table)
