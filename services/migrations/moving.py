"""Taking a database from one revision to another, and comparing what stands with what the program means.

The only module beside `env.py` that needs Alembic, which takes a third of a second to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, event, inspect

from knowledge_base.errors import InputError
from services.database import gather
from services.migrations import BASE, FOLDER, head, revisions
from services.migrations.foreign import CHECKPOINTS, ours
from services.migrations.standing import TABLE, standing_of
from services.tables import Tables


def target(revision: str) -> str:
    """A revision as a user names it: `head`, `base`, or a number.

    Raises:
        InputError: there is none of this name.
    """
    if revision in ("head", "base"):
        return head() if revision == "head" else BASE
    if revision not in revisions():
        raise InputError(f"revision {revision!r} is not known; use base, {', '.join(revisions())} or head")
    return revision


def move(connection: Connection, revision: str) -> None:
    """Bring a database up or down to a revision, within the caller's transaction."""
    _run(_config(connection=connection), standing_of(connection).revision, revision)


def sql_of(dialect: str, before: str, after: str) -> str:
    """The statements that a move takes."""
    return _sql_of_file(before, after) if dialect == "sqlite" else _sql_of_server(dialect, before, after)


def differences(connection: Connection) -> list[Any]:
    """What Alembic would change to make a database as the program means it."""
    gather()
    options = {"compare_type": True, "compare_server_default": True, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Tables.metadata))


def recognise(connection: Connection, place: str) -> str:
    """The revision of an SQLite file that was written before revisions were noted: the first one.

    Raises:
        InputError: its tables are not those of that revision.
    """
    with _scratch(revisions()[0]) as scratch:
        meant, found = _shape(scratch), _shape(connection)
    odd = [name for name in sorted(meant.keys() | found.keys()) if meant.get(name) != found.get(name)]
    if odd:
        raise InputError(
            f"{place} was written before revisions were noted, and its tables are of none ({odd[0]} differs); move it "
            "away, and a new one is made, which the same commands fill again"
        )
    return revisions()[0]


def new_revision(message: str) -> str:
    """Write the next revision, from the newest one to the tables as the program means them; returns its path."""
    gather()
    with _scratch(head()) as scratch:
        config = _config(connection=scratch)
        name = f"{int(head()) + 1:04d}"
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        made: Any = command.revision(config, message, autogenerate=True, rev_id=name)
    return str(made.path)


def _config(**attributes: Any) -> Config:
    config = Config(output_buffer=StringIO(), stdout=StringIO())
    # In a configuration file a percent sign would begin a placeholder.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes.update(attributes)
    return config


def _run(config: Config, before: str, after: str, *, as_sql: bool = False) -> None:
    down = after < before
    step = command.downgrade if down else command.upgrade
    aim = after or "base"
    step(config, f"{before or 'base'}:{aim}" if as_sql and (down or before) else aim, sql=as_sql)


def _sql_of_server(dialect: str, before: str, after: str) -> str:
    config = _config(dialect=dialect)
    _run(config, before, after, as_sql=True)
    assert isinstance(config.output_buffer, StringIO)
    return config.output_buffer.getvalue()


def _sql_of_file(before: str, after: str) -> str:
    """Found by doing it elsewhere: what SQLite cannot alter is copied, and how depends on what stands there."""
    said: list[str] = []
    with _scratch(before) as scratch:
        event.listen(scratch, "before_cursor_execute", lambda *a: said.append(f"{a[2].strip()};"))
        move(scratch, after)
    return "\n\n".join(s for s in said if not s.startswith(("PRAGMA", "SELECT")))


@contextmanager
def _scratch(revision: str) -> Iterator[Connection]:
    """An SQLite database in memory at a revision."""
    with create_engine("sqlite://").connect() as connection:
        if revision != BASE:
            _run(_config(connection=connection), BASE, revision)
        yield connection


def _shape(connection: Connection) -> dict[str, Any]:
    """Every column, key and index of the tables of ours by name, in a form that can be compared."""
    look = inspect(connection)
    shape: dict[str, Any] = {}
    for table in set(look.get_table_names()) - CHECKPOINTS - {TABLE}:
        keys = set(look.get_pk_constraint(table)["constrained_columns"])
        for c in look.get_columns(table):
            shape[f"{table}.{c['name']}"] = (_kind(c["type"]), c["nullable"], c["name"] in keys)
        for i in look.get_indexes(table):
            shape[f"index {i['name']}"] = (table, i["column_names"], bool(i["unique"]))
        for u in look.get_unique_constraints(table):
            shape[f"{table} unique {u['column_names']}"] = True
        for f in look.get_foreign_keys(table):
            shape[f"{table}.{f['constrained_columns'][0]} refers"] = (f["referred_table"], f["referred_columns"])
    return shape


def _kind(column: Any) -> str:
    """SQLite stores by affinity, and the name of a floating point number differs between versions of SQLAlchemy."""
    name = str(column).upper()
    return "REAL" if name.startswith(("FLOAT", "DOUBLE", "REAL")) else name
