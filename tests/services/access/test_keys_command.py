"""`touchstone keys`: from the command line to a key that works and back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge_base.errors import AccessDenied
from services.access.audit import list_actions
from services.access.authenticator import Authenticator
from services.access.tokens import PATTERN
from services.cli.keys import app
from services.database import Database
from services.settings import load_settings

pytestmark = pytest.mark.usefixtures("place")


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def database() -> Database:
    return Database(load_settings().database)


def test_a_key_is_printed_alone_on_stdout_and_works() -> None:
    out, told = run(
        "create", "ci bot", "--scope", "run", "--scope", "annotate", "--expires", "90d", "--per-minute", "60"
    )
    assert re.fullmatch(PATTERN + "\n", out)
    assert "annotate, run, until 20" in told
    assert "not shown again" in told
    place = database()
    identity = Authenticator(place).authenticate(out.strip())
    assert (identity.name, identity.per_minute) == ("ci bot", 60)
    assert identity.scopes == {"read", "annotate", "run"}
    assert list_actions(place).items[0].key_name == "command line"
    place.close()


def test_the_list_shows_every_key_and_none_of_their_secrets() -> None:
    assert "no keys yet" in run("list")[0]
    token = run("create", "one", "--scope", "admin")[0].strip()
    shown, _ = run("list")
    assert "one" in shown
    assert "active" in shown
    assert token.split("_")[1] in shown
    assert token.split("_")[2] not in shown
    (listed,) = json.loads(run("list", "--json")[0])
    assert (listed["name"], listed["scopes"], listed["state"]) == ("one", ["admin"], "active")


def test_a_revoked_key_no_longer_works() -> None:
    made = json.loads(run("create", "one", "--scope", "read", "--json")[0])
    assert "works no longer" in run("revoke", made["key"]["id"])[0]
    assert json.loads(run("revoke", made["key"]["id"], "--json")[0])["revoked_at"] > 0
    assert "revoked" in run("list")[0]
    place = database()
    with pytest.raises(AccessDenied):
        Authenticator(place).authenticate(made["token"])
    place.close()


def test_a_rotated_key_works_beside_the_new_one() -> None:
    old = json.loads(run("create", "one", "--scope", "run", "--json")[0])
    new = json.loads(run("rotate", old["key"]["id"], "--overlap", "30m", "--json")[0])
    place = database()
    for token in (old["token"], new["token"]):
        assert Authenticator(place).authenticate(token).scopes == {"run", "read"}
    place.close()
    assert new["token"] != old["token"]


def test_the_pepper_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_KEY_PEPPER", "hot")
    token = run("create", "one", "--scope", "run")[0].strip()
    place = database()
    assert Authenticator(place, "hot").authenticate(token)
    with pytest.raises(AccessDenied):
        Authenticator(place).authenticate(token)
    place.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["create", "x", "--scope", "write"], "scope 'write' is unknown; use read, annotate, run, approve or admin"),
        (
            ["create", "x", "--scope", "read", "--expires", "soon"],
            "--expires is 'soon'; write a number and m, h, d or w",
        ),
        (["create", "x", "--scope", "read", "--expires", "0d"], "time to come"),
        (["revoke", "nope"], "there is no key 'nope'"),
        (["rotate", "nope", "--overlap", "90d"], "overlap is"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_with_the_remedy(arguments: list[str], told: str) -> None:
    _, error = run(*arguments, code=1)
    assert error.startswith("touchstone: ")
    assert told in error


def test_a_name_that_acts_on_a_terminal_is_refused(place: Path) -> None:
    assert "will not do" in run("create", "\x1b[2Jx", "--scope", "read", code=1)[1]
