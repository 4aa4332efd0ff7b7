"""Texts that Postgres refuses: none may hold a NUL character, and a fault that is noted may quote anything."""

from __future__ import annotations

from typing import Any

from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.types.string import StrDumper

REPLACEMENT = "�"


class PlainText(StrDumper):
    """Writes a text with NUL characters replaced. What is known by its content never holds one: readers refuse it."""

    def dump(self, obj: str) -> Buffer | None:
        try:
            return super().dump(obj)
        except DataError:
            return super().dump(obj.replace("\x00", REPLACEMENT))


def adapt(connection: Any) -> None:
    """Have a connection of psycopg write texts so."""
    connection.adapters.register_dumper(str, PlainText)
