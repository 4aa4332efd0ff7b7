"""What Alembic runs for each command. The caller gives a connection, and owns the transaction: all or nothing."""

from __future__ import annotations

from typing import Any

from alembic import context

from services.migrations.foreign import ours
from services.tables import Tables

attributes = context.config.attributes
options: dict[str, Any] = {"target_metadata": Tables.metadata, "render_as_batch": True, "include_name": ours}
options |= {"compare_type": True, "compare_server_default": True}

if context.is_offline_mode():
    context.configure(dialect_name=attributes["dialect"], literal_binds=True, **options)
else:
    context.configure(connection=attributes["connection"], **options)
context.run_migrations()
