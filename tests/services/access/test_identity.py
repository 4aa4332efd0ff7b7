"""Which scope implies which, and what a caller is told who lacks one."""

from __future__ import annotations

import itertools

import pytest

from knowledge_base.errors import AccessDenied, InputError
from services.access.identity import LOCAL, Identity, require
from services.access.scopes import SCOPES, Scope, checked_scopes, granted

MAY: dict[Scope, set[Scope]] = {
    "read": {"read"},
    "annotate": {"read", "annotate"},
    "run": {"read", "run"},
    "approve": {"read", "approve"},
    "admin": {"read", "annotate", "run", "approve", "admin"},
}


def who(*scopes: Scope) -> Identity:
    return Identity(key="k", name="name", scopes=granted(scopes))


@pytest.mark.parametrize(("has", "needs"), [*itertools.product(SCOPES, SCOPES)])
def test_a_scope_allows_what_it_implies_and_nothing_else(has: Scope, needs: Scope) -> None:
    if needs in MAY[has]:
        require(who(has), needs)
        return
    with pytest.raises(AccessDenied) as caught:
        require(who(has), needs)
    assert (caught.value.reason, caught.value.scope) == ("forbidden", needs)


def test_the_message_names_the_missing_scope_the_key_and_the_remedy() -> None:
    with pytest.raises(
        AccessDenied, match=r"needs the scope run, and the key 'name' \(k\) has read, annotate; .*--scope run"
    ):
        require(who("annotate"), "run")


def test_scopes_add_up() -> None:
    assert who("annotate", "run").scopes == {"read", "annotate", "run"}
    assert granted([]) == frozenset()


def test_whoever_sits_at_the_machine_may_do_everything() -> None:
    for scope in SCOPES:
        require(LOCAL, scope)


def test_scopes_are_kept_once_in_a_fixed_order() -> None:
    assert checked_scopes(["run", "read", "run"]) == ("read", "run")


@pytest.mark.parametrize(("given", "told"), [([], "needs a scope"), (["run", "root"], "'root' is unknown")])
def test_no_scope_and_unknown_ones_are_refused(given: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        checked_scopes(given)
