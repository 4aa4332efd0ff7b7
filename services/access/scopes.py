"""What a key may be allowed to do. There are few scopes on purpose: each is a kind of person, not a route.

    read       a viewer       look at everything but keys, webhooks and the record of actions
    annotate   an annotator   give votes and reasons, get the next pair
    run        an engineer    upload pairs, start and stop what costs money
    approve    a lead         decide on criteria sets and on criteria for the knowledge base
    admin      an operator    keys, webhooks, the record of actions, and all of the above

`annotate`, `run` and `approve` imply `read` and not each other: who runs does not approve what came of it. `admin`
implies all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from knowledge_base.errors import InputError

Scope = Literal["read", "annotate", "run", "approve", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

IMPLIED: dict[Scope, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "annotate": frozenset({"annotate", "read"}),
    "run": frozenset({"run", "read"}),
    "approve": frozenset({"approve", "read"}),
    "admin": frozenset(SCOPES),
}


def granted(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """These scopes and all that they imply."""
    return frozenset().union(*(IMPLIED[s] for s in scopes))


def checked_scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes, each once, in the order of `SCOPES`.

    Raises:
        InputError: one is unknown, or there is none.
    """
    wanted = set(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown:
        raise InputError(f"scope {unknown[0]!r} is unknown; use {', '.join(SCOPES[:-1])} or {SCOPES[-1]}")
    if not wanted:
        raise InputError(f"a key needs a scope; give one or more of {', '.join(SCOPES)}")
    return tuple(s for s in SCOPES if s in wanted)
