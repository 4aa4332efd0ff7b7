"""Databases at any revision, with rows in every table, and a revision that is not there yet."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, insert, select, text
from sqlalchemy.types import Boolean, Float, Integer, LargeBinary

from services import migrations
from services.database import Database
from services.migrations import moving, revisions
from services.migrations.foreign import CHECKPOINTS
from services.migrations.standing import TABLE, standing_of

MORE = """
op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
with op.batch_alter_table("pairs") as batch:
    batch.add_column(sa.Column("length", sa.Integer(), nullable=False, server_default="7"))
with op.batch_alter_table("datasets") as batch:
    batch.alter_column("name", new_column_name="title", existing_type=sa.Text())
"""
"""What a later revision might change."""


ROWS = 3

Contents = dict[str, list[dict[str, Any]]]


def brought_to(database: Database, revision: str) -> None:
    """Make the tables of a revision."""
    with database.moving() as connection:
        moving.move(connection, revision)


def fill(database: Database) -> Contents:
    """Put rows into every table that stands there; returns them."""
    with database.moving() as connection:
        for table in _reflected(connection).sorted_tables:
            columns = list(table.columns)
            connection.execute(insert(table), [{c.name: _value(c, i) for c in columns} for i in range(ROWS)])
    return contents(database)


def contents(database: Database) -> Contents:
    """All rows of every table of ours, in a fixed order."""
    with database.read() as connection:
        tables = _reflected(connection).sorted_tables
        found = {t.name: [dict(r) for r in connection.execute(select(t)).mappings()] for t in tables}
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def columns_in(some: Contents, other: Contents) -> Contents:
    """Rows of one as far as the other has their tables and columns."""
    return {
        name: sorted(({c: v for c, v in row.items() if c in other[name][0]} for row in rows), key=repr)
        for name, rows in some.items()
        if other.get(name)
    }


def _reflected(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name != TABLE and name not in CHECKPOINTS)
    return found


def _value(column: Any, row: int) -> Any:
    """A value that tells rows apart; the same in a key and in what refers to it."""
    kind = column.type
    if isinstance(kind, Boolean):
        return bool(row % 2)
    if isinstance(kind, Integer):
        return row + 1
    if isinstance(kind, Float):
        return row + 0.25
    if isinstance(kind, LargeBinary):
        return bytes([row])
    return f"{row}é判"[: getattr(kind, "length", None) or 99]


BODY = """
revision, down_revision, branch_labels, depends_on = "{number}", "{before}", None, None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
"""


@contextmanager
def a_later_revision(folder: Path, patch: pytest.MonkeyPatch, up: str, down: str = "pass") -> Iterator[str]:
    """Have the program know one revision more, with this code; returns its number."""
    copy = folder / "migrations"
    shutil.copytree(migrations.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    number, before = f"{int(revisions()[-1]) + 1:04d}", revisions()[-1]
    body = BODY.format(number=number, before=before, up=up.replace("\n", "\n    "), down=down.replace("\n", "\n    "))
    heading = "import sqlalchemy as sa\nfrom alembic import op\n"
    (copy / "versions" / f"{number}_later.py").write_text(heading + body, encoding="utf-8")
    with patch.context() as patched:
        patched.setattr(moving, "FOLDER", copy)
        patched.setattr(migrations, "VERSIONS", copy / "versions")
        _forget_revisions()
        yield number
    _forget_revisions()


def _forget_revisions() -> None:
    cached: Callable[[], Any] = revisions
    cached.cache_clear()  # type: ignore[attr-defined]


def execute(database: Database, *statements: str) -> None:
    with database.moving() as connection:
        for statement in statements:
            connection.execute(text(statement))


def revision(database: Database) -> str:
    with database.read() as connection:
        return standing_of(connection).revision
