"""Commands on the deployment's own database say so where a server is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app

COMMANDS = (["sets", "list"], ["knowledge", "list"], ["keys", "list"], ["webhooks", "list"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_server_that_is_named_is_not_meant_and_that_is_said(
    command: list[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = CliRunner().invoke(app, command)
    assert (silent.exit_code, silent.stderr) == (0, "")
    monkeypatch.setenv("TOUCHSTONE_URL", "http://127.0.0.1:9")
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0
    assert told.stdout == silent.stdout
    assert "TOUCHSTONE_URL is for `mine` and `label`; this command works on " in told.stderr
    assert "touchstone.sqlite" in told.stderr
