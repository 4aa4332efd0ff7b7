"""Who acts: a key, the command line, the server itself, or whoever reaches a server that has no keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from knowledge_base.errors import AccessDenied
from services.access.allowance import NO_ALLOWANCE, DailyAllowance
from services.access.scopes import SCOPES, Scope


class Identity(BaseModel):
    """Who asks for something.

    Attributes:
        key: public id of the key; `local`, `command-line` or `system` where there is none.
        name: of the key, as its maker called it.
        scopes: all that it may do, implied ones included.
        per_minute: requests it may make in a minute; None: any number.
        daily: what it may take in a day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    name: str
    scopes: frozenset[Scope]
    per_minute: int | None = None
    daily: DailyAllowance = NO_ALLOWANCE


LOCAL = Identity(key="local", name="local", scopes=frozenset(SCOPES))
"""Whoever reaches a server without keys, which listens on this machine only."""

COMMAND_LINE = Identity(key="command-line", name="command line", scopes=frozenset(SCOPES))
"""Whoever may use the database itself."""

SYSTEM = Identity(key="system", name="system", scopes=frozenset(SCOPES))
"""The server, of its own accord."""


def require(identity: Identity, scope: Scope) -> None:
    """Go on only if the caller has a scope.

    Raises:
        AccessDenied: it has not; `reason` is `forbidden` and `scope` the one that is missing.
    """
    if scope not in identity.scopes:
        has = ", ".join(s for s in SCOPES if s in identity.scopes) or "none"
        raise AccessDenied(
            f"this needs the scope {scope}, and the key {identity.name!r} ({identity.key}) has {has}; use another key, "
            f"or have one made by `touchstone keys create NAME --scope {scope}`",
            reason="forbidden",
            scope=scope,
        )
